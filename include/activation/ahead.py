"""Make the next thing ready while somebody works on the last one: one thing ahead, in a thread of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self, TypeVar

Thing = TypeVar("Thing")

# Whoever waits for the warehouse gets its turn again after at most so long. Python's own 5 ms, several times for each
# batch, would cost as much as the thread wins.
_TURN_SECONDS = 0.0005


class Ahead(Generic[Thing]):
    """Ask an iterator for its next thing before anybody wants it; what it raises is raised to whoever does.

    Leaving it waits until the iterator has stopped: what that reads from is then free for others.
    """

    def __init__(self, things: Iterator[Thing]) -> None:
        self._things = things
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        self._coming: Future[Thing | None] | None = None
        self._turn_seconds = sys.getswitchinterval()

    def __enter__(self) -> Self:
        sys.setswitchinterval(_TURN_SECONDS)
        self._coming = self._pool.submit(next, self._things, None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        sys.setswitchinterval(self._turn_seconds)

    def next(self) -> Thing | None:
        """Return the next thing, or None after the last one."""
        if self._coming is None:
            return None
        coming, self._coming = self._coming, None
        thing = coming.result()
        if thing is not None:
            self._coming = self._pool.submit(next, self._things, None)
        return thing
