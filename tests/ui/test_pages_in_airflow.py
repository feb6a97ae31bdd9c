"""The pages in a real api-server: found by its loader, behind its login, the warehouse from its connection."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy.engine import make_url

ROOT = Path(__file__).resolve().parents[2]
BOOT_SECONDS = 180


@pytest.fixture
def api_server(warehouse_url: str, tmp_path: Path) -> Iterator[str]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    (tmp_path / "passwords.json").write_text(json.dumps({"viewer": "secret", "user": "secret"}), encoding="utf-8")
    url = make_url(warehouse_url)
    warehouse = {
        "conn_type": "postgres", "host": url.host, "port": url.port,
        "login": url.username, "password": url.password, "schema": url.database,
    }  # fmt: skip
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "viewer:viewer,user:user",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(tmp_path / "passwords.json"),
        "AIRFLOW__API__BASE_URL": base,
        "AIRFLOW_CONN_HEADWATER_WAREHOUSE": json.dumps(warehouse),
        "PYTHONPATH": str(ROOT),
    }
    airflow = [sys.executable, "-m", "airflow"]
    subprocess.run([*airflow, "db", "migrate"], env=environment, check=True, capture_output=True, timeout=BOOT_SECONDS)
    with (tmp_path / "api-server.log").open("wb") as log:
        server = subprocess.Popen(
            [*airflow, "api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
            env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_for(f"{base}/api/v2/monitor/health", server, tmp_path / "api-server.log")
        yield base
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    pytest.fail(f"the api-server did not start: {log.read_text(encoding='utf-8')[-3000:]}")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_pages_live_in_the_api_server(api_server, run):
    """A stranger is sent to the login; a viewer sees the grade and starts nothing; a user reaches Airflow."""
    run("a_working_org.sql")
    with httpx.Client(base_url=api_server, headers={"accept": "text/html"}, timeout=60) as browser:
        assert browser.get("/headwater/health").status_code == 401
        assert browser.get("/headwater/openapi.json").status_code == 404
        login = {"username": "viewer", "password": "secret"}
        token = browser.post("/auth/token", json=login).json()["access_token"]
        browser.cookies.set("_token", token)
        health = browser.get("/headwater/health")
        assert (health.status_code, "85.0" in health.text) == (200, True)
        assert browser.get("/headwater/static/icon-light.svg").headers["content-type"] == "image/svg+xml"
        plugins = browser.get("/api/v2/plugins", headers={"accept": "application/json"}).json()["plugins"]
        start = {"url": "/headwater/extracts/start?org=demo", "data": {"what": "changes"}}
        assert browser.post(**start, headers={"sec-fetch-site": "same-origin"}).status_code == 403
        token = browser.post("/auth/token", json=login | {"username": "user"}).json()["access_token"]
        browser.cookies.set("_token", token)
        assert browser.post(**start, headers={"sec-fetch-site": "cross-site"}).status_code == 403
        # Nothing parses DAGs here: Airflow's own REST API, asked inside this process as this user, knows none.
        asked = browser.post(**start, headers={"sec-fetch-site": "same-origin", "accept": "application/json"})
        assert (asked.status_code, asked.json()) == (404, {"detail": "Dag with dag_id: 'demo_extract' not found"})
    entries = [view for plugin in plugins for view in plugin["external_views"] if plugin["name"] == "headwater"]
    assert [(view["name"], view["href"], view["url_route"]) for view in entries] == [("CRM", "/headwater/", "crm")]
