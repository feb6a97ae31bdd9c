"""What was used in the last hours: counted by the minute, so that it comes back little by little."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from include.sandbox.org.clock import Clock

DAY = 86_400.0
_GRAIN = 60.0


class Rolling:
    """Count over a window that moves with the org's clock; the caller keeps threads apart."""

    def __init__(self, clock: Clock, window: float = DAY, minutes: Iterable[tuple[float, float]] = ()) -> None:
        self._clock = clock
        self._window = window
        self._minutes: deque[list[float]] = deque([minute, amount] for minute, amount in minutes)
        self._sum: float = sum(amount for _, amount in self._minutes)

    def add(self, amount: float) -> None:
        """Count what is used now."""
        minute = self._clock.epoch() // _GRAIN * _GRAIN
        self._sum += amount
        if self._minutes and self._minutes[-1][0] == minute:
            self._minutes[-1][1] += amount
        else:
            self._minutes.append([minute, amount])

    def total(self) -> float:
        """Return what the window holds; a minute leaves it as a whole."""
        oldest = self._clock.epoch() - self._window
        while self._minutes and self._minutes[0][0] < oldest:
            self._sum -= self._minutes.popleft()[1]
        return self._sum

    def become(self, amount: float) -> None:
        """Forget what was counted, and count this much now."""
        self._minutes.clear()
        self._sum = 0.0
        if amount:
            self.add(amount)

    def minutes(self) -> list[list[float]]:
        """Return the counts by minute, to be kept over a restart."""
        return [list(each) for each in self._minutes]


class Steady:
    """Count what an app uses that goes on calling at a steady pace, for as long as the window reaches back."""

    def __init__(self, clock: Clock, window: float = DAY, spells: Iterable[list[float]] = ()) -> None:
        self._clock = clock
        self._window = window
        self._spells = [list(each) for each in spells]  # [from, until, an hour]; the last one goes on
        self.hourly = self._spells[-1][2] if self._spells else 0.0

    def become(self, hourly: float) -> None:
        """Go on at another pace from now."""
        now = self._clock.epoch()
        if self._spells:
            self._spells[-1][1] = now
        self._spells.append([now, float("inf"), hourly])
        self.hourly = hourly

    def total(self) -> float:
        """Return the calls that the window holds."""
        now = self._clock.epoch()
        oldest = now - self._window
        self._spells = [each for each in self._spells if each[1] > oldest]
        return sum(max(0.0, min(now, until) - max(oldest, start)) / 3600 * pace for start, until, pace in self._spells)

    def spells(self) -> list[list[float]]:
        """Return the spells of calling, to be kept over a restart; JSON has no infinity."""
        return [[start, min(until, 1e15), pace] for start, until, pace in self._spells]
