"""Load what COPY refused: every value as text first, then cast, the rows that don't fit going to the reject table.

The casts are tried set by set, not row by row: PostgreSQL 16 and later say by themselves whether a text is valid for a
type; older servers are given a function that tries.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from psycopg import sql
from sqlalchemy import Connection

from include.warehouse.engine import driver, quoted
from include.warehouse.loading.merge import STAGING
from include.warehouse.loading.rejects import settle_rejects
from include.warehouse.loading.steps import copy_csv, create_staging
from include.warehouse.loading.stream import NOT_UTF8, marked
from include.warehouse.sqlstate import words_of
from include.warehouse.tables import Table

_TEXT = "headwater_text"
_LINE = "headwater_line"
_BAD = "headwater_bad"
_TELLS_VALIDITY_FROM = 160_000

_TRY_CAST = """
    CREATE OR REPLACE FUNCTION pg_temp.headwater_cast_state(value text, kind text) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN
        IF value IS NOT NULL THEN EXECUTE 'SELECT $1::' || kind USING value; END IF;
        RETURN NULL;
    EXCEPTION WHEN data_exception THEN
        RETURN SQLSTATE;
    END $$
"""


def salvage_rows(
    connection: Connection, table: Table, columns: Sequence[str], chunks: Iterable[bytes], *, run_id: int
) -> tuple[int, int]:
    """Stage the rows that fit and reject the others; return how many of each. The caller merges what is staged.

    Raises:
        psycopg.errors.BadCopyFileFormat: the CSV itself is broken.
    """
    kinds = {name: table.columns[name] for name in columns}
    _copy_as_text(connection, columns, chunks)
    rejected = _find_bad(connection, kinds, table.key)
    staged = _stage_good(connection, kinds)
    settle_rejects(connection, table, STAGING)
    _keep_bad(connection, table, run_id)
    return staged, rejected


def _copy_as_text(connection: Connection, columns: Sequence[str], chunks: Iterable[bytes]) -> None:
    described = ", ".join(f"{quoted(name)} text" for name in columns)
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {_TEXT}, {_BAD}")
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE {_TEXT} ({described}, {_LINE} bigint GENERATED ALWAYS AS IDENTITY) ON COMMIT DROP"
    )
    copy_csv(connection, _TEXT, columns, marked(chunks))


def _find_bad(connection: Connection, kinds: dict[str, str], key: str) -> int:
    tells = driver(connection).info.server_version >= _TELLS_VALIDITY_FROM
    if not tells:
        connection.exec_driver_sql(_TRY_CAST)
    tests = ", ".join(
        f"({number}, {_literal(name)}, {_state(name, kind, tells=tells, is_key=name == key)})"
        for number, (name, kind) in enumerate(kinds.items())
    )
    _run(
        connection,
        f"CREATE TEMPORARY TABLE {_BAD} ON COMMIT DROP AS"
        f" SELECT t.{_LINE}, b.column_name, b.state FROM {_TEXT} AS t CROSS JOIN LATERAL ("
        f" SELECT column_name, state FROM (VALUES {tests}) AS v (number, column_name, state)"
        " WHERE state IS NOT NULL ORDER BY number LIMIT 1) AS b",
    )
    found: int = connection.exec_driver_sql(f"SELECT count(*) FROM {_BAD}").scalar_one()
    return found


def _state(name: str, kind: str, *, tells: bool, is_key: bool) -> str:
    """Return an expression: the SQLSTATE that casting this column of `t` gives, or null."""
    value = f"t.{quoted(name)}"
    if kind == "text":
        missing = f"WHEN {value} IS NULL THEN '23502'" if is_key else ""
        return f"CASE {missing} WHEN position({_literal(NOT_UTF8)} IN {value}) > 0 THEN '22021' END"
    if tells:
        invalid = f"NOT pg_input_is_valid({value}, {_literal(kind)})"
        return f"CASE WHEN {invalid} THEN (pg_input_error_info({value}, {_literal(kind)})).sql_error_code END"
    return f"pg_temp.headwater_cast_state({value}, {_literal(kind)})"


def _stage_good(connection: Connection, kinds: dict[str, str]) -> int:
    create_staging(connection, kinds)
    names = ", ".join(quoted(name) for name in kinds)
    casts = ", ".join(f"CAST(t.{quoted(name)} AS {kind})" for name, kind in kinds.items())
    return connection.exec_driver_sql(
        f"INSERT INTO {STAGING} ({names}) SELECT {casts} FROM {_TEXT} AS t"
        f" WHERE NOT EXISTS (SELECT 1 FROM {_BAD} AS b WHERE b.{_LINE} = t.{_LINE}) ORDER BY t.{_LINE}"
    ).rowcount


def _keep_bad(connection: Connection, table: Table, run_id: int) -> None:
    """Write the rejects; a record that was rejected before is replaced, so that it is open once."""
    states = connection.exec_driver_sql(f"SELECT DISTINCT state FROM {_BAD}").scalars().all()
    values = {
        "run_id": run_id,
        "org": table.org,
        "object": table.object,
        "words": json.dumps({state: words_of(state) for state in states}),
    }
    key = quoted(table.key)
    bad = f"SELECT t.{key} FROM {_TEXT} AS t JOIN {_BAD} AS b USING ({_LINE})"
    connection.exec_driver_sql(
        "DELETE FROM headwater.reject WHERE org = %(org)s AND object = %(object)s AND settled_at IS NULL"
        f" AND record_id IN ({bad})",
        values,
    )
    connection.exec_driver_sql(
        "INSERT INTO headwater.reject (run_id, org, object, record_id, column_name, cause, source)"
        f" SELECT %(run_id)s, %(org)s, %(object)s, coalesce(t.{key}, ''), b.column_name,"
        f" %(words)s::jsonb ->> b.state, to_jsonb(t) - '{_LINE}'"
        f" FROM {_TEXT} AS t JOIN {_BAD} AS b USING ({_LINE}) ORDER BY {_LINE}",
        values,
    )


def _literal(value: str) -> str:
    return sql.Literal(value).as_string(None)


def _run(connection: Connection, statement: str) -> None:
    driver(connection).execute(sql.SQL(statement))
