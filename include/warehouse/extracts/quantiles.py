"""Say where an object's Ids lie, from the rows that are here: it costs the org nothing."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, text

from include.records import Bounds
from include.warehouse.engine import quoted, transaction
from include.warehouse.tables import Table

# So many rows say within a per cent or two where a tenth of them ends.
_SAMPLED_ROWS = 50_000


def id_quantiles(connection: Connection, table: Table, parts: int, *, at_least: int) -> list[str]:
    """Return the Ids that cut the table in parts of about the same size; [] when it holds fewer rows than `at_least`.

    They are found in a sample of the table, counted by what the last ANALYZE saw.
    """
    rows: float = connection.execute(
        text("SELECT reltuples FROM pg_class WHERE oid = CAST(:name AS regclass)"), {"name": table.name}
    ).scalar_one()
    if rows < max(at_least, parts):
        return []
    percent = min(100.0, 100.0 * _SAMPLED_ROWS / rows)
    found = connection.execute(
        text(
            f'SELECT percentile_disc(CAST(:shares AS float8[])) WITHIN GROUP (ORDER BY {quoted(table.key)} COLLATE "C")'
            f" FROM {table.name} TABLESAMPLE SYSTEM ({percent:.6f})"
        ),
        {"shares": [n / parts for n in range(1, parts)]},
    ).scalar_one()
    return sorted(set(found or ()))


def middle_id(engine: Engine, table: Table, bounds: Bounds) -> str | None:
    """Return the Id that halves the rows of a part of the table, above its first one; None for fewer than two rows."""
    key = f'{quoted(table.key)} COLLATE "C"'
    statement = text(
        f"SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY {key} DESC) AS middle, min({key}) AS first"
        f" FROM {table.name} WHERE {key} >= :low AND (:high = '' OR {key} < :high)"
    )
    with transaction(engine) as connection:
        row = connection.execute(statement, {"low": bounds.id_from, "high": bounds.id_below}).one()
    return row.middle if row.middle is not None and row.middle > max(row.first, bounds.id_from) else None
