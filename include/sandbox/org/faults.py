"""Faults that a test has ordered: the next calls that match get them instead of an answer."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Fault:
    """Hold one ordered fault; it goes away after `times` calls."""

    match: str
    method: str | None = None
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    times: int = 1
    after: int = 0  # let so many matching calls through first


class Faults:
    """Order faults and meet them."""

    def __init__(self) -> None:
        self._ordered: list[Fault] = []
        self._jobs: list[str] = []
        self._lock = threading.Lock()

    def order(self, fault: Fault) -> None:
        """Add a fault."""
        with self._lock:
            self._ordered.append(fault)

    def order_job(self, state: str, times: int) -> None:
        """Let the next Bulk jobs end in this state."""
        with self._lock:
            self._jobs.extend([state] * times)

    def meet(self, method: str, path: str) -> Fault | None:
        """Return the fault that a call runs into, or None; each meeting uses it up."""
        with self._lock:
            for fault in self._ordered:
                if not path.startswith(fault.match) or (fault.method or method) != method:
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._ordered.remove(fault)
                return fault
        return None

    def meet_job(self) -> str | None:
        """Return the state that a Bulk job must end in, or None."""
        with self._lock:
            return self._jobs.pop(0) if self._jobs else None

    def clear(self) -> None:
        """Take back everything that was ordered."""
        with self._lock:
            self._ordered.clear()
            self._jobs.clear()
