"""The protocols by which rooms lend each other things without importing each other.

`salesforce` meters its calls through `Meter` and keeps its session in a `TokenStore`;
`destinations` wait for a `Bucket`.
The warehouse implements them; `plugins/headwater/hooks.py` puts the implementations in.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


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

    def put(self, key: str, token: str) -> None:
        """Store a session text; the store keeps it encrypted or in memory only."""
        ...


class Bucket(Protocol):
    """Hand out permission to send, at a platform's pace."""

    def take(self, tokens: int = 1) -> None:
        """Return when `tokens` requests may be sent; blocks until then."""
        ...


class FreeMeter:
    """Count nothing and allow everything: for tools and tests that have no budget."""

    def spend(self, calls: int, *, purpose: str, object: str = "") -> None:
        """Allow the call."""

    def observe(self, used: int, limit: int) -> None:
        """Ignore the org's count."""

    def close(self) -> None:
        """Have nothing to settle."""
