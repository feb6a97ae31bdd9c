"""Sign-in sessions: access tokens that die of inactivity or on demand, and outlive the org's process."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from include.sandbox.org.clock import Clock
from include.sandbox.org.token_store import TokenStore, token_hash

_ALPHABET_BYTES = 60
_COLUMNS = "user_id, client_id, scope, grant_id, opened, used"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Hold one signed-in user; `used` is the time of the last call, `grant_id` the grant it came from."""

    token: str
    user_id: str
    opened: float
    used: float
    client_id: str = ""
    scope: str = ""
    grant_id: int | None = None


class Sessions:
    """Open, find and end sessions; every use of one makes it live longer."""

    def __init__(self, clock: Clock, store: TokenStore, org_id: str, *, idle_seconds: float = 7200.0) -> None:
        self.idle_seconds = idle_seconds
        self._clock = clock
        self._store = store
        self._org_id = org_id

    def open(self, user_id: str, *, client_id: str = "", scope: str = "", grant_id: int | None = None) -> Session:
        """Open a session of a user."""
        token = f"{self._org_id[:15]}!AQ{secrets.token_urlsafe(_ALPHABET_BYTES).replace('-', '.')}"
        now = self._clock.epoch()
        self._store.insert(
            "sessions", hash=token_hash(token), user_id=user_id, client_id=client_id, scope=scope, grant_id=grant_id,
            opened=now, used=now,
        )  # fmt: skip
        return Session(
            token=token, user_id=user_id, opened=now, used=now, client_id=client_id, scope=scope, grant_id=grant_id
        )

    def find(self, token: str) -> Session | None:
        """Return the live session of a token, or None; looking at it doesn't make it live longer."""
        known = token_hash(token)
        rows = self._store.rows(f"SELECT {_COLUMNS} FROM sessions WHERE hash = ?", (known,))
        if not rows:
            return None
        user_id, client_id, scope, grant_id, opened, used = rows[0]
        if self._clock.epoch() - used > self.idle_seconds:
            self._store.change("DELETE FROM sessions WHERE hash = ?", (known,))
            return None
        return Session(
            token=token, user_id=user_id, client_id=client_id, scope=scope, grant_id=grant_id, opened=opened, used=used
        )

    def use(self, token: str) -> Session | None:
        """Return the live session of a token and note its use, or None."""
        session = self.find(token)
        if session is not None and abs(self._clock.epoch() - session.used) >= self._grain:
            values = (self._clock.epoch(), token_hash(token))
            self._store.change("UPDATE sessions SET used = ? WHERE hash = ?", values)
        return session

    @property
    def _grain(self) -> float:
        """Return how stale the time of the last use may be: writing it down for every call would cost more."""
        return min(60.0, self.idle_seconds / 100)

    def count(self) -> int:
        """Return how many sessions are alive."""
        oldest = self._clock.epoch() - self.idle_seconds
        return int(self._store.rows("SELECT count(*) FROM sessions WHERE used >= ?", (oldest,))[0][0])

    def end(self, token: str) -> bool:
        """End a session, and say whether there was one."""
        return self._store.change("DELETE FROM sessions WHERE hash = ?", (token_hash(token),)) > 0

    def end_of_grant(self, grant_id: int) -> None:
        """End all sessions that came from a grant."""
        self._store.change("DELETE FROM sessions WHERE grant_id = ?", (grant_id,))

    def expire_all(self) -> int:
        """End every session; refresh tokens stay."""
        return self._store.change("DELETE FROM sessions")
