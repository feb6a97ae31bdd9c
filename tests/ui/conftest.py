"""The pages as a browser sees them: Airflow's own login around them, a real warehouse behind them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

# Before Airflow is imported for the first time: it reads its configuration then.
os.environ["AIRFLOW__API_AUTH__JWT_SECRET"] = "a-secret-for-tests-only-" * 4
os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] = "admin:admin,op:op,user:user,viewer:viewer"
os.environ["AIRFLOW__CORE__AUTH_MANAGER"] = (
    "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
)

HTML = {"accept": "text/html"}


@pytest.fixture(scope="session")
def token_of() -> Callable[[str], str]:
    """Yield a function that signs a user in: Airflow's own auth manager makes the token."""
    from airflow.api_fastapi.app import create_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.models.revoked_token import RevokedToken
    from airflow.settings import engine

    # All that a login asks of Airflow's database: was this token revoked? Migrating the whole of it takes a minute.
    RevokedToken.metadata.create_all(engine, tables=[RevokedToken.__table__])
    manager = create_auth_manager()
    return lambda role: manager.generate_jwt(SimpleAuthManagerUser(username=role, role=role))


@pytest.fixture
def open_pages(token_of: Callable[[str], str]) -> Iterator[Callable[..., object]]:
    """Yield a function that opens the pages over an engine, mounted as Airflow mounts them, signed in as a role."""
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from headwater.ui.app import build_pages

    clients = []

    def opened(open_warehouse: Callable[[], Engine], role: str | None = "viewer", below: str = "") -> TestClient:
        airflow = FastAPI()
        airflow.mount("/headwater", build_pages(open_warehouse))
        client = TestClient(
            airflow, headers=HTML, root_path=below, follow_redirects=False, raise_server_exceptions=False
        )
        if role:
            client.cookies.set("_token", token_of(role))
        clients.append(client)
        return client

    yield opened
    for client in clients:
        client.close()


@pytest.fixture
def pages(open_pages: Callable[..., object], warehouse: Engine) -> object:
    """Yield the pages over an empty warehouse, signed in as a viewer."""
    return open_pages(lambda: warehouse)


@pytest.fixture
def run(warehouse: Engine) -> Callable[[str], None]:
    """Yield a function that runs a file of SQL beside this one."""

    def apply(name: str) -> None:
        statement = (Path(__file__).parent / name).read_text(encoding="utf-8")
        with transaction(warehouse) as connection:
            connection.execute(text(statement.replace(":", r"\:")))

    return apply
