"""The org as a program of its own with all its doors: plain HTTP, TLS, and the proxy."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, kw_only=True)
class SecuredOrg:
    """Hold the doors of a running org."""

    home: Path
    url: str
    tls_url: str
    proxy: str
    process: subprocess.Popen[str]

    @property
    def authority(self) -> Path:
        return self.home / "tls" / "ca.pem"

    @property
    def environment(self) -> dict[str, str]:
        """Return what leads an unmodified client to the org at Salesforce's own host names."""
        return {
            "HTTPS_PROXY": self.proxy, "NO_PROXY": "localhost,127.0.0.1", "REQUESTS_CA_BUNDLE": str(self.authority),
            "SSL_CERT_FILE": str(self.authority),
        }  # fmt: skip

    def command(self, name: str, **body: Any) -> dict[str, Any]:
        answer = httpx.post(f"{self.url}/sandbox/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in probes:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in probes]


@contextmanager
def running_secured(home: Path, *more: str) -> Iterator[SecuredOrg]:
    """Run an org and end it."""
    plain, tls, proxy = free_ports(3)
    ports = ["--port", str(plain), "--tls-port", str(tls), "--proxy-port", str(proxy)]
    command = [sys.executable, "-m", "include.sandbox.org", "--home", str(home), *ports, *more]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    org = SecuredOrg(
        home=home, url=f"http://127.0.0.1:{plain}", tls_url=f"https://localhost:{tls}",
        proxy=f"http://127.0.0.1:{proxy}", process=process,
    )  # fmt: skip
    try:
        for _ in range(600):
            assert process.poll() is None, process.communicate()[0]
            try:
                if httpx.get(f"{org.url}/sandbox/health").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield org
    finally:
        process.terminate()
        process.wait(20)
