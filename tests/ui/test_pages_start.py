"""Starting runs from the extracts page: who may, from where, and what Airflow is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException, Request
from starlette.testclient import TestClient

HERE = {"sec-fetch-site": "same-origin"}
DEFINITION = """
org: demo
connection: c
objects: [Account, Contact]
groups: [{name: people, schedule: "*/5 * * * *", objects: [Lead]}]
"""


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u202f", " ").split())


class Airflow:
    """Stand where Airflow's app stands: our pages are mounted in it, and its REST API remembers what it was asked."""

    def __init__(self, pages: Any) -> None:
        self.app = FastAPI()
        self.asked: list[tuple[str, dict[str, Any], str]] = []
        self.paused = False
        self.refusal: HTTPException | None = None
        self.app.add_api_route("/api/v2/dags/{dag_id}/dagRuns", self.start, methods=["POST"])
        self.app.add_api_route("/api/v2/dags/{dag_id}/dagRuns/{run_id}", self.run, methods=["GET"])
        self.app.add_api_route("/api/v2/dags/{dag_id}", self.dag, methods=["GET"])

        async def as_in_airflow(scope: Any, receive: Any, send: Any) -> None:
            scope["headwater.airflow"] = scope["app"]
            await pages(scope, receive, send)

        self.app.mount("/headwater", as_in_airflow)

    async def start(self, dag_id: str, request: Request) -> dict[str, Any]:
        if self.refusal and dag_id == "demo_extract":
            raise self.refusal
        body = await request.json()
        assert body["logical_date"] is None
        self.asked.append((dag_id, body["conf"], request.cookies["_token"]))
        return {"dag_run_id": f"manual__{len(self.asked)}+00:00", "state": "queued"}

    async def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        return {"dag_run_id": run_id, "state": "running"}

    async def dag(self, dag_id: str) -> dict[str, Any]:
        return {"dag_id": dag_id, "is_paused": self.paused}


@pytest.fixture
def airflow(warehouse, run, definitions: Path, monkeypatch: pytest.MonkeyPatch) -> Airflow:
    from headwater.ui.app import build_pages

    run("a_working_org.sql")
    (definitions / "orgs" / "demo.yaml").write_text(DEFINITION, encoding="utf-8")
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(definitions))
    return Airflow(build_pages(lambda: warehouse))


@pytest.fixture
def browser(airflow: Airflow, token_of: Callable[[str], str]) -> Iterator[Callable[..., TestClient]]:
    opened = []

    def open_as(role: str = "user") -> TestClient:
        client = TestClient(airflow.app, headers={"accept": "text/html"}, follow_redirects=False)
        client.cookies.set("_token", token_of(role))
        opened.append(client)
        return client

    yield open_as
    for client in opened:
        client.close()


def start(client: TestClient, what: str, *objects: str, headers: dict[str, str] = HERE, **more: str) -> Any:
    form = {"what": what, "object": list(objects), **more}
    return client.post("/headwater/extracts/start?org=demo", data=form, headers=headers)


def test_changes_of_chosen_objects_are_read_now(airflow, browser, token_of):
    """The run is started by Airflow, as the user who asked; outside of Airflow's frame the answer leads to it."""
    client = browser()
    answer = start(client, "changes", "Contact", headers=HERE | {"sec-fetch-dest": "document"})

    assert airflow.asked == [("demo_extract", {"mode": "changes", "objects": ["Contact"]}, client.cookies["_token"])]
    assert answer.status_code == 303
    assert answer.headers["location"] == "/dags/demo_extract/runs/manual__1%2B00%3A00"


def test_objects_of_two_schedules_are_two_runs(airflow, browser):
    """Nothing chosen means all; the answer is a page with both."""
    answer = start(browser(), "last_day")

    assert [each[:2] for each in airflow.asked] == [
        ("demo_extract", {"mode": "last_day", "objects": ["Account", "Contact"]}),
        ("demo_extract_people", {"mode": "last_day", "objects": ["Lead"]}),
    ]
    page = browser().get(answer.headers["location"])
    assert "demo_extract manual__1+00:00 ↗ running demo_extract_people manual__2+00:00 ↗ running" in words(page.text)


def test_a_comparison_is_a_run_of_its_own_dag(airflow, browser):
    """Inside Airflow's frame the answer stays ours: Airflow's pages don't belong into it."""
    answer = start(browser(), "compare", "Lead", "Contact", headers=HERE | {"sec-fetch-dest": "iframe"})

    assert [each[:2] for each in airflow.asked] == [("demo_reconcile", {"objects": ["Contact", "Lead"]})]
    assert answer.headers["location"].startswith("/headwater/extracts/started?org=demo&run=demo_reconcile~manual__1")


def test_a_full_refresh_says_first_what_it_takes(airflow, browser):
    """And starts only when that was confirmed."""
    page = start(browser(), "full", "Contact")
    assert (page.status_code, airflow.asked) == (200, [])
    assert "Full refresh?" in page.text
    assert "Contact 20,002" in words(page.text)

    start(browser(), "full", "Contact", confirmed="yes")
    assert [each[:2] for each in airflow.asked] == [("demo_extract", {"mode": "full", "objects": ["Contact"]})]


def test_a_viewer_sees_no_form_and_starts_nothing(airflow, browser):
    """The form is hidden, and the request behind it refused."""
    assert "Read now" not in browser("viewer").get("/headwater/extracts?org=demo").text
    assert "Read now" in browser("user").get("/headwater/extracts?org=demo").text
    assert start(browser("viewer"), "changes").status_code == 403
    assert airflow.asked == []


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {},
    ],
)
def test_another_sites_page_starts_nothing(airflow, browser, headers):
    """Even with the user's cookie."""
    assert start(browser("admin"), "changes", headers=headers).status_code == 403
    assert airflow.asked == []


def test_a_browser_on_plain_http_says_its_origin(airflow, browser):
    """Browsers send no Sec-Fetch-Site there."""
    assert start(browser(), "changes", "Contact", headers={"origin": "http://testserver"}).status_code == 303


def test_a_paused_dag_is_said(airflow, browser):
    """The run waits, and the page says for what."""
    airflow.paused = True
    answer = start(browser(), "changes", "Contact", headers=HERE | {"sec-fetch-dest": "document"})

    page = words(browser().get(answer.headers["location"]).text)
    assert "demo_extract is paused: the run waits until you unpause the DAG in Airflow" in page


def test_what_airflow_refuses_is_refused(airflow, browser):
    """Its answer is ours when nothing was started, and named beside what was."""
    airflow.refusal = HTTPException(403, "Forbidden")
    assert start(browser(), "changes", "Contact").status_code == 403
    answer = start(browser(), "changes")
    page = words(browser().get(answer.headers["location"]).text)
    assert "demo_extract was not started: Airflow refused it" in page
    assert "demo_extract_people manual__1" in page


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"what": "changes", "object": "Nonsense"}, 404),
        ({"what": "drop tables"}, 400),
        ({"what": ""}, 400),
        ({}, 415),  # of no type
    ],
)
def test_nonsense_is_refused(airflow, browser, form, status):
    """What the definitions don't name is asked of nobody."""
    answer = browser().post("/headwater/extracts/start?org=demo", data=form, headers=HERE)
    assert (answer.status_code, airflow.asked) == (status, [])


def test_runs_of_other_orgs_are_not_shown(airflow, browser):
    """The address names runs; only those of this org are looked up."""
    page = browser().get("/headwater/extracts/started?org=demo&run=other_extract~manual__1&run=x").text
    assert "There is no such run of demo" in words(page)
