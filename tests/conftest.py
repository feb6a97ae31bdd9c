"""What every test may use: a real PostgreSQL, and in it a fresh database for each test that asks for one."""

from __future__ import annotations

import asyncio
import atexit
import base64
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from include.warehouse.engine import open_warehouse
from include.warehouse.migrate import migrate

ROOT = Path(__file__).resolve().parent.parent

# Airflow reads these when it is imported first, which any test file may do: nothing of the person's own is touched.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="headwater-test-airflow-")
atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(ROOT / "dags")
os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(ROOT / "plugins")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "false"
os.environ["AIRFLOW__CORE__FERNET_KEY"] = base64.urlsafe_b64encode(os.urandom(32)).decode()

# A busy machine is no finding: how long an example took says nothing of what it was to show.
settings.register_profile("unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that hold slow tests: last of all, they would keep one worker busy and the others idle."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="module", autouse=True)
def _next_file_begins_anew(request: pytest.FixtureRequest) -> Iterator[None]:
    """Forget what hooks learned once for a process, and fail a file that leaves an event loop or another folder."""
    folder = os.getcwd()
    yield
    hooks = sys.modules.get("headwater.hooks")
    if hooks is not None:
        hooks.definitions.cache_clear()
        if hooks.warehouse_engine.cache_info().currsize:
            hooks.warehouse_engine().dispose()
            hooks.warehouse_engine.cache_clear()
    assert asyncio._get_running_loop() is None, f"{request.node.name} leaves an event loop running in this thread"
    assert os.getcwd() == folder, f"{request.node.name} leaves its process in another folder"


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of a running PostgreSQL server: HEADWATER_TEST_POSTGRES, or one started for this session."""
    given = os.environ.get("HEADWATER_TEST_POSTGRES")
    if given:
        yield given
        return
    from include.local.postgres import temporary_server

    with temporary_server(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def template_database(postgres_url: str) -> Iterator[str]:
    """Yield the name of a migrated database that tests are copied from."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    _run(postgres_url, f'CREATE DATABASE "{name}"')
    engine = open_warehouse(_with_database(postgres_url, name))
    migrate(engine)
    engine.dispose()
    yield name
    _run(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def warehouse_url(postgres_url: str, template_database: str) -> Iterator[str]:
    """Yield the URL of a fresh, migrated database; it is dropped afterwards."""
    yield from _copied(postgres_url, template_database)


@pytest.fixture(scope="module")
def module_warehouse_url(postgres_url: str, template_database: str) -> Iterator[str]:
    """Yield the URL of a fresh, migrated database that all tests of a file share."""
    yield from _copied(postgres_url, template_database)


def _copied(postgres_url: str, template_database: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    # Files are copied as they are: block by block through the log, PostgreSQL's way since 15, costs four times as much.
    _run(postgres_url, f'CREATE DATABASE "{name}" TEMPLATE "{template_database}" STRATEGY file_copy')
    yield _with_database(postgres_url, name)
    _run(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def warehouse(warehouse_url: str) -> Iterator[Engine]:
    """Yield an engine on a fresh, migrated database."""
    engine = open_warehouse(warehouse_url)
    yield engine
    engine.dispose()


@pytest.fixture
def definitions(tmp_path: Path) -> Path:
    """Yield an empty definitions folder."""
    for kind in ("orgs", "pushes", "checks"):
        (tmp_path / "definitions" / kind).mkdir(parents=True)
    return tmp_path / "definitions"


def _with_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _run(url: str, statement: str) -> None:
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type]
