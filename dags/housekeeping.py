"""Make the nightly DAG that keeps the ledgers in bounds."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, CronTriggerTimetable

from headwater.defaults import task_defaults
from headwater.operators import HousekeepingOperator
from include.config.loader import load_definitions

DOC = """\
### What it does
Removes from the schema `headwater` what is older than `retention` in `housekeeping.yaml` keeps: old runs, certificates, outcomes, settled errors.
Nothing of the records themselves, no cursor, no fingerprint, and nothing that is open is ever removed. See docs/housekeeping.md.

### When it fails
- **WarehouseDown**: the warehouse does not answer; what was removed until then stays removed, the next run goes on.

### How to re-run
Clear the task or trigger the DAG; a second run finds nothing more to remove.
"""


def housekeeping_dag() -> DAG:
    """Return the DAG."""
    definition = load_definitions().housekeeping
    with DAG(
        "headwater_housekeeping",
        description="Remove from the ledgers what is older than it is kept",
        doc_md=DOC,
        schedule=CronTriggerTimetable(definition.schedule, timezone="UTC"),
        start_date=datetime(2000, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args=task_defaults(definition.owner),
        tags=["headwater"],
    ) as dag:
        HousekeepingOperator(task_id="sweep")
    return dag


housekeeping_dag()
