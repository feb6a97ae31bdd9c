"""Run the org's life: at a pace in the background, or some changes at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from include.sandbox.org.clock import Clock
from include.sandbox.org.life.settings import Outcome, Settings

Work = Callable[[Settings, int], Outcome]  # does the n-th change
_OPENS, _CLOSES, _SATURDAY = 7, 19, 5  # UTC


class Life:
    """Count changes and make them one after the other; what each one is, `work` decides."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._settings = Settings()
        self._number = 0
        self._done: Counter[str] = Counter()
        self._records: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._one_at_a_time = threading.Lock()

    @property
    def settings(self) -> Settings:
        """Return how busy people are."""
        return self._settings

    @property
    def running(self) -> bool:
        """Say whether people are at work in the background."""
        return self._thread is not None and self._thread.is_alive()

    def become(self, settings: Settings, *, anew: bool = False) -> None:
        """Go on with other settings; `anew` begins with the first change of the seed again."""
        with self._one_at_a_time:
            self._settings = settings
            if anew:
                self._number = 0

    def steps(self, work: Work, count: int) -> list[Outcome]:
        """Make some changes at once."""
        return [self._step(work) for _ in range(count)]

    def begin(self, work: Work) -> None:
        """Make changes in the background until told to stop."""
        self.stop()
        self._stopping.clear()
        self._thread = threading.Thread(target=self._live, args=(work,), name="life", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop making changes."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def shown(self) -> dict[str, Any]:
        """Return how busy people are and what they did so far, by kind of change."""
        settings = self._settings
        return {
            "running": self.running, "changes_per_minute": settings.changes_per_minute, "seed": settings.seed,
            "late_share": settings.late_share, "late_seconds": settings.late_seconds,
            "working_hours": settings.working_hours, "step": self._number, "changes": dict(sorted(self._done.items())),
            "records": dict(sorted(self._records.items())), "refused": dict(sorted(self._refused.items())),
        }  # fmt: skip

    def _live(self, work: Work) -> None:
        while not self._stopping.wait(60 / self._settings.changes_per_minute):
            if self._at_work():
                self._step(work)

    def _at_work(self) -> bool:
        now = self._clock.now()
        return not self._settings.working_hours or (_OPENS <= now.hour < _CLOSES and now.weekday() < _SATURDAY)

    def _step(self, work: Work) -> Outcome:
        with self._one_at_a_time:
            self._number += 1
            outcome = work(self._settings, self._number)
            self._done[outcome.kind] += 1
            self._records[outcome.kind] += outcome.written
            if outcome.refused:
                self._refused[outcome.kind] += outcome.refused
            return outcome
