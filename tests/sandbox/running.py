"""Run the sandbox of a platform as the process that it is, and speak to its control plane."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import urllib3

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Running:
    """A running sandbox; `headers` are those of the platform's own requests."""

    url: str
    http: urllib3.PoolManager
    headers: Mapping[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Any:
        return orjson.loads(self.http.request("GET", self.url + path).data)

    def post(self, path: str, content: Any = None) -> Any:
        return orjson.loads(self.http.request("POST", self.url + path, body=orjson.dumps(content)).data)

    def call(self, method: str, path: str, content: Any = None, **headers: str) -> tuple[int, Any, Mapping[str, str]]:
        """Make a request of the platform's own; return status, JSON and headers."""
        body = None if content is None else content if isinstance(content, bytes) else orjson.dumps(content)
        response = self.http.request(method, self.url + path, body=body, headers={**self.headers, **headers})
        return response.status, orjson.loads(response.data) if response.data else None, response.headers

    def fault(self, **wish: Any) -> None:
        answer = self.post("/sandbox/faults", wish)
        assert "faults" in answer, answer

    @property
    def counts(self) -> dict[str, Any]:
        return self.get("/sandbox/counts")

    def all(self, name: str) -> list[dict[str, Any]]:
        """Return all that the sandbox holds of a kind."""
        found: list[dict[str, Any]] = []
        while page := self.get(f"/sandbox/{name}?limit=10000&offset={len(found)}")[name]:
            found += page
        return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    platform: str, home: Path, *options: str, port: int | None = None, headers: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Start a platform's sandbox over `home`, kill it afterwards."""
    port = port or free_port()
    command = [sys.executable, "-m", f"include.sandbox.{platform}", "--port", str(port), "--home", str(home), *options]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            http = urllib3.PoolManager(retries=False, maxsize=4)
            sandbox = Running(f"http://127.0.0.1:{port}", http, headers or {})
            _wait(sandbox, process)
            yield sandbox
        finally:
            process.kill()


def _wait(sandbox: Running, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            assert sandbox.get("/sandbox/health")["status"] == "ok"
            return
        except urllib3.exceptions.HTTPError:
            assert process.poll() is None, "the sandbox ended"
            assert time.monotonic() < deadline, "the sandbox does not answer"
            time.sleep(0.05)
