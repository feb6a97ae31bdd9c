"""Read whose records newly fail a check, and keep up to where each owner was told. Ids and counts only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, text

from include.warehouse.engine import quoted

NEVER = datetime.fromtimestamp(0, UTC)
BEGINNING = 0  # before every assessment
_LISTED = 500  # Ids that are read of an owner's new findings of one check
_LEVELS = 5  # of managers above an owner
_USER = ("Email", "IsActive", "ManagerId", "UserType")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedFindings:
    """Count what of one check belongs to one owner: `new` since the owner was told, `open` in all.

    Who was never told is told how things stand: then what is open is new.
    """

    owner_id: str
    check_id: str
    object: str
    new: int
    open: int
    record_ids: tuple[str, ...]  # of the new ones, the first of them


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesforceUser:
    """Hold what decides whether and where a user can be told; the address is used and never kept."""

    user_id: str
    email: str
    active: bool
    standard: bool  # a person and no integration or guest
    manager_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldUpTo:
    """Say up to which assessment an owner was told, and when; an owner who waits for a first mail was told never."""

    assessment_id: int
    at: datetime

    @property
    def never(self) -> bool:
        """Return whether the owner still waits for a first mail."""
        return self.at == NEVER


def told_up_to(connection: Connection, org: str) -> dict[str, ToldUpTo]:
    """Return how far each owner was told; "" stands for all who never were. Empty before telling owners began."""
    rows = connection.execute(
        text("SELECT owner_id, assessment_id, told_at FROM headwater.owner_told WHERE org = :org"), {"org": org}
    )
    return {row.owner_id: ToldUpTo(assessment_id=row.assessment_id, at=row.told_at) for row in rows}


def note_told(connection: Connection, org: str, owners: Collection[str], assessment_id: int, at: datetime) -> None:
    """Write that these owners were told up to an assessment, in the caller's transaction."""
    connection.execute(
        text(
            "INSERT INTO headwater.owner_told (org, owner_id, assessment_id, told_at)"
            " SELECT :org, owner_id, :assessment_id, :at FROM unnest(CAST(:owners AS text[])) AS o (owner_id)"
            " ON CONFLICT (org, owner_id)"
            " DO UPDATE SET assessment_id = excluded.assessment_id, told_at = excluded.told_at"
        ),
        {"org": org, "owners": list(owners), "assessment_id": assessment_id, "at": at},
    )


def note_passed(connection: Connection, org: str, assessment_id: int, held: Collection[str]) -> None:
    """Write that there is nothing more to tell up to an assessment but to those who are held back."""
    bound = {"org": org, "assessment_id": assessment_id, "held": list(held)}
    connection.execute(
        text(  # who is held back and has no line goes on from where all were
            "INSERT INTO headwater.owner_told (org, owner_id, assessment_id, told_at)"
            " SELECT :org, h.owner_id, o.assessment_id, to_timestamp(0)"
            " FROM unnest(CAST(:held AS text[])) AS h (owner_id)"
            " JOIN headwater.owner_told AS o ON o.org = :org AND o.owner_id = '' ON CONFLICT DO NOTHING"
        ),
        bound,
    )
    connection.execute(
        text(
            "UPDATE headwater.owner_told SET assessment_id = :assessment_id"
            " WHERE org = :org AND assessment_id < :assessment_id AND NOT owner_id = ANY(:held)"
        ),
        bound,
    )


