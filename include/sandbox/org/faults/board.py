"""The board of faults: ordered ones come first, then the plan."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import Any

from include.sandbox.org.faults.fault import STUCK, Fault, JobFault, Traits
from include.sandbox.org.faults.plan import Plan
from include.sandbox.org.latency import Latency

_REMEMBERED = 200


class Faults:
    """Order faults and meet them."""

    def __init__(self, latency: Latency) -> None:
        self._latency = latency
        self._ordered: list[Fault] = []
        self._jobs: list[JobFault] = []
        self._plan: Plan | None = None
        self._met: Counter[str] = Counter()
        self._latest: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED)
        self._lock = threading.Lock()

    @property
    def idle(self) -> bool:
        """Say whether no call can meet anything, so that nobody has to look closely at it."""
        return not self._ordered and self._plan is None

    def order(self, fault: Fault) -> None:
        """Add a fault."""
        with self._lock:
            self._ordered.append(fault)

    def order_job(self, state: str, times: int = 1, **more: Any) -> None:
        """Let the next Bulk jobs end in this state, or be stuck for a while."""
        with self._lock:
            self._jobs.extend([JobFault(state=state, **more)] * times)

    def follow(self, plan: Plan | None) -> None:
        """Follow a plan from now on, or none."""
        with self._lock:
            self._plan = plan

    def meet(self, call: Traits, time: str = "") -> Fault | None:
        """Return the fault that a call runs into, or None; each meeting uses it up."""
        with self._lock:
            fault = self._ordered_for(call) or (self._plan.draw(call) if self._plan else None)
            if fault is not None:
                self._met[fault.kind] += 1
                self._latest.append({"time": time, "kind": fault.kind, "method": call.method, "path": call.path})
            return fault

    def meet_job(self, object_name: str | None = None) -> str | None:
        """Return the state that a Bulk job which begins must end in, or None."""
        fault = self._take_job(object_name, stuck=False)
        return fault.state if fault else None

    def hold_job(self, object_name: str | None = None) -> float:
        """Return for how many seconds a Bulk job that begins is to be InProgress before it gets anywhere."""
        fault = self._take_job(object_name, stuck=True)
        return (fault.seconds if fault else 0.0) + self._latency.job()

    def clear(self) -> None:
        """Take back everything that was ordered or planned."""
        with self._lock:
            self._ordered.clear()
            self._jobs.clear()
            self._plan = None

    def shown(self) -> dict[str, Any]:
        """Return what is ordered, what was met, and the plan."""
        with self._lock:
            return {
                "ordered": [each.shown() for each in self._ordered],
                "jobs": [{"bulk_job": each.state, "seconds": each.seconds} for each in self._jobs],
                "plan": self._plan.shown() if self._plan else None,
                "met": dict(sorted(self._met.items())),
                "latest": list(self._latest),
            }

    def _take_job(self, object_name: str | None, *, stuck: bool) -> JobFault | None:
        with self._lock:
            for place, fault in enumerate(self._jobs):
                suits = fault.object is None or fault.object.lower() == (object_name or "").lower()
                if suits and (fault.state == STUCK) is stuck:
                    self._met[f"job {fault.state}"] += 1
                    return self._jobs.pop(place)
        return None

    def _ordered_for(self, call: Traits) -> Fault | None:
        for fault in self._ordered:
            if fault.matches(call) and fault.strikes():
                if fault.spent:
                    self._ordered.remove(fault)
                return fault
        return None
