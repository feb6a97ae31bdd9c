"""Ten definitions lead to one org whose calls are few: its watermark holds, and what waits goes on by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import urllib3
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred
from sqlalchemy import Engine, text

from headwater import hooks
from headwater.operators import ExtractObjectOperator, ProbeObjectsOperator, ReconcileObjectOperator
from include.warehouse.engine import transaction

NAMES = tuple(f"org{number}" for number in range(10))
ALLOWED, KEPT, QUOTA = 260, 60, 240
DEFINITION = """
org: {name}
connection: salesforce_demo
objects: [Lead]
budget: {{watermark: {{calls: {kept}}}{quota}}}
"""
Operator = ProbeObjectsOperator | ExtractObjectOperator | ReconcileObjectOperator


class Org:
    """Give orders to the sandbox org, and hear what it counted."""

    def __init__(self, url: str) -> None:
        self._url = url

    def order(self, name: str, **body: Any) -> None:
        assert urllib3.request("POST", f"{self._url}/sandbox/{name}", json=body).status == 200

    @property
    def used(self) -> int:
        return int(urllib3.request("GET", f"{self._url}/sandbox/allocation").json()["used"])


@pytest.fixture
def org(site: dict[str, str]) -> Iterator[Org]:
    org = Org(site["org"])
    org.order("allocation", max=ALLOWED, used=0)
    yield org
    org.order("clock", reset=True)
    org.order("allocation", max=100_000, used=0)
    hooks.definitions.cache_clear()


def define(definitions: Path, monkeypatch: pytest.MonkeyPatch, quota: str) -> None:
    for name in NAMES:
        content = DEFINITION.format(name=name, kept=KEPT, quota=quota)
        (definitions / "orgs" / f"{name}.yaml").write_text(content, encoding="utf-8")
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(definitions))
    hooks.definitions.cache_clear()


def done(operator: Operator, event: bool = False) -> TaskDeferred | None:
    """Run a task once, as Airflow starts it or goes on with it, and return how it was put off."""
    try:
        operator.execute({}, event=datetime.now(UTC)) if event else operator.execute({})
    except AirflowSkipException:
        return None
    except TaskDeferred as deferred:
        return deferred
    return None


def until_it_waits(kind: str, name: str) -> tuple[datetime, str]:
    """Run a task again and again until there is no call left for it; return when and how it goes on."""
    for _ in range(400):
        deferred = done(KINDS[kind](name))
        if deferred:
            return deferred.trigger.moment, deferred.method_name
    raise AssertionError("it never had to wait")


def race(wanted: Sequence[tuple[str, str]]) -> list[tuple[datetime, str]]:
    """Do so with eight tasks at a time, each in a process of its own."""
    hooks.warehouse_engine().dispose()  # no connection goes along into the processes
    with ProcessPoolExecutor(8, get_context("fork"), hooks.warehouse_engine.cache_clear) as pool:
        return list(pool.map(until_it_waits, *zip(*wanted, strict=True)))


def tasks(name: str) -> list[Operator]:
    """Return what the DAGs of a definition do, in the order in which a first run does it."""
    return [probe(name), extract(name)]


def extract(name: str) -> ExtractObjectOperator:
    return ExtractObjectOperator(task_id="extract_Lead", org=name, sobject="Lead")


def probe(name: str) -> ProbeObjectsOperator:
    return ProbeObjectsOperator(task_id="probe", org=name, objects=("Lead",))


def comparison(name: str) -> ReconcileObjectOperator:
    return ReconcileObjectOperator(task_id="r", org=name, sobject="Lead")


KINDS: dict[str, Callable[[str], Operator]] = {"probe": probe, "extract": extract, "compare": comparison}


def a_day_passes(org: Org, warehouse: Engine) -> None:
    """Move the org's clock on by its control plane; here everything that was noted grows as much older."""
    org.order("clock", advance=86_400 + 120)
    with transaction(warehouse) as connection:
        for statement in (
            "UPDATE headwater.api_budget SET observed_at = observed_at - :day",
            "UPDATE headwater.api_limit SET observed_at = observed_at - :day",
            "UPDATE headwater.api_call SET hour = hour - :day",
            "UPDATE headwater.api_lease SET expires_at = expires_at - :day",
        ):
            connection.execute(text(statement), {"day": timedelta(days=1, minutes=2)})


def test_ten_definitions_never_cross_the_watermark_and_go_on_when_the_orgs_day_has_passed(
    org: Org, warehouse: Engine, definitions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight tasks at a time want all the calls there are; each ends deferred, and each is done a day later."""
    define(definitions, monkeypatch, quota="")
    for name in NAMES:
        assert [done(each) for each in tasks(name)] == [None] * 2
    wanted = [(kind, name) for name in NAMES for kind in KINDS]
    waiting = race(wanted)

    assert org.used <= ALLOWED - KEPT
    assert org.used > (ALLOWED - KEPT) * 0.9
    assert all(moment > datetime.now(UTC) and method == "execute" for moment, method in waiting)
    states = "SELECT DISTINCT state FROM headwater.run WHERE message LIKE '%kept for others%'"
    with transaction(warehouse) as connection:
        assert set(connection.execute(text(states)).scalars()) <= {"paused"}

    a_day_passes(org, warehouse)
    assert [done(KINDS[kind](name), event=True) for kind, name in wanted] == [None] * len(wanted)
    assert org.used <= ALLOWED - KEPT


def test_low_priority_work_waits_first_and_goes_on_by_itself(
    org: Org, warehouse: Engine, definitions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty per cent of the quota that all ten share: comparisons wait for its next day, changes are still read."""
    define(definitions, monkeypatch, quota=f", quota: {{calls: {QUOTA}}}")
    for name in NAMES:
        assert [done(each) for each in tasks(name)] == [None] * 2
    put_off = race([("compare", name) for name in NAMES])
    assert QUOTA * 0.4 <= org.used < QUOTA * 0.5
    assert len({moment for moment, _ in put_off}) == 1  # the quota's next midnight
    assert done(probe(NAMES[0])) is None

    a_day_passes(org, warehouse)
    assert [done(comparison(name), event=True) for name in NAMES] == [None] * len(NAMES)
    assert org.used <= ALLOWED - KEPT
