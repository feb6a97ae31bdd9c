"""Bring an installation up, step by step; what is right already is left as it is."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

import psycopg
from sqlalchemy import Engine

from include.errors import SetupFailed
from include.local import first_runs
from include.local.airflow_rest import AirflowRest
from include.local.connections import ensure_connections, ensure_pools
from include.local.plan import (
    AIRFLOW_DATABASE,
    WAREHOUSE_DATABASE,
    airflow_environment,
    airflow_services,
    postgres_service,
    sandbox_services,
)
from include.local.postgres import create_cluster, ensure_database, locate_cluster, server_url
from include.local.services import Service, tail
from include.local.site import ADMIN, Site
from include.local.steps import step
from include.local.supervision import ensure_services, ensure_supervisor, wait_for_service
from include.settings import PROJECT_ROOT
from include.warehouse.engine import open_warehouse
from include.warehouse.migrate import migrate


def bring_up(site: Site) -> None:
    """Start and set up everything, and wait for the first extract, assessment and push.

    Raises:
        SetupFailed: a step failed; the message names the variable to set or the log to read.
    """
    site.prepare()
    with _alone(site):
        _start_warehouse(site)
        migration = _start_airflow_migration(site)
        sandbox = sandbox_services(site)
        started = ensure_services(site, sandbox)
        for service in sandbox:
            _await(site, service, patience_seconds=600, fresh=service.name in started)
        _finish_airflow_migration(site, migration)
        _start_airflow(site)
        rest = AirflowRest(site.url, ADMIN, site.secrets().admin_password)
        with step("connections and pools") as current:
            touched = [*ensure_pools(rest), *ensure_connections(site, rest)]
            current.say(f"set {', '.join(touched)}" if touched else "as they should be")
        _run_dags(site, rest)


def warehouse_engine(site: Site) -> Engine:
    """Return an engine on this installation's warehouse."""
    port, password = site.settings.warehouse_port, site.secrets().postgres_password
    return open_warehouse(server_url(port, password, WAREHOUSE_DATABASE))


def _start_warehouse(site: Site) -> None:
    password = site.secrets().postgres_password
    url = server_url(site.settings.warehouse_port, password)
    with step("warehouse") as current:
        cluster = locate_cluster(site.home)
        made = create_cluster(cluster, password)
        ensure_supervisor(site)
        service = postgres_service(site, cluster)
        started = ensure_services(site, [service])
        wait_for_service(site, service, url=url, patience_seconds=300)  # a crash recovery may take its time
        ensure_database(url, AIRFLOW_DATABASE)
        ensure_database(url, WAREHOUSE_DATABASE)
        engine = warehouse_engine(site)
        applied = migrate(engine)
        engine.dispose()
        what = "made and started" if made else "started" if started else "runs"
        current.say(
            f"PostgreSQL {cluster.binaries.version} {what} on port {service.port}"
            + (f", {len(applied)} migrations" if applied else "")
        )


def _await(site: Site, service: Service, *, patience_seconds: float, fresh: bool) -> None:
    with step(service.name) as current:
        wait_for_service(site, service, patience_seconds=patience_seconds)
        where = f" on port {service.port}" if service.port else ""
        current.say(f"{'started' if fresh else 'runs'}{where}")


def _start_airflow_migration(site: Site) -> subprocess.Popen[bytes] | None:
    """Migrate Airflow's database beside the next steps; None when it is of this version already."""
    environment = airflow_environment(site)
    if _airflow_mark(site) == _kept_mark(site):
        return None
    with site.log("airflow-migrate").open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            cwd=PROJECT_ROOT,
        )


def _finish_airflow_migration(site: Site, migration: subprocess.Popen[bytes] | None) -> None:
    if migration is None:
        return
    with step("Airflow's database") as current:
        if migration.wait(timeout=600) != 0:
            log = site.log("airflow-migrate")
            raise SetupFailed(f"Airflow's database could not be migrated; see {log}:\n{tail(log)}")
        (site.settings.airflow_home / "migrated").write_text(_airflow_mark(site))
        current.say(f"migrated to Airflow {version('apache-airflow')}")


def _airflow_mark(site: Site) -> str:
    """Return Airflow's version and that of its database; no database version yet: an empty one."""
    url = server_url(site.settings.warehouse_port, site.secrets().postgres_password, AIRFLOW_DATABASE)
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT to_regclass('public.alembic_version')").fetchone()
        if found is None or found[0] is None:
            return ""
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return f"{version('apache-airflow')} {row[0]}" if row else ""


def _kept_mark(site: Site) -> str | None:
    try:
        return (site.settings.airflow_home / "migrated").read_text()
    except FileNotFoundError:
        return None


def _start_airflow(site: Site) -> None:
    services = airflow_services(site)
    before_scheduler, scheduler = services[:-1], services[-1]
    started = ensure_services(site, before_scheduler)
    for service in before_scheduler:
        _await(site, service, patience_seconds=300, fresh=service.name in started)
    # Last: a run that is due would start at once, and its worker needs the api-server.
    started = ensure_services(site, [scheduler])
    _await(site, scheduler, patience_seconds=120, fresh=scheduler.name in started)


def _run_dags(site: Site, rest: AirflowRest) -> None:
    with step("DAGs") as current:
        dags = first_runs.wait_for_dags(rest)
        errors = first_runs.import_errors(rest)
        current.say(f"{len(dags)} of the demo" + (f"; Airflow cannot read {errors[0]}" if errors else ""))
    for error in errors[1:]:
        print(f"  Airflow cannot read {error}", flush=True)
    done = {dag_id for dag_id in dags if first_runs.has_succeeded(rest, dag_id)}
    for dag_id in dags:
        if dag_id in done:
            continue
        with step(dag_id) as current:
            current.say(first_runs.first_run(site, rest, dag_id))
    for dag_id in first_runs.SCHEDULED_DAGS:
        first_runs.unpause(rest, dag_id)


@contextmanager
def _alone(site: Site) -> Iterator[None]:
    """Keep a second `make up` of this home waiting until the first is done."""
    with (site.home / "up.lock").open("ab") as file:
        began = time.monotonic()
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() - began > 900:
                    raise SetupFailed(f"another make up works on {site.home} and does not end") from None
                time.sleep(0.5)
        yield
