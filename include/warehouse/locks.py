"""Let one run at a time read an object: Airflow's own limits do not hold for backfills.

The lock belongs to a session of its own in the warehouse, so that it is freed when its process dies, however it dies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from include.errors import WarehouseDown


@contextmanager
def object_lock(engine: Engine, org: str, object: str, *, wait: bool) -> Iterator[bool]:
    """Hold the lock of an object for the block and yield True; with `wait` unset, yield False when it is taken.

    Raises:
        WarehouseDown: the server cannot be reached, or went away while the lock was waited for.
    """
    key = {"key": f"headwater/{org}/{object}"}
    # A connection from outside the pool: a lock that went back into the pool with its connection would never be freed.
    own = create_engine(engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)
    try:
        connection = own.connect()
    except OperationalError as error:
        raise WarehouseDown("the warehouse does not answer; start it (make up) or mend headwater_warehouse") from error
    with connection:
        yield _take(connection, key, wait=wait)


def _take(connection: Connection, key: dict[str, str], *, wait: bool) -> bool:
    try:
        if not wait:
            found = connection.execute(text("SELECT pg_try_advisory_lock(hashtextextended(:key, 0))"), key).scalar()
            return bool(found)
        connection.execute(text("SELECT pg_advisory_lock(hashtextextended(:key, 0))"), key)
    except OperationalError as error:
        raise WarehouseDown(
            "the warehouse went away while a run waited for its object; it can be tried again"
        ) from error
    return True
