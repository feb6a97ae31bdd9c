"""The log of metadata changes: searched, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

KINDS = ("added", "removed", "returned", "type", "length", "label", "picklist", "formula")

STATES = ("waiting", "followed", "frozen", "failed", "overtaken")

_MATCHING = """
  FROM headwater.schema_change AS c
 WHERE c.org = :org AND (:kind = '' OR c.kind = :kind)
   AND (:state = '' OR c.state = :state
        OR (:state = 'waiting' AND c.state IN ('frozen', 'failed') AND c.accepted_at IS NULL))
   AND (:search = ''
        OR position(lower(:search) IN lower(concat_ws(' ', c.object, c.field, c.before, c.after, c.note))) > 0)
"""

_WAITING = """
SELECT count(*) FROM headwater.schema_change
 WHERE org = :org AND state IN ('frozen', 'failed') AND accepted_at IS NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """Hold one change of one field; `before` or `after` is "" where there is none.

    `change_class` is the key of the definition whose policy ruled it, "" before there were policies.
    """

    change_id: int
    object: str
    field: str
    kind: str
    before: str
    after: str
    seen_at: datetime
    change_class: str
    policy: str
    state: str
    note: str
    accepted_at: datetime | None
    accepted_by: str
    settled_at: datetime | None

    @property
    def waits(self) -> bool:
        """Return whether a person has to decide about it."""
        return self.state in ("frozen", "failed") and self.accepted_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChanges:
    """Hold one page of changes, what waits first and then the newest; how many match in all, and how many wait."""

    changes: tuple[SchemaChange, ...]
    total: int
    waiting: int


def schema_changes(
    engine: Engine,
    org: str,
    *,
    search: str = "",
    kind: str = "",
    state: str = "",
    limit: int = 50,
    offset: int = 0,
    newest_first: bool = False,
    before: int | None = None,
) -> SchemaChanges:
    """Return the changes of an org whose object, field, values or note contain `search`.

    What waits comes first, unless `newest_first`. With `before` only older ones are returned; all are counted.
    """
    bound: dict[str, Any] = {"org": org, "search": search, "kind": kind, "state": state}
    bound |= {"limit": limit, "offset": offset, "before": before}
    older = "" if before is None else " AND c.change_id < :before"
    waiting_first = "" if newest_first else "c.state IN ('frozen', 'failed') AND c.accepted_at IS NULL DESC,"
    with transaction(engine) as connection:
        total = connection.execute(text("SELECT count(*)" + _MATCHING), bound).scalar_one()
        waiting = connection.execute(text(_WAITING), {"org": org}).scalar_one()
        rows = connection.execute(
            text(
                "SELECT c.change_id, c.object, c.field, c.kind, c.before, c.after, c.seen_at,"
                " c.class AS change_class, c.policy, c.state, c.note, c.accepted_at, c.accepted_by, c.settled_at"
                + _MATCHING
                + f"{older} ORDER BY {waiting_first} c.change_id DESC LIMIT :limit OFFSET :offset"
            ),
            bound,
        ).mappings()
        changes = tuple(SchemaChange(**row) for row in rows)
        return SchemaChanges(changes=changes, total=total, waiting=waiting)
