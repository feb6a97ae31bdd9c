"""What changes something asks in one order: who it is, whether they may, whether a page of ours sent it, then what.

Nobody learns from an answer what only the next question would tell, and no body is read of who may not send one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from headwater.ui.forms import MEDIA_TYPE
from tests.ui.crawling import BASE, Page, crawl, every_route, filled
from tests.ui.test_pages_roles import FORM, MAY, ROUTES

POSTS = sorted(route for route in ROUTES if route.startswith("POST "))
NO_BODY = {"POST /connection"}  # it is told by its address what to ask, and reads nothing
JSON = "/api/"


class Body:
    """Be a body without end, and count how much of it is taken."""

    def __init__(self, part: bytes = b"x" * 10_000) -> None:
        self.part = part
        self.taken = 0

    async def __call__(self) -> dict[str, Any]:
        self.taken += len(self.part)
        return {"type": "http.request", "body": self.part, "more_body": True}


@pytest.fixture
def ask(open_pages: Callable[..., Any], warehouse: Engine, token_of: Callable[[str], str], run: Any) -> Any:
    """Yield a function that sends a body to a route as a role and returns status and answer."""
    run("a_working_org.sql")
    app = open_pages(lambda: warehouse).app

    def asked(route: str, role: str | None, body: Body, accept: str = "application/json", **headers: str) -> Any:
        path = BASE + filled(route.removeprefix("POST "))
        told: dict[str, Any] = {"body": b""}

        async def send(message: Any) -> None:
            told.update(
                {"status": message["status"]} if "status" in message else {"body": told["body"] + message["body"]}
            )

        given = {
            "host": "testserver",
            "accept": accept,
            **{name.replace("_", "-"): said for name, said in headers.items()},
        }
        if role:
            given["cookie"] = f"_token={token_of(role)}"
        scope = {
            "type": "http", "http_version": "1.1", "method": "POST", "path": path, "raw_path": path.encode(),
            "root_path": "", "scheme": "http", "query_string": b"org=demo", "server": ("testserver", 80),
            "client": ("127.0.0.1", 1), "headers": [(name.encode(), said.encode()) for name, said in given.items()],
        }  # fmt: skip
        asyncio.run(app(scope, body, send))
        return told["status"], told["body"].decode()

    return asked


def kind(route: str) -> str:
    return "application/json" if JSON in route else MEDIA_TYPE


def test_every_route_that_takes_something_is_here() -> None:
    """And asks for more than a login."""
    found = [f"{method} {each.path}" for each in every_route() for method in each.methods - {"GET", "HEAD", "OPTIONS"}]
    assert sorted(found) == POSTS
    assert {ROUTES[route][0] for route in POSTS} <= {"run", "accept", "edit"}


def test_first_the_login_then_the_role_then_the_origin_then_the_body(ask: Any) -> None:
    """Each of them is refused in its own words, whatever is wrong after it, and a body is taken last of all."""
    wrong = []
    for route in POSTS:
        capability = ROUTES[route][0]
        may = "admin"
        less = next(role for role in ("op", "user", "viewer") if role not in MAY[capability])
        foreign = {"sec_fetch_site": "cross-site", "content_type": "text/plain"}
        here = {"sec_fetch_site": "same-origin"}
        for role, headers, expected, said in (
            (None, foreign, 401, ""),
            (less, foreign, 403, "Forbidden"),
            (may, foreign, 403, "another site"),
            (may, {"content_type": kind(route)}, 403, "does not say that a page of this site"),
            *(
                ()
                if route in NO_BODY
                else (
                    (may, {**here, "content_type": "text/plain"}, 415, kind(route)),
                    (may, {**here, "content_type": kind(route), "content_length": "200001"}, 413, "longer than"),
                )
            ),
        ):
            body = Body()
            status, answer = ask(route, role, body, **headers)
            if status != expected or said not in answer or body.taken:
                wrong.append((route, role, headers, status, answer[:80], body.taken))
    assert not wrong


def test_a_body_without_end_is_read_to_its_bound_everywhere(ask: Any) -> None:
    """Of whoever may send one; a route that reads none leaves it."""
    for route in POSTS:
        body = Body()
        status, answer = ask(route, "admin", body, sec_fetch_site="same-origin", content_type=kind(route))
        if route in NO_BODY:
            assert (status < 500, body.taken) == (True, 0), route
            continue
        assert status == 413, route
        assert "longer than" in answer
        assert body.taken <= 110_000, route


def test_a_page_says_which_field_is_wrong(open_pages: Any, warehouse: Engine, run: Any) -> None:
    """In words, and what to do where another site sent the form."""
    run("a_working_org.sql")
    admin = open_pages(lambda: warehouse, "admin")
    for path, body, name in (
        ("/errors/decide", "decide=erase", "decide"),
        ("/errors/decide", "decide=retry&error=x", "error"),
        ("/errors/decide", "decide=retry:all", "last"),
        ("/errors/decide", "decide=retry&decide=dismiss&error=7", "decide"),
        ("/errors/decide", "decide=retry&" + "&".join(["error=7"] * 1_001), "error"),
        ("/extracts/start", "what=everything", "what"),
        ("/extracts/start", "what=full&confirmed=maybe", "confirmed"),
        ("/pushes/preview", "push=x&count=0", "count"),
        ("/pushes/preview", "push=x&unmasked=1", "unmasked"),
        ("/pushes/preview", "push=x&records=%00", "records"),
        ("/schema/accept", "change=", "change"),
        ("/fields/decide", "object=Contact&decide=hide", "decide"),
        ("/fields/decide", "object=Contact&object=Lead&decide=plain", "object"),
        ("/health/issue/email_missing/mute", "tell=later", "tell"),
        ("/health/issue/email_missing/mute", "until=tomorrow", "until"),
    ):
        answer = admin.post(f"{BASE}{path}?org=demo", content=body, headers=FORM)
        assert answer.status_code == 400, (path, body)
        assert f"The field “{name}” of the form must" in answer.text
    answer = admin.post(f"{BASE}/errors/decide?org=demo", content="decide=retry", headers={"sec-fetch-site": "none"})
    assert answer.status_code == 403
    assert "sent by a page of another site" in answer.text
    assert "role" not in answer.text.partition("<main")[2]


def test_every_form_of_a_page_is_understood(open_pages: Any, warehouse: Engine, run: Any) -> None:
    """Whatever fields its page gives it, its route knows them."""
    run("a_working_org.sql")
    run("a_record.sql")
    admin = open_pages(lambda: warehouse, "admin")
    forms: dict[str, set[str]] = {}
    starts = (
        f"{BASE}/{page}?org=demo" for page in ("errors", "errors/7", "extracts", "fields?object=Contact", "schema")
    )
    for _, answer in crawl(admin, *(each.replace("Contact?", "Contact&") for each in starts)):
        for form in Page(answer.text).forms if "text/html" in answer.headers.get("content-type", "") else ():
            if form.method == "post":
                forms.setdefault(form.action, set()).update(form.names)
    paths = {each.partition("?")[0].removeprefix(BASE) for each in forms}
    assert {"/errors/decide", "/extracts/start", "/fields/decide", "/connection"} <= paths
    assert any(each.endswith("/mute") for each in paths)
    for action, names in forms.items():
        answer = admin.post(action, data=dict.fromkeys(names, ""), headers=FORM)
        assert "has a field that is not known" not in answer.text, (action, names)
