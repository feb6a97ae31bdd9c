"""The keys of a model's rows may be people's addresses: none can be guessed letter by letter, none goes to Airflow."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from headwater import hooks
from include.warehouse.engine import transaction
from tests.ui.test_pages_start import Airflow

KEY = "ada@example.com"
HERE = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
PUSH = """
push: people
org: demo
source: {model: people, key: email, stamp: changed_at}
destination: {platform: insider_one, connection: insider_one_test}
schedule: "0 * * * *"
identifiers: {email: email}
attributes: {name: first_name}
"""
MODEL = "SELECT 'ada@example.com' AS email, 'Ada' AS first_name, now() AS changed_at"


@pytest.fixture
def keyed(warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[[str], None]) -> Engine:
    """Yield a warehouse with a push of a model whose rows are known by an address, one of which did not arrive."""
    run("a_working_org.sql")
    run("a_push.sql")
    for kind in ("orgs", "pushes", "checks", "models"):
        (tmp_path / kind).mkdir()
    (tmp_path / "orgs" / "demo.yaml").write_text("org: demo\nconnection: c\nobjects: [Contact]\n")
    (tmp_path / "pushes" / "people.yaml").write_text(PUSH)
    (tmp_path / "models" / "people.sql").write_text(MODEL)
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_CONN_INSIDER_ONE_TEST", '{"conn_type": "insider_one", "host": "http://127.0.0.1:1",'
                       ' "login": "partner", "password": "token"}')  # fmt: skip
    url = warehouse.url.set(drivername="postgres").render_as_string(hide_password=False)
    monkeypatch.setenv("AIRFLOW_CONN_HEADWATER_WAREHOUSE", url)
    hooks.warehouse_engine.cache_clear()
    with transaction(warehouse) as connection:
        connection.execute(text("DELETE FROM headwater.sync_error"))
        connection.execute(
            text(
                "INSERT INTO headwater.sync_error (org, push, platform, object, record_id, outcome, cause, message,"
                " retryable, first_run_id, last_run_id) VALUES ('demo', 'people', 'insider_one', '', :key, 'rejected',"
                " 'invalid_email', 'it takes no such address', false, 61, 61)"
            ),
            {"key": KEY},
        )
    return warehouse


@pytest.fixture
def airflow(keyed: Engine, token_of: Callable[[str], str]) -> Iterator[tuple[Airflow, Callable[[str], Any]]]:
    """Yield what stands where Airflow does, and a function that signs in to our pages in it."""
    from starlette.testclient import TestClient

    from headwater.ui.app import build_pages

    airflow = Airflow(build_pages(lambda: keyed))
    opened = []

    def open_as(role: str) -> Any:
        client = TestClient(airflow.app, headers={"accept": "text/html"}, follow_redirects=False)
        client.cookies.set("_token", token_of(role))
        opened.append(client)
        return client

    yield airflow, open_as
    for client in opened:
        client.close()


@pytest.mark.parametrize("role", ["viewer", "user", "op"])
def test_no_search_finds_an_error_by_its_key(open_pages: Any, keyed: Engine, role: str) -> None:
    """What matches a guess would be known; and what who may see keys searches for stands in logs of addresses."""
    client = open_pages(lambda: keyed, role)
    assert "No sync error matches" not in client.get("/headwater/errors?org=demo&q=people").text
    assert "No sync error matches" in client.get("/headwater/errors?org=demo&q=ada@ex").text
    found = client.get("/headwater/api/v1/orgs/demo/errors?q=ada%40ex").json()
    assert found["items"] == []
    assert len(client.get("/headwater/api/v1/orgs/demo/errors?q=people").json()["items"]) == 1


def test_no_decision_about_all_errors_tells_a_key(open_pages: Any, keyed: Engine) -> None:
    """It says how many it was about."""
    client = open_pages(lambda: keyed, "user")
    body = {"decision": "dismiss", "all_of": {"filter": {"q": "ada@ex"}, "last": 99}}
    headers = {"content-type": "application/json", "sec-fetch-site": "same-origin"}
    answer = client.post("/headwater/api/v1/orgs/demo/errors/decisions", content=json.dumps(body), headers=headers)
    assert (answer.status_code, answer.json()["errors"]) == (200, 0)


def test_no_order_of_errors_tells_how_a_key_begins(open_pages: Any, keyed: Engine) -> None:
    """Keys that are no Ids come last however the list is sorted, in the order in which they failed."""
    keys = ("003000000000001AAA", "zoe@example.com", "00Q000000000003EAA", "anna@example.com")
    with transaction(keyed) as connection:
        connection.execute(text("DELETE FROM headwater.sync_error"))
        for place, key in enumerate(keys, start=1):
            connection.execute(
                text(
                    "INSERT INTO headwater.sync_error (org, push, platform, object, record_id, outcome, cause, message,"
                    " retryable, first_run_id, last_run_id) VALUES ('demo', 'people', 'insider_one', '', :key,"
                    " 'rejected', :cause, '', false, 61, 61)"
                ),
                {"key": key, "cause": f"cause_{place}"},
            )
    for role in ("user", "op"):
        client = open_pages(lambda: keyed, role)
        for way, places in (("asc", "13"), ("desc", "31")):
            page = client.get(f"/headwater/errors?org=demo&sort=record&order={way}").text
            found = re.findall(r"<code>cause_(\d)</code>", page)
            assert found == [places[0], places[1], "4", "2"], (role, way)


def test_no_place_in_a_list_of_outcomes_tells_how_a_key_begins(open_pages: Any, keyed: Engine) -> None:
    """A place is a record that was shown: what somebody makes up is the beginning."""
    with transaction(keyed) as connection:
        connection.execute(text("DELETE FROM headwater.outcome WHERE run_id = 61"))
        for key in ("003000000000001AAA", KEY):
            connection.execute(
                text(
                    "INSERT INTO headwater.outcome (run_id, record_id, outcome, cause)"
                    " VALUES (61, :key, 'rejected', 'c')"
                ),
                {"key": key},
            )
    for role in ("user", "op"):
        client = open_pages(lambda: keyed, role)
        path = "/headwater/api/v1/orgs/demo/push-runs/61/outcomes"
        whole = client.get(path).json()["items"]
        assert len(whole) == 2
        for guess in ("ada000000000000AAA", "adz000000000000AAA", "zzz000000000000AAA", "zzzzzzzzzzzzzzzzzz"):
            assert client.get(f"{path}?after={guess}").json()["items"] == whole, guess
        assert len(client.get(f"{path}?after=003000000000001AAA").json()["items"]) == 1


def test_a_retry_gives_airflow_no_key(airflow: Any, keyed: Engine) -> None:
    """The parameters of a run are shown to everybody, and written to Airflow's log: the run takes all that is due."""
    asked, open_as = airflow
    with transaction(keyed) as connection:
        number = connection.execute(text("SELECT error_id FROM headwater.sync_error")).scalar_one()
    body = f"decide=retry&error={number}"
    answer = open_as("user").post("/headwater/errors/decide?org=demo", content=body, headers=HERE)
    assert answer.status_code == 303
    assert [(dag_id, conf) for dag_id, conf, _ in asked.asked] == [("push_people", {})]


def test_a_preview_says_of_nobody_whether_they_are_there(open_pages: Any, keyed: Engine) -> None:
    """To who may not see people; who may is told."""
    for role, known in (("user", False), ("op", True)):
        client = open_pages(lambda: keyed, role)
        for key in (KEY, "bob@example.com"):
            body = f"push=people&records={key}"
            page = client.post("/headwater/pushes/preview?org=demo", content=body, headers=HERE).text
            assert ("would be sent" in page) == (known and key == KEY), (role, key)
            assert ("is not in the source" in page) == (known and key != KEY), (role, key)
            assert ("by their Id" in page) == (not known)


@pytest.mark.parametrize("count", ["9" * 5_000, "٣", "-1", "0x1", "0", "101"])
def test_a_preview_takes_no_nonsense_for_a_number(open_pages: Any, keyed: Engine, count: str) -> None:
    """It says which number it wants."""
    client = open_pages(lambda: keyed, "user")
    answer = client.post("/headwater/pushes/preview?org=demo", content=f"push=people&count={count}", headers=HERE)
    assert answer.status_code == 400
    assert "The field “count” of the form must be a number from 1 to 100." in answer.text
