"""What an assessment costs: against SQL by hand and plain Great Expectations, unchanged, and after an increment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import Any

from sqlalchemy import Engine

from include.warehouse.engine import open_warehouse, transaction
from include.warehouse.migrate import migrate
from tools.bench.assessing import ORG
from tools.bench.bench import ROOT, Bench, environment
from tools.bench.figures import Figure, Goal, against, skipped
from tools.bench.generated import GeneratedOrg, change_share
from tools.bench.server import fresh_database, settle
from tools.duplicates.clock import Clock, Stage

_JUDGED = ("Account", "Contact", "Lead", "Opportunity")
_LEDGERS = ("assessment", "finding")  # what else is kept of an assessment goes with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """Hold what one assessment took, in a process of its own, and what it counted."""

    seconds: float  # from the question to the commit; importing Great Expectations included where it is needed
    cpu: float  # of that process and of the server
    peak_mib: float
    counts: dict[str, int]


def measure_health(bench: Bench) -> Iterator[Figure]:
    """Yield what the assessment of an org takes that nobody has assessed before, and what later ones take."""
    with fresh_database(bench.server, "bench_health") as url:
        engine = open_warehouse(url)
        _fill(bench, engine)
        settle(url)
        yield from _whole(bench, engine, url)
        yield from _later(bench, engine, url)
        if not bench.peers or "gx" in bench.peers:
            yield from _against_gx(bench, engine, url)
        engine.dispose()


def _fill(bench: Bench, engine: Engine) -> None:
    migrate(engine)
    generated = GeneratedOrg(bench.home / f"generated-{bench.rows}", contacts=bench.rows, say=bench.say)
    try:
        bench.say("bring the generated records into the warehouse")
        generated.load_into(engine, ORG)
    finally:
        generated.close()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")  # as autovacuum does within minutes


def _whole(bench: Bench, engine: Engine, url: str) -> Iterator[Figure]:
    ours: list[Assessed] = []
    hand: list[Assessed] = []
    for turn in range(1, bench.repeats + 1):
        bench.say(f"assess, turn {turn} of {bench.repeats}")
        _forget(engine)
        ours.append(_assess(engine, url, "ours"))
        bench.say("the same by hand")
        hand.append(_assess(engine, url, "hand"))
        _insist_on_the_same(ours[-1], hand[-1])
    found = sum(ours[-1].counts.values())
    note = f"{len(ours[-1].counts)} issues, {found:,} failing Ids stored; limit: SQL written by hand; load {_load()}"
    goal = Goal(at_most=1.5)
    seconds, limit = _median(ours, lambda each: each.seconds), _median(hand, lambda each: each.seconds)
    yield against("health.whole", seconds, "s", limit, goal, note=note)
    cpu, cpu_limit = _median(ours, lambda each: each.cpu), _median(hand, lambda each: each.cpu)
    yield against("health.whole_cpu", cpu, "s", cpu_limit, goal, note="processor time of client and server")
    peak = max(each.peak_mib for each in ours)
    yield Figure(name="health.peak_memory", value=peak, unit="MiB", note="of the process that assesses")


def _later(bench: Bench, engine: Engine, url: str) -> Iterator[Figure]:
    """Yield what an assessment costs once there is one: nothing changed, then one record in a thousand."""
    _forget(engine)
    whole = _assess(engine, url, "ours")
    bench.say("nothing changed")
    idle = [_assess(engine, url, "ours") for _ in range(bench.repeats)]
    yield against(
        "health.unchanged", _median(idle, lambda each: each.seconds), "s", whole.seconds,
        note=f"no table is read; processor time {_median(idle, lambda each: each.cpu):.2f} s; limit: the whole",
    )  # fmt: skip
    more: list[Assessed] = []
    changed = 0
    for turn in range(bench.repeats):
        changed = sum(change_share(engine, ORG, name, one_in=1000, remainder=turn) for name in _JUDGED)
        bench.say(f"{changed:,} records changed")
        more.append(_assess(engine, url, "ours"))
    goal = Goal(at_most=0.1)
    note = f"{changed:,} records of four objects changed; limit: the whole; load {_load()}"
    yield against("health.increment", _median(more, lambda each: each.seconds), "s", whole.seconds, goal, note=note)
    yield against(
        "health.increment_cpu", _median(more, lambda each: each.cpu), "s", whole.cpu, goal,
        note="processor time of client and server",
    )  # fmt: skip
    _insist_on_the_same(more[-1], _assess(engine, url, "hand"))


def _against_gx(bench: Bench, engine: Engine, url: str) -> Iterator[Figure]:
    bench.say("the same suite by plain Great Expectations")
    try:
        gx = _assess(engine, url, "gx")
    except RuntimeError as error:
        yield skipped("health.great_expectations", str(error))
        return
    _forget(engine)
    ours = _assess(engine, url, "ours")
    _insist_on_the_same(ours, gx)
    note = f"times as fast as plain Great Expectations with complete results, {{}} s and {gx.peak_mib:,.0f} MiB"
    goal = Goal(at_least=5)
    for name, theirs, own in (("", gx.seconds, ours.seconds), ("_cpu", gx.cpu, ours.cpu)):
        yield Figure(
            name=f"health.great_expectations{name}", value=own, unit="s", limit=theirs, ratio=theirs / own, goal=goal,
            note=note.format(f"{theirs:.1f}"),
        )  # fmt: skip


def _assess(engine: Engine, url: str, way: str) -> Assessed:
    settle(url)
    compiled = _compiled()
    clock = Clock(engine)
    command = [sys.executable, "-m", "tools.bench.assessing", way, "--warehouse", url]
    with clock.stage(way):
        done = subprocess.run(command, cwd=ROOT, env=compiled, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the assessment broke off: {done.stderr.strip()[-1000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    stage: Stage = clock.stages[-1]
    return Assessed(
        seconds=told["seconds"], cpu=told["cpu"] + (stage.server or 0), peak_mib=told["peak_mib"],
        counts=told["counts"],
    )  # fmt: skip


@cache
def _compiled() -> dict[str, str]:
    """Return the environment of processes that find what they import compiled, as it is where pip installed it."""
    kept = environment(PYTHONDONTWRITEBYTECODE="", PYTHONPYCACHEPREFIX=str(ROOT / ".headwater/bench/compiled"))
    imports = "import great_expectations, include.quality.assess, tools.bench.assessing, psycopg"
    subprocess.run([sys.executable, "-c", imports], cwd=ROOT, env=kept, capture_output=True, check=False)
    return kept


def _forget(engine: Engine) -> None:
    """Let the next assessment be the first."""
    with transaction(engine) as connection:
        for ledger in _LEDGERS:
            connection.exec_driver_sql(f"TRUNCATE headwater.{ledger} CASCADE")


def _insist_on_the_same(one: Assessed, other: Assessed) -> None:
    differing = {
        name: (one.counts.get(name, 0), other.counts.get(name, 0))
        for name in one.counts.keys() | other.counts.keys()
        if one.counts.get(name, 0) != other.counts.get(name, 0)
    }
    if differing:
        raise RuntimeError(f"the two sides counted differently, so their times mean nothing: {differing}")


def _median(measured: Sequence[Assessed], of: Callable[[Assessed], float]) -> float:
    return median(of(each) for each in measured)


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"
