"""One fault, the calls it matches, and what is known of a call when it is matched."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from include.sandbox.org.faults.kinds import KINDS, Kind, To

STUCK = "Stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """Hold what a fault may look at: the call's path, and the objects and the SOQL that it is about."""

    method: str
    path: str
    objects: frozenset[str] = frozenset()  # names in small letters
    soql: str = ""
    gzip: bool = False

    def suits(self, to: To) -> bool:
        """Say whether a kind of fault can befall this call."""
        path = self.path.lower()
        rest = path.split("/", 4)[4] if path.startswith("/services/data/v") and path.count("/") > 3 else ""
        reading = self.method in ("GET", "HEAD")
        return {
            To.ANY: True,
            To.GZIP: self.gzip and reading,
            To.SIGNED_IN: bool(rest) or path.startswith(("/services/async/", "/services/soap/")),
            To.QUERIES: reading and rest.startswith("query"),
            To.LOCATORS: reading and rest.startswith(("query/0", "queryall/0")),
            To.WRITES: not reading and rest.startswith(("sobjects", "composite")),
            To.NEW_JOBS: self.method == "POST"
            and (rest.strip("/") in ("jobs/query", "jobs/ingest") or path.endswith("/batch")),
            To.JOBS: rest.startswith(("jobs/query/7", "jobs/ingest/7")),
        }[to]


@dataclass(slots=True, kw_only=True)
class Fault:
    """Hold one ordered fault; it goes away after it was met `times` times."""

    match: str = ""
    method: str | None = None
    object: str | None = None
    soql: str | None = None
    kind: str = "answer"
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)
    times: int | None = 1  # None never goes away
    after: int = 0  # let so many matching calls through first
    every: int = 1  # then only each n-th
    probability: float = 1.0
    seed: int = 0
    matched: int = 0
    met: int = 0

    @property
    def what(self) -> Kind:
        """Return the kind of fault."""
        return KINDS[self.kind]

    def matches(self, call: Traits) -> bool:
        """Say whether a call is one of those that are counted."""
        return (
            call.path.startswith(self.match)
            and (self.method or call.method) == call.method
            and (self.object is None or self.object.lower() in call.objects)
            and (self.soql is None or self.soql.lower() in call.soql.lower())
            and call.suits(self.what.to)
        )

    def strikes(self) -> bool:
        """Count a matching call, and say whether this is one that meets the fault."""
        self.matched += 1
        place = self.matched - self.after
        if place <= 0 or place % self.every:
            return False
        if self.probability < 1 and random.Random(f"{self.seed}/{place}").random() >= self.probability:
            return False
        self.met += 1
        return True

    @property
    def spent(self) -> bool:
        """Say whether it has been met often enough."""
        return self.times is not None and self.met >= self.times

    def shown(self) -> dict[str, Any]:
        """Return the fault as the control plane shows it."""
        wanted = {
            "kind": self.kind, "match": self.match, "method": self.method, "object": self.object, "soql": self.soql,
            "options": self.options or None, "times": self.times, "after": self.after, "every": self.every,
            "probability": self.probability, "matched": self.matched, "met": self.met,
        }  # fmt: skip
        if self.kind == "answer":
            wanted["status"] = self.status
        if self.delay:
            wanted["delay"] = self.delay
        return {name: value for name, value in wanted.items() if value is not None or name == "times"}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFault:
    """Hold what will become of a Bulk job: a state it ends in, or `Stuck`, which only holds it up for `seconds`."""

    state: str
    seconds: float = 0.0
    object: str | None = None
