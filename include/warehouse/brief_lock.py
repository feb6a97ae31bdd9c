"""Change a table without holding up everybody who reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from include.errors import TableBusy

_SECONDS = 10
_LOCK_NOT_AVAILABLE = "55P03"


@contextmanager
def brief_lock(connection: Connection, table: str) -> Iterator[None]:
    """Let what is done inside wait for a table's readers a few seconds only.

    A change that waits for a long reader makes every later reader wait behind it, pages among them.

    Args:
        connection: an open transaction.
        table: its name, for people.

    Raises:
        TableBusy: somebody reads it for longer than that; nothing of the transaction is kept.
    """
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_SECONDS}s'")
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
            raise
        raise TableBusy(
            f"the table {table} could not get its new columns: somebody reads it for more than {_SECONDS} seconds"
            " (an assessment, a query of yours); the next try changes it"
        ) from error
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
