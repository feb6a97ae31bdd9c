"""One load in a process of its own, as a task of Airflow makes it: `python -m tools.bench.load …`; answers in JSON."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from include.config.orgs import OrgDefinition
from include.extract.certify import certify_objects
from include.extract.probe import probe_objects
from include.extract.run import extract_object
from include.records import AirflowRun, RunMode
from include.salesforce.auth import Credentials
from include.salesforce.client import SalesforceClient
from include.salesforce.transport import OpenReply, Reply, Request, Transport, free_of_charge
from include.sandbox.org import credentials
from include.warehouse.calls.meter import WarehouseMeter, calls_of_run
from include.warehouse.engine import open_warehouse
from include.warehouse.migrate import migrate
from tools.bench.memory import peak_mib


class TimedTransport(Transport):
    """Note how long the org let us wait for the beginning of its answers."""

    def __init__(self) -> None:
        super().__init__()
        self.waited = 0.0
        self._lock = threading.Lock()

    def send(self, request: Request, *, before: Callable[[], None] = free_of_charge) -> Reply:
        """Return the answer."""
        began = time.perf_counter()
        try:
            return super().send(request, before=before)
        finally:
            self._note(time.perf_counter() - began)

    @contextmanager
    def open(self, request: Request, *, before: Callable[[], None] = free_of_charge) -> Iterator[OpenReply]:
        """Yield the answer while it streams."""
        began = time.perf_counter()
        with super().open(request, before=before) as reply:
            self._note(time.perf_counter() - began)
            yield reply

    def _note(self, seconds: float) -> None:
        with self._lock:
            self.waited += seconds


def main() -> int:
    """Load what is asked for and say what it took."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.load", description=__doc__)
    parser.add_argument("--warehouse", required=True)
    parser.add_argument("--org", required=True)
    parser.add_argument("--mode", default="changes")
    parser.add_argument("--run", default="bench")
    parser.add_argument("--name", default="bench", help="of the org's definition")
    parser.add_argument("--objects", default="Contact")
    parser.add_argument("--lookback", type=int, default=10, help="minutes")
    parser.add_argument("--bulk-above", type=int, default=10_000, help="more rows than these are read by Bulk")
    parser.add_argument("--migrate", action="store_true", help="make the schema first; not part of what is timed")
    print(json.dumps(load(parser.parse_args())))
    return 0


def load(options: argparse.Namespace) -> dict[str, Any]:
    """Do what the three tasks of a DAG run do, for some objects, and return what it took."""
    engine = open_warehouse(options.warehouse)
    if options.migrate:
        migrate(engine)
    objects = tuple(options.objects.split(","))
    org = OrgDefinition(
        org=options.name,
        connection="bench",
        objects=objects,
        lookback_minutes=options.lookback,
        bulk_above_rows=options.bulk_above,
    )
    run = AirflowRun(dag_id="bench", dag_run_id=options.run, task_id="bench", try_number=1)
    signed = Credentials(
        kind="client_credentials",
        login_url=options.org,
        client_id=credentials.CLIENT_ID,
        client_secret=credentials.CLIENT_SECRET,
    )
    mode, transport = RunMode(options.mode), TimedTransport()
    meter = WarehouseMeter(engine, options.name, run=options.run)
    with SalesforceClient(signed, meter=meter, transport=transport) as client:
        began, cpu = time.perf_counter(), time.process_time()
        probed = probe_objects(engine, client, org, objects, mode=mode, run=run)
        asked = time.perf_counter()
        done = [
            extract_object(engine, client, org, each, mode=mode, run=run, wait_for_lock=True) for each in probed.busy
        ]
        loaded = time.perf_counter()
        certificates = certify_objects(engine, client, org, objects, run)
        ended = time.perf_counter()
    return {
        "rows": sum(each.counts.read for each in done),
        "changed": sum(each.counts.changed for each in done),
        "seconds": loaded - began,
        "seconds_probe": asked - began,
        "seconds_load": loaded - asked,
        "seconds_certify": ended - loaded,
        "seconds_waited": transport.waited,
        "seconds_cpu": time.process_time() - cpu,
        "peak_mib": peak_mib(),
        "difference": sum(abs(each.difference) for each in certificates),
        "calls": calls_of_run(engine, options.name, options.run),
        "plans": [each.plan.value for each in done],
    }


if __name__ == "__main__":
    sys.exit(main())
