from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from include.extract.run import ExtractState
from tests.extract.conftest import Desk

PAGE = 8  # the desk's org sends so many rows at a time

# What an Airflow task does, in a process that can be killed.
TASK = """
import json, sys
from include.config.orgs import OrgDefinition
from include.extract.run import extract_object
from include.records import AirflowRun, RunMode
from include.salesforce.auth import Credentials
from include.salesforce.client import SalesforceClient
from include.warehouse.engine import open_warehouse
asked = json.loads(sys.argv[1])
credentials = Credentials(kind="session", access_token=asked["token"], instance_url=asked["url"])
run = AirflowRun(dag_id="main_extract", dag_run_id=asked["run"], task_id="t", try_number=1)
with SalesforceClient(credentials) as client:
    extract_object(
        open_warehouse(asked["warehouse"]), client, OrgDefinition.model_validate(asked["org"]), "Contact",
        mode=RunMode.CHANGES, run=run, wait_for_lock=True, sleep=lambda seconds: __import__("time").sleep(0.01),
    )
"""


def killed_at(desk: Desk, warehouse_url: str, locator: str) -> None:
    """Run the task in a process of its own and kill it when it asks for this page of the Bulk result."""
    reached, go_on = threading.Event(), threading.Event()

    def hold(asked: str) -> None:
        if asked == locator:
            reached.set()
            go_on.wait(30)

    desk.org.before_result = hold
    with task(desk, warehouse_url) as process:
        assert reached.wait(30)
        process.send_signal(signal.SIGKILL)
    desk.org.before_result = lambda asked: None
    go_on.set()


def killed_when(desk: Desk, warehouse_url: str, reached: Callable[[], bool]) -> None:
    """Run the task in a process of its own and kill it when something has become true."""
    with task(desk, warehouse_url) as process:
        for _ in range(3000):
            if reached():
                break
            assert process.poll() is None
            time.sleep(0.02)
        else:
            raise AssertionError("it never became true")
        process.send_signal(signal.SIGKILL)


def task(desk: Desk, warehouse_url: str) -> subprocess.Popen[bytes]:
    """Start the task in a process of its own."""
    asked = {
        "token": desk.org.credentials().access_token,
        "url": desk.org.url,
        "run": desk.same_run().dag_run_id,
        "warehouse": warehouse_url,
        "org": desk.definition.model_dump(),
    }
    return subprocess.Popen([sys.executable, "-c", TASK, json.dumps(asked)])


@pytest.mark.parametrize("locator", ["0", "8", "24"])
def test_a_load_that_was_killed_ends_equal_to_the_org_when_it_runs_again(
    desk: Desk, warehouse_url: str, locator: str
) -> None:
    """kill -9 at the first, a middle and the last page: pages that were committed are not read again.

    Two pages are asked for ahead of the one that is loaded, so that at least those before them are committed.
    """
    run = desk.next_run()
    desk.probe(run)
    killed_at(desk, warehouse_url, locator)
    assert desk.cursor() is None
    committed = len(desk.here())
    assert int(locator) - 3 * PAGE <= committed <= int(locator)
    assert committed % PAGE == 0
    extracted = desk.extract_one(desk.same_run(try_number=2))
    assert extracted.state is ExtractState.LOADED
    assert extracted.counts.inserted == 30 - committed
    assert desk.here() == desk.there()
    assert desk.cursor() == desk.org.now
    assert len(desk.org.jobs) == 1
    states = desk.rows("SELECT try_number, state FROM headwater.run WHERE subject = 'Contact' ORDER BY run_id")
    assert states == [(1, "failed"), (2, "success")]


def test_a_large_increment_that_was_killed_ends_equal_too(desk: Desk, warehouse_url: str) -> None:
    """Merged pages are committed one by one as well, and the cursor moves with the last."""
    desk.extract()
    desk.org.tick(hours=1)
    for number in range(25):
        desk.org.put("Contact", number, LastName="Touched")
    desk.org.tick(hours=1)
    cursor = desk.cursor()
    desk.next_run()
    killed_at(desk, warehouse_url, "16")
    assert desk.cursor() == cursor
    [(committed,)] = desk.rows("""SELECT count(*)::int FROM salesforce_main."Contact" WHERE "LastName" = 'Touched'""")
    assert committed <= 16
    assert desk.extract_one(desk.same_run(try_number=2)).counts.updated == 25 - committed
    assert desk.here() == desk.there()


def test_a_load_in_slices_that_is_killed_at_sixty_per_cent_reads_less_than_a_slice_again(
    desk: Desk, warehouse_url: str
) -> None:
    """kill -9 while the org still works on other slices: the next try finds their jobs, and makes none twice."""
    desk.org.records["Contact"].clear()
    for number in range(500):
        desk.org.put("Contact", number * 1000, LastName=f"Name {number}", IsDeleted=number == 7)
    desk.org.bulk_page_rows = 40
    desk.org.tick(hours=1)
    desk.definition = desk.definition.model_copy(update={"objects": ("Contact",), "slice_rows": 100, "jobs_at_once": 2})
    desk.probe(desk.next_run())
    loaded: list[str] = []

    def jobs_end_while_three_slices_are_loaded(soql: str) -> str:
        loaded.append(soql)
        return "" if len(loaded) <= 4 else "InProgress"

    desk.org.job_ends = jobs_end_while_three_slices_are_loaded
    begun = "SELECT count(*) FROM headwater.slice WHERE job_id <> ''"
    killed_when(desk, warehouse_url, lambda: len(desk.here()) >= 300 and desk.rows(begun) == [(5,)])
    assert desk.cursor() is None
    committed = len(desk.here())
    assert 300 <= committed < 500
    jobs = list(desk.org.jobs)
    desk.org.job_ends = lambda soql: ""
    for job in desk.org.jobs.values():
        job["state"] = "JobComplete"
    desk.org.calls.clear()
    extracted = desk.extract_one(desk.same_run(try_number=2))
    assert extracted.counts.read - (500 - committed) < 100
    assert desk.here() == desk.there()
    assert desk.cursor() == desk.org.now
    assert list(desk.org.jobs)[: len(jobs)] == jobs
    queries = [job["soql"] for job in desk.org.jobs.values()]
    assert len(queries) == len(set(queries))
    assert desk.rows("SELECT count(*) FROM headwater.slice WHERE state = 'open'") == [(0,)]
