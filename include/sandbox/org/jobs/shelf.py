"""Where jobs are kept: in memory and as a JSON file each, until a week after their end by the org's clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from include.sandbox.org.clock import Clock
from include.sandbox.org.ids import canonical, make_id, number_of
from include.sandbox.org.kept import read_kept, write_kept

LIFE = 7 * 86_400.0


class Keepable(Protocol):
    """Ask what a shelf needs to know of a job."""

    @property
    def id(self) -> str:
        """Return the job's Id."""

    @property
    def created(self) -> float:
        """Return when it was created."""

    @property
    def changed(self) -> float:
        """Return when it last changed."""


Kept = TypeVar("Kept", bound=Keepable)


class Numbers:
    """Number jobs and batches of all kinds, so that no two of them ever share an Id."""

    def __init__(self, *homes: Path) -> None:
        self._lock = threading.Lock()
        self._last = 1
        for home in homes:
            home.mkdir(parents=True, exist_ok=True)
            for path in home.glob("*.json"):
                self._last = max(self._last, number_of(path.stem) or 0)

    def next_id(self, prefix: str) -> str:
        """Return an Id that nothing had before."""
        with self._lock:
            self._last += 1
            return make_id(prefix, self._last)

    def skip_to(self, used: Iterable[str]) -> None:
        """Leave out Ids that something has already."""
        with self._lock:
            self._last = max([self._last, *(number_of(each) or 0 for each in used)])


class Shelf(Generic[Kept]):
    """Keep the jobs of one kind."""

    def __init__(self, home: Path, clock: Clock, read: Callable[[dict[str, Any]], Kept]) -> None:
        self.home = home
        self._clock = clock
        self._lock = threading.RLock()
        self._jobs: dict[str, Kept] = {}
        home.mkdir(parents=True, exist_ok=True)
        for path in sorted(home.glob("*.json")):
            found = read_kept(path)
            if found is not None:
                job = read(found)
                self._jobs[job.id] = job

    def keep(self, job: Kept) -> None:
        """Remember a job, in memory and on disk."""
        with self._lock:
            self._jobs[job.id] = job
            write_kept(self.path(job.id, "json"), asdict(job))  # type: ignore[call-overload]

    def find(self, job_id: str) -> Kept | None:
        """Return a job by its 15- or 18-character Id, or None when there is none or its time is over."""
        job = self._jobs.get(canonical(job_id) or "")
        if job is not None and self._clock.epoch() - job.changed > LIFE:
            self.remove(job.id)
            return None
        return job

    def all(self) -> list[Kept]:
        """Return every job that still exists."""
        with self._lock:
            names = list(self._jobs)
        return [job for name in names if (job := self.find(name)) is not None]

    def change(self, job_id: str, change: Callable[[Kept], Kept]) -> Kept | None:
        """Put a changed job in its place; None when it is gone."""
        with self._lock:
            before = self._jobs.get(job_id)
            if before is None:
                return None
            after = change(before)
            if after is not before:
                after = replace(after, changed=self._clock.epoch())  # type: ignore[type-var]
                self.keep(after)
            return after

    def remove(self, job_id: str) -> None:
        """Forget a job and everything that was written for it."""
        with self._lock:
            self._jobs.pop(job_id, None)
        for path in self.home.glob(f"{job_id}.*"):
            path.unlink(missing_ok=True)

    def path(self, job_id: str, kind: str) -> Path:
        """Return the place of one of a job's files."""
        return self.home / f"{job_id}.{kind}"
