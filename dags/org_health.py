"""Make one health DAG for each org's definition."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, AssetOrTimeSchedule, BaseOperator, CronTriggerTimetable

from headwater.defaults import records_asset, task_defaults
from headwater.operators import AssessHealthOperator, NotifyOperator, RunVerdictOperator, TellOwnersOperator
from include.config.loader import load_definitions
from include.config.orgs import OrgDefinition

DOC = """\
### What it does
Runs every check over the records of the org `{org}` and keeps the grade, the counts and the Ids of all failing records.
It runs after each extract that changed rows, and daily, because some checks depend on the date. The result stands on the page *CRM → Health*.

### When it fails
- **DefinitionError**: a check's predicate is not valid SQL for these tables; the message names check and file.

- The task *tell_owners* (with `health.owners`) fails when a mail was not taken; that owner is told by the next run.

While nothing has been extracted the run skips. A check whose object or field is missing does not fail the run: it is *not assessed*, with the reason.

### How to re-run
Clear the task or trigger the DAG. An assessment changes no record.
"""


def health_dag(org: OrgDefinition, *, teams: bool) -> DAG:
    """Return the DAG that assesses one org; with `teams` some checks name who is told of them."""
    with DAG(
        f"{org.org}_health",
        description=f"Health assessment of the records of org {org.org}",
        doc_md=DOC.format(org=org.org),
        schedule=AssetOrTimeSchedule(
            timetable=CronTriggerTimetable(org.health_schedule, timezone="UTC"), assets=[records_asset(org.org)]
        ),
        start_date=datetime(2000, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args=task_defaults(org.owner),
        tags=["headwater", "health", f"org:{org.org}"],
    ) as dag:
        last: BaseOperator = AssessHealthOperator(task_id="assess", org=org.org)
        if org.health.owners.tell:
            last = last >> TellOwnersOperator(task_id="tell_owners", org=org.org)
        if org.notify or teams:
            last >> RunVerdictOperator(task_id="verdict")
            last >> NotifyOperator(task_id="notify", org=org.org, kind="health", subjects=["assessment"])
    return dag


definitions = load_definitions()
for definition in definitions.orgs.values():
    health_dag(definition, teams=any(check.owner for check in definitions.checks.values()))
