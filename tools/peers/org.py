"""The org that the peers meet: started for them alone, with TLS and the proxy, and asked plainly for the truth."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx

from include.sandbox.org import credentials
from include.sandbox.org.tls.hosts import MY_DOMAIN
from tools.peers.rows import OBJECTS, Row

_ROOT = Path(__file__).resolve().parent.parent.parent
_VERSION = "/services/data/v63.0"


class PeersOrg:
    """Hold a running org: what clients need to reach it, and what it knows."""

    def __init__(self, home: Path, ports: tuple[int, int, int]) -> None:
        plain, self._tls, self._proxy = ports
        self.url = f"http://127.0.0.1:{plain}"
        self.authority = home / "tls" / "ca.pem"
        self._http = httpx.Client(base_url=self.url, timeout=120, trust_env=False)

    def sign_in(self) -> None:
        """Sign in for the questions that are asked below."""
        form = {
            "grant_type": "client_credentials", "client_id": credentials.CLIENT_ID,
            "client_secret": credentials.CLIENT_SECRET,
        }  # fmt: skip
        token = self._http.post("/services/oauth2/token", data=form).raise_for_status().json()["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def settings(self) -> dict[str, Any]:
        """Return everything that a client is told."""
        return {
            "client_id": credentials.CLIENT_ID, "client_secret": credentials.CLIENT_SECRET,
            "refresh_token": credentials.REFRESH_TOKEN, "username": credentials.USERNAME,
            "password": credentials.PASSWORD, "security_token": credentials.SECURITY_TOKEN,
            "jwt_key": str(credentials.JWT_PRIVATE_KEY), "my_domain": MY_DOMAIN,
            "proxy": f"http://127.0.0.1:{self._proxy}", "tls_url": f"https://localhost:{self._tls}",
        }  # fmt: skip

    def environment(self) -> dict[str, str]:
        """Return the environment in which unmodified clients find the org at Salesforce's own host names."""
        proxy, authority = f"http://127.0.0.1:{self._proxy}", str(self.authority)
        return {
            "PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8",
            "HTTPS_PROXY": proxy, "https_proxy": proxy, "NO_PROXY": "localhost,127.0.0.1",
            "REQUESTS_CA_BUNDLE": authority, "SSL_CERT_FILE": authority, "NODE_EXTRA_CA_CERTS": authority,
        }  # fmt: skip

    def now(self) -> str:
        """Return the org's time as SOQL writes it."""
        date = self._http.get("/services/data").headers["Date"]
        return parsedate_to_datetime(date).strftime("%Y-%m-%dT%H:%M:%SZ")

    def described(self, name: str) -> list[dict[str, Any]]:
        """Return the fields of an object as the org describes them."""
        answer = self._http.get(f"{_VERSION}/sobjects/{name}/describe").raise_for_status()
        return list(answer.json()["fields"])

    def records(self, name: str, fields: Iterable[str]) -> list[Row]:
        """Return all records of an object, deleted ones too, with these fields."""
        return self._query(f"SELECT {', '.join(fields)} FROM {name}", deleted=True)

    def rows(self, condition: str = "", *, deleted: bool = False) -> dict[str, list[Row]]:
        """Return the records of every compared object, read as plainly as can be."""
        return {name: self._query(f"SELECT {', '.join(fields)} FROM {name} {condition}", deleted=deleted)
                for name, fields in OBJECTS.items()}  # fmt: skip

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Return the store's own counts of present and deleted records."""
        return dict(self._http.get("/sandbox/counts").raise_for_status().json())

    def look(self, name: str) -> Mapping[str, Any]:
        """Return what the control plane shows."""
        return dict(self._http.get(f"/sandbox/{name}").raise_for_status().json())

    def command(self, name: str, **body: Any) -> None:
        """Give an order to the control plane."""
        self._http.post(f"/sandbox/{name}", json=body).raise_for_status()

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _query(self, soql: str, *, deleted: bool) -> list[Row]:
        path, params = f"{_VERSION}/{'queryAll' if deleted else 'query'}", {"q": soql}
        answer = self._http.get(path, params=params).raise_for_status().json()
        found = list(answer["records"])
        while not answer["done"]:
            answer = self._http.get(answer["nextRecordsUrl"]).raise_for_status().json()
            found += answer["records"]
        return found


@contextmanager
def running_org(home: Path, *, contacts: int, seed: int) -> Iterator[PeersOrg]:
    """Run a fresh org for the peers, and end it afterwards."""
    ports = _free_ports()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    command = [
        sys.executable, "-m", "include.sandbox.org", "--home", str(home), "--contacts", str(contacts), "--seed",
        str(seed), "--port", str(ports[0]), "--tls-port", str(ports[1]), "--proxy-port", str(ports[2]),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    with (home / "org.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    org = PeersOrg(home, ports)
    try:
        _await(org, server, home / "org.log")
        org.sign_in()
        yield org
    finally:
        org.close()
        server.terminate()
        server.wait(timeout=30)


def _await(org: PeersOrg, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 300
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            if httpx.get(f"{org.url}/sandbox/health", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    raise RuntimeError(f"the org did not start; {log} says: {log.read_text(errors='replace')[-1000:]}")


def _free_ports() -> tuple[int, int, int]:
    with socket.socket() as first, socket.socket() as second, socket.socket() as third:
        for each in (first, second, third):
            each.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1], third.getsockname()[1]
