"""The sandbox org that a bench loads: contacts of thirty fields, kept between benches of the same size."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from include.sandbox.org import credentials
from tools.bench.server import free_port
from tools.peers.org import PeersOrg

_ROOT = Path(__file__).resolve().parent.parent.parent
_VERSION = "/services/data/v63.0"
_PATIENCE = 1800  # millions of records take minutes to make

# What is left of Contact: thirty fields that get a column, of every kind that a contact has. Of each compound one part
# stays: clients know a compound by its parts.
FIELDS = (
    "Id", "IsDeleted", "MasterRecordId", "AccountId", "LastName", "FirstName", "Name", "MailingStreet", "MailingCity",
    "MailingPostalCode", "MailingCountry", "Phone", "MobilePhone", "Email", "Title", "LeadSource", "Birthdate",
    "Description", "OwnerId", "HasOptedOutOfEmail", "DoNotCall", "CreatedDate", "CreatedById", "LastModifiedDate",
    "LastModifiedById", "SystemModstamp", "External_Key__c", "Score__c", "Lifetime_Value__c", "OtherCity",
)  # fmt: skip
_COMPOUNDS = ("MailingAddress", "OtherAddress")  # cannot be taken away, and get no column


class BenchOrg:
    """Hold a running org: where it is, what it counts, and what can be done to it."""

    def __init__(self, home: Path, ports: tuple[int, int, int]) -> None:
        self.url = f"http://127.0.0.1:{ports[0]}"
        self.home = home
        self.for_peers = PeersOrg(home, ports)
        self._http = httpx.Client(base_url=self.url, timeout=600, trust_env=False)

    def prepare(self) -> None:
        """Take away the fields that are not measured."""
        self.command("clock", rate=1)  # never back: stamps of an earlier bench would lie ahead
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.CLIENT_ID,
            "client_secret": credentials.CLIENT_SECRET,
        }
        token = self._http.post("/services/oauth2/token", data=form).raise_for_status().json()["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"
        described = self._http.get(f"{_VERSION}/sobjects/Contact/describe").raise_for_status().json()["fields"]
        surplus = [each for each in described if each["name"] not in (*FIELDS, *_COMPOUNDS)]
        # Formulas first: what one of them uses cannot be taken away before it.
        for each in sorted(surplus, key=lambda field: (not field["calculated"], field["name"] != "IsEmailBounced")):
            self.command("metadata", change="remove_field", object="Contact", field=each["name"])

    def command(self, name: str, **body: Any) -> dict[str, Any]:
        """Give an order to the control plane."""
        return dict(self._http.post(f"/sandbox/{name}", json=body).raise_for_status().json())

    def calls(self) -> int:
        """Return how many API calls the org has counted."""
        return int(self._http.get("/sandbox/allocation").raise_for_status().json()["used"])

    def count(self, name: str) -> int:
        """Return how many records of an object there are, deleted ones included."""
        counts: Mapping[str, int] = self._http.get("/sandbox/counts").raise_for_status().json()[name]
        return sum(counts.values())

    def close(self) -> None:
        """Hang up."""
        self._http.close()
        self.for_peers.close()


@contextmanager
def running_org(home: Path, *, contacts: int) -> Iterator[BenchOrg]:
    """Run the org of so many contacts; the first time, its records are made."""
    ports = free_port(), free_port(), free_port()
    home.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "include.sandbox.org", "--quiet", "--home", str(home), "--contacts", str(contacts),
        "--seed", "1", "--daily-calls", "100000000", "--port", str(ports[0]), "--tls-port", str(ports[1]),
        "--proxy-port", str(ports[2]),
    ]  # fmt: skip
    with (home / "org.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=_ROOT, env={**os.environ, "PYTHONPATH": str(_ROOT)}, stdout=log, stderr=subprocess.STDOUT
        )
    org = BenchOrg(home, ports)
    try:
        _await(org, server, home / "org.log")
        org.prepare()
        yield org
    finally:
        org.close()
        server.terminate()
        server.wait(timeout=60)


def _await(org: BenchOrg, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            if httpx.get(f"{org.url}/sandbox/health", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    raise RuntimeError(f"the org did not start; {log} says: {log.read_text(errors='replace')[-1000:]}")
