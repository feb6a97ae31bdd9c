"""Who somebody is stands nowhere around pages either: not in titles, links, logs, metrics, nor in what answers a form.

Browsers keep titles and addresses, proxies write addresses down, and a page that is led to is told where from; so this
holds for those, too, who may see people.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

import pytest
from sqlalchemy import Engine

from tests.ui.crawling import BASE, Page, crawl, every_route, filled
from tests.ui.test_nobody_is_named_on_pages import CANARIES, ID, SAME, _seen, planted  # noqa: F401
from tests.ui.test_pages_roles import MAY, ROUTES

FORMS = {
    "POST /connection": "",
    "POST /extracts/start": "what=full&object=Contact",
    "POST /pushes/preview": f"push=contacts&records={ID}",
    "POST /errors/decide": "decide=dismiss&error=900&error=7&back=q%3Dpeople",
    "POST /schema/accept": "change=1",
    "POST /fields/decide": "object=Contact&decide=look",
    "POST /health/issue/{check_id}/mute": "tell=never",
}
WRONG = ("%ff=1", "x=1", "decide=1&decide=2&what=1&change=x&tell=x&push=x&count=x")


def named(words: str) -> list[str]:
    """Return the fields whose canary stands in some words; an Id may, records are known by them everywhere."""
    small = unquote_plus(words).casefold()
    return [name for name, (kind, *_, reads) in CANARIES.items() if reads in small and kind != "reference"]


def kept_by_browsers(answer: Any) -> str:
    """Return what a browser or a proxy keeps of an answer: its title, its addresses, what its forms put in one."""
    told = answer.headers.get("location", "") + answer.headers.get("content-disposition", "")
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return told
    page = Page(answer.text)
    title = answer.text.partition("<title>")[2].partition("</title>")[0]
    sends, values = False, []
    for tag, given in page.tags:
        if tag == "form":
            sends = given.get("method", "get").lower() == "get"
        elif sends and tag in ("input", "option", "button", "textarea"):
            values.append(given.get("value", ""))
    return " ".join((told, title, *page.places, *values))


@pytest.mark.slow
def test_no_title_and_no_address_names_anybody(
    open_pages: Callable[..., Any],
    planted: Engine,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of any page that an administrator can reach; nor does what we log while they see people."""
    caplog.set_level(logging.DEBUG)
    admin = open_pages(lambda: planted, "admin")
    starts = (f"{BASE}/overview?org=demo", f"{BASE}/record/{ID}?org=demo", f"{BASE}/errors/900?org=demo")
    routes = [each.path for each in every_route() if "GET" in each.methods]
    asked = [*crawl(admin, *starts, most=80)]
    asked += [(path, admin.get(f"{BASE}{filled(path)}?org=demo")) for path in routes]
    assert {path: named(kept_by_browsers(answer)) for path, answer in asked if named(kept_by_browsers(answer))} == {}
    assert any("LastName" in _seen(answer) for _, answer in asked)
    assert named(caplog.text) == []


@pytest.mark.parametrize("role", ["user", "op", "admin"])
def test_no_answer_to_a_form_names_anybody(open_pages: Callable[..., Any], planted: Engine, role: str) -> None:  # noqa: F811
    """Whether it is right or wrong; only a preview that is asked to does, of those who may."""
    client = open_pages(lambda: planted, role)
    posts = [route for route in ROUTES if route.startswith("POST ") and "/api/" not in route]
    assert set(posts) == set(FORMS)
    for route in posts:
        path = f"{BASE}{filled(route.removeprefix('POST '))}?org=demo"
        for body in (FORMS[route], *WRONG):
            answer = client.post(path, content=body, headers=SAME)
            assert answer.status_code < 500, (route, body)
            assert (answer.status_code == 403) == (role not in MAY[ROUTES[route][0]]), (route, body)
            assert not named(answer.text), (route, body)
            assert not named(kept_by_browsers(answer)), (route, body)


def test_metrics_name_nobody(planted: Engine, token_of: Callable[[str], str]) -> None:  # noqa: F811
    """A scraper signs in nowhere: its token is no capability."""
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from headwater.ui.app import build_pages

    airflow = FastAPI()
    airflow.mount("/headwater", build_pages(lambda: planted, metrics_token=lambda: "a-token-of-tests"))
    answer = TestClient(airflow).get(f"{BASE}/metrics", headers={"authorization": "Bearer a-token-of-tests"})
    assert answer.status_code == 200
    assert "demo" in answer.text
    assert named(answer.text) == []


@pytest.mark.parametrize("role", ["viewer", "admin"])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_failure_that_nobody_foresaw_is_logged_without_its_words(
    open_pages: Callable[..., Any], role: str, accept: str, caplog: pytest.LogCaptureFixture
) -> None:
    """They may hold values: where it happened is written down, of each error that it came from."""
    caplog.set_level(logging.DEBUG)

    def broken() -> Engine:
        try:
            int(CANARIES["LastName"][2])
        except ValueError as error:
            raise LookupError(CANARIES["Email"][2]) from error
        raise AssertionError

    client = open_pages(broken, role)
    for path in ("/overview", f"/record/{ID}", f"/record/{CANARIES['Email'][2]}", "/api/v1/orgs"):
        answer = client.get(f"{BASE}{path}", headers={"accept": accept})
        assert answer.status_code == 500
        assert named(answer.text) == []
    assert "LookupError" in caplog.text
    assert "after ValueError" in caplog.text
    assert "in broken" in caplog.text
    own = [each.getMessage() for each in caplog.records if each.name.startswith("headwater")]
    assert len(own) == 4
    assert named(" ".join(own)) == []
