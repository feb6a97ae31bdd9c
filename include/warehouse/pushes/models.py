"""Run the models of pushes: a person's own SELECT over the warehouse, which may read and do nothing else.

The rows go into a table of the session; the SELECT itself runs read-only and is cut off after a while. Table names
without a schema mean those of the org.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection

from include.errors import DefinitionError
from include.warehouse.engine import driver, quoted

ROWS = "pushed_rows"  # the table of the session
KEY = "_key"
TIMEOUT_SECONDS = 600
_READER = "pg_read_all_data"  # comes with the server
_TIMED_OUT = "57014"
_FIRST_DAY, _LAST_DAY = "DATE '0001-01-02'", "DATE '9999-12-30'"  # with room for any time zone


def tables_of_model(connection: Connection, *, model: str, sql: str, schema: str) -> tuple[str, ...]:
    """Return the tables of the schema that a model reads, as the server itself understands it; nothing is read.

    Raises:
        DefinitionError: the server cannot make sense of it, or it does more than read.
    """
    point = connection.begin_nested()
    try:
        _search_in(connection, schema)
        _run(connection, model, f"CREATE TEMP VIEW model_read AS {sql}\n")
        found = (
            driver(connection)
            .execute(
                "SELECT DISTINCT n.nspname, c.relname FROM pg_rewrite r"
                " JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
                " AND d.refclassid = 'pg_class'::regclass JOIN pg_class c ON c.oid = d.refobjid"
                " JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE r.ev_class = 'pg_temp.model_read'::regclass AND c.relkind <> 'S' ORDER BY 1, 2"
            )
            .fetchall()
        )
        read = [(str(space), str(name)) for space, name in found]
    finally:
        point.rollback()
    foreign = sorted({space for space, _ in read if space != schema and _is_ours(space)})
    if foreign:
        raise DefinitionError(
            f"it reads {', '.join(foreign)}; a model reads the tables of its own org ({schema}), none of our ledgers",
            file=f"models/{model}.sql",
        )
    return tuple(name for space, name in read if space == schema)


def _is_ours(space: str) -> bool:
    return space == "headwater" or space.startswith("salesforce_")


def explain_model(connection: Connection, *, model: str, sql: str, key: str, schema: str) -> None:
    """Make the session's table without a row, and let the server plan the model; nothing is read.

    Raises:
        DefinitionError: the server cannot run it.
    """
    rows = _prepare_table(connection, model=model, sql=sql, key=key, schema=schema)
    _run(connection, model, f"EXPLAIN {rows}")
    connection.exec_driver_sql("SET LOCAL search_path TO DEFAULT")


def read_model_rows(
    connection: Connection, *, model: str, sql: str, key: str, schema: str, lasting: bool = False
) -> None:
    """Fill the session's table with the rows of a model, its key beside them as text.

    It is there for this transaction or, `lasting`, until `drop_model_rows`.

    Raises:
        DefinitionError: the model fails, does more than read, takes too long, or its key doesn't tell rows apart.
    """
    rows = _prepare_table(connection, model=model, sql=sql, key=key, schema=schema, lasting=lasting)
    with connection.begin_nested():
        # Read-only holds for the savepoint: nothing that the SELECT calls can change a table that stays.
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'; SET TRANSACTION READ ONLY")
        with _reader_only(connection):
            _run(connection, model, f"INSERT INTO pg_temp.{ROWS} {rows}")
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0; SET LOCAL search_path TO DEFAULT")
    _insist_on_key(connection, model, key)
    _insist_on_times(connection, model)
    connection.exec_driver_sql(f"ALTER TABLE pg_temp.{ROWS} ADD PRIMARY KEY ({KEY})")
    connection.exec_driver_sql(f"ANALYZE pg_temp.{ROWS}")


@contextmanager
def _reader_only(connection: Connection) -> Iterator[None]:
    """Take the rights of somebody who may read every table and nothing else, above all no file of the server.

    A superuser (the embedded server has no other user) could read files by a function; anybody else cannot anyway.
    """
    statement = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    if not connection.exec_driver_sql(statement).scalar_one():
        yield
        return
    connection.exec_driver_sql(f"SET LOCAL ROLE {_READER}")
    yield
    connection.exec_driver_sql("SET LOCAL ROLE NONE")


def drop_model_rows(connection: Connection) -> None:
    """Drop the session's table, if there is one."""
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS pg_temp.{ROWS}")


