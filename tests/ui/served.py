"""Start Airflow's own api-server with our pages in it, under either auth manager."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("airflow_server.py")
PASSWORD = "a-password-of-tests"
BOOT_SECONDS = 300
SIMPLE = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
ROLES = ("viewer", "user", "op", "admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Hold a running api-server: where it is, who may sign in, and what its app answers to."""

    url: str
    tokens: Mapping[str, str]
    routes: Sequence[Mapping[str, Any]]
    environment: Mapping[str, str]


@contextmanager
def served_airflow(
    home: Path, warehouse_url: str, *, auth_manager: str, dags: Sequence[Path] = (), **more: str
) -> Iterator[Served]:
    """Run an api-server whose pages read a warehouse, until the end of the block."""
    users = home / "passwords.json"
    users.write_text(json.dumps(dict.fromkeys(ROLES, PASSWORD)), encoding="utf-8")
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__AUTH_MANAGER": auth_manager,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{role}:{role}" for role in ROLES),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(users),
        "AIRFLOW__API__SECRET_KEY": "b-secret-for-tests-only-" * 4,
        "AIRFLOW__API_AUTH__JWT_SECRET": "a-secret-for-tests-only-" * 4,
        "AIRFLOW_CONN_HEADWATER_WAREHOUSE": warehouse_url.replace("postgresql+psycopg://", "postgres://"),
        "PYTHONPATH": str(ROOT),
        **more,
    }
    reading, writing = os.pipe()
    with (home / "api-server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(writing), *(str(each) for each in dags)],
            env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log, pass_fds=(writing,),
        )  # fmt: skip
    os.close(writing)
    try:
        yield Served(environment=environment, **_heard(reading, home / "api-server.log"))
    finally:
        assert server.stdin
        server.stdin.close()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _heard(reading: int, log: Path) -> dict[str, Any]:
    ready, _, _ = select.select([reading], [], [], BOOT_SECONDS)
    with os.fdopen(reading) as said:
        line = said.readline() if ready else ""
    assert line, f"the api-server did not start: {log.read_text(encoding='utf-8')[-4000:]}"
    found: dict[str, Any] = json.loads(line)
    return found
