"""Run the single steps of a load: read the header, COPY, stage, merge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from psycopg import sql
from sqlalchemy import Connection

from include.errors import RowsRepeated, ServerFault
from include.records import RowCounts
from include.warehouse.engine import driver, quoted
from include.warehouse.loading.merge import (
    STAGING,
    drop_older_twins_statement,
    merge_statement,
    staged_keys_statement,
)
from include.warehouse.loading.stream import CsvStream
from include.warehouse.tables import Table

_ANALYZE_FROM = 1000  # below this the planner's guess for an unknown table is good enough


def announce_run(connection: Connection, run_id: int) -> None:
    """Say for this transaction which run's rows come: the default of `_run_id` reads it."""
    connection.exec_driver_sql("SELECT set_config('headwater.run_id', %(run_id)s, true)", {"run_id": str(run_id)})


def checked_header(stream: CsvStream, table: Table) -> list[str]:
    """Return the columns that the CSV brings; [] when it is empty.

    Raises:
        ServerFault: it brings a column that the table does not have.
    """
    columns = stream.header()
    unknown = [name for name in columns if name not in table.columns]
    if unknown or (columns and table.key not in columns):
        raise ServerFault(
            f"the org's rows of {table.object} have other columns than were asked for"
            f" ({', '.join(unknown[:5]) or f'no {table.key}'}); the next try asks again"
        )
    return columns


def copy_csv(connection: Connection, target: str, columns: Sequence[str], chunks: Iterable[bytes]) -> int:
    """COPY CSV bytes into `target` (quoted already) and return the count; an empty value is null, quoted or not."""
    names = ", ".join(quoted(name) for name in columns)
    statement = f"COPY {target} ({names}) FROM STDIN (FORMAT csv, HEADER true, ENCODING 'UTF8', FORCE_NULL ({names}))"
    with driver(connection).cursor() as cursor:
        with cursor.copy(sql.SQL(statement)) as copy:
            for chunk in chunks:
                copy.write(chunk)
        return cursor.rowcount


def create_staging(connection: Connection, columns: Mapping[str, str]) -> None:
    """Make an empty staging table of these columns and types; it is gone with the transaction."""
    described = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {STAGING}")
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {STAGING} ({described}) ON COMMIT DROP")


def merge_staging(connection: Connection, table: Table, columns: Sequence[str], staged: int, run_id: int) -> RowCounts:
    """Bring the staged rows into the table and return what became of them."""
    raw = driver(connection)
    if staged >= _ANALYZE_FROM:
        connection.exec_driver_sql(f"ANALYZE {STAGING} ({quoted(table.key)})")
    lowest, highest, twins = connection.exec_driver_sql(staged_keys_statement(table)).one()
    if twins and table.cursor_field not in columns:
        raise RowsRepeated(
            f"rows of {table.object} hold the same {table.key} more than once, and no stamp tells which is newer;"
            " nothing of them was kept, the next try asks again. If it is a query of your own, name another `key`"
        )
    if twins:
        connection.exec_driver_sql(drop_older_twins_statement(table))
    statement = merge_statement(table, columns, raw.info.server_version)
    values = {"run_id": run_id, "lowest": lowest, "highest": highest}
    # Not prepared: its plan depends on how far the keys lie apart.
    found = raw.execute(sql.SQL(statement), values, prepare=False).fetchone()
    assert found is not None
    inserted, updated, deleted = found
    return RowCounts(
        read=staged,
        inserted=inserted,
        updated=updated,
        unchanged=staged - inserted - updated,
        deleted=deleted,
    )
