"""Who gets in, and what a browser may do with what we send."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Engine
from starlette.routing import BaseRoute, Mount, Route


def routes_of(warehouse: Engine) -> list[BaseRoute]:
    from headwater.ui.app import build_pages

    return list(build_pages(lambda: warehouse).routes)


def test_every_route_asks_for_a_login(open_pages, warehouse):
    """Whatever the app can be asked for by whatever method, a stranger gets 401 and nothing else."""
    stranger = open_pages(lambda: warehouse, role=None)
    asked = 0
    for route in routes_of(warehouse):
        assert isinstance(route, Route)
        for method in route.methods or ():
            path = re.sub(r"{[^}]+}", "x", route.path)
            answer = stranger.request(method, f"/headwater{path}")
            assert (answer.status_code, path, method) == (401, path, method)
            asked += 1
    assert asked >= 5


def test_nothing_is_mounted(warehouse):
    """A mounted app would not ask for the login."""
    assert not [route for route in routes_of(warehouse) if isinstance(route, Mount)]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_there_is_no_documentation_route(open_pages, warehouse, path):
    """FastAPI would serve them to anybody."""
    assert open_pages(lambda: warehouse, role=None).get(f"/headwater{path}").status_code == 404


def test_a_forged_token_is_refused(open_pages, warehouse):
    """A token that Airflow did not sign is no login."""
    client = open_pages(lambda: warehouse, role=None)
    client.cookies.set("_token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiIsInJvbGUiOiJhZG1pbiJ9.")
    answer = client.get("/headwater/health")
    assert (answer.status_code, "Sign in to Airflow" in answer.text) == (401, True)
    assert client.get("/headwater/health", headers={"accept": "application/json"}).status_code == 403


def test_a_stranger_gets_a_page_that_leads_to_the_login_and_back(open_pages, warehouse):
    """The page that was asked for stands in the link, whole."""
    answer = open_pages(lambda: warehouse, role=None).get("/headwater/health?org=demo&q=a")
    assert "Please sign in" in answer.text
    assert "/auth/login?next=%2Fheadwater%2Fhealth%3Forg%3Ddemo%26q%3Da" in answer.text


def test_a_program_without_login_gets_json(open_pages, warehouse):
    """Only browsers get pages."""
    answer = open_pages(lambda: warehouse, role=None).get("/headwater/health", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})


@pytest.mark.parametrize("path", ["/health", "/extracts", "/static/pages.css", "/nothing", "/health/issue/none"])
def test_every_answer_forbids_what_is_foreign_and_inline(pages, path):
    """No script of a page, no other origin, no foreign frame."""
    headers = pages.get(f"/headwater{path}").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/health", "/extracts"])
def test_pages_hold_no_inline_code(pages, run, path):
    """The policy would stop it, so it must not be there; figures for the charts are no code."""
    run("a_working_org.sql")
    text = pages.get(f"/headwater{path}").text
    assert not re.search(r"<script(?! type=\"application/json\")(?![^>]*\bsrc=)", text)
    assert not re.search(r"\s(style|on\w+)=", text)


def test_pages_are_not_kept_by_the_browser_but_their_assets_are(pages):
    """A page holds what somebody may see who is signed in now; a style sheet with its hash never changes."""
    page = pages.get("/headwater/health")
    assert page.headers["cache-control"] == "no-store"
    href = re.search(r'href="(/headwater/static/pages\.css\?v=[^"]+)"', page.text)
    assert href
    sheet = pages.get(href[1])
    assert sheet.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert pages.get(href[1], headers={"if-none-match": sheet.headers["etag"]}).status_code == 304


def test_only_known_assets_are_served(pages):
    """A path does not lead out of the folder."""
    for name in ("../app.py", "..%2fapp.py", "%2e%2e/app.py", "app.py"):
        assert pages.get(f"/headwater/static/{name}").status_code == 404


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("viewer", {"see_masked"}),
        ("user", {"see_masked", "run"}),
        ("op", {"see_masked", "run", "see_unmasked", "accept"}),
        ("admin", {"see_masked", "run", "see_unmasked", "accept", "edit"}),
    ],
)
def test_capabilities_follow_airflows_roles(token_of, role, may):
    """Each capability is a question to Airflow's auth manager; nobody's role is looked at."""
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from headwater.ui.capabilities import Capability, requires

    app = FastAPI()
    for capability in Capability:
        app.add_api_route(f"/{capability}", lambda: None, dependencies=[requires(capability)])
    with TestClient(app) as client:
        client.cookies.set("_token", token_of(role))
        allowed = {str(capability) for capability in Capability if client.get(f"/{capability}").status_code == 200}
    assert allowed == may
