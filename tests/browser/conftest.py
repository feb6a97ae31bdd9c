"""A real browser before a real api-server: a small org read, assessed and pushed, and a platform that refused some."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from headwater import hooks
from headwater.operators import (
    AssessHealthOperator,
    ExtractObjectOperator,
    PushProfilesOperator,
    SelectProfilesOperator,
)
from include.sandbox.insider_one.credentials import PARTNER, TOKEN
from tests.headwater.connected import client_credentials, connect, sandboxes
from tests.ui.served import ROOT, SIMPLE, Served, served_airflow

__all__ = ["sandboxes"]

PUSH = "contacts_to_insider_one"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Yield the machine's own browser; playwright's download of one is not used.

    It lives no longer than one file: while it does, an event loop runs in this thread, and a test of another file that
    starts its own would be refused.
    """
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        pytest.skip(f"no browser is installed: none of {', '.join(NAMES)} is on the path (apt-get install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def lived_in(sandboxes: dict[str, str], module_warehouse_url: str) -> Iterator[dict[str, str]]:
    """Read the sandbox org, assess it, and push it to a platform that refuses one contact in ten."""
    with pytest.MonkeyPatch.context() as patch:
        connect(patch, "salesforce_demo", conn_type="salesforce", extra=client_credentials(sandboxes["org"]))
        platform = {"conn_type": "insider_one", "host": sandboxes["platform"], "login": PARTNER, "password": TOKEN}
        connect(patch, "insider_one_demo", **platform)
        warehouse = module_warehouse_url.replace("postgresql+psycopg://", "postgres://")
        patch.setenv("AIRFLOW_CONN_HEADWATER_WAREHOUSE", warehouse)
        hooks.warehouse_engine.cache_clear()
        for name in ("Account", "Contact", "Lead", "Opportunity"):
            ExtractObjectOperator(task_id=f"e_{name}", org="demo", sobject=name).execute({})
        AssessHealthOperator(task_id="a", org="demo").execute({})
        fault = json.dumps({"reject_share": 0.1, "times": 1000}).encode()
        urllib3.request("POST", f"{sandboxes['platform']}/sandbox/faults", body=fault)
        deliver({})
        urllib3.request("DELETE", f"{sandboxes['platform']}/sandbox/faults")
        yield sandboxes
        hooks.warehouse_engine().dispose()
        hooks.warehouse_engine.cache_clear()


def deliver(conf: dict[str, Any]) -> dict[str, Any]:
    """Do what a run of the push's DAG does, with the parameters that the run was given."""
    context = {"params": conf}
    selection = SelectProfilesOperator(task_id="select", push=PUSH).execute(context)
    return dict(PushProfilesOperator(task_id="deliver", push=PUSH, selection=selection).execute(context))


@pytest.fixture(scope="module")
def airflow(
    lived_in: dict[str, str], module_warehouse_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Yield Airflow's api-server, which knows the DAGs of the pushes."""
    home: Path = tmp_path_factory.mktemp("airflow")
    dags = [ROOT / "dags/pushes.py"]
    with served_airflow(home, module_warehouse_url, auth_manager=SIMPLE, dags=dags) as found:
        yield found


def left(asked: Any) -> bool:
    """Return whether a request was given up because the window went on to another page."""
    return "ERR_ABORTED" in (asked.failure or "")


@pytest.fixture
def open_as(chromium: Any, airflow: Served) -> Iterator[Callable[..., Any]]:
    """Yield a function that opens a window as somebody; whatever it says to its console or asks elsewhere fails."""
    contexts, wrong = [], []

    def watch(page: Any) -> None:
        page.on("console", lambda said: wrong.append(f"console: {said.text}") if said.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
        page.on("requestfailed", lambda asked: left(asked) or wrong.append(f"failed: {asked.url} {asked.failure}"))
        own = ("data:", f"{airflow.url}/", f"blob:{airflow.url}/")
        page.on("request", lambda asked: None if asked.url.startswith(own) else wrong.append(f"asked: {asked.url}"))

    def opened(role: str | None, *, dark: bool = False, width: int = 1280, scripts: bool = True) -> Any:
        context = chromium.new_context(
            base_url=airflow.url,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        if role:
            context.add_cookies([{"name": "_token", "value": airflow.tokens[role], "url": airflow.url}])
        page = context.new_page()
        watch(page)
        page.wrong = wrong
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []
