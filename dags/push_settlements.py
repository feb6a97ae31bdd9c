"""Make the DAG that hears what became of records which platforms took for later."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, CronTriggerTimetable

from headwater.defaults import PUSH_POOL, task_defaults
from headwater.operators import SettlePushesOperator
from include.config.loader import load_definitions

DOC = """\
### What it does
Some platforms take records first and tell later what became of them (Klaviyo's bulk jobs). Every ten minutes this asks the jobs that have not told yet:
*accepted* records become *delivered* or *rejected*, and those that nobody told of within a day *unknown*. Runs whose process ended without a word are ended.

### When it fails
- **PushFailed**: by what the platform told now, a push run has failed; its causes stand among the sync errors (*CRM → Sync errors*).
- **AuthError**: the platform refuses the connection of a push.

### How to re-run
Clear the task or trigger the DAG: what was heard stays, the rest is asked again.
"""


def settlements_dag() -> DAG:
    """Return the DAG."""
    with DAG(
        "headwater_push_settlements",
        description="Hear what became of records that platforms took for later",
        doc_md=DOC,
        schedule=CronTriggerTimetable("*/10 * * * *", timezone="UTC"),
        start_date=datetime(2000, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args=task_defaults(load_definitions().housekeeping.owner),
        tags=["headwater", "push"],
    ) as dag:
        SettlePushesOperator(task_id="settle", pool=PUSH_POOL)
    return dag


if load_definitions().pushes:
    settlements_dag()
