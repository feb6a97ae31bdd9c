"""The tables that tests load, and an older PostgreSQL beside the newest one."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text

from include.records import AirflowRun, Describe, Field
from include.warehouse.describes import keep_describe
from include.warehouse.engine import open_warehouse, transaction
from include.warehouse.migrate import migrate
from include.warehouse.runs import start_run
from include.warehouse.tables import Table, apply_describe, table_of

OLD_SERVER = Path("/usr/lib/postgresql/15/bin")

FIELDS = {
    "Id": "id",
    "IsDeleted": "boolean",
    "LastName": "string",
    "Email": "email",
    "Amount__c": "currency",
    "Visits__c": "int",
    "Serial__c": "long",
    "Birthdate": "date",
    "Opens__c": "time",
    "MailingAddress": "address",
    "CreatedDate": "datetime",
    "SystemModstamp": "datetime",
}


def contact_describe(**changes: str | None) -> Describe:
    """Return a describe of Contact with these field types changed; None leaves a field out."""
    types = {name: kind for name, kind in (FIELDS | changes).items() if kind}
    return Describe(
        object="Contact",
        label="Contact",
        key_prefix="003",
        fields=tuple(Field(name=name, label=name, type=kind) for name, kind in types.items()),
        last_modified="Sun, 22 Nov 2026 00:00:00 GMT",
    )


@pytest.fixture(scope="session")
def old_server() -> Iterator[str]:
    """Yield the URL of a PostgreSQL 15, which has no MERGE … RETURNING; on a socket, so that it needs no port."""
    if not OLD_SERVER.exists():
        pytest.skip(f"no PostgreSQL 15 in {OLD_SERVER}")
    nobody = pwd.getpwnam("nobody")
    user = nobody.pw_uid if os.getuid() == 0 else os.getuid()
    group = nobody.pw_gid if os.getuid() == 0 else os.getgid()
    folder = Path(tempfile.mkdtemp(prefix="pg15-", dir="/tmp"))
    os.chown(folder, user, group)
    data = folder / "data"
    subprocess.run(
        [OLD_SERVER / "initdb", "-D", data, "-U", "headwater", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8"],
        user=user,
        group=group,
        cwd=folder,
        check=True,
        capture_output=True,
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [OLD_SERVER / "postgres", "-D", data, "-k", folder, "-h", "", "-c", "fsync=off"],
            user=user,
            group=group,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    url = f"postgresql://headwater@/postgres?host={folder}"
    try:
        for _ in range(200):
            try:
                psycopg.connect(url).close()
                break
            except psycopg.OperationalError:
                time.sleep(0.05)
        yield url
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


@pytest.fixture
def old_warehouse(old_server: str) -> Iterator[Engine]:
    """Yield an engine on a fresh, migrated database of the older server."""
    with psycopg.connect(old_server, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS warehouse WITH (FORCE)")
        connection.execute("CREATE DATABASE warehouse")
    engine = open_warehouse(old_server.replace("/postgres?", "/warehouse?"))
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture(params=["newest", "15"])
def any_warehouse(request: pytest.FixtureRequest) -> Engine:
    """Yield a warehouse on each server that has a statement of its own."""
    return request.getfixturevalue("warehouse" if request.param == "newest" else "old_warehouse")


@pytest.fixture
def contact(any_warehouse: Engine) -> Table:
    """Return the table of Contact, made in the warehouse."""
    return make_contact(any_warehouse)


def make_contact(engine: Engine, describe: Describe | None = None) -> Table:
    """Make or change the table of Contact as the describe says."""
    describe = describe or contact_describe()
    table = table_of("main", "salesforce_main", describe)
    with transaction(engine) as connection:
        apply_describe(connection, table)
        keep_describe(connection, "main", describe)
    return table


def new_run(engine: Engine) -> int:
    """Begin an extract run."""
    with transaction(engine) as connection:
        return start_run(connection, kind="extract", org="main", subject="Contact", run=AirflowRun())


def rows_of(engine: Engine, columns: str = '"Id", "LastName"') -> list[tuple[object, ...]]:
    """Return the rows of the Contact table, by Id."""
    with transaction(engine) as connection:
        return [
            tuple(row)
            for row in connection.execute(text(f'SELECT {columns} FROM salesforce_main."Contact" ORDER BY "Id"'))
        ]
