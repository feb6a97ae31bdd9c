"""Play what can go wrong between a client and a platform, on order and in the order of the orders."""

from __future__ import annotations

import random
import zlib
from collections import deque
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

_EFFECTS = ("status", "body", "drop_answer", "delay_seconds", "reject_all", "reject_indexes", "reject_share")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Say what goes wrong.

    Args:
        status: the answer's status; None leaves the real one.
        body: the answer's body (text, or an object that becomes JSON); None takes the usual one.
        times: for how many requests.
        skip: how many requests pass before it starts.
        path: only for requests to this path, or below it if it ends in a slash; "" for all of the platform's.
        method: only for requests of this method; "" for all.
        share: of the requests that it is for, so many are hit (0.05 is one in twenty), as chance has it.
        after_store: do what was asked first, then answer wrongly.
        drop_answer: close the connection instead of answering.
        delay_seconds: wait before answering.
        retry_after: the header of that name.
        reject_all: refuse every record of a request, as the platform refuses records.
        reject_indexes: refuse these records of a request.
        reject_share: refuse so many of all records, always the same ones; stays until it is cleared.
    """

    status: int | None = None
    body: Any = None
    times: int = 1
    skip: int = 0
    path: str = ""
    method: str = ""
    share: float = 1.0
    after_store: bool = False
    drop_answer: bool = False
    delay_seconds: float = 0.0
    retry_after: str | None = None
    reject_all: bool = False
    reject_indexes: tuple[int, ...] = ()
    reject_share: float = 0.0

    @property
    def answers(self) -> bool:
        """Say whether the fault brings an answer of its own."""
        return self.status is not None or self.body is not None

    @property
    def prevents(self) -> bool:
        """Say whether what was asked is not done at all."""
        return (self.answers or self.drop_answer) and not self.after_store

    def is_for(self, method: str, path: str) -> bool:
        """Say whether a request is of those that the fault is for."""
        if self.method and self.method != method:
            return False
        if self.path.endswith("/"):
            return path.startswith(self.path)
        return self.path in ("", path)

    def refuses(self, index: int, who: str = "") -> bool:
        """Say whether the record at this place, who is known by `who`, is to be refused."""
        if self.reject_all or index in self.reject_indexes:
            return True
        return bool(self.reject_share and who) and zlib.crc32(who.encode()) % 10_000 < self.reject_share * 10_000


class Faults:
    """Hold the ordered faults."""

    def __init__(self, seed: int = 1) -> None:
        self._queue: deque[Fault] = deque()
        self._dice = random.Random(seed)

    def order(self, wish: Any) -> Fault:
        """Add a fault.

        Raises:
            ValueError: the wish names something unknown.
        """
        if not isinstance(wish, dict):
            raise ValueError("a fault is an object")  # noqa: TRY004 - to the caller it is one more wrong wish
        known = {field.name for field in fields(Fault)}
        unknown = sorted(set(wish) - known)
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
        fault = Fault(**(wish | {"reject_indexes": tuple(wish.get("reject_indexes") or ())}))
        if not any(getattr(fault, effect) for effect in _EFFECTS):
            fault = replace(fault, status=500)
        self._queue.append(fault)
        return fault

    def take(self, path: str, method: str = "") -> Fault | None:
        """Return the fault for a request that arrives now, and count it down."""
        standing = next((each for each in self._queue if each.reject_share and each.is_for(method, path)), None)
        hit = self._next(path, method)
        if hit is None or standing is None:
            return hit or standing
        return replace(hit, reject_share=standing.reject_share)

    def _next(self, path: str, method: str) -> Fault | None:
        for place, fault in enumerate(self._queue):
            if fault.reject_share or not fault.is_for(method, path):
                continue
            if fault.skip > 0:
                self._queue[place] = replace(fault, skip=fault.skip - 1)
                return None
            if fault.share < 1 and self._dice.random() >= fault.share:
                continue
            if fault.times <= 1:
                del self._queue[place]
            else:
                self._queue[place] = replace(fault, times=fault.times - 1)
            return fault
        return None

    def clear(self) -> None:
        """Drop all orders."""
        self._queue.clear()

    def waiting(self) -> list[dict[str, Any]]:
        """Return the orders that are not used up."""
        return [asdict(fault) for fault in self._queue]
