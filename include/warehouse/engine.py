"""Open the warehouse: one SQLAlchemy engine, psycopg 3 below it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from include.errors import NotReady, WarehouseDown


def open_warehouse(url: str) -> Engine:
    """Return an engine for a PostgreSQL URL; `postgres://` and `postgresql://` both work, nothing is connected yet.

    Sessions run in UTC. The pool is small, because every task is a process of its own.

    Raises:
        NotReady: it does not read as such a URL, or asks for what PostgreSQL's client does not know.
    """
    engine = create_engine(
        _read(url),
        pool_size=2,
        max_overflow=4,
        pool_pre_ping=True,
        hide_parameters=True,  # an exception that lists them would put people into logs
        connect_args={"options": "-c timezone=UTC", "application_name": "headwater", "connect_timeout": 10},
    )
    event.listen(engine, "handle_error", _quote_no_value)
    return engine


def _read(url: str) -> URL:
    """Return a URL in its parts; what is wrong with it is said without a word of it, since it holds the password."""
    try:
        parsed = make_url(url.replace("postgres://", "postgresql://", 1)).set(drivername="postgresql+psycopg")
        _, options = parsed.get_dialect()().create_connect_args(parsed)
        make_conninfo("", **options)
    except (ArgumentError, ValueError):
        raise NotReady(
            "the connection headwater_warehouse does not read as the address of a PostgreSQL database; "
            "set its type (Postgres), host, port, database, login and password"
        ) from None
    except psycopg.ProgrammingError:
        raise NotReady(
            "the extras of the connection headwater_warehouse hold an option that PostgreSQL's client does not know; "
            "take it out (sslmode, sslrootcert and their like may stay)"
        ) from None
    return parsed


def _quote_no_value(context: ExceptionContext) -> None:
    """Take the text from an error about data or a constraint: PostgreSQL quotes the value, and logs would show it."""
    error = context.original_exception
    if isinstance(error, psycopg.DataError | psycopg.IntegrityError):
        said = f"{type(error).__name__}, SQLSTATE {error.sqlstate}; its text may quote a value, so it is left out"
        for each in (error, context.sqlalchemy_exception):
            if each is not None:
                each.args = (said,)


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Yield a connection whose work is committed as a whole or not at all.

    Raises:
        WarehouseDown: the server cannot be reached.
    """
    try:
        connection = engine.connect()
    except OperationalError as error:
        host = f"{engine.url.host}:{engine.url.port}"
        raise WarehouseDown(
            f"the warehouse at {host} does not answer; start it (make up) or mend the connection headwater_warehouse"
        ) from error
    try:
        with connection, connection.begin():
            yield connection
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise WarehouseDown("the warehouse went away in the middle of a transaction; nothing of it is kept") from error


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """Return the psycopg connection below, for COPY; it shares the transaction."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw


def quoted(*names: str) -> str:
    """Return an identifier, quoted for SQL: the one way in which a name gets into a statement."""
    return sql.Identifier(*names).as_string(None)
