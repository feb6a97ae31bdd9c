"""The protocols by which rooms lend each other things without importing each other.

`salesforce` meters its calls through `Meter` and keeps its session in a `TokenStore`;
`destinations` wait for a `Bucket`, and a delivery asks a `Circuit` before it uses one.
The warehouse implements them; `plugins/headwater/hooks.py` puts the implementations in.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from include.errors import AuthError
from include.records import Message


class Clock(Protocol):
    """Tell the time."""

    def __call__(self) -> datetime:
        """Return now, aware, UTC."""
        ...


class Meter(Protocol):
    """Count API calls before they are made."""

    def spend(self, calls: int, *, purpose: str, object: str = "") -> None:
        """Record that `calls` calls are about to be made.

        Args:
            calls: how many calls of the org's allocation the request costs.
            purpose: ``extract``, ``describe``, ``count``, ``login`` … as shown on the API usage page.
            object: API name of the object it is for, or "".

        Raises:
            BudgetPaused: the budget does not allow the call now.
        """
        ...

    def observe(self, used: int, limit: int) -> None:
        """Take note of the org's own count, as read from ``Sforce-Limit-Info``."""
        ...

    def close(self) -> None:
        """Settle what was reserved and not used; the client is closed."""
        ...


class TokenStore(Protocol):
    """Keep a session so that the tasks of a run share one login."""

    def get(self, key: str) -> str | None:
        """Return the stored session text of this connection, or None."""
        ...

    def turn(self, key: str) -> AbstractContextManager[SignInTurn]:
        """Wait until nobody else signs in for this connection, and be the only one until the block ends."""
        ...


class SignInTurn(Protocol):
    """Be the only one who signs in for a connection; the block's end lets the next one in, a killed process too."""

    @property
    def stored(self) -> str | None:
        """Return the session text as it was stored when the turn began, or None."""
        ...

    @property
    def stored_before(self) -> bool:
        """Return whether this connection ever had a session, readable or not."""
        ...

    @property
    def sent_ago(self) -> timedelta | None:
        """Return how long ago a one-time token was sent whose answer nobody stored; None: there is none."""
        ...

    @property
    def refused_ago(self) -> timedelta | None:
        """Return since when the org refuses, without a session in between; None: it did not."""
        ...

    def sending(self) -> None:
        """Note durably that a one-time token is about to be sent."""
        ...

    def unspent(self) -> None:
        """Take the note back: the token surely was not redeemed."""
        ...

    def refused(self) -> None:
        """Note that the org refused; the token was not redeemed either."""
        ...

    def keep(self, token: str) -> None:
        """Store a session text, encrypted or in memory only; returns once it is durable."""
        ...


class Bucket(Protocol):
    """Hand out permission to send, at a platform's pace.

    A platform that limits some of its calls apart has a lane for them; "" is the lane of all others.
    """

    def take(self, tokens: int = 1, *, lane: str = "") -> None:
        """Return when `tokens` requests may be sent; blocks until then."""
        ...

    def observe(self, *, remaining: int, resets_in_seconds: float, limit: int | None = None, lane: str = "") -> None:
        """Take note of the platform's own count, as read from the headers of an answer.

        Args:
            remaining: how many requests the platform still takes in its present window; 0 when it throttles.
            resets_in_seconds: when that window ends.
            limit: how many requests a whole window has, where the platform says it.
            lane: of the call that was answered.
        """
        ...

    def pause(self, seconds: float, *, lane: str = "") -> None:
        """Let nobody send for so long: the platform throttled us (429). `take` waits for it."""
        ...


class Circuit(Protocol):
    """Remember that a platform refused a connection's credentials, for all who use the connection."""

    def insist(self, test: Callable[[], None]) -> None:
        """Return if the connection may be used; after a while let one caller try it by `test`, a reading call.

        Raises:
            CircuitOpen: the credentials were refused before, and nothing has changed since.
            AuthError: they are refused still, as `test` found.
        """
        ...

    def open(self, error: AuthError) -> None:
        """Note that the platform refused the credentials; from now on nobody uses the connection."""
        ...

    def close(self) -> None:
        """Note that the platform takes the credentials."""
        ...


class Messenger(Protocol):
    """Tell people something over one channel."""

    def send(self, message: Message) -> None:
        """Send a message.

        Raises:
            HeadwaterError: it was not taken; nobody was told.
        """
        ...


class FreeMeter:
    """Count nothing and allow everything: for tools and tests that have no budget."""

    def spend(self, calls: int, *, purpose: str, object: str = "") -> None:
        """Allow the call."""

    def observe(self, used: int, limit: int) -> None:
        """Ignore the org's count."""

    def close(self) -> None:
        """Have nothing to settle."""
