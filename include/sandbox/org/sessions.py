"""Sign-in state: access tokens that die of inactivity, and the grants behind refresh tokens."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass

from include.sandbox.org.clock import Clock
from include.sandbox.org.credentials import ORG_ID, REFRESH_TOKEN

_ALPHABET_BYTES = 60


@dataclass(slots=True)
class Session:
    """Hold one signed-in user; `used` is the time of the last call."""

    token: str
    user_id: str
    used: float
    refresh_token: str | None = None


class Sessions:
    """Open, find and end sessions; every use of one makes it live longer."""

    def __init__(self, clock: Clock, *, idle_seconds: float = 7200.0) -> None:
        self._clock = clock
        self._idle = idle_seconds
        self._open: dict[str, Session] = {}
        self._revoked: set[str] = set()
        self._lock = threading.Lock()

    def open(self, user_id: str, refresh_token: str | None = None) -> Session:
        """Open a session of a user."""
        token = f"{ORG_ID[:15]}!AQ{secrets.token_urlsafe(_ALPHABET_BYTES).replace('-', '.')}"
        session = Session(token=token, user_id=user_id, used=self._clock.epoch(), refresh_token=refresh_token)
        with self._lock:
            self._open[token] = session
        return session

    def use(self, token: str) -> Session | None:
        """Return the live session of a token and note its use, or None."""
        with self._lock:
            session = self._open.get(token)
            if session is None:
                return None
            now = self._clock.epoch()
            if now - session.used > self._idle:
                del self._open[token]
                return None
            session.used = now
            return session

    def expire_all(self) -> int:
        """End every session; refresh tokens stay."""
        with self._lock:
            ended = len(self._open)
            self._open.clear()
        return ended

    def grants(self, refresh_token: str) -> bool:
        """Say whether a refresh token can still be redeemed."""
        return refresh_token == REFRESH_TOKEN and refresh_token not in self._revoked

    def revoke(self, token: str) -> bool:
        """End a session, or a refresh token with all its sessions; say whether there was one."""
        with self._lock:
            if self._open.pop(token, None) is not None:
                return True
            if token != REFRESH_TOKEN or token in self._revoked:
                return False
            self._revoked.add(token)
            ended = [each.token for each in self._open.values() if each.refresh_token == token]
            for each in ended:
                del self._open[each]
            return True

    def forgive(self) -> None:
        """Make revoked refresh tokens good again, for the next test."""
        with self._lock:
            self._revoked.clear()
