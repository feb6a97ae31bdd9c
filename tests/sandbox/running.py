"""Run a platform's sandbox as the process that it is, and speak to its control plane."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import urllib3

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox of one platform."""

    url: str
    http: urllib3.PoolManager

    def get(self, path: str) -> Any:
        return orjson.loads(self.http.request("GET", self.url + path).data)

    def post(self, path: str, content: Any = None) -> Any:
        return orjson.loads(self.http.request("POST", self.url + path, body=orjson.dumps(content)).data)

    def call(self, method: str, path: str, content: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Make a request of the platform's own; return status, headers and JSON (None for an empty body)."""
        body = content if isinstance(content, bytes) or content is None else orjson.dumps(content)
        answer = self.http.request(method, self.url + path, body=body, headers=headers or {})
        return answer.status, answer.headers, orjson.loads(answer.data) if answer.data else None

    def fault(self, **wish: Any) -> None:
        answer = self.post("/sandbox/faults", wish)
        assert "faults" in answer, answer

    def page(self, name: str) -> list[dict[str, Any]]:
        return self.get(f"/sandbox/{name}?limit=10000")[name]

    @property
    def counts(self) -> dict[str, Any]:
        return self.get("/sandbox/counts")

    def at(self, prefix: str) -> Sandbox:
        """Return the platform below a prefix of the same server."""
        return Sandbox(self.url + prefix, self.http)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(name: str, home: Path, *options: str, port: int | None = None) -> Iterator[Sandbox]:
    """Start the sandbox of this name over `home`, kill it afterwards."""
    port = port or free_port()
    command = [sys.executable, "-m", f"include.sandbox.{name}", "--port", str(port), "--home", str(home), *options]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            sandbox = Sandbox(f"http://127.0.0.1:{port}", urllib3.PoolManager(retries=False))
            _wait(sandbox, process)
            yield sandbox
        finally:
            process.kill()


def _wait(sandbox: Sandbox, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            assert sandbox.get("/sandbox/health")["status"] == "ok"
            return
        except urllib3.exceptions.HTTPError:
            assert process.poll() is None, "the sandbox ended"
            assert time.monotonic() < deadline, "the sandbox does not answer"
            time.sleep(0.05)
