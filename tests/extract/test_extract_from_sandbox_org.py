"""The extract and the sandbox org, which keeps Salesforce's contract by itself."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from datetime import time as clock
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import urllib3
from sqlalchemy import Engine, text

from include.config.orgs import OrgDefinition
from include.extract.ask import known_table
from include.extract.certify import certify_objects
from include.extract.plan import Plan
from include.extract.probe import probe_objects
from include.extract.run import Extracted, ExtractState, extract_object
from include.records import AirflowRun, RunMode
from include.salesforce.auth import Credentials
from include.salesforce.client import SalesforceClient
from include.sandbox.org import credentials as sandbox
from include.warehouse.calls.meter import WarehouseMeter, calls_of_run
from include.warehouse.engine import transaction

CONTACTS = 1200
OBJECTS = ("Account", "Contact", "Lead", "Opportunity")

# One try of a task, in a process that can be killed; small pages, so that there are many moments to be killed in.
TASK = """
import json, sys
from include.config.orgs import OrgDefinition
from include.extract.run import extract_object
from include.records import AirflowRun, RunMode
from include.salesforce.auth import Credentials
from include.salesforce.client import SalesforceClient
from include.warehouse.engine import open_warehouse
asked = json.loads(sys.argv[1])
print("begins", flush=True)
run = AirflowRun(dag_id="main_extract", dag_run_id=asked["run"], task_id="t", try_number=1)
with SalesforceClient(Credentials(**asked["credentials"])) as client:
    extract_object(
        open_warehouse(asked["warehouse"]), client, OrgDefinition.model_validate(asked["org"]), "Contact",
        mode=RunMode(asked["mode"]), run=run, wait_for_lock=True, bulk_page_rows=60,
        sleep=lambda seconds: __import__("time").sleep(min(seconds, 0.05)),
    )
"""


@pytest.fixture(scope="module")
def org_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of a sandbox org."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("org")
    command = [sys.executable, "-m", "include.sandbox.org", "--port", str(port), "--home", str(home), "--quiet"]
    with (home / "org.log").open("w") as log:
        running = subprocess.Popen([*command, "--contacts", str(CONTACTS)], stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, running, home / "org.log")
        yield url
    finally:
        running.terminate()
        running.wait(20)


def _wait_for(url: str, running: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert running.poll() is None, log.read_text()
        try:
            urllib3.request("GET", f"{url}/services/data", retries=False, timeout=5)
        except urllib3.exceptions.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())


@dataclass(slots=True)
class Bench:
    """Extract the sandbox org, one DAG run after another."""

    url: str
    warehouse: Engine
    runs: int = 0
    org: OrgDefinition = field(
        default_factory=lambda: OrgDefinition(org="main", connection="salesforce", bulk_above_rows=500)
    )

    @property
    def signed(self) -> dict[str, Any]:
        """Return what signs in."""
        client = {"client_id": sandbox.CLIENT_ID, "client_secret": sandbox.CLIENT_SECRET}
        return {"kind": "client_credentials", "login_url": self.url, **client}

    def client(self, run: str = "") -> SalesforceClient:
        """Return a client whose calls are metered to the run."""
        return SalesforceClient(Credentials(**self.signed), meter=WarehouseMeter(self.warehouse, "main", run=run))

    def control(self, command: str, **body: Any) -> dict[str, Any]:
        """Change something in the org."""
        answer = urllib3.request("POST", f"{self.url}/sandbox/{command}", json=body)
        assert answer.status == 200, answer.data
        found: dict[str, Any] = answer.json()
        time.sleep(1.1)  # the second in which it happened is read once it is over
        return found

    def extract(self, mode: RunMode = RunMode.CHANGES) -> dict[str, Extracted]:
        """Run a whole DAG run."""
        self.runs += 1
        run = AirflowRun(dag_id="main_extract", dag_run_id=f"run {self.runs}", task_id="t", try_number=1)
        with self.client(run.dag_run_id) as client:
            probe_objects(self.warehouse, client, self.org, OBJECTS, mode=mode, run=run)
            extracted = {
                name: extract_object(self.warehouse, client, self.org, name, mode=mode, run=run, wait_for_lock=True)
                for name in OBJECTS
            }
            certify_objects(self.warehouse, client, self.org, OBJECTS, run)
        return extracted

    @property
    def calls(self) -> int:
        """Return what the last run cost."""
        return calls_of_run(self.warehouse, "main", f"run {self.runs}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query in the warehouse."""
        with transaction(self.warehouse) as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def newest_run(self) -> int:
        """Return the number of the newest run, 0 before the first."""
        return int(self.rows("SELECT coalesce(max(run_id), 0) FROM headwater.run")[0][0])

    def until_it_works(self, process: subprocess.Popen[bytes], *, after: int) -> None:
        """Return when a process has begun a run, or has ended; a busy machine takes its time."""
        while process.poll() is None and self.newest_run() == after:
            time.sleep(0.02)

    def equals_the_org(self, name: str) -> None:
        """Compare every value of every record, deleted ones too."""
        table = known_table(self.warehouse, self.org, name)
        assert table is not None
        columns = list(table.columns)
        with self.client() as client:
            soql = f"SELECT {','.join(columns)} FROM {name}"
            pages = client.query_pages(soql, all_rows=True, purpose="test", object=name)
            there = {each["Id"]: each for page in pages for each in page.records}
        names = ", ".join(f'"{column}"' for column in columns)
        here = {row[0]: dict(zip(columns, row, strict=True)) for row in self.rows(f"SELECT {names} FROM {table.name}")}
        assert here.keys() == there.keys()
        for key, record in there.items():
            assert {column: _read(value, table.columns[column]) for column, value in record.items()} == here[key]


