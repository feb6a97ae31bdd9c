"""Count requests by minute, as the platform limits them."""

from __future__ import annotations

import time


class Rate:
    """Allow so many requests in each minute of the clock."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._minute = 0
        self._used = 0
        self._refused = 0

    def take(self) -> bool:
        """Say whether one more request is allowed now, and count it."""
        minute = int(time.time() // 60)
        if minute != self._minute:
            self._minute, self._used = minute, 0
        self._used += 1
        return self._used <= self._per_minute

    def retry_after(self) -> int | None:
        """Return the seconds until the next minute every second time: the platform says it only sometimes."""
        self._refused += 1
        return None if self._refused % 2 else max(1, 60 - int(time.time() % 60))
