"""Remember which connections a platform refuses, so that nobody asks it again and again with the same credentials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from include.errors import AuthError, CircuitOpen
from include.warehouse.engine import transaction

# A quarter of an hour after the first refusal, then twice as long each time, a day at most.
_PAUSE = "least(interval '1 day', interval '15 minutes' * power(2, least({refusals}, 12) - 1))"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCircuit:
    """Hold what is known of a connection that is refused."""

    connection: str
    reason: str
    opened_by: str
    opened_at: datetime
    probe_at: datetime


class WarehouseCircuit:
    """Be the circuit of one connection.

    Args:
        engine: the warehouse.
        connection: name of the connection.
        access: a keyed hash of what the connection holds: one that was changed is worth a try.
        user: who uses it, e.g. the name of a push.
    """

    def __init__(self, engine: Engine, *, connection: str, access: bytes, user: str = "") -> None:
        self._engine = engine
        self._connection = connection
        self._access = access
        self._user = user

    def insist(self, test: Callable[[], None]) -> None:
        """Return if the connection may be used; once its pause is over, let one caller try it by `test`.

        Raises:
            CircuitOpen: the credentials were refused before, and nothing has changed since.
            AuthError: they are refused still, as `test` found.
        """
        with transaction(self._engine) as connection:
            row = connection.execute(
                text(
                    "SELECT access, reason, opened_at, probe_at, probe_at <= now() AS due FROM headwater.circuit"
                    " WHERE connection = :connection"
                ),
                {"connection": self._connection},
            ).one_or_none()
        if row is None:
            return
        if bytes(row.access) == self._access:
            if not (row.due and self._may_probe(row.probe_at)):
                raise CircuitOpen(
                    f"the platform refused the connection {self._connection!r} at {row.opened_at:%Y-%m-%d %H:%M} UTC"
                    f" ({row.reason}); nothing is asked of it until the connection is mended, its check succeeds, or"
                    f" {row.probe_at:%Y-%m-%d %H:%M} UTC, when one push tries it again"
                )
            test()
        self.close()

    def open(self, error: AuthError) -> None:
        """Note that the platform refused the credentials; from now on nobody uses the connection."""
        with transaction(self._engine) as connection:
            connection.execute(
                text(
                    "INSERT INTO headwater.circuit AS known (connection, access, reason, opened_by, probe_at)"
                    f" VALUES (:connection, :access, :reason, :user, now() + {_PAUSE.format(refusals='1')})"
                    " ON CONFLICT (connection) DO UPDATE SET access = excluded.access, reason = excluded.reason,"
                    " opened_by = excluded.opened_by, refusals = known.refusals + 1,"
                    f" probe_at = now() + {_PAUSE.format(refusals='known.refusals + 1')}"
                ),
                {
                    "connection": self._connection,
                    "access": self._access,
                    "reason": str(error),
                    "user": self._user,
                },
            )

    def close(self) -> None:
        """Note that the platform takes the credentials."""
        with transaction(self._engine) as connection:
            connection.execute(
                text("DELETE FROM headwater.circuit WHERE connection = :connection"), {"connection": self._connection}
            )

    def _may_probe(self, seen: datetime) -> bool:
        """Take the one try that is due, so that no second caller makes it as well."""
        with transaction(self._engine) as connection:
            taken = connection.execute(
                text(
                    f"UPDATE headwater.circuit SET probe_at = now() + {_PAUSE.format(refusals='refusals')}"
                    " WHERE connection = :connection AND probe_at = :seen"
                ),
                {"connection": self._connection, "seen": seen},
            ).rowcount
        return taken == 1


def open_circuits(connection: Connection, connections: Sequence[str]) -> list[OpenCircuit]:
    """Return those of these connections that are refused."""
    rows = connection.execute(
        text(
            "SELECT connection, reason, opened_by, opened_at, probe_at FROM headwater.circuit"
            " WHERE connection = ANY(:connections) ORDER BY connection"
        ),
        {"connections": list(connections)},
    ).mappings()
    return [OpenCircuit(**row) for row in rows]
