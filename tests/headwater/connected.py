"""A site as operators find it: a real org, platform and warehouse, and Airflow connections that lead there."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from sqlalchemy import Engine

from headwater import hooks
from include.sandbox.insider_one.credentials import PARTNER, TOKEN
from include.sandbox.org import credentials as org_credentials
from include.settings import PROJECT_ROOT

CONTACTS = 300


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(module: str, home: Path, *options: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start a sandbox as its own process and return it with its address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", module, "--host", "127.0.0.1", "--port", str(port), "--home", str(home), *options],
        cwd=PROJECT_ROOT,
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            if urllib3.request("GET", f"{url}/sandbox/health", retries=False, timeout=2).status == 200:
                return process, url
        except urllib3.exceptions.HTTPError:
            time.sleep(0.1)
    raise AssertionError(f"{module} did not start")


@pytest.fixture(scope="module")
def sandboxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    home = tmp_path_factory.mktemp("sandboxes")
    org, org_url = start("include.sandbox.org", home / "org", "--contacts", str(CONTACTS), "--seed", "5")
    platform, platform_url = start("include.sandbox.insider_one", home / "insider")
    yield {"org": org_url, "platform": platform_url}
    for process in (org, platform):
        process.terminate()
        process.wait(20)


@pytest.fixture
def site(
    sandboxes: dict[str, str], warehouse: Engine, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """Define the connections as Airflow reads them from the environment, on a fresh warehouse and platform."""
    urllib3.request("POST", f"{sandboxes['platform']}/sandbox/reset")
    urllib3.request("DELETE", f"{sandboxes['platform']}/sandbox/faults")
    connect(monkeypatch, "salesforce_demo", conn_type="salesforce", extra=client_credentials(sandboxes["org"]))
    connect(
        monkeypatch,
        "insider_one_demo",
        conn_type="insider_one",
        host=sandboxes["platform"],
        login=PARTNER,
        password=TOKEN,
    )
    monkeypatch.setenv(
        "AIRFLOW_CONN_HEADWATER_WAREHOUSE", warehouse_url.replace("postgresql+psycopg://", "postgres://")
    )
    hooks.warehouse_engine.cache_clear()
    yield sandboxes
    hooks.warehouse_engine().dispose()
    hooks.warehouse_engine.cache_clear()


def connect(monkeypatch: pytest.MonkeyPatch, conn_id: str, **fields: Any) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields))


def client_credentials(url: str, **changes: str) -> dict[str, str]:
    return {
        "consumer_key": org_credentials.CLIENT_ID,
        "consumer_secret": org_credentials.CLIENT_SECRET,
        "login_url": url,
        **changes,
    }
