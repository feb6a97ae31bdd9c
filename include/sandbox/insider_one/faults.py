"""Play what can go wrong between a client and the platform, on order and in the order of the orders."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

BODIES: dict[int, Any] = {
    400: {"error": "users must be defined: bad request"},
    401: {"success": False, "message": "Partner token authentication failed."},
    403: {
        "success": False,
        "message": "Access Denied. You do not have sufficient access to perform this action.",
    },
    429: {"error": "rejected: too many requests"},
    500: {"success": False, "message": "The request processing has failed because of an unknown error."},
    503: "<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>",
    504: "<html><body><h1>504 Gateway Time-out</h1></body></html>",
    520: "<html><body><h1>520 Web server is returning an unknown error</h1></body></html>",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Say what goes wrong.

    Args:
        status: the answer's status; None leaves the real one.
        body: the answer's body (text, or an object that becomes JSON); None takes the usual one.
        times: for how many requests.
        skip: how many requests pass before it starts.
        path: only for requests to this path; "" for all of the platform's.
        after_store: do what was asked first, then answer wrongly.
        drop_answer: close the connection instead of answering.
        delay_seconds: wait before answering.
        retry_after: the header of that name.
        reject_all: refuse every user of an upsert, with HTTP 200.
        reject_indexes: refuse these users of an upsert, with HTTP 200.
    """

    status: int | None = None
    body: Any = None
    times: int = 1
    skip: int = 0
    path: str = ""
    after_store: bool = False
    drop_answer: bool = False
    delay_seconds: float = 0.0
    retry_after: str | None = None
    reject_all: bool = False
    reject_indexes: tuple[int, ...] = ()

    @property
    def answers(self) -> bool:
        """Say whether the fault brings an answer of its own."""
        return self.status is not None or self.body is not None


class Faults:
    """Hold the ordered faults."""

    def __init__(self) -> None:
        self._queue: deque[Fault] = deque()

    def order(self, wish: dict[str, Any]) -> Fault:
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
        plain = not (fault.answers or fault.drop_answer or fault.delay_seconds or fault.reject_all)
        if plain and not fault.reject_indexes:
            fault = replace(fault, status=500)
        self._queue.append(fault)
        return fault

    def take(self, path: str) -> Fault | None:
        """Return the fault for a request that arrives now, and count it down."""
        for place, fault in enumerate(self._queue):
            if fault.path and fault.path != path:
                continue
            if fault.skip > 0:
                self._queue[place] = replace(fault, skip=fault.skip - 1)
                return None
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
