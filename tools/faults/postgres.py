"""A PostgreSQL of the campaign's own that can be killed like any other process and started again on what it left."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
import psycopg

from include.local.account import choose_account, reachable
from include.local.binaries import find_binaries
from include.local.postgres import (
    Cluster,
    create_cluster,
    ensure_database,
    server_url,
    vacate,
    wait_until_ready,
)
from include.warehouse.engine import open_warehouse
from include.warehouse.migrate import migrate
from tools.faults.ports import free_port

_DATABASE = "warehouse"
# A commit is in the operating system's hands when it returns, as it must be for a process that may be killed. Only the
# flush to the disk is left out: it guards against a power cut, which no kill imitates.
_SETTINGS = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "64MB"}
_PATIENCE = 60.0


class WarehouseServer:
    """Run the warehouse's server."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        account = choose_account()
        self._outside = (
            None if account.can_enter(home) else Path(tempfile.mkdtemp(prefix="headwater-faults-", dir="/tmp"))
        )
        place = self._outside or home
        if self._outside:
            account.own(place)
        self._cluster = Cluster(
            folder=place / "data", binaries=reachable(find_binaries(), account, place), account=account
        )
        self._password = secrets.token_urlsafe(18)
        self._port = free_port()
        self._log = home / "postgres.log"
        self._server: subprocess.Popen[bytes] | None = None
        self.url = server_url(self._port, self._password, _DATABASE)

    def begin(self) -> None:
        """Make the cluster, start it and bring its schema up to date."""
        create_cluster(self._cluster, self._password, sync=False)
        self.start()
        ensure_database(server_url(self._port, self._password), _DATABASE)
        engine = open_warehouse(self.url)
        migrate(engine)
        engine.dispose()

    def start(self) -> None:
        """Start the server and return when it answers; what a killed one left is recovered first."""
        vacate(self._cluster.folder)
        account = self._cluster.account
        with self._log.open("ab") as output:
            self._server = subprocess.Popen(
                self._cluster.command(self._port, **_SETTINGS), stdout=output, stderr=subprocess.STDOUT,
                env=self._cluster.environment(), cwd="/", user=account.uid, group=account.gid,
                extra_groups=None if account.uid is None else [], start_new_session=True,
            )  # fmt: skip
        wait_until_ready(self._server, server_url(self._port, self._password), self._log)

    def kill(self) -> None:
        """Kill the postmaster with -9 and start the server again."""
        assert self._server is not None
        self._server.kill()
        self._server.wait()
        self.start()

    def kill_a_session(self, dice: random.Random) -> bool:
        """Kill a process that serves a session with -9, so that the server recovers; False when there is none."""
        assert self._server is not None
        serving = [each.pid for each in psutil.Process(self._server.pid).children() if _serves_a_client(each)]
        if not serving:
            return False
        os.kill(dice.choice(serving), signal.SIGKILL)
        until = time.monotonic() + _PATIENCE
        time.sleep(0.05)  # it still answers for a moment
        while not self.answers():
            if time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not recover; see {self._log}")
            time.sleep(0.05)
        return True

    def answers(self) -> bool:
        """Say whether the database runs a statement."""
        try:
            with psycopg.connect(self.url, connect_timeout=3) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def end(self) -> None:
        """Stop the server and forget what it held."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(timeout=30)
        shutil.rmtree(self._cluster.folder, ignore_errors=True)
        if self._outside:
            shutil.rmtree(self._outside, ignore_errors=True)


def _serves_a_client(process: psutil.Process) -> bool:
    try:
        return "headwater" in " ".join(process.cmdline())  # "postgres: headwater warehouse 127.0.0.1(40312) idle"
    except psutil.Error:
        return False
