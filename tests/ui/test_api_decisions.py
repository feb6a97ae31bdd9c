"""Deciding about sync errors by the JSON API: who may, from where, and that it does what the page does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request
from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

PATH = "/headwater/api/v1/orgs/demo/errors/decisions"


class Airflow:
    """Be Airflow's own REST API as far as runs are started, and remember what it was asked."""

    def __init__(self) -> None:
        self.started: list[tuple[str, dict[str, Any], str]] = []
        self.router = APIRouter()
        self.router.add_api_route("/api/v2/dags/{dag_id}/dagRuns", self._start, methods=["POST"])
        self.router.add_api_route("/api/v2/dags/{dag_id}", lambda dag_id: {"is_paused": False}, methods=["GET"])

    async def _start(self, dag_id: str, request: Request) -> dict[str, str]:
        body = await request.json()
        self.started.append((dag_id, body["conf"], request.headers.get("authorization", "")))
        return {"dag_run_id": "manual__1", "state": "queued"}


@pytest.fixture
def airflow() -> Airflow:
    return Airflow()


@pytest.fixture
def decide(
    token_of: Callable[[str], str], warehouse: Engine, run: Callable[[str], None], airflow: Airflow
) -> Iterator[Callable[..., Any]]:
    """Yield a function that decides as a role, by a bearer token unless `cookie` is said."""
    from starlette.testclient import TestClient

    from headwater.ui.airflow_rest import AIRFLOW
    from headwater.ui.app import build_pages

    run("a_working_org.sql")
    run("a_push.sql")
    with transaction(warehouse) as connection:
        connection.execute(text("UPDATE headwater.sync_error SET push = 'contacts_to_insider_one'"))
    pages = build_pages(lambda: warehouse)
    served = FastAPI()
    served.include_router(airflow.router)

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        scope[AIRFLOW] = served
        await pages(scope, receive, send)

    served.mount("/headwater", mounted)
    client = TestClient(served, raise_server_exceptions=False)

    def decided(
        body: Any, role: str | None = "user", *, cookie: bool = False, headers: dict[str, str] | None = None
    ) -> Any:
        token = token_of(role) if role else ""
        signed = {"cookie": f"_token={token}"} if cookie else {"authorization": f"Bearer {token}"} if role else {}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return client.post(
            PATH, content=content, headers={"content-type": "application/json", **signed, **(headers or {})}
        )

    yield decided
    client.close()


def errors(warehouse: Engine) -> list[Any]:
    with transaction(warehouse) as connection:
        rows = connection.execute(
            text("SELECT error_id, cause, asked_by, settled_by, settled_at FROM headwater.sync_error ORDER BY error_id")
        )
        return list(rows)


def test_a_chosen_error_is_tried_again_at_once(decide, warehouse, airflow):
    """It is due, its history says who asked, and its push runs for that record, in the name of the user."""
    first = errors(warehouse)[0]
    answer = decide({"decision": "retry", "error_ids": [first.error_id]})
    assert (answer.status_code, answer.json()) == (
        200,
        {"decision": "retry", "errors": 1, "started": ["contacts_to_insider_one"], "refused": []},
    )
    assert [each.asked_by for each in errors(warehouse)] == ["user", ""]
    [(dag_id, conf, authorization)] = airflow.started
    assert (dag_id, conf) == ("push_contacts_to_insider_one", {"record_ids": ["003000000000006AAA"]})
    assert authorization.startswith("Bearer ")


def test_all_of_a_filter_are_decided_about_but_not_what_came_later(decide, warehouse, airflow):
    """`last` is the newest error that the caller saw."""
    first, second = errors(warehouse)
    both = {"decision": "retry", "all_of": {"filter": {"push": "contacts_to_insider_one"}, "last": first.error_id}}
    assert decide(both).json()["errors"] == 1
    passing = {"decision": "dismiss", "all_of": {"filter": {"cause_class": "passing"}, "last": second.error_id}}
    assert decide(passing).json() == {"decision": "dismiss", "errors": 1, "started": [], "refused": []}
    assert [each.settled_by for each in errors(warehouse)] == ["", "user"]
    assert len(airflow.started) == 1


