"""Connections and pools are touched only where they differ."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from include.errors import SetupFailed
from include.local.airflow_rest import AirflowRest
from include.local.connections import ensure_connections, ensure_pools, wanted_connections
from include.local.site import Site, read_site


class Airflow(BaseHTTPRequestHandler):
    """Keep connections and pools as Airflow's REST API does, secrets hidden."""

    kept: ClassVar[dict[str, dict[str, Any]]] = {}  # each test's server has its own

    def do_GET(self) -> None:
        found = self.kept.get(self.path)
        self._answer(200 if found else 404, hidden(found) if found else {"detail": "not found"})

    def do_POST(self) -> None:
        body = self._body()
        if self.path == "/auth/token":
            right = body["password"] == "right"
            self._answer(201 if right else 401, {"access_token": "t"} if right else {"detail": "Invalid credentials"})
            return
        name = body.get("connection_id") or body["name"]
        self.kept[f"{self.path}/{name}"] = body
        self._answer(201, body)

    def do_PATCH(self) -> None:
        self.kept[self.path] = self._body()
        self._answer(200, {})

    def _body(self) -> dict[str, Any]:
        return dict(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def hidden(found: dict[str, Any]) -> dict[str, Any]:
    shown = dict(found)
    if shown.get("password"):
        shown["password"] = "***"
    if shown.get("extra"):
        extra = json.loads(shown["extra"])
        shown["extra"] = json.dumps({name: "***" if "secret" in name else value for name, value in extra.items()})
    return shown


@pytest.fixture
def airflow_url() -> Iterator[str]:
    handler = type("Fresh", (Airflow,), {"kept": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.kept = handler.kept  # type: ignore[attr-defined]
    _servers[url := f"http://127.0.0.1:{server.server_port}"] = server
    yield url
    server.shutdown()
    server.server_close()


_servers: dict[str, Any] = {}


def test_the_second_time_nothing_is_written(site: Site, airflow_url: str) -> None:
    """What is right stays as it is."""
    rest = AirflowRest(airflow_url, "admin", "right")
    assert ensure_pools(rest) == ["headwater_org", "headwater_push"]
    assert ensure_connections(site, rest) == list(wanted_connections(site))
    assert ensure_pools(rest) == []
    assert ensure_connections(site, rest) == []


def test_only_the_connection_that_must_change_is_written(site: Site, airflow_url: str) -> None:
    """The org moved to another port: its connection follows, the others stay."""
    rest = AirflowRest(airflow_url, "admin", "right")
    ensure_connections(site, rest)
    moved = read_site({"HEADWATER_HOME": str(site.home), "ORG_PORT": "9999"})
    assert ensure_connections(moved, rest) == ["salesforce_demo"]
    extra = json.loads(_servers[airflow_url].kept["/api/v2/connections/salesforce_demo"]["extra"])
    assert extra["login_url"] == extra["instance_url"] == "http://127.0.0.1:9999"


def test_a_connection_that_somebody_broke_is_mended(site: Site, airflow_url: str) -> None:
    """What can be seen to be wrong is set right; without the warehouse nothing works."""
    rest = AirflowRest(airflow_url, "admin", "right")
    ensure_connections(site, rest)
    _servers[airflow_url].kept["/api/v2/connections/headwater_warehouse"]["port"] = 1
    assert ensure_connections(site, rest) == ["headwater_warehouse"]


def test_a_pool_of_another_size_stays(airflow_url: str) -> None:
    """Slots are a person's to choose."""
    rest = AirflowRest(airflow_url, "admin", "right")
    ensure_pools(rest)
    _servers[airflow_url].kept["/api/v2/pools/headwater_org"]["slots"] = 1
    assert ensure_pools(rest) == []


def test_a_refusal_says_what_airflow_said(airflow_url: str) -> None:
    """A wrong password is a message, not a traceback."""
    with pytest.raises(SetupFailed, match=r"Airflow answered 401 to POST /auth/token: .*Invalid credentials"):
        AirflowRest(airflow_url, "admin", "wrong")


def test_no_airflow_is_a_message() -> None:
    """Nobody listens there."""
    with pytest.raises(SetupFailed, match="does not answer"):
        AirflowRest("http://127.0.0.1:1", "admin", "right")
