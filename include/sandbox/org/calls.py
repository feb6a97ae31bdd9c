"""The log of API calls that the org received, for tests that count them."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

_KEPT = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedCall:
    """Hold one call: when, what, its answer's status, and what it cost; `parts` are the sub-requests inside it."""

    sequence: int
    time: str
    method: str
    path: str
    status: int
    cost: int
    parts: tuple[str, ...] = ()


class CallLog:
    """Keep the latest calls in the order of their answers."""

    def __init__(self) -> None:
        self._calls: deque[ReceivedCall] = deque(maxlen=_KEPT)
        self._sequence = 0
        self._lock = threading.Lock()

    def add(self, *, time: str, method: str, path: str, status: int, cost: int, parts: tuple[str, ...]) -> None:
        """Note a call."""
        with self._lock:
            self._sequence += 1
            self._calls.append(
                ReceivedCall(
                    sequence=self._sequence, time=time, method=method, path=path, status=status, cost=cost, parts=parts
                )
            )

    def since(self, since: str) -> list[dict[str, Any]]:
        """Return calls after a sequence number, or from a time on."""
        with self._lock:
            calls = list(self._calls)
        if since.isdigit():
            return [asdict(each) for each in calls if each.sequence > int(since)]
        return [asdict(each) for each in calls if each.time >= since]

    def latest(self, count: int) -> list[ReceivedCall]:
        """Return the last so many calls, the newest first."""
        with self._lock:
            return list(islice(reversed(self._calls), count))

    def clear(self) -> None:
        """Forget all calls; the numbering goes on."""
        with self._lock:
            self._calls.clear()
