"""The story: rounds of DAG runs while the org's people work, its faults strike and processes are killed; then peace."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from include.config.orgs import OrgDefinition
from tools.faults.comparison import Compared, PlainReader, compare
from tools.faults.kills import Killer
from tools.faults.kinds import JOB_ENDS, KINDS, OBJECTS, added_field, plan_of
from tools.faults.observer import Observer
from tools.faults.org import OrgServer
from tools.faults.postgres import WarehouseServer
from tools.faults.scheduler import DagRun, Ended, Scheduler

Say = Callable[[str], None]

# Low enough that an object of a thousand records is a large load, with a Bulk job of many pages.
ORG = OrgDefinition(org="main", connection="salesforce", objects=OBJECTS, bulk_above_rows=200, slice_rows=300)
_KINDS = {"changes": 30, "full": 35, "last_day": 10, "interval": 5, "reconcile": 20}
_TOGETHER = 0.3  # of the rounds have a second DAG run at the same time: a backfill, or the nightly comparison
_BY_REST = 0.2  # of the DAG runs read even large windows by REST, page after page
_KILLS_A_ROUND = 4
_PASSES = (30, 1200)  # seconds of the org's time between rounds; the lookback is 600
_PAST_ALL_LATE = 4000
_COUNTED = {*KINDS, *JOB_ENDS.values()}
_ROUNDS_AT_MOST = 2000


@dataclass(slots=True)
class Round:
    """Hold what happened in a round."""

    number: int
    dags: tuple[DagRun, ...]
    ended: list[list[Ended]]
    met: Counter[str]

    @property
    def failed(self) -> bool:
        """Return whether a task failed after its last try."""
        return any(each.told.state == "failed" for tasks in self.ended for each in tasks)


@dataclass(slots=True)
class Tally:
    """Hold what a campaign counted."""

    rounds: list[Round] = field(default_factory=list)
    peace: list[Ended] = field(default_factory=list)
    compared: list[Compared] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    survived_at_once: Counter[str] = field(default_factory=Counter)  # no task failed in their round
    survived_later: Counter[str] = field(default_factory=Counter)  # a later round, or the last run, made good
    changes: Counter[str] = field(default_factory=Counter)
    schema_changes: int = 0
    seconds: float = 0.0


class Campaign:
    """Lead a campaign through."""

    def __init__(self, home: Path, *, faults: int, kills: int, seed: int, contacts: int, say: Say) -> None:
        self._dice = random.Random(seed)
        self._faults, self._say = faults, say
        self.org = OrgServer(home / "org", contacts=contacts, seed=seed)
        self.warehouse = WarehouseServer(home / "postgres")
        self.scheduler = Scheduler(ORG, self.warehouse.url, self.org.signed, home / "tasks.log")
        self.killer = Killer(random.Random(f"{seed}/kills"), kills, self.scheduler, self.warehouse, self.org)
        self.observer = Observer(self.warehouse.url, ORG.schema_name, OBJECTS)
        self.tally = Tally()
        self._fields: list[tuple[str, str]] = []
        self._numbers = iter(range(1, 1_000_000))
        self._began_at: datetime | None = None

    def lead(self) -> Tally:
        """Run everything, and return what was counted; the servers stay up."""
        began = time.monotonic()
        self.warehouse.begin()
        self.org.start()
        self._began_at = self.org.now()
        self.org.work()
        self.observer.begin()
        try:
            while self._goes_on():
                self._round(len(self.tally.rounds) + 1)
            self._make_peace()
        finally:
            self.observer.end()
        self._compare()
        self.tally.seconds = time.monotonic() - began
        return self.tally

    def end(self) -> None:
        """Stop the servers."""
        self.org.end()
        self.warehouse.end()

    def _goes_on(self) -> bool:
        if len(self.tally.rounds) >= _ROUNDS_AT_MOST:
            raise RuntimeError("the campaign did not come to its end; the log of the tasks says why")
        return sum(self.tally.met[kind] for kind in KINDS) < self._faults or self.killer.left > 0

    def _round(self, number: int) -> None:
        plan = plan_of(self._dice, self._fields, number)
        added = added_field(plan)
        dags = self._drawn()
        self.org.follow(plan)
        self.killer.begin_round(self._dice.randint(0, _KILLS_A_ROUND))
        try:
            ended = self._run(dags)
        finally:
            self.killer.end_round()
        self.observer.sample(f"after round {number}")
        met = Counter({kind: count for kind, count in self.org.met().items() if kind in _COUNTED})
        done = Round(number=number, dags=dags, ended=ended, met=met - self.tally.met)
        self.tally.met = met
        self.tally.rounds.append(done)
        self._settle(done)
        if added:
            self._fields.append(added)
        self._let_time_pass()
        self._say(_in_words(done, self.tally.met.total(), self.killer.done.total()))

    def _run(self, dags: tuple[DagRun, ...]) -> list[list[Ended]]:
        ended: list[list[Ended]] = [[] for _ in dags]

        def run(place: int) -> None:
            ended[place] = self.scheduler.run(dags[place])

        threads = [threading.Thread(target=run, args=(place,)) for place in range(len(dags))]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        return ended

    def _drawn(self) -> tuple[DagRun, ...]:
        first = self._dag(self._dice.choices(tuple(_KINDS), tuple(_KINDS.values()))[0])
        if self._dice.random() >= _TOGETHER:
            return (first,)
        return first, self._dag(self._dice.choice(("interval", "last_day", "reconcile")))

    def _dag(self, kind: str) -> DagRun:
        count = self._dice.choice((1, 2, 3, len(OBJECTS), len(OBJECTS)))
        objects = tuple(sorted(self._dice.sample(OBJECTS, count)))
        types = {"changes": "scheduled", "interval": "backfill"}
        return DagRun(
            number=next(self._numbers), kind=kind, objects=objects, run_type=types.get(kind, "manual"),
            interval=self._interval() if kind == "interval" else None, by_rest=self._dice.random() < _BY_REST,
        )  # fmt: skip

    def _interval(self) -> tuple[datetime, datetime]:
        assert self._began_at is not None
        now = self.org.now().replace(minute=0, second=0, microsecond=0)
        low = now - timedelta(hours=self._dice.randint(0, 6))
        return low, low + timedelta(hours=self._dice.randint(1, 3))

    def _let_time_pass(self) -> None:
        if self._fields and self._dice.random() < 0.5:
            object, name = self._dice.choice(self._fields)
            self.org.command("touch", object=object, n=5, seed=self._dice.randrange(1000), fields={name: None})
        self.org.command("clock", advance=self._dice.randint(*_PASSES))

    def _settle(self, done: Round) -> None:
        """Count the faults of a round as survived once every task ended well; else they wait for a round that does."""
        if not done.failed:
            self.tally.survived_at_once += done.met

    def _make_peace(self) -> None:
        self.org.follow(None)
        self.org.rest()
        self.org.command("clock", advance=_PAST_ALL_LATE)
        time.sleep(1.1)  # what happened in this very second is read when it is over
        self._say("peace: one run and one reconciliation that nothing disturbs")
        for kind in ("changes", "reconcile"):
            dag = DagRun(number=next(self._numbers), kind=kind, objects=OBJECTS, run_type="manual")
            self.tally.peace += self.scheduler.run(dag)
            self.observer.sample(f"after the last {kind} run")

    def _compare(self) -> None:
        reader = PlainReader(self.org.url, self.org.signed)
        self.tally.compared = [compare(reader, self.warehouse.url, ORG.schema_name, name) for name in OBJECTS]
        self.tally.changes = self.org.changes()
        self.tally.schema_changes = len(self.org.look("metadata")["changes"])
        whole = all(not each.lost for each in self.tally.compared)
        if whole and all(each.told.state != "failed" for each in self.tally.peace):
            self.tally.survived_later = self.tally.met - self.tally.survived_at_once


def _in_words(done: Round, faults: int, kills: int) -> str:
    dags = " + ".join(f"{each.kind} of {len(each.objects)}{' by REST' * each.by_rest}" for each in done.dags)
    failed = [each for tasks in done.ended for each in tasks if each.told.state == "failed"]
    causes = ", ".join(f"{each.task}: {each.told.error}" for each in failed)
    return (
        f"round {done.number}: {dags}; {done.met.total()} faults{f'; {causes}' if causes else ''} ({faults}, {kills})"
    )
