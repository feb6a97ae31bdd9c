"""Make one nightly reconciliation DAG for each org's definition."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, CronTriggerTimetable, Param

from headwater.defaults import ORG_POOL, records_asset, task_defaults
from headwater.operators import AnnounceChangesOperator, NotifyOperator, ReconcileObjectOperator, RunVerdictOperator
from include.config.loader import load_definitions
from include.config.orgs import OrgDefinition

DOC = """\
### What it does
Compares every Id of each object with the Salesforce org `{org}` and mends what differs: records that became visible long after their stamp,
deletions that were missed, records purged from the recycle bin, formulas and roll-ups that changed without a stamp. Afterwards both sides are equal.

It reads Ids, stamps and calculated fields only; full records are read for what differs.

### When it fails
- **MassDisappearance**: more than {share} of an object's records are gone at once. Nothing was marked as deleted. Most often the user of the
  connection `{connection}` lost rights or sharing: mend that. If the records were really purged, trigger this DAG with the number that the message names at *Accept what vanished*.
- **OrgChanged**: the connection leads to another org than before.
- **AuthError, Unreachable**: mend the Airflow connection; nothing was changed.

An object whose first load is not complete is skipped.

### How to re-run
Clear the task or trigger the DAG; its form offers a choice of objects. Comparing again changes nothing when both sides are equal.
"""


def reconciliation_dag(org: OrgDefinition) -> DAG:
    """Return the DAG that reconciles one org."""
    with DAG(
        f"{org.org}_reconcile",
        description=f"Warehouse = Salesforce org {org.org}, Id by Id",
        doc_md=DOC.format(org=org.org, connection=org.connection, share=f"{org.max_vanished_share:.0%}"),
        schedule=CronTriggerTimetable(org.reconcile_schedule, timezone="UTC"),
        start_date=datetime(2000, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args=task_defaults(org.owner),
        tags=["headwater", "extract", f"org:{org.org}"],
        params={
            "objects": Param(
                list(org.all_objects),
                type=["array", "null"],
                examples=list(org.all_objects),
                title="Objects",
                description="Only these are compared; none chosen means all.",
            ),
            "accept_vanished": Param(
                0,
                type="integer",
                minimum=0,
                title="Accept what vanished",
                description="Take up to so many records of an object that are gone from the org as deleted.",
            ),
        },
        render_template_as_native_obj=True,
    ) as dag:
        compared = [
            ReconcileObjectOperator(task_id=f"reconcile_{name}", org=org.org, sobject=name, pool=ORG_POOL)
            for name in org.all_objects
        ]
        announce = AnnounceChangesOperator(
            task_id="announce", of=[each.task_id for each in compared], outlets=[records_asset(org.org)]
        )
        verdict = RunVerdictOperator(task_id="verdict")
        for each in compared:
            each >> announce
            each >> verdict
        announce >> verdict
        if org.notify:
            announce >> NotifyOperator(task_id="notify", org=org.org, kind="reconcile", subjects=org.all_objects)
    return dag


for definition in load_definitions().orgs.values():
    reconciliation_dag(definition)
