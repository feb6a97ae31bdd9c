"""Ask every page of the app once more, in a process of its own: `python -m tools.bench.asking --warehouse URL`.

The app runs in this process, behind Airflow's login; what is timed is from the request to the whole answer, or to the
first bytes of a file. Processor time is this process's and that of its database sessions, where those run on this
machine: unlike the clock it says on a busy machine what a quiet one takes. Prints one line of JSON for each address.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.testclient import TestClient

TURNS = 5
_RECORD = "003000000000200AAA"

# What stands in an address for a part of it, as `pages_rows.sql` makes them.
PARTS = {
    "name": "pages.css", "check_id": "check_1", "form": "csv", "error_id": "500", "record_id": _RECORD,
    "object": "Contact", "push": "push_1", "document": "validation",
    "org": "demo", "assessment": "500", "run_id": "40", "cluster_id": "1",
}  # fmt: skip

# Addresses that are asked besides the bare ones: what a person does with a page, at its worst.
MORE = (
    "/health?assessment=500", "/health?show=worse&sort=records", "/health/issue/check_1?page=2",
    "/health/issue/check_1?q=00019", "/health/issue/check_1?sort=first_seen&order=desc",
    "/health/issue/check_1?assessment=500", "/extracts?state=failed", "/extracts?q=Contact", "/extracts?page=150",
    "/extracts?idle=shown&sort=took", "/errors?q=00019",
    "/errors?shown=all&sort=attempts&page=100", "/errors?cause=http_401",
    "/errors?sort=record&page=5000", "/schema?q=Field77", "/notifications?q=why",
    "/usage?q=Contact", "/overview?org=other",
)  # fmt: skip


def main() -> int:
    """Ask for all pages and print what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--warehouse", required=True)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--only", default="", help="a part of the addresses to ask")
    options = parser.parse_args()
    os.environ["AIRFLOW__API_AUTH__JWT_SECRET"] = "a-secret-of-a-bench-only-" * 4
    os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] = "admin:admin"
    from sqlalchemy import event

    from headwater.ui.app import build_pages
    from include.warehouse.engine import open_warehouse

    engine = open_warehouse(options.warehouse)
    sessions: list[int] = []
    event.listen(engine, "connect", lambda raw, _: sessions.append(raw.info.backend_pid))
    app = build_pages(lambda: engine)
    with _client(app) as client:
        for address in addresses(app):
            if options.only in address:
                print(json.dumps({"address": address, **_asked(client, address, options.turns, sessions)}), flush=True)
    engine.dispose()
    return 0


def addresses(app: FastAPI) -> Iterator[str]:
    """Yield an address for each GET route; one with a part that nobody gave a value for keeps its braces."""
    for route in app.routes:
        if "GET" in (getattr(route, "methods", None) or ()):
            yield re.sub(r"{(\w+)(:\w+)?}", lambda part: PARTS.get(part[1], part[0]), route.path)  # type: ignore[attr-defined]
    yield from MORE


def _asked(client: TestClient, address: str, turns: int, sessions: Sequence[int]) -> Mapping[str, Any]:
    if "{" in address:
        return {"problem": "no value is known for a part of this address (tools/bench/asking.py)"}
    walls, processors, status = [], [], 0
    for _ in range(turns + 1):
        began, worked = time.perf_counter(), _processor(sessions)
        with client.stream("GET", "/headwater" + _of_the_org(address)) as answer:
            next(answer.iter_bytes(), b"")
            walls.append(time.perf_counter() - began)
            processors.append(_processor(sessions) - worked)
            status = answer.status_code
    # The first turn compiles templates and fills caches: that is paid once in the life of an api-server.
    return {
        "status": status, "seconds": median(walls[1:]), "least": min(walls[1:]), "worst": max(walls[1:]),
        "first": walls[0], "processor": median(processors[1:]), "sessions": any(map(_of_session, sessions)),
    }  # fmt: skip


def _processor(sessions: Sequence[int]) -> float:
    """Return the processor time of this process and of the database's sessions, in seconds."""
    return time.process_time() + sum(map(_of_session, sessions))


def _of_session(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0  # of another machine, or of one that does not tell


def _of_the_org(address: str) -> str:
    if "org=" in address:
        return address
    push = "&push=contacts_to_insider_one" if address.startswith("/pushes/preview") else ""
    return f"{address}{'&' if '?' in address else '?'}org=demo{push}"


def _client(app: FastAPI) -> TestClient:
    from airflow.api_fastapi.app import create_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.models.revoked_token import RevokedToken
    from airflow.settings import engine
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    # All that a login asks of Airflow's database: was this token revoked? Migrating the whole of it takes a minute.
    RevokedToken.metadata.create_all(engine, tables=[RevokedToken.__table__])
    airflow = FastAPI()
    airflow.mount("/headwater", app)
    client = TestClient(airflow, headers={"accept": "text/html"}, follow_redirects=False, raise_server_exceptions=False)
    client.cookies.set("_token", create_auth_manager().generate_jwt(SimpleAuthManagerUser(username="a", role="admin")))
    return client


if __name__ == "__main__":
    sys.exit(main())