def _read(value: Any, kind: str) -> Any:
    if value is None or kind in ("text", "boolean", "integer"):
        return value or None if kind == "text" else value
    if kind == "numeric":
        return Decimal(str(value))
    if kind == "time without time zone":
        return clock.fromisoformat(value.removesuffix("Z"))
    moment = datetime.fromisoformat(value)
    return moment.date() if kind == "date" else moment


@pytest.fixture
def bench(org_url: str, warehouse: Engine) -> Bench:
    """Return a bench on a fresh warehouse."""
    return Bench(org_url, warehouse)


def test_a_first_extract_equals_the_org_in_every_value(bench: Bench) -> None:
    """By Bulk and by REST, and the certificates say so."""
    extracted = bench.extract()
    assert extracted["Contact"].plan is Plan.BULK
    for name in OBJECTS:
        bench.equals_the_org(name)
    assert bench.rows("SELECT count(*), count(*) FILTER (WHERE difference = 0) FROM headwater.certificate") == [(4, 4)]


def test_seven_touched_contacts_are_seven_changed_rows_and_then_none(bench: Bench) -> None:
    """The second run costs one call and changes nothing."""
    bench.extract()
    touched = bench.control("touch", object="Contact", n=7)["ids"]
    extracted = bench.extract()
    assert extracted["Contact"].counts.updated == extracted["Contact"].counts.changed == 7
    changed = bench.rows(
        'SELECT "Id" FROM salesforce_main."Contact"'
        ' WHERE _run_id = (SELECT max(_run_id) FROM salesforce_main."Contact")'
    )
    assert {key for (key,) in changed} == set(touched)
    urllib3.request("POST", f"{bench.url}/sandbox/calls/reset", json={})
    again = bench.extract()
    assert all(each.counts.changed == 0 for each in again.values())
    assert again["Contact"].state is ExtractState.UNCHANGED
    assert bench.calls == 1


def test_deletes_undeletes_merges_and_creations_arrive(bench: Bench) -> None:
    """After each the warehouse equals the org."""
    bench.extract()
    gone = bench.control("delete", object="Contact", n=5)["ids"]
    bench.control("create", object="Lead", n=3)
    bench.extract()
    bench.equals_the_org("Contact")
    bench.equals_the_org("Lead")
    assert bench.rows('SELECT count(*) FROM salesforce_main."Contact" WHERE _deleted_at IS NOT NULL')[0][0] >= 5
    bench.control("undelete", object="Contact", ids=gone[:2])
    bench.extract()
    bench.equals_the_org("Contact")
    assert bench.rows("SELECT difference FROM headwater.certificate WHERE difference <> 0") == []


def test_slices_that_are_halved_bring_every_value(bench: Bench) -> None:
    """Cut where the org says that Ids lie; two jobs take too long, and a full refresh is cut by what is here."""
    bench.org = bench.org.model_copy(update={"slice_rows": 300, "jobs_at_once": 3})
    bench.control("faults", bulk_job="TimedOut", object="Contact", times=2)
    extracted = bench.extract()["Contact"]
    assert "of which 2 took the org too long and were halved" in extracted.message
    bench.equals_the_org("Contact")
    done = "SELECT rows_loaded FROM headwater.slice WHERE state = 'done' AND object = 'Contact'"
    sizes = [size for (size,) in bench.rows(done)]
    assert sum(sizes) == extracted.counts.read
    assert max(sizes) <= 300
    again = bench.extract(RunMode.FULL)["Contact"]
    assert again.counts.changed == 0
    assert "slices" in again.message
    assert bench.rows("SELECT DISTINCT difference FROM headwater.certificate") == [(0,)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_load_that_is_killed_again_and_again_ends_equal_to_the_org(
    bench: Bench, warehouse_url: str, seed: int
) -> None:
    """kill -9 at moments that nobody chose, while the org goes on changing."""
    dice = random.Random(seed)
    asked = {"credentials": bench.signed, "warehouse": warehouse_url, "org": bench.org.model_dump(), "run": "killed"}
    for number in range(8):
        mode = "full" if number > 4 else "changes"
        before = bench.newest_run()
        with subprocess.Popen(
            [sys.executable, "-c", TASK, json.dumps(asked | {"mode": mode})], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begins\n"
            bench.until_it_works(process, after=before)
            time.sleep(dice.uniform(0, 0.6))
            process.kill()
        if number % 4 == 3:
            bench.control("touch", object="Contact", n=5)
    time.sleep(1.1)
    bench.extract()
    bench.equals_the_org("Contact")
    assert bench.rows("SELECT difference FROM headwater.certificate WHERE object = 'Contact'") == [(0,)]
    died = "SELECT count(*) FROM headwater.run WHERE state = 'failed' AND message LIKE '%without a word'"
    assert bench.rows(died)[0][0] > 0
