"""A large load in slices that is killed at sixty per cent: what the next try reads again, and how much memory it takes.

As a child (`python -m tools.bench.killed …`) it is that load; answers in JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from include.config.orgs import OrgDefinition
from include.extract.run import extract_object
from include.records import AirflowRun, RunMode
from include.salesforce.auth import Credentials
from include.salesforce.client import SalesforceClient
from include.sandbox.org import credentials
from include.warehouse.calls.meter import WarehouseMeter
from include.warehouse.engine import open_warehouse, transaction
from include.warehouse.migrate import migrate
from tools.bench.bench import ROOT, Bench, environment
from tools.bench.figures import Figure, Goal, against, skipped
from tools.bench.memory import peak_mib
from tools.bench.org import running_org
from tools.bench.server import fresh_database

_SLICES = 8
_SHARE = 0.6
_MEMORY_MIB = 250.0


def measure_killed(bench: Bench) -> Iterator[Figure]:
    """Yield how much of a slice is read again after `kill -9` at sixty per cent, and the peak memory of the retry.

    Raises:
        RuntimeError: rows are missing or there twice: nothing is worth measuring then.
    """
    with (
        running_org(bench.home / f"org-{bench.rows}", contacts=bench.rows) as org,
        fresh_database(bench.server, "bench_killed") as warehouse,
    ):
        rows = org.count("Contact")
        slice_rows = max(100, rows // _SLICES)
        child = [sys.executable, "-m", "tools.bench.killed", "--warehouse", warehouse, "--org", org.url]
        child += ["--slice-rows", str(slice_rows)]
        before = _kill_at(child, warehouse, int(rows * _SHARE))
        if before is None:
            yield skipped("extract.killed_rows_again", "the load ended before it could be killed")
            return
        bench.say(f"killed a load of {rows:,} rows in slices of {slice_rows:,} at {before:,}")
        done = subprocess.run(child, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the load that was killed does not go on: {done.stderr.strip()[-1500:]}")
        again: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if again["here"] != rows or again["ids"] != rows:
        raise RuntimeError(f"after a kill {rows:,} rows became {again}")
    repeated = before + again["read"] - rows
    yield against(
        "extract.killed_rows_again", repeated, "rows", slice_rows, Goal(at_most=1.0),
        note=f"killed at {before:,} of {rows:,} rows; the limit is a slice",
    )  # fmt: skip
    yield against("extract.killed_retry_memory", again["peak_mib"], "MiB", _MEMORY_MIB, Goal(at_most=1.0))


def _kill_at(child: list[str], warehouse: str, rows: int) -> int | None:
    """Begin the load, kill it once so many rows are committed, and return how many were; None: it was too fast."""
    engine = open_warehouse(warehouse)
    migrate(engine)
    count = "SELECT coalesce(sum(rows_loaded), 0)::bigint FROM headwater.slice"
    with subprocess.Popen(child, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL) as process:
        while True:
            with transaction(engine) as connection:
                found: int = connection.exec_driver_sql(count).scalar_one()
            if found >= rows:
                process.kill()
                break
            if process.poll() is not None:
                return None
            time.sleep(0.01)
    with transaction(engine) as connection:
        found = connection.exec_driver_sql(count).scalar_one()
    engine.dispose()
    return found


def main() -> int:
    """Load the contacts and say what there is now."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.killed", description=__doc__)
    parser.add_argument("--warehouse", required=True)
    parser.add_argument("--org", required=True)
    parser.add_argument("--slice-rows", type=int, required=True)
    options = parser.parse_args()
    engine = open_warehouse(options.warehouse)
    org = OrgDefinition(
        org="bench", connection="bench", objects=("Contact",), slice_rows=options.slice_rows, bulk_above_rows=0
    )
    signed = Credentials(
        kind="client_credentials",
        login_url=options.org,
        client_id=credentials.CLIENT_ID,
        client_secret=credentials.CLIENT_SECRET,
    )
    run = AirflowRun(dag_id="bench", dag_run_id="killed", task_id="bench", try_number=1)
    page_rows = max(50, options.slice_rows // 5)
    with SalesforceClient(signed, meter=WarehouseMeter(engine, "bench", run="killed")) as client:
        found = extract_object(
            engine, client, org, "Contact", mode=RunMode.CHANGES, run=run, wait_for_lock=True,
            bulk_page_rows=min(100_000, page_rows),
        )  # fmt: skip
    with transaction(engine) as connection:
        here, ids = connection.exec_driver_sql(
            'SELECT count(*), count(DISTINCT "Id") FROM salesforce_bench."Contact"'
        ).one()
    told = {"read": found.counts.read, "here": here, "ids": ids, "peak_mib": peak_mib()}
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
