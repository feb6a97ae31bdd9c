"""A PostgreSQL of the bench's own, set as `make up` sets it: what it commits is on the disk."""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from include.local.account import choose_account, reachable
from include.local.binaries import find_binaries
from include.local.postgres import Cluster, create_cluster, server_url, wait_until_ready


@contextmanager
def running_server(home: Path) -> Iterator[str]:
    """Yield the URL of a fresh server; everything in it is gone afterwards."""
    account = choose_account()
    place = home / "postgres"
    place.mkdir(parents=True, exist_ok=True)
    if not account.can_enter(place):
        place = Path(tempfile.mkdtemp(prefix="headwater-bench-", dir="/tmp"))
        account.own(place)
    cluster = Cluster(folder=place / "data", binaries=reachable(find_binaries(), account, place), account=account)
    shutil.rmtree(cluster.folder, ignore_errors=True)
    password = secrets.token_urlsafe(18)
    create_cluster(cluster, password)
    port, log = free_port(), home / "postgres.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            cluster.command(port), stdout=output, stderr=subprocess.STDOUT, env=cluster.environment(), cwd="/",
            user=account.uid, group=account.gid, extra_groups=None if account.uid is None else [],
            start_new_session=True,
        )  # fmt: skip
    url = server_url(port, password)
    try:
        wait_until_ready(server, url, log)
        yield url
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        server.wait(timeout=60)
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def fresh_database(server: str, name: str) -> Iterator[str]:
    """Yield the URL of an empty database."""
    _command(server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    _command(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield server.rsplit("/", 1)[0] + f"/{name}"
    finally:
        _command(server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def settle(url: str) -> None:
    """Let the server write what earlier work left, so that the next measurement doesn't pay for it."""
    _command(url, sql.SQL("CHECKPOINT"))


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _command(url: str, statement: sql.SQL | sql.Composed) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