def test_an_error_of_another_org_or_a_settled_one_is_none(decide, warehouse, airflow):
    """Only open errors of the org in the path count."""
    first, second = errors(warehouse)
    with transaction(warehouse) as connection:
        connection.execute(text("UPDATE headwater.sync_error SET org = 'other' WHERE error_id = :id"), {"id": first[0]})
    assert decide({"decision": "arrived", "error_ids": [first.error_id, second.error_id]}).json()["errors"] == 1
    assert decide({"decision": "arrived", "error_ids": [first.error_id, second.error_id]}).json()["errors"] == 0
    assert airflow.started == []


@pytest.mark.parametrize(("role", "status"), [(None, 401), ("viewer", 403), ("user", 200), ("op", 200), ("admin", 200)])
def test_only_who_may_start_runs_decides(decide, warehouse, role, status):
    """The capability *run*, as on the page."""
    answer = decide({"decision": "dismiss", "error_ids": [errors(warehouse)[0].error_id]}, role)
    assert answer.status_code == status
    assert (errors(warehouse)[0].settled_at is not None) is (status == 200)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "null"}, 403),
        ({"authorization": "Bearer ", "sec-fetch-site": "cross-site"}, 403),
        ({"authorization": "Basic dXNlcjpzZWNyZXQ=", "sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": "http://testserver"}, 200),
    ],
)
def test_a_cookie_counts_only_from_a_page_of_this_site(decide, warehouse, headers, status):
    """A browser sends the cookie along with what another site's page does, too."""
    order = {"decision": "dismiss", "error_ids": [errors(warehouse)[0].error_id]}
    assert decide(order, cookie=True, headers=headers).status_code == status
    assert (errors(warehouse)[0].settled_at is not None) is (status == 200)


def test_a_made_up_token_is_not_helped_by_a_good_cookie(decide, token_of, warehouse):
    """A bearer token passes the check of the origin, but then it is the login."""
    order = {"decision": "dismiss", "error_ids": [errors(warehouse)[0].error_id]}
    answer = decide(order, cookie=True, headers={"authorization": "Bearer made-up", "sec-fetch-site": "cross-site"})
    assert answer.status_code in (401, 403)
    assert errors(warehouse)[0].settled_at is None


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 422),
        (b"", {}, 422),
        (b"[]", {}, 422),
        ({}, {}, 422),
        ({"decision": "retry"}, {}, 422),
        ({"decision": "retry", "error_ids": []}, {}, 422),
        ({"decision": "retry", "error_ids": [0]}, {}, 422),
        ({"decision": "retry", "error_ids": ["x"]}, {}, 422),
        ({"decision": "retry", "error_ids": list(range(1, 1002))}, {}, 422),
        ({"decision": "retry", "error_ids": [1], "all_of": {"last": 1}}, {}, 422),
        ({"decision": "retry", "all_of": {}}, {}, 422),
        ({"decision": "retry", "all_of": {"last": 1, "filter": {"everything": True}}}, {}, 422),
        ({"decision": "forget", "error_ids": [1]}, {}, 422),
        ({"decision": "retry", "error_ids": [1]}, {"content-type": "text/plain"}, 415),
        ({"decision": "retry", "error_ids": [1]}, {"content-type": "application/x-www-form-urlencoded"}, 415),
        (b" " * 100_001, {}, 413),
    ],
)
def test_a_body_that_says_nothing_clear_changes_nothing(decide, warehouse, airflow, body, headers, status):
    """It is refused as a problem, and no run begins."""
    answer = decide(body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert airflow.started == []
    assert all(each.settled_at is None and not each.asked_by for each in errors(warehouse))


def test_a_push_whose_run_airflow_does_not_start_is_named(decide, warehouse, airflow):
    """Its errors are due all the same, and go with its next run."""
    with transaction(warehouse) as connection:
        connection.execute(text("UPDATE headwater.sync_error SET push = 'defined_no_more'"))
    answer = decide({"decision": "retry", "error_ids": [each.error_id for each in errors(warehouse)]})
    assert answer.json() == {"decision": "retry", "errors": 2, "started": [], "refused": ["defined_no_more"]}
    assert [each.asked_by for each in errors(warehouse)] == ["user", "user"]
