from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading

import pytest

from include.extract.run import ExtractState
from tests.extract.conftest import Desk

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
        mode=RunMode.CHANGES, run=run, wait_for_lock=True, sleep=lambda seconds: None,
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
    asked = {
        "token": desk.org.credentials().access_token,
        "url": desk.org.url,
        "run": desk.same_run().dag_run_id,
        "warehouse": warehouse_url,
        "org": desk.definition.model_dump(),
    }
    with subprocess.Popen([sys.executable, "-c", TASK, json.dumps(asked)]) as process:
        assert reached.wait(30)
        process.send_signal(signal.SIGKILL)
    desk.org.before_result = lambda asked: None
    go_on.set()


@pytest.mark.parametrize("locator", ["0", "8", "24"])
def test_a_load_that_was_killed_ends_equal_to_the_org_when_it_runs_again(
    desk: Desk, warehouse_url: str, locator: str
) -> None:
    """kill -9 at the first, a middle and the last page: pages that were committed are not read again."""
    run = desk.next_run()
    desk.probe(run)
    killed_at(desk, warehouse_url, locator)
    assert desk.cursor() is None
    assert len(desk.here()) == int(locator)
    extracted = desk.extract_one(desk.same_run(try_number=2))
    assert extracted.state is ExtractState.LOADED
    assert extracted.counts.inserted == 30 - int(locator)
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
    assert desk.extract_one(desk.same_run(try_number=2)).counts.updated == 9
    assert desk.here() == desk.there()
