"""Measure the first load of a large object: rows a second, and the memory of the process that loads.

    python tests/bench/extract.py [--contacts 1000000] [--port 18180] [--postgres URL] [--home FOLDER]

Starts a sandbox org (which makes its records first) and loads its contacts into a fresh database, in a process of its
own, twice: a first load, and a full refresh in which nothing changed. Prints one JSON line for each.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))


def main() -> int:
    """Run the bench, or (as its child) one load."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--port", type=int, default=18180)
    parser.add_argument("--postgres", default=os.environ.get("HEADWATER_TEST_POSTGRES", ""))
    parser.add_argument("--home", default="", help="folder that keeps the org between benches")
    parser.add_argument("--load", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        print(json.dumps(_load(options.postgres, f"http://127.0.0.1:{options.port}", options.load)))  # noqa: T201
        return 0
    if options.postgres:
        return _bench(options, options.postgres)
    from include.local.postgres import temporary_server

    with tempfile.TemporaryDirectory() as folder, temporary_server(Path(folder)) as url:
        return _bench(options, url)


def _bench(options: argparse.Namespace, postgres: str) -> int:
    database = f"headwater_bench_{os.getpid()}"
    home = options.home or tempfile.mkdtemp(prefix="headwater-bench-")
    command = [sys.executable, "-m", "include.sandbox.org", "--quiet", "--home", home]
    org = subprocess.Popen([*command, "--port", str(options.port), "--contacts", str(options.contacts)], cwd=ROOT)
    try:
        _wait(org, options.port)
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"')
        url = postgres.rsplit("/", 1)[0] + f"/{database}"
        for mode in ("changes", "full"):
            child = [sys.executable, __file__, "--port", str(options.port), "--postgres", url, "--load", mode]
            subprocess.run(child, check=True, cwd=ROOT)
    finally:
        org.terminate()
        org.wait(30)
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    return 0


def _wait(org: subprocess.Popen[bytes], port: int) -> None:
    while org.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/services/data", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise SystemExit(f"the sandbox org ended with {org.returncode}")


def _load(postgres: str, org_url: str, mode: str) -> dict[str, Any]:
    from include.config.orgs import OrgDefinition
    from include.extract.certify import certify_objects
    from include.extract.probe import probe_objects
    from include.extract.run import extract_object
    from include.records import AirflowRun, RunMode
    from include.salesforce.auth import Credentials
    from include.salesforce.client import SalesforceClient
    from include.sandbox.org import credentials
    from include.warehouse.engine import open_warehouse
    from include.warehouse.meter import WarehouseMeter, calls_of_run
    from include.warehouse.migrate import migrate

    engine = open_warehouse(postgres)
    migrate(engine)
    org = OrgDefinition(org="bench", connection="bench", objects=("Contact",))
    run = AirflowRun(dag_id="bench", dag_run_id=mode, task_id="bench", try_number=1)
    signed = Credentials(
        kind="client_credentials",
        login_url=org_url,
        client_id=credentials.CLIENT_ID,
        client_secret=credentials.CLIENT_SECRET,
    )
    chosen = RunMode(mode)
    with SalesforceClient(signed, meter=WarehouseMeter(engine, "bench", run=mode)) as client:
        began = time.perf_counter()
        probe_objects(engine, client, org, org.objects, mode=chosen, run=run)
        probed = time.perf_counter()
        extracted = extract_object(engine, client, org, "Contact", mode=chosen, run=run, wait_for_lock=True)
        loaded = time.perf_counter()
        [certificate] = certify_objects(engine, client, org, org.objects, run)
    return {
        "mode": mode,
        "rows": extracted.counts.read,
        "changed": extracted.counts.changed,
        "seconds_probe": round(probed - began, 2),
        "seconds_load": round(loaded - probed, 2),
        "rows_per_second": round(extracted.counts.read / (loaded - began)),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "difference": certificate.difference,
        "calls": calls_of_run(engine, "bench", mode),
    }


if __name__ == "__main__":
    raise SystemExit(main())
