"""The org's daily allocation of API calls: 24 rolling hours, so that capacity comes back little by little."""

from __future__ import annotations

import threading
from collections import deque

from include.sandbox.org.clock import Clock

_WINDOW = 86_400.0
_GRAIN = 60.0  # calls are remembered by the minute


class Allocation:
    """Count calls against a maximum."""

    def __init__(self, clock: Clock, maximum: int) -> None:
        self.maximum = maximum
        self._clock = clock
        self._minutes: deque[list[float]] = deque()  # [minute, calls]
        self._lock = threading.Lock()

    def spend(self, calls: int) -> None:
        """Count calls that were received."""
        minute = self._clock.epoch() // _GRAIN * _GRAIN
        with self._lock:
            if self._minutes and self._minutes[-1][0] == minute:
                self._minutes[-1][1] += calls
            else:
                self._minutes.append([minute, float(calls)])

    def used(self) -> int:
        """Return how many calls the last 24 hours saw."""
        oldest = self._clock.epoch() - _WINDOW
        with self._lock:
            while self._minutes and self._minutes[0][0] < oldest:
                self._minutes.popleft()
            return int(sum(calls for _, calls in self._minutes))

    def set(self, *, maximum: int | None = None, used: int | None = None) -> None:
        """Change the maximum, or pretend that so many calls were made just now."""
        if maximum is not None:
            self.maximum = maximum
        if used is not None:
            with self._lock:
                self._minutes.clear()
            self.spend(used)

    def exhausted(self) -> bool:
        """Say whether nothing is left."""
        return self.used() >= self.maximum
