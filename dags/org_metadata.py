"""Make one metadata DAG for each org's definition."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, CronTriggerTimetable

from headwater.defaults import ORG_POOL, records_asset, task_defaults
from headwater.operators import (
    AnnounceChangesOperator,
    DescribeObjectsOperator,
    FollowDeletionsOperator,
    NotifyOperator,
    RunVerdictOperator,
)
from include.config.loader import load_definitions
from include.config.orgs import OrgDefinition

DOC = """\
### What it does
Asks the Salesforce org `{org}` whether the fields of its objects changed, and which records were deleted for good. No row is read.

`describe`: one call for each 25 objects. The warehouse follows as `schema_changes` of the org's definition says; what changed stands on the page *CRM → Schema*.
`deletions`: one call for each 25 objects. Records that were purged or hard-deleted are marked as deleted now instead of by the nightly comparison.

### When it fails
- **SchemaFrozen**: a field changed in a way that the policy lets fail. The message names object, field and class. Accept the change on the page *CRM → Schema*, change the policy in the org's definition, or take it back in Salesforce. The other objects go on.
- **AuthError, Unreachable, ApiDisabled**: mend the Airflow connection `{connection}`; nothing was changed.
- **OrgChanged**: the connection leads to another org than before.

### How to re-run
Clear the task or trigger the DAG: it asks what changed since the last time that it could. Pausing it loses nothing: each extract describes its objects too, and the nightly comparison finds every deletion.
"""


def metadata_dag(org: OrgDefinition) -> DAG:
    """Return the DAG that follows one org's metadata and deletions."""
    with DAG(
        f"{org.org}_metadata",
        description=f"Fields and deletions of Salesforce org {org.org}",
        doc_md=DOC.format(org=org.org, connection=org.connection),
        schedule=CronTriggerTimetable(org.metadata_schedule, timezone="UTC"),
        start_date=datetime(2000, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args=task_defaults(org.owner),
        tags=["headwater", "extract", f"org:{org.org}"],
    ) as dag:
        describe = DescribeObjectsOperator(task_id="describe", org=org.org, pool=ORG_POOL)
        deletions = FollowDeletionsOperator(task_id="deletions", org=org.org, pool=ORG_POOL, trigger_rule="all_done")
        announce = AnnounceChangesOperator(task_id="announce", of=[deletions.task_id], outlets=[records_asset(org.org)])
        verdict = RunVerdictOperator(task_id="verdict")
        describe >> deletions >> announce >> verdict
        [describe, deletions] >> verdict
        if org.notify:
            announce >> NotifyOperator(task_id="notify", org=org.org, kind="metadata", subjects=org.all_objects)
    return dag


for definition in load_definitions().orgs.values():
    metadata_dag(definition)
