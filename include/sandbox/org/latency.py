"""How long answers and jobs take: nothing by default, or as long as in real orgs, the same in every run by seed."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

Span = tuple[float, float]  # seconds: least and most


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Hold what each sort of call takes, and what each megabyte of its answer adds."""

    token: Span = (0.0, 0.0)
    rest: Span = (0.0, 0.0)
    write: Span = (0.0, 0.0)
    job: Span = (0.0, 0.0)  # a Bulk job waits so long before it runs
    megabyte: float = 0.0


PROFILES = {
    "none": Profile(),
    "typical": Profile(token=(0.3, 0.8), rest=(0.1, 0.4), write=(0.15, 0.6), job=(2.0, 30.0), megabyte=0.8),
    "slow": Profile(token=(1.0, 3.0), rest=(0.5, 2.5), write=(0.8, 4.0), job=(20.0, 180.0), megabyte=3.0),
}


class Latency:
    """Draw delays from a profile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.choose("none")

    def choose(self, name: str, *, seed: int = 1, own: Mapping[str, Any] | None = None) -> None:
        """Take a profile, with spans of one's own put into it, and begin its dice anew."""
        spans: dict[str, Any] = {
            each: tuple(float(end) for end in value) if isinstance(value, (list, tuple)) else float(value)
            for each, value in (own or {}).items()
        }
        chosen = replace(PROFILES[name], **spans)
        with self._lock:
            self.name, self.seed, self.profile = name, seed, chosen
            self._dice = {each.name: random.Random(f"{seed}/{each.name}") for each in fields(Profile)}

    @property
    def none(self) -> bool:
        """Say whether everything is answered at once."""
        return self.profile == PROFILES["none"]

    def answer(self, method: str, path: str, size: int) -> float:
        """Return how many seconds an answer of so many bytes takes."""
        if self.none:
            return 0.0
        if "/oauth2/" in path:
            return self._draw("token")
        sort = "rest" if method in ("GET", "HEAD") else "write"
        return self._draw(sort) + size / 1e6 * self.profile.megabyte

    def job(self) -> float:
        """Return how many seconds a Bulk job waits."""
        return 0.0 if self.none else self._draw("job")

    def shown(self) -> dict[str, Any]:
        """Return the profile as the control plane shows it."""
        spans = {each.name: getattr(self.profile, each.name) for each in fields(Profile)}
        return {"profile": self.name, "seed": self.seed, **spans}

    def _draw(self, sort: str) -> float:
        with self._lock:
            return self._dice[sort].uniform(*getattr(self.profile, sort))
