"""A seeded plan: it disturbs about a share of all calls, the same ones in every run that makes the same calls."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from include.sandbox.org.faults.fault import Fault, Traits
from include.sandbox.org.faults.kinds import KINDS

PLANNED = tuple(each.name for each in KINDS.values() if each.planned)


class Plan:
    """Draw a fault for some calls; what the n-th call meets depends on the seed, on n, and on what the call is."""

    def __init__(
        self, *, seed: int, rate: float, kinds: tuple[str, ...] = PLANNED, seconds: float | None = None, calm: int = 0,
        options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:  # fmt: skip
        self.seed, self.rate, self.kinds, self.calm = seed, rate, kinds, calm
        self._options = dict(options or {})
        self._ends = None if seconds is None else time.monotonic() + seconds
        self._calls = 0
        self._quiet_until = 0
        self.met: Counter[str] = Counter()

    @property
    def over(self) -> bool:
        """Say whether its time has passed."""
        return self._ends is not None and time.monotonic() >= self._ends

    def draw(self, call: Traits) -> Fault | None:
        """Return the fault that the next call runs into, or None."""
        self._calls += 1
        dice = random.Random(f"{self.seed}/{self._calls}")
        if self.over or dice.random() >= self.rate or self._calls <= self._quiet_until:
            return None
        possible = [each for each in self.kinds if call.suits(KINDS[each].to)]
        if not possible:
            return None
        kind = dice.choice(possible)
        self._quiet_until = self._calls + self.calm
        self.met[kind] += 1
        own = dict(self._options.get(kind, {}))
        return Fault(kind=kind, delay=float(own.pop("delay", 0.5 if kind == "slow" else 0)), options=own)

    def shown(self) -> dict[str, Any]:
        """Return the plan as the control plane shows it."""
        left = None if self._ends is None else max(0.0, round(self._ends - time.monotonic(), 1))
        return {
            "seed": self.seed, "rate": self.rate, "kinds": list(self.kinds), "calm": self.calm, "seconds_left": left,
            "calls": self._calls, "disturbed": self.met.total(), "met": dict(sorted(self.met.items())),
        }  # fmt: skip
