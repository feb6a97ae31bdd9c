"""Who does the work of jobs: threads behind the answers; many jobs can be held up, two are worked on at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

_BEGUN = 16
_AT_WORK = 2


class Runner:
    """Run jobs behind the answers."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._at_work = threading.BoundedSemaphore(_AT_WORK)
        self._pool = ThreadPoolExecutor(max_workers=_BEGUN, thread_name_prefix="bulk")

    def stopping(self) -> bool:
        """Say whether the org is about to stop: long work should leave off."""
        return self._stopping.is_set()

    def submit(self, work: Callable[[], None]) -> None:
        """Queue a piece of work."""
        if not self.stopping():
            self._pool.submit(work)

    def hold(self, seconds: float, over: Callable[[], bool]) -> None:
        """Hold a job up, as real orgs do, unless it is over before that."""
        left = seconds
        while left > 0 and not over() and not self._stopping.wait(min(left, 0.5)):
            left -= 0.5

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn to work, and give it back."""
        with self._at_work:
            yield

    def close(self) -> None:
        """Stop; what has not ended is taken up when the org is started again."""
        self._stopping.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
