"""Run the sandbox Insider One as the process that it is, and speak to its control plane."""

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

from include.sandbox.insider_one.credentials import PARTNER, TOKEN

ROOT = Path(__file__).resolve().parents[3]
HEADERS = {"X-PARTNER-NAME": PARTNER, "X-REQUEST-TOKEN": TOKEN, "Content-Type": "application/json"}


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox."""

    url: str
    http: urllib3.PoolManager

    def get(self, path: str) -> Any:
        return orjson.loads(self.http.request("GET", self.url + path).data)

    def post(self, path: str, content: Any = None) -> Any:
        return orjson.loads(self.http.request("POST", self.url + path, body=orjson.dumps(content)).data)

    def call(self, path: str, content: Any, method: str = "POST", **headers: str) -> tuple[int, Any]:
        """Make a request of the platform's own; return status and JSON."""
        body = content if isinstance(content, bytes) else orjson.dumps(content)
        response = self.http.request(method, self.url + path, body=body, headers=HEADERS | headers)
        return response.status, orjson.loads(response.data)

    def upsert(self, *users: Any, **top: Any) -> tuple[int, Any]:
        return self.call("/api/user/v1/upsert", {"users": list(users), **top})

    def fault(self, **wish: Any) -> None:
        answer = self.post("/sandbox/faults", wish)
        assert "faults" in answer, answer

    @property
    def counts(self) -> dict[str, int]:
        return self.get("/sandbox/counts")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_sandbox(home: Path, *options: str, port: int | None = None) -> Iterator[Sandbox]:
    """Start the sandbox over `home`, kill it afterwards."""
    port = port or free_port()
    command = [sys.executable, "-m", "include.sandbox.insider_one", "--port", str(port), "--home", str(home), *options]
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