def objects_with_new_findings(
    connection: Connection, org: str, *, after: int, assessment_id: int, checks: Sequence[str]
) -> dict[str, list[str]]:
    """Return by object those of the checks that found records after an assessment that they had not found before."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT i.object, i.check_id FROM headwater.issue AS i"
            " JOIN headwater.assessment AS a ON a.assessment_id = i.assessment_id AND a.org = :org"
            " WHERE i.assessment_id > :after AND i.assessment_id <= :assessment_id AND i.appeared > 0"
            " AND i.check_id = ANY(:checks) ORDER BY i.object, i.check_id"
        ),
        {"org": org, "after": after, "assessment_id": assessment_id, "checks": list(checks)},
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.object, []).append(row.check_id)
    return found


def owned_findings(
    connection: Connection,
    org: str,
    schema: str,
    object: str,
    *,
    checks: Sequence[str],
    assessment_id: int,
    settled_before: datetime,
    never_told: Collection[str] | None = None,
) -> list[OwnedFindings]:
    """Return what owners of an object's records were not told yet; nothing for an object without owners.

    A record that was mended after `settled_before` and fails again is no new finding: it flaps.
    With `never_told` it is all that is open in the records of these owners.
    """
    if "OwnerId" not in columns_of(connection, schema, object):
        return []
    bound = {
        "org": org,
        "object": object,
        "checks": list(checks),
        "assessment_id": assessment_id,
        "settled_before": settled_before,
        "owners": list(never_told or ()),
    }
    new = _NEW if never_told is None else "true"
    whose = "" if never_told is None else """AND r."OwnerId" = ANY(:owners)"""
    asked = _OWNED.format(table=quoted(schema, object), listed=_LISTED, new=new, whose=whose)
    rows = connection.execute(text(asked), bound)
    return [
        OwnedFindings(
            owner_id=row.owner_id,
            check_id=row.check_id,
            object=object,
            new=row.new,
            open=row.open,
            record_ids=tuple(row.record_ids),
        )
        for row in rows
    ]


def users_above(connection: Connection, schema: str, owners: Collection[str]) -> dict[str, SalesforceUser]:
    """Return these users and their managers, as far as the warehouse holds the object User and its fields."""
    columns = columns_of(connection, schema, "User")
    if not {"Id", "Email"} <= columns:
        return {}
    chosen = ", ".join(f'u."{name}"' if name in columns else f'NULL AS "{name}"' for name in _USER)
    found: dict[str, SalesforceUser] = {}
    wanted = set(owners)
    for _ in range(_LEVELS):
        wanted -= set(found)
        rows = connection.execute(
            text(f'SELECT u."Id", {chosen} FROM {quoted(schema, "User")} AS u WHERE u."Id" = ANY(:ids)'),
            {"ids": sorted(wanted)},
        )
        above = [_user(row) for row in rows.mappings()]
        found |= {each.user_id: each for each in above}
        wanted = {each.manager_id for each in above if each.manager_id}
    return found


def columns_of(connection: Connection, schema: str, object: str) -> frozenset[str]:
    """Return the columns of an object's table; none when there is no such table."""
    rows = connection.execute(
        text(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(:table) AND attnum > 0"
            " AND NOT attisdropped"
        ),
        {"table": quoted(schema, object)},
    )
    return frozenset(rows.scalars())


def _user(row: RowMapping) -> SalesforceUser:
    return SalesforceUser(
        user_id=row["Id"],
        email=row["Email"] or "",
        active=row["IsActive"] is not False,
        standard=row["UserType"] in (None, "Standard"),
        manager_id=row["ManagerId"] or "",
    )


_NEW = """f.found_by > coalesce(t.assessment_id, everyone.assessment_id) AND NOT EXISTS (
                   SELECT FROM headwater.finding AS e JOIN headwater.assessment AS a ON a.assessment_id = e.mended_by
                    WHERE e.org = f.org AND e.check_id = f.check_id AND e.record_id = f.record_id
                      AND e.found_by < f.found_by AND a.assessed_at > :settled_before)"""

_OWNED = """
SELECT owner_id, check_id, count(*) FILTER (WHERE new) AS new, count(*) AS open,
       (array_agg(record_id ORDER BY record_id) FILTER (WHERE new))[1:{listed}] AS record_ids
  FROM (SELECT r."OwnerId" AS owner_id, f.check_id, f.record_id, {new} AS new
          FROM headwater.finding AS f
          JOIN {table} AS r ON r."Id" = f.record_id AND r._deleted_at IS NULL AND r."OwnerId" IS NOT NULL
          JOIN headwater.owner_told AS everyone ON everyone.org = f.org AND everyone.owner_id = ''
          LEFT JOIN headwater.owner_told AS t ON t.org = f.org AND t.owner_id = r."OwnerId"
         WHERE f.org = :org AND f.object = :object AND f.check_id = ANY(:checks) AND f.mended_by IS NULL
           AND f.found_by <= :assessment_id {whose}) AS owned
 GROUP BY owner_id, check_id HAVING bool_or(new)
 ORDER BY owner_id, check_id
"""
