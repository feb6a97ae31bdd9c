"""Keep what changed in an org's metadata, and what its policy and a person made of each change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

from include.records import FieldChange


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenChange:
    """Hold a change that was held back: frozen or failed."""

    change_id: int
    change: FieldChange
    change_class: str
    state: str
    accepted: bool

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Return what tells it from any other change of its object."""
        return self.change.field, self.change.kind, self.change.before, self.change.after


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptChange:
    """Hold a change as it is written down; `note` says what became of its column."""

    change: FieldChange
    change_class: str
    policy: str
    state: str
    note: str = ""
    change_id: int | None = None  # it is written down already


def keep_changes(connection: Connection, org: str, changes: Sequence[KeptChange]) -> None:
    """Write changes, in the transaction that keeps the describe which told them; those known before are renewed."""
    for each in changes:
        row = asdict(each.change) | {
            "org": org,
            "class": each.change_class,
            "policy": each.policy,
            "state": each.state,
            "note": each.note,
            "change_id": each.change_id,
        }
        connection.execute(_INSERT if each.change_id is None else _RENEW, row)


_INSERT = text(
    "INSERT INTO headwater.schema_change (org, object, field, kind, before, after, class, policy, state, note)"
    " VALUES (:org, :object, :field, :kind, :before, :after, :class, :policy, :state, :note)"
)
_RENEW = text(
    "UPDATE headwater.schema_change SET class = :class, state = :state,"
    " policy = CASE WHEN :state = 'followed' THEN policy ELSE :policy END, note = :note,"
    " settled_at = CASE WHEN :state = 'followed' THEN now() END WHERE change_id = :change_id"
)


def overtake_changes(connection: Connection, change_ids: Sequence[int]) -> None:
    """Close changes that were held back and are no longer what the org says."""
    if change_ids:
        connection.execute(
            text(
                "UPDATE headwater.schema_change SET state = 'overtaken', settled_at = now()"
                " WHERE change_id = ANY(:change_ids)"
            ),
            {"change_ids": list(change_ids)},
        )


def open_changes(connection: Connection, org: str, object: str) -> tuple[OpenChange, ...]:
    """Return the changes of an object that are held back, the oldest first."""
    rows = connection.execute(
        text(
            "SELECT change_id, object, field, kind, before, after, class, state, accepted_at IS NOT NULL AS accepted"
            " FROM headwater.schema_change WHERE org = :org AND object = :object AND state IN ('frozen', 'failed')"
            " ORDER BY change_id"
        ),
        {"org": org, "object": object},
    )
    return tuple(
        OpenChange(
            change_id=row.change_id,
            change=FieldChange(object=row.object, field=row.field, kind=row.kind, before=row.before, after=row.after),
            change_class=row._mapping["class"],
            state=row.state,
            accepted=row.accepted,
        )
        for row in rows
    )


def accept_change(connection: Connection, org: str, change_id: int, by: str) -> bool:
    """Write that a person accepts a change that is held back; False when it is not held back (any more)."""
    found = connection.execute(
        text(
            "UPDATE headwater.schema_change SET accepted_at = now(), accepted_by = :by WHERE org = :org"
            " AND change_id = :change_id AND state IN ('frozen', 'failed') AND accepted_at IS NULL"
        ),
        {"org": org, "change_id": change_id, "by": by},
    )
    return found.rowcount > 0


def fields_gone(connection: Connection, org: str, object: str) -> frozenset[str]:
    """Return the names of fields that the org described once and no longer does."""
    rows = connection.execute(
        text("SELECT name FROM headwater.field WHERE org = :org AND object = :object AND gone_at IS NOT NULL"),
        {"org": org, "object": object},
    )
    return frozenset(rows.scalars())
