"""Calls that run for long: when too many of them are under way, Salesforce refuses further ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class LongCalls:
    """Know the calls under way; one is long after `seconds`, whatever the org's own clock does meanwhile."""

    def __init__(self, *, most: int = 25, seconds: float = 20.0) -> None:
        self.most = most
        self.seconds = seconds
        self.others = 0  # long calls of other apps, pretended
        self._since: dict[int, float] = {}
        self._number = 0
        self._lock = threading.Lock()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count a call as under way."""
        with self._lock:
            self._number += 1
            own = self._number
            self._since[own] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._since[own]

    def count(self) -> int:
        """Return how many long calls are under way."""
        before = time.monotonic() - self.seconds
        with self._lock:
            return self.others + sum(since <= before for since in self._since.values())

    def full(self) -> bool:
        """Say whether a further call is refused."""
        return self.count() >= self.most
