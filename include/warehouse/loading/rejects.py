"""Keep the rows that the warehouse could not take, with the cause, until a later load takes the record."""

from __future__ import annotations

from sqlalchemy import Connection, text

from include.warehouse.engine import quoted
from include.warehouse.tables import Table


def settle_rejects(connection: Connection, table: Table, loaded: str) -> int:
    """Settle the open rejects of records that stand in `loaded` (a relation's name, quoted); return how many."""
    taken = f"SELECT 1 FROM {loaded} AS l WHERE l.{quoted(table.key)} = r.record_id"
    return connection.execute(
        text(
            "UPDATE headwater.reject AS r SET settled_at = now() WHERE r.org = :org AND r.object = :object"
            f" AND r.settled_at IS NULL AND EXISTS ({taken})"
        ),
        {"org": table.org, "object": table.object},
    ).rowcount


def open_rejects(connection: Connection, org: str, object: str) -> int:
    """Return how many records of this object the warehouse could not take."""
    count: int = connection.execute(
        text("SELECT count(*) FROM headwater.reject WHERE org = :org AND object = :object AND settled_at IS NULL"),
        {"org": org, "object": object},
    ).scalar_one()
    return count
