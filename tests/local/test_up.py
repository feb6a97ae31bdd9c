"""The whole of it, as a person starts it: real Airflow, real PostgreSQL, the sandbox, a home and ports of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.local.account import system_place
from include.local.airflow_rest import AirflowRest, quoted_path
from include.local.running import marked
from include.local.site import Site, read_json, read_site
from include.local.supervision import find_supervisor, shut_down

ROOT = Path(__file__).resolve().parent.parent.parent
OBJECTS = {"Account", "Contact", "Lead", "Opportunity"}
CONTACTS = 2000
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run `up` once for all tests of this file, which go on from each other's end."""
    names = ("PORT", "ORG_PORT", "DEST_PORT", "MAIL_PORT", "WAREHOUSE_PORT")
    sockets = [socket.socket() for _ in names]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    environment = {name: str(each.getsockname()[1]) for name, each in zip(names, sockets, strict=True)}
    for each in sockets:
        each.close()
    environment |= {"HEADWATER_HOME": str(tmp_path_factory.mktemp("up") / "home"), "CONTACTS": str(CONTACTS)}
    yield environment
    for name in ("home", "home-other"):
        site = read_site({**environment, "HEADWATER_HOME": str(Path(environment["HEADWATER_HOME"]).with_name(name))})
        shut_down(site)
        shutil.rmtree(system_place(site.home), ignore_errors=True)  # root's cluster may lie there


@pytest.fixture(scope="module")
def upped(home: dict[str, str]) -> str:
    """Return what the first `up` said."""
    answer = launcher(home, "up")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


@pytest.fixture
def rest(home: dict[str, str]) -> AirflowRest:
    site = installation(home)
    return AirflowRest(site.url, "admin", site.secrets().admin_password)


def launcher(home: dict[str, str], *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "HEADWATER"))}
    return subprocess.run(
        [sys.executable, "-m", "include.local", *command],
        cwd=ROOT,
        env={**clean, "PYTHONPATH": str(ROOT), **home, **more},
        capture_output=True,
        text=True,
        timeout=1200,
    )


def installation(home: dict[str, str]) -> Site:
    return read_site(home)


def status(home: dict[str, str]) -> dict[str, Any]:
    # No variable but the home: the rest is remembered.
    answer = launcher({"HEADWATER_HOME": home["HEADWATER_HOME"]}, "status", JSON="1")
    assert answer.returncode == 0, answer.stderr
    return dict(json.loads(answer.stdout))


def run_dag(rest: AirflowRest, dag_id: str) -> None:
    """Trigger a DAG and wait until its run has succeeded."""
    run_id = rest.post(f"/dags/{dag_id}/dagRuns", {"logical_date": None})["dag_run_id"]
    deadline = time.monotonic() + 300
    while True:
        run = rest.get(f"/dags/{dag_id}/dagRuns/{quoted_path(run_id)}")
        assert run is not None
        if run["state"] in ("success", "failed"):
            assert run["state"] == "success"
            return
        assert time.monotonic() < deadline, f"{dag_id} still runs"
        time.sleep(0.5)


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=content), timeout=30) as answer:
        return json.loads(answer.read())


def pids(home: dict[str, str]) -> dict[str, int]:
    services: Any = read_json(installation(home).state_file)["services"]
    return {name: each["pid"] for name, each in services.items()}


def test_up_ends_with_what_a_person_wants_to_know(upped: str, home: dict[str, str]) -> None:
    """A line for each step, then counts, grade, deliveries, URL and login."""
    for words in ("warehouse", "scheduler", "demo_extract", "in the org", "of the records have no issue", "profiles"):
        assert words in upped
    assert f"http://127.0.0.1:{home['PORT']}" in upped
    assert f"admin / {installation(home).secrets().admin_password}" in upped


