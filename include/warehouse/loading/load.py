"""Bring CSV into the table of an object, so that every row ends in the table or in the reject table.

A first load is COPYed straight into its table. Anything else goes to a staging table and from there by one MERGE.
What COPY refuses is loaded again as text (`load_salvage`), and only the rows that don't fit are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
from psycopg import errors
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from include.errors import FatalError, ServerFault, WarehouseDown
from include.records import RowCounts
from include.warehouse.engine import quoted
from include.warehouse.loading.merge import STAGING
from include.warehouse.loading.rejects import settle_rejects
from include.warehouse.loading.salvage import salvage_rows
from include.warehouse.loading.steps import announce_run, checked_header, copy_csv, create_staging, merge_staging
from include.warehouse.loading.stream import CsvSource, CsvStream
from include.warehouse.sqlstate import words_of
from include.warehouse.tables import Table, existing_columns

# A sample that is enough to plan by and costs a fifth; that autovacuum takes its own, whole one later is not put off,
# because the columns are named.
_FIRST_STATISTICS = 20


def load_rows(
    connection: Connection, table: Table, source: CsvSource, *, run_id: int, straight: bool = False
) -> RowCounts:
    """Load CSV with a header row and return what became of its rows; runs inside the caller's transaction.

    Args:
        connection: an open transaction; on an error the caller rolls it back.
        table: where the rows go; every column of the header is one of its columns.
        source: opens the CSV; called again when the first way of loading it fails.
        run_id: our run, written to each row that is new or changed.
        straight: COPY into the table itself. For first loads: a row that is there already makes this one a merge.
            `finish_straight` completes it after the last page.

    Raises:
        ServerFault: the CSV is broken, or holds columns that were not asked for.
        WarehouseDown: the warehouse went away.
    """
    with our_errors(table):
        announce_run(connection, run_id)
        if straight:
            counts = _attempt(connection, lambda: _copied(connection, table, source))
            if isinstance(counts, RowCounts):
                return counts
        counts = _attempt(connection, lambda: _merged(connection, table, source, run_id))
        if isinstance(counts, RowCounts):
            return counts
        return _salvaged(connection, table, source, run_id)


def finish_straight(connection: Connection, table: Table) -> int:
    """Complete a straight load: mark rows that came as deleted and settle rejects; return how many are deleted."""
    deleted = 0
    if "IsDeleted" in table.columns:
        deleted = connection.exec_driver_sql(
            f'UPDATE {table.name} SET _deleted_at = now() WHERE "IsDeleted" AND _deleted_at IS NULL'
        ).rowcount
    settle_rejects(connection, table, table.name)
    connection.exec_driver_sql(f"SET LOCAL default_statistics_target = {_FIRST_STATISTICS}")
    names = ", ".join(quoted(name) for name in existing_columns(connection, table))
    connection.exec_driver_sql(f"ANALYZE {table.name} ({names})")
    return deleted


def count_absent(connection: Connection, table: Table) -> tuple[int, int]:
    """Return how many rows are here, and how many of them the last load of this transaction did not bring.

    Of a load that went straight nothing is known.
    """
    here, absent = connection.exec_driver_sql(
        f"SELECT count(*), count(*) FILTER (WHERE NOT {_came(table)}) FROM {table.name} AS t WHERE _deleted_at IS NULL"
    ).one()
    return here, absent


def mark_absent(connection: Connection, table: Table, run_id: int) -> int:
    """Mark the rows that the last load of this transaction did not bring as deleted, and return how many."""
    return connection.exec_driver_sql(
        f"UPDATE {table.name} AS t SET _deleted_at = now(), _loaded_at = now(), _run_id = %(run_id)s"
        f" WHERE _deleted_at IS NULL AND NOT {_came(table)}",
        {"run_id": run_id},
    ).rowcount


def _came(table: Table) -> str:
    key = quoted(table.key)
    return f"EXISTS (SELECT 1 FROM {STAGING} AS s WHERE s.{key} = t.{key})"


def is_empty(connection: Connection, table: Table) -> bool:
    """Return whether the table holds no row."""
    return connection.exec_driver_sql(f"SELECT 1 FROM {table.name} LIMIT 1").first() is None


def _attempt(connection: Connection, way: Callable[[], RowCounts]) -> RowCounts | None:
    """Try a way of loading in a savepoint; None, and nothing done, when the rows themselves made it fail."""
    savepoint = connection.begin_nested()
    try:
        counts = way()
    except (psycopg.DataError, psycopg.IntegrityError):
        savepoint.rollback()
        return None
    savepoint.commit()
    return counts


@contextmanager
def our_errors(table: Table) -> Iterator[None]:
    """Turn the driver's errors into ours, without their cause: its text quotes the row that it stopped at."""
    try:
        yield
    except DBAPIError as error:
        raise _ours(error.orig, table) from None
    except psycopg.Error as error:
        raise _ours(error, table) from None


def _ours(error: BaseException | None, table: Table) -> ServerFault | WarehouseDown | FatalError:
    what = words_of(error.sqlstate if isinstance(error, psycopg.Error) else None)
    if isinstance(error, errors.BadCopyFileFormat):
        return ServerFault(f"the org's rows of {table.object} are not whole CSV; the next try asks again")
    if isinstance(error, errors.ProgramLimitExceeded):  # of the driver's operational errors, but trying again is no use
        return FatalError(
            f"a record of {table.object} fills more of its {len(table.columns):,} columns than a row of PostgreSQL can"
            " hold (some 8,000 bytes); nothing of it was loaded. Read fewer fields by a query of your own"
            " (docs/any-object.md)"
        )
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return WarehouseDown(f"the warehouse stopped while rows of {table.object} were loaded: {what}; see its log")
    return FatalError(f"the warehouse refused rows of {table.object}: {what}; nothing of them was loaded")


def _copied(connection: Connection, table: Table, source: CsvSource) -> RowCounts:
    with source() as chunks:
        stream = CsvStream(chunks)
        columns = checked_header(stream, table)
        rows = copy_csv(connection, table.name, columns, stream) if columns else 0
    return RowCounts(read=rows, inserted=rows, nul_removed=stream.nul_removed)


def _merged(connection: Connection, table: Table, source: CsvSource, run_id: int) -> RowCounts:
    with source() as chunks:
        stream = CsvStream(chunks)
        columns = checked_header(stream, table)
        if not columns:
            return RowCounts()
        create_staging(connection, {name: table.columns[name] for name in columns})
        staged = copy_csv(connection, STAGING, columns, stream)
    counts = merge_staging(connection, table, columns, staged, run_id)
    settle_rejects(connection, table, STAGING)
    return replace(counts, nul_removed=stream.nul_removed)


def _salvaged(connection: Connection, table: Table, source: CsvSource, run_id: int) -> RowCounts:
    with source() as chunks:
        stream = CsvStream(chunks)
        columns = checked_header(stream, table)
        staged, rejected = salvage_rows(connection, table, columns, stream, run_id=run_id)
    counts = merge_staging(connection, table, columns, staged, run_id)
    return counts + RowCounts(read=rejected, rejected=rejected, nul_removed=stream.nul_removed)
