"""The org's allocations: what apps may use in 24 rolling hours, and what they have used; kept over a restart."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.sandbox.org.clock import Clock
from include.sandbox.org.kept import read_kept, write_kept
from include.sandbox.org.long_calls import LongCalls
from include.sandbox.org.rolling import Rolling, Steady

OWN_APP = "Sandbox Integration"  # the connected app that clients of this org sign in with
NO_APP = "No connected app"
BULK_BATCHES = "DailyBulkApiBatches"
BULK_QUERY_JOBS = "DailyBulkV2QueryJobs"
BULK_QUERY_MEGABYTES = "DailyBulkV2QueryFileStorageMB"
MAXIMA = {BULK_BATCHES: 15_000, BULK_QUERY_JOBS: 10_000, BULK_QUERY_MEGABYTES: 976_562}
_KEPT_EVERY = 2.0  # seconds; a killed org forgets that much


class Allocation:
    """Count calls against the daily maximum, and Bulk work against its own maxima."""

    def __init__(self, clock: Clock, maximum: int, kept: Path | None = None) -> None:
        self.maximum = maximum
        self.maxima = dict(MAXIMA)
        self.quotas: dict[str, int] = {}  # app -> how many of the calls it may have
        self.long_calls = LongCalls()
        self._clock = clock
        self._kept = kept
        self._kept_at = 0.0
        self._lock = threading.Lock()
        found: dict[str, Any] = (read_kept(kept) if kept is not None else None) or {}
        self._calls = {app: Rolling(clock, minutes=minutes) for app, minutes in found.get("calls", {}).items()}
        self._work = {name: Rolling(clock, minutes=found.get("work", {}).get(name, ())) for name in MAXIMA}
        self._others = {app: Steady(clock, spells=spells) for app, spells in found.get("others", {}).items()}

    def spend(self, calls: int, app: str = OWN_APP) -> None:
        """Count calls that were received."""
        with self._lock:
            self._calls.setdefault(app, Rolling(self._clock)).add(calls)
            self._keep_now_and_then()

    def count(self, name: str, amount: float = 1) -> None:
        """Count Bulk work: batches, query jobs, megabytes of results."""
        with self._lock:
            self._work[name].add(amount)
            self._keep_now_and_then()

    def used(self) -> int:
        """Return how many calls the last 24 hours saw; other apps are refused too when nothing is left."""
        with self._lock:
            own = sum(each.total() for each in self._calls.values())
            others = sum(each.total() for each in self._others.values())
        return int(own + min(others, max(0.0, self.maximum - own)))

    def used_by(self, app: str) -> int:
        """Return how many of them one app made."""
        with self._lock:
            own = self._calls[app].total() if app in self._calls else 0.0
            return int(own + (self._others[app].total() if app in self._others else 0.0))

    def remaining(self, name: str) -> int:
        """Return what is left of an allocation of Bulk work."""
        with self._lock:
            return max(0, self.maxima[name] - int(self._work[name].total()))

    def apps(self) -> list[str]:
        """Return every app that has called, calls, or has a quota."""
        return sorted({*self._calls, *self._others, *self.quotas})

    def others(self) -> dict[str, float]:
        """Return the calls an hour of the other apps."""
        return {app: each.hourly for app, each in self._others.items()}

    def set(self, *, maximum: int | None = None, used: int | None = None) -> None:
        """Change the maximum, or pretend that so many calls were made just now and none before."""
        if maximum is not None:
            self.maximum = maximum
        if used is not None:
            with self._lock:
                self._calls = {OWN_APP: Rolling(self._clock)}
                self._calls[OWN_APP].become(used)
                going = {app: each.hourly for app, each in self._others.items() if each.hourly}
                self._others = {app: Steady(self._clock) for app in going}
                for app, hourly in going.items():
                    self._others[app].become(hourly)
                self._keep()

    def set_others(self, hourly: Mapping[str, float]) -> None:
        """Let other apps call so often an hour from now on; those not named stop."""
        with self._lock:
            for app in {*self._others, *hourly}:
                self._others.setdefault(app, Steady(self._clock)).become(float(hourly.get(app, 0)))
            self._others = {app: each for app, each in self._others.items() if each.hourly or each.total()}
            self._keep()

    def set_work(self, name: str, *, maximum: int | None = None, used: float | None = None) -> None:
        """Change an allocation of Bulk work, or how much of it is used."""
        with self._lock:
            if maximum is not None:
                self.maxima[name] = maximum
            if used is not None:
                self._work[name].become(used)
            self._keep()

    def exhausted(self, app: str = OWN_APP) -> bool:
        """Say whether nothing is left, for all or for this app."""
        quota = self.quotas.get(app)
        return self.used() >= self.maximum or (quota is not None and self.used_by(app) >= quota)

    def header(self, app: str = OWN_APP) -> str:
        """Return the value of Sforce-Limit-Info; the part by app is there only for an app with a quota."""
        quota = self.quotas.get(app)
        own = f"; per-app-api-usage={self.used_by(app)}/{quota}(appName={app})" if quota is not None else ""
        return f"api-usage={self.used()}/{self.maximum}{own}"

    def close(self) -> None:
        """Write down what was used."""
        with self._lock:
            self._keep()

    def _keep_now_and_then(self) -> None:
        if time.monotonic() - self._kept_at >= _KEPT_EVERY:
            self._keep()

    def _keep(self) -> None:
        """Write down what was used; the caller holds the lock."""
        if self._kept is None:
            return
        self._kept_at = time.monotonic()
        used = {
            "calls": {app: each.minutes() for app, each in self._calls.items()},
            "work": {name: each.minutes() for name, each in self._work.items()},
            "others": {app: each.spells() for app, each in self._others.items()},
        }
        write_kept(self._kept, used)
