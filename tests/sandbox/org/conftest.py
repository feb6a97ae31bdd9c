"""A running sandbox org for its tests: real HTTP on loopback, a small generated store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from include.sandbox.org import credentials
from include.sandbox.org.generator.run import generate
from include.sandbox.org.http.app import build_app
from include.sandbox.org.org import Org, open_org
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.store.database import Database
from tests.sandbox.org.secured import SecuredOrg, running_secured

V = "/services/data/v63.0"


@dataclass(frozen=True, kw_only=True)
class RunningOrg:
    """Hold the address of a running org and a signed-in client."""

    url: str
    org: Org
    http: httpx.Client

    def query(self, soql: str, *, deleted: bool = False, **headers: str) -> dict[str, Any]:
        answer = self.http.get(f"{V}/{'queryAll' if deleted else 'query'}", params={"q": soql}, headers=headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def refusal(self, soql: str) -> dict[str, Any]:
        answer = self.http.get(f"{V}/query", params={"q": soql})
        assert answer.status_code == 400, answer.text
        (error,) = answer.json()
        return dict(error)

    def command(self, name: str, **body: Any) -> dict[str, Any]:
        answer = self.http.post(f"/sandbox/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def used(self) -> int:
        return int(self.http.get("/sandbox/allocation").json()["used"])

    def bulk(self, soql: str, operation: str = "query", **more: str) -> str:
        """Run a Bulk job to its end and return its Id."""
        job = self.http.post(f"{V}/jobs/query", json={"operation": operation, "query": soql, **more}).json()
        for _ in range(500):
            state = self.http.get(f"{V}/jobs/query/{job['id']}").json()["state"]
            if state not in ("UploadComplete", "InProgress"):
                break
            time.sleep(0.02)
        return str(job["id"])


def sign_in(url: str, **form: str) -> httpx.Response:
    filled = {
        "grant_type": "client_credentials",
        "client_id": credentials.CLIENT_ID,
        "client_secret": credentials.CLIENT_SECRET,
        **form,
    }
    return httpx.post(f"{url}/services/oauth2/token", data=filled)


@pytest.fixture(scope="module")
def start_org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningOrg]]:
    """Yield a function that starts an org; all started ones stop at the end of the module."""
    stops: list[Callable[[], None]] = []

    def start(contacts: int = 400, seed: int = 7, home: Path | None = None, **options: Any) -> RunningOrg:
        home = home or tmp_path_factory.mktemp("org")
        database = Database(home / "org.duckdb", Catalogue(), memory="300MB", threads=1)
        generate(database, Catalogue(), contacts=contacts, seed=seed, today=date(2026, 6, 1), say=lambda _text: None)
        org = open_org(home, database, Catalogue(), **options)
        server = uvicorn.Server(
            uvicorn.Config(build_app(org), host="127.0.0.1", port=0, log_level="warning", date_header=False)
        )
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        token = sign_in(url).json()["access_token"]
        client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)

        def stop() -> None:
            client.close()
            server.should_exit = True
            thread.join(20)

        stops.append(stop)
        return RunningOrg(url=url, org=org, http=client)

    yield start
    for stop in stops:
        stop()


@pytest.fixture(scope="module")
def org(start_org: Callable[..., RunningOrg]) -> RunningOrg:
    """Yield a small running org that all tests of a module share."""
    return start_org()


@pytest.fixture(scope="session")
def secured_org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredOrg]:
    """Yield an org with TLS and proxy that all tests of a worker share."""
    with running_secured(tmp_path_factory.mktemp("secured"), "--contacts", "200", "--seed", "7") as running:
        yield running