def _prepare_table(
    connection: Connection, *, model: str, sql: str, key: str, schema: str, lasting: bool = False
) -> str:
    """Make the empty table of the session, and return the SELECT that gives its rows."""
    _search_in(connection, schema)
    rows = f"SELECT model.*, model.{quoted(key)}::text AS {KEY} FROM (\n{sql}\n) AS model"
    end = "PRESERVE ROWS" if lasting else "DROP"
    _run(connection, model, f"CREATE TEMP TABLE {ROWS} ON COMMIT {end} AS {rows} WITH NO DATA")
    connection.exec_driver_sql(f"GRANT INSERT ON pg_temp.{ROWS} TO {_READER}")
    return rows


def _search_in(connection: Connection, schema: str) -> None:
    connection.exec_driver_sql(f"SET LOCAL search_path = {quoted(schema)}, pg_catalog")


def _run(connection: Connection, model: str, statement: str) -> None:
    """Run one statement with a person's SQL in it; as a prepared one, so that a second cannot hide in it."""
    try:
        driver(connection).execute(statement.encode(), prepare=True)
    except psycopg.Error as error:
        raise _refused(model, error.sqlstate or "", str(error)) from None  # the cause may quote values of rows


def _refused(model: str, sqlstate: str, said: str) -> DefinitionError:
    file = f"models/{model}.sql"
    if sqlstate == _TIMED_OUT:
        return DefinitionError(
            f"it takes longer than {TIMEOUT_SECONDS // 60} minutes; make it read less, or add an index", file=file
        )
    # Class 42 speaks of names and grammar; other errors may quote values, which are people's.
    what = said.splitlines()[0] if sqlstate[:2] in ("42", "25", "0A") else f"the server says {sqlstate}"
    return DefinitionError(f"the warehouse cannot run it: {what}", file=file)


def _insist_on_key(connection: Connection, model: str, key: str) -> None:
    # An Id is one line of text: the ledgers are written by lists of them.
    total, without, several = driver(connection).execute(
        f"SELECT count(*), count(*) FILTER (WHERE {KEY} IS NULL OR {KEY} !~ '[^[:space:]]' OR {KEY} ~ '[[:cntrl:]]'),"
        f" count({KEY}) - count(DISTINCT {KEY}) FROM pg_temp.{ROWS}"
    ).fetchone() or (0, 0, 0)
    if without or several:
        raise DefinitionError(
            f"the key {key} doesn't tell the {total:,} rows apart: {without:,} have none, and {several:,} repeat that"
            " of another row; name a column as `source.key` that is unique, or group the rows."
            " A key that is blank or holds control characters is none",
            file=f"models/{model}.sql",
            key="source.key",
        )


def _insist_on_times(connection: Connection, model: str) -> None:
    """Refuse times that only a database knows: without an end, or outside the years 1 to 9999."""
    columns = driver(connection).execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"
        " AND atttypid = ANY (ARRAY['date', 'timestamp', 'timestamptz']::regtype[]) ORDER BY attnum",
        (f"pg_temp.{ROWS}",),
    )
    names = [str(name) for (name,) in columns.fetchall()]
    counts = [
        f"count(*) FILTER (WHERE {quoted(name)}::date NOT BETWEEN {_FIRST_DAY} AND {_LAST_DAY})" for name in names
    ]
    if not counts:
        return
    found = driver(connection).execute(f"SELECT {', '.join(counts)} FROM pg_temp.{ROWS}").fetchone() or ()
    for name, rows in zip(names, found, strict=True):
        if rows:
            raise DefinitionError(
                f"{rows:,} of its rows have no time of the years 1 to 9999 in the column {name} (infinity is none"
                " either); leave those rows out, or give NULL",
                file=f"models/{model}.sql",
            )
