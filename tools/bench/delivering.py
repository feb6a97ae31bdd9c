"""One piece of delivery in a process of its own: `python -m tools.bench.delivering fill …`; answers in JSON."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import urllib3
from sqlalchemy import Engine, text

from include.activation.deliver import deliver_push
from include.activation.delivery import Delivery
from include.activation.options import PushMode, PushRunOptions
from include.activation.select import select_push
from include.activation.settlement import Terms, take_up
from include.activation.written import Chunk, Course, chunks
from include.config.pushes import PushDefinition
from include.destinations.insider_one.destination import InsiderOne
from include.records import AirflowRun, Describe, Field, Profile
from include.warehouse.describes import keep_describe
from include.warehouse.engine import open_warehouse, transaction
from include.warehouse.migrate import migrate
from include.warehouse.tables import apply_describe, table_of
from tools.bench.memory import peak_mib

_OPTIONS = PushRunOptions(approve_above=10**9)
_PARALLEL = 4
_RUN = AirflowRun(dag_id="bench", dag_run_id="bench", task_id="bench", try_number=1)
_TEXTS = ("FirstName", "LastName", "Title", "Department", "MailingCity", "MailingCountry", "LeadSource")
_FILL = """
INSERT INTO salesforce_bench."Contact" ("Id", "FirstName", "LastName", "Title", "Department", "MailingCity",
    "MailingCountry", "LeadSource", "Email", "Phone", "CreatedDate", "SystemModstamp")
SELECT '003' || lpad(n::text, 12, '0') || 'AAA', 'First' || n % 5000, 'Last' || n, 'Title ' || n % 100,
       'Department ' || n % 20, 'City ' || n % 1000, 'US', 'Web', 'person' || n || '@example.com',
       '(415) 555-' || lpad((n % 10000)::text, 4, '0'), :at, CAST(:at AS timestamptz) + n * interval '1 millisecond'
  FROM generate_series(1, :rows) AS n
"""


def push(name: str = "people") -> PushDefinition:
    """Return a push as people write them: two identifiers, eight attributes, one event."""
    return PushDefinition.model_validate(
        {
            "push": name,
            "org": "bench",
            "source": {"object": "Contact"},
            "destination": {"platform": "insider_one", "connection": "bench"},
            "schedule": "0 * * * *",
            "identifiers": {"uuid": "Id", "email": "Email"},
            "attributes": {
                "name": "FirstName",
                "surname": "LastName",
                "city": "MailingCity",
                "country": "MailingCountry",
            },
            "custom_attributes": {"title": "Title", "department": "Department", "lead_source": "LeadSource"},
            "custom_fixed": {"source": "salesforce"},
            "event": {"name": "contact_updated", "custom_params": {"title": "Title"}},
        }
    )


def fill(engine: Engine, options: argparse.Namespace) -> dict[str, Any]:
    """Make the contacts."""
    migrate(engine)
    strings = [Field(name=name, label=name, type="string", length=255) for name in _TEXTS]
    times = [Field(name=name, label=name, type="datetime") for name in ("CreatedDate", "SystemModstamp")]
    reach = [Field(name="Email", label="Email", type="email"), Field(name="Phone", label="Phone", type="phone")]
    described = Describe(
        object="Contact", label="Contact", key_prefix="003",
        fields=(Field(name="Id", label="Id", type="id"), *strings, *reach, *times),
    )  # fmt: skip
    with transaction(engine) as connection:
        apply_describe(connection, table_of("bench", "salesforce_bench", described))
        keep_describe(connection, "bench", described)
        connection.execute(text("UPDATE headwater.object SET first_loaded_at = now()"))
        connection.execute(text(_FILL), {"rows": options.rows, "at": datetime(2026, 1, 1, tzinfo=UTC)})
    return {}


def alone(engine: Engine, options: argparse.Namespace) -> dict[str, Any]:
    """Map everything first; then time the way from outbox to receipts, and a bare loop of the same bodies."""
    definition, platform = push("alone"), InsiderOne(base_url=options.platform, partner="bench", token="bench")
    run_id = _select(engine, definition)
    terms = Terms(skip_hook=False, fast_fail=False, batch_size=1000, resend=False)
    run = take_up(engine, definition, run_id, terms, again=False)
    course = Course(push=definition, run=run, terms=terms, now=_now, parallel=_PARALLEL, again=False, resend=False)
    with transaction(engine) as reading:
        ready = list(chunks(engine, reading, platform, course))
    bodies = list(_bodies(platform, ready))
    bare = _bare_loop(options.platform, bodies)
    began, cpu = time.perf_counter(), time.process_time()
    Delivery(engine, platform, course, stop_asked=lambda: "", on_progress=lambda counts: None).go(iter(ready))
    seconds = time.perf_counter() - began
    return {
        "rows": run.selected or sum(len(each.candidates) for each in ready),
        "seconds": seconds,
        "bare": bare,
        "cpu": time.process_time() - cpu,
        "mib": sum(map(len, bodies)) / 2**20,
    }


def whole(engine: Engine, options: argparse.Namespace) -> dict[str, Any]:
    """Push everything, then again, then after a change of every thousandth record."""
    platform = InsiderOne(base_url=options.platform, partner="bench", token="bench")
    cpu = time.process_time()
    first = _push(engine, platform)
    cpu = time.process_time() - cpu
    again = _push(engine, platform)
    with transaction(engine) as connection:
        sent = connection.execute(
            text(
                'UPDATE salesforce_bench."Contact" SET "Title" = \'New\', "SystemModstamp" = now()'
                " WHERE right(left(\"Id\", 15), 3) = '000'"
            )
        ).rowcount
    return {
        "rows": options.rows,
        "first": first,
        "again": again,
        "changed": _push(engine, platform),
        "sent": sent,
        "cpu": cpu,
    }


def _push(engine: Engine, platform: InsiderOne) -> float:
    began = time.perf_counter()
    definition = push()
    counts = deliver_push(
        engine, definition, platform, run_id=_select(engine, definition), skip_hook=False, fast_fail=False,
        batch_size=1000, now=_now, parallel=_PARALLEL,
    )  # fmt: skip
    if counts.failed or counts.held:
        raise RuntimeError(f"the push did not arrive: {counts}")
    return time.perf_counter() - began


def _select(engine: Engine, definition: PushDefinition) -> int:
    return select_push(engine, definition, mode=PushMode.CHANGED, run=_RUN, options=_OPTIONS).run_id


def _bodies(platform: InsiderOne, ready: list[Chunk]) -> Iterator[bytes]:
    for chunk in ready:
        profiles: list[Profile] = [each.profile for each in chunk.candidates]
        yield from (batch.body for batch in platform.build(profiles, skip_hook=False, max_records=1000))


def _bare_loop(url: str, bodies: list[bytes]) -> float:
    http = urllib3.PoolManager(retries=False)
    began = time.perf_counter()
    for body in bodies:
        answer = http.request("POST", url, body=body)
        if answer.status != 200:
            raise RuntimeError(f"the platform answered HTTP {answer.status}")
    return time.perf_counter() - began


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> int:
    """Do the work and say what it took."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.delivering", description=__doc__)
    parser.add_argument("what", choices=("fill", "alone", "whole"))
    parser.add_argument("--warehouse", required=True)
    parser.add_argument("--platform", required=True)
    parser.add_argument("--rows", type=int, required=True)
    options = parser.parse_args()
    told = {"fill": fill, "alone": alone, "whole": whole}[options.what](open_warehouse(options.warehouse), options)
    print(json.dumps({**told, "peak_mib": peak_mib()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
