"""Make one extract DAG for each group of objects of each org's definition."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from headwater.defaults import ORG_POOL, records_asset, task_defaults
from headwater.operators import (
    CertifyExtractOperator,
    ExtractObjectOperator,
    NotifyOperator,
    ProbeObjectsOperator,
    RunVerdictOperator,
)
from include.config.loader import load_definitions
from include.config.orgs import ObjectGroup, OrgDefinition

DOC = """\
### What it does
Reads what changed in the Salesforce org `{org}` since the last run ({objects}) and merges it into the warehouse, schema `{schema}`.
The first run reads everything. Rows and cursor are committed together, so a run may be killed, cleared and repeated at any time.

`probe` asks for all objects in one call; small changes have then arrived already. Each object has its task: an idle one skips.
`certify` counts both sides where rows changed and tells the health assessment.

### When it fails
- **AuthError, Unreachable, ApiDisabled**: mend the Airflow connection `{connection}`; the message says which part. Nothing was read, the cursor has not moved.
- **OrgChanged**: the connection leads to another org than before. Point it back, or define the other org under a name of its own.
- **DefinitionError, QueryRefused**: an object or field does not exist or may not be seen by this user; `make check-definitions` names it.
- **SchemaFrozen**: a field changed in a way that `schema_changes` lets fail. Accept it on the page *CRM → Schema*, change the policy, or take it back in Salesforce; the cursor has not moved.
- Anything else is retried with growing pauses.

### How to re-run
Clear the failed task: it reads from the cursor again. *Trigger* reads now; its form offers the last 24 hours or a full refresh, and a choice of objects.
*Backfill* reads past hours again without moving the cursor. All of it may be done twice: the warehouse ends the same.
"""


def extract_dag(org: OrgDefinition, group: ObjectGroup) -> DAG:
    """Return the DAG that reads one group of objects."""
    dag_id = f"{org.org}_extract" + (f"_{group.name}" if group.name else "")
    with DAG(
        dag_id,
        description=f"Salesforce org {org.org} → warehouse: {', '.join(group.objects)}",
        doc_md=DOC.format(
            org=org.org, objects=", ".join(group.objects), schema=org.schema_name, connection=org.connection
        ),
        schedule=CronDataIntervalTimetable(group.schedule, timezone="UTC"),
        start_date=datetime(2000, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args=task_defaults(org.owner),
        tags=["headwater", "extract", f"org:{org.org}"],
        params={
            "mode": Param(
                "changes",
                enum=["changes", "last_day", "full"],
                title="What to read",
                description="Changes since the last run, the last 24 hours again, or everything. A backfill reads its interval.",
                values_display={"changes": "Changes", "last_day": "Last 24 hours", "full": "Full refresh"},
            ),
            "objects": Param(
                list(group.objects),
                type=["array", "null"],
                examples=list(group.objects),
                title="Objects",
                description="Only these are read; none chosen means all.",
            ),
        },
        render_template_as_native_obj=True,
    ) as dag:
        probes = [
            ProbeObjectsOperator(
                task_id="probe" if len(group.objects) <= 5 else f"probe_{start // 5 + 1}",
                org=org.org,
                objects=group.objects[start : start + 5],
                pool=ORG_POOL,
            )
            for start in range(0, len(group.objects), 5)
        ]
        certify = CertifyExtractOperator(
            task_id="certify",
            org=org.org,
            objects=group.objects,
            pool=ORG_POOL,
            trigger_rule="all_done",
            outlets=[records_asset(org.org)],
        )
        verdict = RunVerdictOperator(task_id="verdict")
        for index, name in enumerate(group.objects):
            load = ExtractObjectOperator(task_id=f"extract_{name}", org=org.org, sobject=name, pool=ORG_POOL)
            probes[index // 5] >> load >> certify
            load >> verdict
        certify >> verdict
        if org.notify:
            certify >> NotifyOperator(task_id="notify", org=org.org, kind="extract", subjects=group.objects)
    return dag


for definition in load_definitions().orgs.values():
    for each in definition.all_groups:
        extract_dag(definition, each)
