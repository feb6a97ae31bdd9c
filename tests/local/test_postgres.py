"""The embedded server: made once, started, killed, found again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from include.errors import SetupFailed
from include.local.account import Account, choose_account, reachable, system_place
from include.local.binaries import choose_binaries, find_binaries
from include.local.plan import postgres_service
from include.local.postgres import (
    Cluster,
    answers,
    create_cluster,
    ensure_database,
    locate_cluster,
    server_url,
    temporary_server,
    vacate,
)
from include.local.running import running, working_in
from include.local.services import Service
from include.local.site import Site
from include.local.supervision import ensure_services, ensure_supervisor, find_supervisor, shut_down, wait_for_service
from include.local.supervisor import recorded


def warehouse(site: Site) -> tuple[Cluster, Service, str]:
    cluster = locate_cluster(site.home)
    password = site.secrets().postgres_password
    create_cluster(cluster, password, sync=False)
    service = postgres_service(site, cluster)
    url = server_url(service.port, password)
    ensure_supervisor(site)
    ensure_services(site, [service])
    wait_for_service(site, service, url=url)
    return cluster, service, url


def postmaster(site: Site) -> int:
    return next(process.pid for name, process, _ in recorded(site) if name == "postgres")


def test_a_temporary_server_answers_and_forgets(tmp_path: Path) -> None:
    """It is UTF-8 with scram; after the block neither process nor folder is left."""
    with temporary_server(tmp_path) as url:
        with psycopg.connect(url) as connection:
            row = connection.execute(
                "SELECT pg_encoding_to_char(encoding), current_setting('password_encryption'),"
                " current_setting('data_directory') FROM pg_database WHERE datname = 'postgres'"
            ).fetchone()
        assert row is not None
        assert row[:2] == ("UTF8", "scram-sha-256")
    assert not answers(url)
    assert not Path(row[2]).exists()


def test_a_wrong_password_is_refused(tmp_path: Path) -> None:
    """Loopback is no reason to trust."""
    with temporary_server(tmp_path) as url:
        wrong = url.replace(url.split(":")[2].split("@")[0], "guessed")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)


def test_what_was_committed_is_there_after_the_postmaster_was_killed(site: Site) -> None:
    """kill -9 of the postmaster: the supervisor starts it again, and the rows are there."""
    _, service, url = warehouse(site)
    assert ensure_database(url, "kept")
    assert not ensure_database(url, "kept")
    kept = url.removesuffix("postgres") + "kept"
    with psycopg.connect(kept) as connection:
        connection.execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n")
    before = postmaster(site)
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while postmaster(site) == before or not answers(url):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    wait_for_service(site, service, url=url)
    with psycopg.connect(kept) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1000,)


def test_the_server_outlives_its_supervisor_and_the_next_one_restarts_it(site: Site) -> None:
    """Both killed: the server goes on alone, is adopted, and comes back when its postmaster dies as well."""
    cluster, service, url = warehouse(site)
    supervisor = find_supervisor(site)
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    assert answers(url)
    before = postmaster(site)
    os.kill(before, signal.SIGKILL)  # nobody of ours reaps it
    ensure_supervisor(site)
    wait_for_service(site, service, url=url)
    assert postmaster(site) != before
    shut_down(site)
    assert working_in(cluster.folder, "postgres") == []


def test_stopping_is_fast_and_clean(site: Site) -> None:
    """A client that stays connected does not hold it up, and the next start needs no recovery."""
    cluster, _, url = warehouse(site)
    with psycopg.connect(url):
        shut_down(site)
    assert "database system is shut down" in site.log("postgres").read_text()
    assert not (cluster.folder / "postmaster.pid").exists()


def test_a_lock_that_names_a_foreign_process_is_removed(tmp_path: Path) -> None:
    """The lock of a server that died with the machine may name any process: that one is left alone."""
    lock = tmp_path / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{tmp_path}\n")
    vacate(tmp_path)
    assert not lock.exists()


def test_a_server_that_nobody_watches_is_ended_before_another_starts(tmp_path: Path) -> None:
    """Two servers on one cluster would ruin it."""
    with temporary_server(tmp_path) as url:
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT current_setting('data_directory')").fetchone()
        assert row is not None
        vacate(Path(row[0]))
        assert not answers(url)


def test_a_cluster_of_another_major_version_is_refused(tmp_path: Path) -> None:
    """It says which version made it; nothing is deleted."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("12\n")
    cluster = Cluster(folder=tmp_path / "data", binaries=find_binaries(), account=Account())
    with pytest.raises(SetupFailed, match="made by PostgreSQL 12"):
        create_cluster(cluster, "unused")


def test_without_any_postgresql_it_says_what_to_install(tmp_path: Path) -> None:
    """Neither wheel nor machine has one: the message names the package."""
    with pytest.raises(SetupFailed, match="apt install postgresql"):
        choose_binaries(None, [tmp_path])


def test_without_the_wheel_the_newest_of_the_machine_is_taken(tmp_path: Path) -> None:
    """One that is too old, or built for another machine, does not count."""
    for version in ("14.9", "16.2", "15.4"):
        folder = tmp_path / version
        folder.mkdir()
        for name in ("postgres", "initdb"):
            (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
            (folder / name).chmod(0o755)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    for name in ("postgres", "initdb"):
        (foreign / name).write_bytes(b"\x7fELF another machine")
        (foreign / name).chmod(0o755)
    found = choose_binaries(foreign, [tmp_path / "14.9", tmp_path / "16.2", tmp_path / "15.4"])
    assert (found.major, found.version, found.packed) == (16, "16.2", False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand the server to another account")
def test_root_finds_a_place_that_the_servers_account_can_reach(site: Site) -> None:
    """A home below a folder of mode 0700 stays as it is; cluster and programs go to a place named after it."""
    closed = site.home.parent
    closed.chmod(0o700)
    cluster, _, url = warehouse(site)
    assert cluster.folder.is_relative_to(system_place(site.home))
    assert answers(url)
    process = running(postmaster(site))
    assert process is not None
    assert cluster.folder.stat().st_uid != 0
    assert closed.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand the server to another account")
def test_a_copy_of_the_programs_runs_where_the_wheel_cannot_be_reached(tmp_path: Path) -> None:
    """The copy finds its libraries: it is complete."""
    account = choose_account()
    place = system_place(tmp_path)
    closed = tmp_path / "closed"
    found = find_binaries()
    if not found.packed:
        pytest.skip("this machine's own PostgreSQL lies where everybody reaches it")
    from dataclasses import replace
    from shutil import copytree, rmtree

    package = found.folder.parent.parent
    copytree(package, closed / package.name)
    copytree(package.with_name(f"{package.name}.libs"), closed / f"{package.name}.libs")
    closed.chmod(0o700)
    try:
        copy = reachable(replace(found, folder=closed / package.name / "pginstall" / "bin"), account, place)
        assert copy.folder.is_relative_to(place)
        assert account.run([copy.initdb, "--version"]).stdout.startswith("initdb (PostgreSQL)")
        assert account.run([copy.postgres, "--version"]).returncode == 0
    finally:
        rmtree(place, ignore_errors=True)


def test_no_unix_socket_is_made(site: Site) -> None:
    """A long home cannot break it, and nobody gets in beside the password."""
    cluster, service, _ = warehouse(site)
    assert not list(cluster.folder.parent.glob(".s.PGSQL*"))
    with socket.create_connection(("127.0.0.1", service.port), timeout=5):
        pass
    assert subprocess.run(["test", "-e", f"/tmp/.s.PGSQL.{service.port}"]).returncode != 0
