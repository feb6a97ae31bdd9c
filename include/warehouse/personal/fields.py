"""Say which fields hold what belongs to a person: the one place that every page, file and answer asks.

A person decides for each org, object and field. What nobody decided counts as personal, but for yes and no, a record's
Id and the stamps that the system sets (the view `headwater.field_register` holds the rule).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalFields:
    """Hold which fields of some objects may be shown to everybody who is signed in; all others are personal."""

    plain: frozenset[tuple[str, str]]  # (object, field)

    def is_personal(self, object: str, field: str) -> bool:
        """Return whether a field may hold what belongs to a person; one that is not known may."""
        return field != "Id" and (object, field) not in self.plain


def personal_fields(connection: Connection, org: str, objects: Iterable[str]) -> PersonalFields:
    """Return what the register says of objects now.

    Read it once for a request or a run, in the transaction that reads the values and before them; keep it no longer,
    because a person may change it at any time.

    Args:
        connection: an open transaction.
        org: whose.
        objects: API names.
    """
    rows = connection.execute(
        text(
            "SELECT object, field FROM headwater.field_register"
            " WHERE org = :org AND object = ANY(:objects) AND NOT personal"
        ),
        {"org": org, "objects": list(dict.fromkeys(objects))},
    )
    return PersonalFields(plain=frozenset((row.object, row.field) for row in rows))


_LEADS_TO = text(
    "SELECT DISTINCT unnest(reference_to) FROM headwater.field"
    " WHERE org = :org AND object = ANY(:objects) AND name = :field AND gone_at IS NULL"
)


def plain_paths(connection: Connection, org: str, object: str, paths: Iterable[str]) -> frozenset[str]:
    """Return those of the field paths that may be shown to everybody who is signed in.

    A path over relationships (``Account.Owner.Name``) may be, if its field may be in each object that it can lead to.

    Args:
        connection: an open transaction.
        org: whose.
        object: where the paths begin.
        paths: of fields.
    """
    ends = {path: _ends(connection, org, object, path.split(".")[:-1]) for path in paths}
    register = personal_fields(connection, org, {each for objects in ends.values() for each in objects})
    return frozenset(
        path
        for path, objects in ends.items()
        if objects and not any(register.is_personal(each, path.rpartition(".")[2]) for each in objects)
    )


def _ends(connection: Connection, org: str, object: str, relations: list[str]) -> list[str]:
    objects = [object]
    for relation in relations:
        field = f"{relation.removesuffix('__r')}__c" if relation.endswith("__r") else f"{relation}Id"
        rows = connection.execute(_LEADS_TO, {"org": org, "objects": objects, "field": field})
        objects = list(rows.scalars())
    return objects


_DECIDE = text("""
WITH old AS MATERIALIZED (
    SELECT field, type, state FROM headwater.field_register
     WHERE org = :org AND object = :object AND state NOT IN ('fixed', :wanted) AND field = ANY(:fields)
), kept AS (
    INSERT INTO headwater.personal_field (org, object, field, personal, type, decided_by)
    SELECT :org, :object, field, :personal, type, :by FROM old
    ON CONFLICT (org, object, field) DO UPDATE SET personal = excluded.personal, type = excluded.type,
        decided_by = excluded.decided_by, decided_at = now()
)
INSERT INTO headwater.audit (who, what, org, object, field, before, after)
SELECT :by, :what, :org, :object, field, state, :wanted FROM old ORDER BY field
""")


def decide_fields(
    connection: Connection,
    org: str,
    object: str,
    fields: Collection[str],
    *,
    personal: bool,
    by: str,
    what: str = "decided",
) -> int:
    """Write what a person decided about fields, each change with a line of the audit trail; return how many changed.

    Args:
        connection: an open transaction.
        org: whose.
        object: API name.
        fields: API names; those that the object never had, and those about which there is nothing to decide, are left.
        personal: whether they hold what belongs to a person.
        by: the name by which the person is signed in.
        what: our words for the way in which it was decided.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:org, 18))"), {"org": org})
    return connection.execute(
        _DECIDE,
        {
            "org": org,
            "object": object,
            "fields": list(fields),
            "personal": personal,
            "wanted": "personal" if personal else "plain",
            "by": by,
            "what": what,
        },
    ).rowcount


def decide_the_rest(connection: Connection, org: str, object: str, *, by: str) -> int:
    """Write that a person has looked at an object: what nobody decided stays as it counts now; return how many."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:org, 18))"), {"org": org})
    rows = connection.execute(
        text(
            "SELECT field, personal FROM headwater.field_register WHERE org = :org AND object = :object"
            " AND gone_at IS NULL AND state IN ('undecided', 'lapsed')"
        ),
        {"org": org, "object": object},
    ).all()
    return sum(
        decide_fields(
            connection,
            org,
            object,
            [row.field for row in rows if row.personal is personal],
            personal=personal,
            by=by,
            what="reviewed the object",
        )
        for personal in (True, False)
    )
