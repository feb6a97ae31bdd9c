"""Make one DAG for each org whose week is summed up in a message."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, CronTriggerTimetable, Param

from headwater.defaults import task_defaults
from headwater.operators import SendDigestOperator
from include.config.loader import load_definitions
from include.config.orgs import OrgDefinition

DOC = """\
### What it does
Sends a message to the recipients of `health.digest` of the org `{org}`, by mail, by webhook or both: the grade now and a week ago, what is new, worse, better and mended, what would lift the grade most, how fresh the copy is and what waits. It holds counts and names of checks, nothing of a person.

### When it fails
- **NotReady**, **AuthError**: the connection of the mail or webhook is missing or refused; mend it and clear the task.
- **ConnectionLost**, **ServerFault**: it was not taken; the task is retried, and sends it there alone.

### How to re-run
Clear the task: what was sent is not sent again. Trigger the DAG with *Until now* for another one at any time.
"""


def digest_dag(org: OrgDefinition) -> DAG:
    """Return the DAG that sums up an org's weeks."""
    digest = org.health.digest
    with DAG(
        f"{org.org}_health_digest",
        description=f"Message that sums up the health of org {org.org}",
        doc_md=DOC.format(org=org.org),
        schedule=CronTriggerTimetable(digest.schedule, timezone=digest.time_zone),
        start_date=datetime(2000, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args=task_defaults(org.owner),
        tags=["headwater", "health", f"org:{org.org}"],
        params={
            "until_now": Param(
                False,
                type="boolean",
                title="Until now",
                description="Sum up the time until now, whatever was sent; otherwise the newest period that is over.",
            )
        },
    ) as dag:
        SendDigestOperator(task_id="send", org=org.org)
    return dag


for definition in load_definitions().orgs.values():
    if definition.health.digest.wanted:
        digest_dag(definition)
