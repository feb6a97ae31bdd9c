"""Keep the comparisons of rows here with rows in the org."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from include.warehouse.engine import quoted
from include.warehouse.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Compare the rows of one object here and in the org: those with CreatedDate < `as_of` that are not deleted."""

    object: str
    here: int
    in_org: int
    as_of: datetime
    note: str = ""

    @property
    def difference(self) -> int:
        """Return how many records the warehouse lacks (negative: has too many)."""
        return self.in_org - self.here


def keep_certificate(connection: Connection, org: str, certificate: Certificate, *, run_id: int | None) -> None:
    """Write a comparison."""
    connection.execute(
        text(
            "INSERT INTO headwater.certificate (run_id, org, object, here, in_org, difference, as_of, note)"
            " VALUES (:run_id, :org, :object, :here, :in_org, :difference, :as_of, :note)"
        ),
        {
            "run_id": run_id,
            "org": org,
            "object": certificate.object,
            "here": certificate.here,
            "in_org": certificate.in_org,
            "difference": certificate.difference,
            "as_of": certificate.as_of,
            "note": certificate.note,
        },
    )


def rows_here(connection: Connection, table: Table, *, created_before: datetime) -> int:
    """Return how many records of the table are not deleted and were created before a time."""
    count: int = connection.execute(
        text(f'SELECT count(*) FROM {table.name} WHERE _deleted_at IS NULL AND "CreatedDate" < :before'),
        {"before": created_before},
    ).scalar_one()
    return count


def known_deleted_since(connection: Connection, table: Table, *, since: datetime) -> int:
    """Return how many records created before a time are known to have been deleted at or after it."""
    count: int = connection.execute(
        text(
            f'SELECT count(*) FROM {table.name} WHERE _deleted_at IS NOT NULL AND "CreatedDate" < :since'
            f" AND {quoted(table.cursor_field)} >= :since"
        ),
        {"since": since},
    ).scalar_one()
    return count
