"""Count and name the records of a table by ranges of their Ids, in the order in which the org compares Ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from include.records import Bounds
from include.warehouse.engine import quoted
from include.warehouse.tables import Table

# Bytes in order, as the org compares Ids, whatever the collation of the database.
_KEY = '"Id" COLLATE "C"'


def cut_range(
    connection: Connection, table: Table, within: Bounds, parts: int, *, created_before: datetime
) -> list[Bounds]:
    """Return so many ranges, or fewer, that hold about the same number of the table's records and tile `within`."""
    edges = connection.execute(
        text(
            f"SELECT percentile_disc(CAST(:shares AS float8[])) WITHIN GROUP (ORDER BY {_KEY})"
            f" FROM {table.name} WHERE {_alive(within)}"
        ),
        {"shares": [n / parts for n in range(1, parts)], **_bound(within, created_before)},
    ).scalar_one()
    inner = [edge for edge in sorted(set(edges or ())) if edge > within.id_from]
    lows, highs = [within.id_from, *inner], [*inner, within.id_below]
    return [Bounds(id_from=low, id_below=high) for low, high in zip(lows, highs, strict=True)]


def count_in_ranges(
    connection: Connection, table: Table, ranges: Sequence[Bounds], *, created_before: datetime
) -> list[int]:
    """Return how many records of each range are not deleted and were created before a time."""
    return [
        connection.execute(
            text(f"SELECT count(*) FROM {table.name} WHERE {_alive(each)}"), _bound(each, created_before)
        ).scalar_one()
        for each in ranges
    ]


def ids_in_range(connection: Connection, table: Table, within: Bounds, *, created_before: datetime) -> set[str]:
    """Return the Ids of the records of a range that are not deleted and were created before a time."""
    rows = connection.execute(
        text(f'SELECT "Id" FROM {table.name} WHERE {_alive(within)}'), _bound(within, created_before)
    )
    return {str(each) for each in rows.scalars()}


def known_ids(connection: Connection, table: Table, record_ids: Sequence[str]) -> set[str]:
    """Return which of these Ids the table holds, deleted or not."""
    rows = connection.execute(text(f'SELECT "Id" FROM {table.name} WHERE "Id" = ANY(:ids)'), {"ids": list(record_ids)})
    return {str(each) for each in rows.scalars()}


def mark_purged(connection: Connection, table: Table, record_ids: Sequence[str], run_id: int) -> int:
    """Mark these rows as deleted, because the org knows their Ids no more, and return how many; values are kept."""
    return connection.execute(
        text(
            f"UPDATE {table.name} SET _deleted_at = now(), _loaded_at = now(), _run_id = :run_id"
            f" WHERE {quoted(table.key)} = ANY(:ids) AND _deleted_at IS NULL"
        ),
        {"ids": list(record_ids), "run_id": run_id},
    ).rowcount


def _alive(within: Bounds) -> str:
    low = f" AND {_KEY} >= :low" if within.id_from else ""
    high = f" AND {_KEY} < :high" if within.id_below else ""
    return f'_deleted_at IS NULL AND "CreatedDate" < :before{low}{high}'


def _bound(within: Bounds, created_before: datetime) -> dict[str, Any]:
    low = {"low": within.id_from} if within.id_from else {}
    return {"before": created_before, **low, **({"high": within.id_below} if within.id_below else {})}
