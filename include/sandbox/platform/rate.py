"""Count requests by windows of the clock, as platforms limit them."""

from __future__ import annotations

import time


class Window:
    """Allow so many requests in each window of so many seconds, all windows beginning at multiples of it."""

    def __init__(self, requests: int, seconds: float) -> None:
        self.limit = requests
        self.seconds = seconds
        self._number = 0
        self._used = 0
        self._refused = 0

    def take(self) -> bool:
        """Say whether one more request is allowed now, and count it."""
        number = int(time.time() // self.seconds)
        if number != self._number:
            self._number, self._used = number, 0
        self._used += 1
        return self._used <= self.limit

    @property
    def remaining(self) -> int:
        """Return how many more requests this window takes."""
        return max(0, self.limit - self._used)

    @property
    def resets_at(self) -> float:
        """Return when the next window begins, in unix seconds."""
        return (self._number + 1) * self.seconds

    def wait_seconds(self) -> int:
        """Return the whole seconds until the next window, at least one."""
        return max(1, int(self.resets_at - time.time() + 0.999))

    def retry_after(self) -> int | None:
        """Return the seconds until the next window every second time: for platforms that say it only sometimes."""
        self._refused += 1
        return None if self._refused % 2 else self.wait_seconds()
