"""The log of metadata changes: searched, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

KINDS = ("added", "removed", "returned", "type", "length", "label", "picklist", "formula")

_MATCHING = """
  FROM headwater.schema_change AS c
 WHERE c.org = :org AND (:kind = '' OR c.kind = :kind)
   AND (:search = '' OR position(lower(:search) IN lower(concat_ws(' ', c.object, c.field, c.before, c.after))) > 0)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """Hold one change of one field; `before` or `after` is "" where there is none."""

    object: str
    field: str
    kind: str
    before: str
    after: str
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChanges:
    """Hold one page of changes, the newest first, and how many match in all."""

    changes: tuple[SchemaChange, ...]
    total: int


def schema_changes(
    engine: Engine, org: str, *, search: str = "", kind: str = "", limit: int = 50, offset: int = 0
) -> SchemaChanges:
    """Return the changes of an org whose object, field or values contain `search`."""
    bound = {"org": org, "search": search, "kind": kind, "limit": limit, "offset": offset}
    with transaction(engine) as connection:
        total = connection.execute(text("SELECT count(*)" + _MATCHING), bound).scalar_one()
        rows = connection.execute(
            text(
                "SELECT c.object, c.field, c.kind, c.before, c.after, c.seen_at"
                + _MATCHING
                + " ORDER BY c.change_id DESC LIMIT :limit OFFSET :offset"
            ),
            bound,
        ).mappings()
        return SchemaChanges(changes=tuple(SchemaChange(**row) for row in rows), total=total)
