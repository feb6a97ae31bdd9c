"""Run the embedded warehouse: make a cluster, say how its server is started, wait for it, stop it.

The server is a plain child process (of the supervisor, or of a test): no pid file is believed, and it counts as ready
when it answers `SELECT 1`. It listens on loopback only, with scram; it has no Unix socket, whose path would be too long
in many homes.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from include.errors import SetupFailed
from include.local.account import Account, choose_account, reachable, system_place
from include.local.binaries import Binaries, find_binaries
from include.local.running import send, wait_for_end, working_in

USER = "headwater"
_TUNING = {
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "log_min_messages": "log",  # not ERROR, which ranks below: a refused statement would quote a person's row
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Hold where a cluster lies, which programs run it and under which account."""

    folder: Path
    binaries: Binaries
    account: Account

    def command(self, port: int, **settings: str) -> list[str]:
        """Return the command that runs the server in the foreground."""
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", **_TUNING, **settings}
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [self.binaries.postgres, "-D", str(self.folder), "-p", str(port), *flags]

    def environment(self) -> dict[str, str]:
        """Return the little that the server needs of an environment; nothing of ours leaks into it."""
        return {"PATH": os.defpath, "LC_ALL": "C", "HOME": str(self.folder.parent)}


def locate_cluster(home: Path) -> Cluster:
    """Return the cluster of a home, whether it is there already or not.

    Raises:
        SetupFailed: no PostgreSQL can be found, or no account to run it.
    """
    outside = system_place(home)
    inside = home / "postgres"
    existing = next((each for each in (inside / "data", outside / "data") if each.exists()), None)
    account = choose_account(existing)
    place = existing.parent if existing else inside
    if existing is None and account.uid is not None:
        inside.mkdir(parents=True, exist_ok=True)
        place = inside if account.can_enter(inside) else outside
    binaries = reachable(find_binaries(), account, outside)
    return Cluster(folder=place / "data", binaries=binaries, account=account)


def create_cluster(cluster: Cluster, password: str, *, sync: bool = True) -> bool:
    """Make the cluster unless it is there, and return whether it was made.

    Raises:
        SetupFailed: `initdb` failed, or the cluster was made by another major version.
    """
    mark = cluster.folder / "PG_VERSION"
    if mark.exists():
        made_by = mark.read_text().strip()
        if made_by != str(cluster.binaries.major):
            raise SetupFailed(
                f"{cluster.folder} was made by PostgreSQL {made_by}, but {cluster.binaries.folder} is"
                f" {cluster.binaries.version}; install version {made_by} again, or start anew with make reset"
            )
        return False
    place = cluster.folder.parent
    place.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(cluster.folder, ignore_errors=True)  # what an initdb that was killed left behind
    cluster.folder.mkdir(mode=0o700)
    cluster.account.own(cluster.folder)
    with tempfile.NamedTemporaryFile("w", dir=tempfile.gettempdir(), suffix=".pw") as password_file:
        password_file.write(password)
        password_file.flush()
        cluster.account.own(Path(password_file.name))
        _initdb(cluster, password_file.name, sync=sync)
    return True


def _initdb(cluster: Cluster, password_file: str, *, sync: bool) -> None:
    command = [cluster.binaries.initdb, "-D", str(cluster.folder), "-U", USER, f"--pwfile={password_file}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", *([] if sync else ["--no-sync"])]
    # One and the same order of text on every machine. Before 17 the system's C.UTF-8 is next best; not all have one.
    builtin = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    choices = [builtin] if cluster.binaries.major >= 17 else [["--locale=C.UTF-8"], ["--locale=C"]]
    for locale in choices:
        answer = cluster.account.run([*command, *locale], cluster.environment())
        if answer.returncode == 0:
            return
    shutil.rmtree(cluster.folder, ignore_errors=True)
    raise SetupFailed(f"initdb could not make {cluster.folder}: {answer.stderr.strip()[-800:]}")


def vacate(cluster_folder: Path, *, patience_seconds: float = 60) -> None:
    """Make a cluster free for a new server: end a server that nobody watches, and remove the lock of a dead one.

    PostgreSQL itself copes with a lock whose process is gone. It cannot tell a zombie (its parent was killed and
    process 1 does not reap) or a foreign process of the same number from a running server. Two servers on one cluster
    would ruin it: the lock goes only when no process works in the folder any more.

    Raises:
        SetupFailed: processes of a former server do not end.
    """
    lock = cluster_folder / "postmaster.pid"
    try:
        pid = int(lock.read_text().splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return
    left = working_in(cluster_folder, "postgres")
    for each in left:
        if each.pid == pid:
            send(each, signal.SIGINT)
    left = wait_for_end(left, patience_seconds=patience_seconds)
    if left:
        raise SetupFailed(
            f"{len(left)} processes of a former PostgreSQL still work in {cluster_folder} (pid {left[0].pid});"
            " end them and run make up again"
        )
    lock.unlink(missing_ok=True)


def answers(url: str) -> bool:
    """Say whether the server at this URL runs a statement."""
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def server_url(port: int, password: str, database: str = "postgres") -> str:
    """Return the URL of a database of the embedded server."""
    return f"postgresql://{USER}:{password}@127.0.0.1:{port}/{database}"


def ensure_database(url: str, name: str) -> bool:
    """Make a database unless it is there, and return whether it was made; `url` leads to the database postgres."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            return False
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return True


@contextmanager
def temporary_server(directory: Path) -> Iterator[str]:
    """Yield the URL of a fresh server on a free port, for tests: it forgets everything when the block ends.

    Raises:
        SetupFailed: it cannot be started; the message holds the end of its log.
    """
    account = choose_account()
    outside = None if account.can_enter(directory) else Path(tempfile.mkdtemp(prefix="headwater-postgres-", dir="/tmp"))
    place = outside or directory
    if outside:
        account.own(outside)
    cluster = Cluster(folder=place / "data", binaries=reachable(find_binaries(), account, place), account=account)
    password = secrets.token_urlsafe(18)
    log = directory / "postgres.log"
    create_cluster(cluster, password, sync=False)
    port = _free_port()
    command = cluster.command(
        port, fsync="off", synchronous_commit="off", full_page_writes="off", max_connections="300"
    )
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=cluster.environment(),
            cwd="/",
            user=account.uid,
            group=account.gid,
            extra_groups=None if account.uid is None else [],
            start_new_session=True,
        )
    url = server_url(port, password)
    try:
        wait_until_ready(server, url, log)
        yield url
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        server.wait(timeout=30)
        shutil.rmtree(place / "data", ignore_errors=True)
        if outside:
            shutil.rmtree(outside, ignore_errors=True)


def wait_until_ready(server: subprocess.Popen[bytes], url: str, log: Path, *, patience_seconds: float = 60) -> None:
    """Return when the server answers.

    Raises:
        SetupFailed: it ended, or did not answer in time.
    """
    deadline = time.monotonic() + patience_seconds
    while not answers(url):
        if server.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-800:]
            raise SetupFailed(f"PostgreSQL did not start; {log} says: {tail}")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
