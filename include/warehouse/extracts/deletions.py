"""Find and mark rows of records that the org deleted for good."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from include.warehouse.engine import quoted
from include.warehouse.tables import Table


def suspects_among(connection: Connection, table: Table, record_ids: Sequence[str]) -> tuple[str, ...]:
    """Return those of the records that are here and not known as deleted, in order."""
    key = quoted(table.key)
    rows = connection.execute(
        text(f"SELECT {key} FROM {table.name} WHERE {key} = ANY(:ids) AND _deleted_at IS NULL ORDER BY 1"),
        {"ids": list(record_ids)},
    )
    return tuple(rows.scalars())


def count_alive(connection: Connection, table: Table) -> int:
    """Return how many rows are not known as deleted."""
    rows: int = connection.exec_driver_sql(f"SELECT count(*) FROM {table.name} WHERE _deleted_at IS NULL").scalar_one()
    return rows


def mark_gone(connection: Connection, table: Table, record_ids: Sequence[str], run_id: int) -> int:
    """Mark these rows as deleted and return how many; their last values are kept."""
    return connection.execute(
        text(
            f"UPDATE {table.name} SET _deleted_at = now(), _loaded_at = now(), _run_id = :run_id"
            f" WHERE {quoted(table.key)} = ANY(:ids) AND _deleted_at IS NULL"
        ),
        {"ids": list(record_ids), "run_id": run_id},
    ).rowcount
