"""Keep an org's session, encrypted, so that the tasks of a run share one sign-in and only one of them signs in.

A refresh token that rotates is good for one use: the session that comes with it holds the next one. So a note is
committed before the token is sent, and only storing the answer clears it: whoever finds the note knows that a process
ended in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from include.errors import WarehouseDown
from include.warehouse.engine import transaction

_STORING_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)  # a server that restarts is back within these seconds

_READ = """
SELECT token, sent_at, now() - sent_at AS sent_ago, now() - refused_at AS refused_ago
  FROM headwater.session WHERE key = :key
"""
_SENDING = """
INSERT INTO headwater.session (key, token, sent_at) VALUES (:key, '', now())
    ON CONFLICT (key) DO UPDATE SET sent_at = now()
"""
_UNSPENT = "UPDATE headwater.session SET sent_at = :sent_at WHERE key = :key"
_REFUSED = """
INSERT INTO headwater.session AS s (key, token, sent_at, refused_at) VALUES (:key, '', :sent_at, now())
    ON CONFLICT (key) DO UPDATE SET sent_at = :sent_at, refused_at = coalesce(s.refused_at, now())
"""
_KEEP = """
INSERT INTO headwater.session (key, token) VALUES (:key, :token)
    ON CONFLICT (key) DO UPDATE
   SET token = excluded.token, stored_at = now(), sent_at = NULL, refused_at = NULL
"""


class WarehouseTokens:
    """Keep session texts in headwater.session (`include.ports.TokenStore`).

    Args:
        engine: the warehouse.
        encrypt: makes the stored text of a session text.
        decrypt: gives it back, or None when the text was encrypted with a key that is no longer known.
        sleep: waits before storing is tried again.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        encrypt: Callable[[str], str],
        decrypt: Callable[[str], str | None],
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._engine = engine
        self._encrypt = encrypt
        self._decrypt = decrypt
        self._sleep = sleep

    def get(self, key: str) -> str | None:
        """Return the stored session text of this connection, or None."""
        found = self._read(key)
        return self._decrypt(found.token) if found is not None and found.token else None

    @contextmanager
    def turn(self, key: str) -> Iterator[Turn]:
        """Wait until nobody else signs in for this connection, and be the only one until the block ends.

        Raises:
            WarehouseDown: the server cannot be reached.
        """
        # A connection from outside the pool: its lock is freed when its process dies, however it dies.
        own = create_engine(self._engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)
        try:
            connection = own.connect()
        except OperationalError as error:
            raise WarehouseDown(
                "the warehouse does not answer; start it (make up) or mend headwater_warehouse"
            ) from error
        with connection:
            connection.execute(
                text("SELECT pg_advisory_lock(hashtextextended(:key, 0))"), {"key": f"headwater/sign-in/{key}"}
            )
            found = self._read(key)
            readable = self._decrypt(found.token) if found is not None and found.token else None
            yield Turn(
                tokens=self,
                key=key,
                stored=readable,
                stored_before=found is not None and bool(found.token),
                sent_ago=found.sent_ago if found is not None else None,
                refused_ago=found.refused_ago if found is not None else None,
                sent_at=found.sent_at if found is not None else None,
            )

    def write(self, statement: str, **values: Any) -> None:
        """Commit one statement."""
        with transaction(self._engine) as connection:
            connection.execute(text(statement), values)

    def put(self, key: str, token: str) -> None:
        """Store a session text, encrypted; a warehouse that is away for moments only is waited for."""
        values = {"key": key, "token": self._encrypt(token)}
        for pause in _STORING_PAUSES:
            try:
                self.write(_KEEP, **values)
            except WarehouseDown:
                self._sleep(pause)
            else:
                return
        self.write(_KEEP, **values)

    def _read(self, key: str) -> Any:
        with transaction(self._engine) as connection:
            return connection.execute(text(_READ), {"key": key}).one_or_none()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Be the only one who signs in for a connection (`include.ports.SignInTurn`)."""

    tokens: WarehouseTokens
    key: str
    stored: str | None
    stored_before: bool
    sent_ago: timedelta | None
    refused_ago: timedelta | None
    sent_at: Any  # the note as this turn found it

    def sending(self) -> None:
        """Note durably that a one-time token is about to be sent."""
        self.tokens.write(_SENDING, key=self.key)

    def unspent(self) -> None:
        """Take the note back: the token surely was not redeemed."""
        self.tokens.write(_UNSPENT, key=self.key, sent_at=self.sent_at)

    def refused(self) -> None:
        """Note that the org refused; an older note stays, because it may be why."""
        self.tokens.write(_REFUSED, key=self.key, sent_at=self.sent_at)

    def keep(self, token: str) -> None:
        """Store a session text, encrypted; returns once it is durable."""
        self.tokens.put(self.key, token)
