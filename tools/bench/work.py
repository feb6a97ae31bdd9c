"""One push in a process of its own: `python -m tools.bench.work push …`; answers in JSON."""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

from include.config.loader import Definitions, load_definitions
from include.config.pushes import PushDefinition
from include.records import AirflowRun
from include.warehouse.engine import open_warehouse, transaction
from tools.bench.memory import peak_mib

_RUN = AirflowRun(dag_id="bench", dag_run_id="bench", task_id="bench", try_number=1)


def main() -> int:
    """Do the work and say what it took."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.work", description=__doc__)
    parser.add_argument("what", choices=("push",))
    parser.add_argument("--warehouse", required=True)
    parser.add_argument("--platform", default="", help="URL of the sandbox Insider One")
    options = parser.parse_args()
    told = push(options)
    print(json.dumps({**told, "peak_mib": peak_mib()}))
    return 0


def push(options: argparse.Namespace) -> dict[str, Any]:
    """Select and deliver the push that the project comes with, to a platform that holds nothing."""
    from include.activation.deliver import deliver_push
    from include.activation.options import PushMode, PushRunOptions
    from include.activation.select import select_push
    from include.destinations.insider_one.destination import InsiderOne
    from include.sandbox.insider_one.credentials import PARTNER, TOKEN

    definition = _without_missing(_definitions().pushes["contacts_to_insider_one"], options.warehouse)
    engine = open_warehouse(options.warehouse)
    began = time.perf_counter()
    selection = select_push(engine, definition, mode=PushMode.CHANGED, run=_RUN, options=PushRunOptions())
    selected = time.perf_counter()
    platform = InsiderOne(base_url=options.platform, partner=PARTNER, token=TOKEN)
    counts = deliver_push(
        engine, definition, platform, run_id=selection.run_id, skip_hook=False, fast_fail=False, batch_size=1000,
        now=lambda: datetime.now(UTC), parallel=4,
    )  # fmt: skip
    ended = time.perf_counter()
    return {
        "seconds": ended - selected,
        "seconds_select": selected - began,
        "selected": counts.selected,
        "delivered": counts.delivered,
    }


def _definitions() -> Definitions:
    found = load_definitions()
    if found.errors:
        raise found.errors[0]
    return found


def _without_missing(definition: PushDefinition, warehouse: str) -> PushDefinition:
    """Return the push without the attributes whose fields the bench's org does not have."""
    engine = open_warehouse(warehouse)
    with transaction(engine) as connection:
        names = connection.exec_driver_sql(
            "SELECT object || '.' || name FROM headwater.field UNION SELECT name FROM headwater.field"
            " WHERE object = 'Contact'"
        )
        known = {row[0] for row in names}
    engine.dispose()
    kept = {name: source for name, source in definition.custom_attributes.items() if str(source) in known}
    return definition.model_copy(update={"custom_attributes": kept})


if __name__ == "__main__":
    sys.exit(main())
