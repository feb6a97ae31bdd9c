"""Let one run at a time read an object: Airflow's own limits do not hold for backfills.

The lock belongs to a session of its own in the warehouse, so that it is freed when its process dies, however it dies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from include.errors import WarehouseDown

ASSESSMENT = "assessment"  # an org is locked under this name, as if it were an object, while its health is assessed

# A session that only holds a lock says nothing for hours, and what lies between may end a connection that is silent.
_KEPT_ALIVE = {"keepalives": 1, "keepalives_idle": 60, "keepalives_interval": 15, "keepalives_count": 4}


@dataclass(frozen=True, slots=True)
class ObjectLock:
    """Say whether the lock was taken, and later whether it still is."""

    connection: Connection
    taken: bool

    def __bool__(self) -> bool:
        """Return whether the lock was taken."""
        return self.taken

    def refuse_if_lost(self) -> None:
        """Return while the session of the lock lives; to be asked before a commit that nobody may have run beside.

        Raises:
            WarehouseDown: the session was ended, and another run may have begun.
        """
        try:
            self.connection.exec_driver_sql("SELECT 1")
        except OperationalError as error:
            raise WarehouseDown(
                "the warehouse ended the session that kept other runs from this object; nothing of this step is kept,"
                " it can be tried again"
            ) from error


@contextmanager
def object_lock(engine: Engine, org: str, object: str, *, wait: bool) -> Iterator[ObjectLock]:
    """Hold the lock of an object for the block; with `wait` unset, what is yielded is false when it is taken.

    Raises:
        WarehouseDown: the server cannot be reached, or went away while the lock was waited for.
    """
    key = {"key": f"headwater/{org}/{object}"}
    # A connection from outside the pool: a lock that went back into the pool with its connection would never be freed.
    own = create_engine(
        engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True, connect_args=_KEPT_ALIVE
    )
    try:
        connection = own.connect()
    except OperationalError as error:
        raise WarehouseDown("the warehouse does not answer; start it (make up) or mend headwater_warehouse") from error
    with connection:
        yield ObjectLock(connection, _take(connection, key, wait=wait))


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