def test_status_is_one_json_object_and_both_sides_are_equal(upped: str, home: dict[str, str]) -> None:
    """Services ready, every object complete, a grade, deliveries, the URL."""
    found = status(home)
    assert {"services", "objects", "health", "deliveries", "url"} <= found.keys()
    assert {each["state"] for each in found["services"]} == {"ready"}
    assert {each["object"] for each in found["objects"]} == OBJECTS
    for each in found["objects"]:
        assert each["here"] == each["org"]
        assert each["difference"] == 0
        assert each["as_of"]
    assert next(each["here"] for each in found["objects"] if each["object"] == "Contact") == CONTACTS
    assert 0 < found["health"]["grade"] < 1
    assert found["health"]["issues"]
    [push] = found["deliveries"]
    assert 0 < push["profiles"] <= CONTACTS
    assert found["url"] == f"http://127.0.0.1:{home['PORT']}"


def test_up_again_changes_nothing(upped: str, home: dict[str, str]) -> None:
    """Every process stays, nothing is triggered, nothing is written to Airflow."""
    before, delivered = pids(home), status(home)["deliveries"]
    again = launcher({"HEADWATER_HOME": home["HEADWATER_HOME"]}, "up")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "as they should be" in again.stdout
    assert pids(home) == before
    assert status(home)["deliveries"] == delivered


def test_seven_touched_contacts_are_seven_pushed_profiles(upped: str, home: dict[str, str], rest: AirflowRest) -> None:
    """What changes in the org arrives at the platform, and the second time nothing moves."""
    site = installation(home)
    [before] = status(home)["deliveries"]
    assert len(ask(f"{site.org_url}/sandbox/touch", {"object": "Contact", "n": 7})["ids"]) == 7
    time.sleep(1)  # a window ends before the second that is not over yet: what bears its stamp comes with the next run
    run_dag(rest, "demo_extract")
    run_dag(rest, "push_contacts_to_insider_one")
    [after] = status(home)["deliveries"]
    assert after["profiles"] - before["profiles"] == 7
    run_dag(rest, "demo_extract")
    run_dag(rest, "push_contacts_to_insider_one")
    [still] = status(home)["deliveries"]
    assert still["profiles"] == after["profiles"]


def test_the_warehouse_can_be_asked_from_a_terminal(upped: str, home: dict[str, str]) -> None:
    """Without looking for its port and password."""
    asked = launcher(home, "sql", "-Atc", 'SELECT count(*) FROM salesforce_demo."Contact"')
    assert (asked.returncode, asked.stdout) == (0, f"{CONTACTS}\n"), asked.stderr


def test_definitions_are_checked_with_the_org(upped: str, home: dict[str, str]) -> None:
    """The demo's own are good, objects and fields included."""
    checked = launcher({"HEADWATER_HOME": home["HEADWATER_HOME"]}, "check-definitions")
    assert checked.returncode == 0, checked.stdout
    assert "only the files" not in checked.stdout


def test_a_taken_port_stops_up_with_the_variable_to_set(upped: str, home: dict[str, str]) -> None:
    """Another home on a port of the first one."""
    other = {**home, "HEADWATER_HOME": f"{home['HEADWATER_HOME']}-other"}
    answer = launcher(other, "up")
    assert answer.returncode == 1
    assert f"port {home['WAREHOUSE_PORT']} for postgres is taken" in answer.stderr
    assert "make up WAREHOUSE_PORT=" in answer.stderr
    launcher({"HEADWATER_HOME": other["HEADWATER_HOME"]}, "down")


def test_down_leaves_no_process_even_after_the_supervisor_was_killed(upped: str, home: dict[str, str]) -> None:
    """Every service, worker and server process is gone, and every port is free; what is kept stays."""
    site = installation(home)
    supervisor = find_supervisor(site)
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    answer = launcher({"HEADWATER_HOME": home["HEADWATER_HOME"]}, "down")
    assert answer.returncode == 0, answer.stderr
    assert "scheduler" in answer.stdout
    assert marked(f"{site.mark}:") == []
    for name in ("PORT", "ORG_PORT", "DEST_PORT", "MAIL_PORT", "WAREHOUSE_PORT"):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", int(home[name])))
    assert (site.home / "secrets.json").exists()
