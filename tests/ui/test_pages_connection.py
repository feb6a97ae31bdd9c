"""The check of a connection from the extracts page: who may, from where, and what is shown."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

HERE = {"sec-fetch-site": "same-origin"}
NOBODY = {"consumer_key": "key", "consumer_secret": "hush-hush", "login_url": "http://127.0.0.1:9"}


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u202f", " ").split())


@pytest.fixture
def defined(definitions, monkeypatch, run) -> None:
    (definitions / "orgs" / "demo.yaml").write_text("org: demo\nconnection: salesforce_demo\n", encoding="utf-8")
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(definitions))
    monkeypatch.setenv("AIRFLOW_CONN_SALESFORCE_DEMO", json.dumps({"conn_type": "salesforce", "extra": NOBODY}))
    run("a_working_org.sql")


@pytest.fixture
def connected(warehouse_url, monkeypatch):
    from headwater import hooks

    monkeypatch.setenv(
        "AIRFLOW_CONN_HEADWATER_WAREHOUSE", warehouse_url.replace("postgresql+psycopg://", "postgres://")
    )
    hooks.warehouse_engine.cache_clear()
    yield
    hooks.warehouse_engine().dispose()
    hooks.warehouse_engine.cache_clear()


def test_a_failing_sign_in_is_shown_with_its_cause(open_pages, warehouse, defined, connected):
    """No secret stands on the page."""
    pages = open_pages(lambda: warehouse, "user")
    answer = pages.post("/headwater/connection?org=demo", headers=HERE)
    text = words(answer.text)
    assert answer.status_code == 200
    assert "Something is to mend" in text
    assert "Sign-in fails to mend nobody answers at 127.0.0.1:9" in text
    assert "What to do: mend host and port in the connection" in text
    assert "hush-hush" not in answer.text


def test_who_may_run_sees_the_button(open_pages, warehouse, defined):
    """A viewer neither sees it nor may press it."""
    assert "Check the connection" in open_pages(lambda: warehouse, "user").get("/headwater/extracts").text
    viewer = open_pages(lambda: warehouse, "viewer")
    assert "Check the connection" not in viewer.get("/headwater/extracts").text
    assert viewer.post("/headwater/connection?org=demo", headers=HERE).status_code == 403


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
def test_another_site_cannot_press_it(open_pages, warehouse, defined, headers):
    """Whatever cookies the browser sends along."""
    pages = open_pages(lambda: warehouse, "admin")
    assert pages.post("/headwater/connection?org=demo", headers=headers).status_code == 403


def test_an_org_that_is_not_defined_is_not_found(open_pages, warehouse, defined):
    """Its name comes from the address."""
    pages = open_pages(lambda: warehouse, "user")
    assert pages.post("/headwater/connection?org=nobody", headers=HERE).status_code == 404
