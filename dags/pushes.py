"""Make one DAG for each push's definition."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable

from headwater.defaults import PUSH_POOL, task_defaults
from headwater.operators import (
    ApprovePushOperator,
    HealthGateOperator,
    NotifyOperator,
    PushProfilesOperator,
    RunVerdictOperator,
    SelectProfilesOperator,
)
from headwater.push_form import push_params
from include.config.loader import load_definitions
from include.config.orgs import OrgDefinition
from include.config.pushes import PushDefinition

DOC = """\
### What it does
{description}

Sends the records of {source} (org `{org}`) that changed since their last delivery to {platform}, over the Airflow connection `{connection}`.
`gate` looks at the health assessment, `select` writes down which records it is about, `approve` waits for a person only if a guard asks,
`deliver` sends them in batches. Every record ends in one outcome, and the outcomes add up to the selection.
Tick *dry run* to see what would be sent, and send nothing; name one record under *record Ids* to try it with that one first.

### When it fails
- **GateClosed**: a critical check of {objects} is over its threshold, or the assessment is missing or too old. See *CRM → Health*; the parameter *override gate* lets this run through.
- **AuthError**: the platform refused the connection's credentials. What was not sent is *held* and goes with the next run.
- **FastFailed, PushFailed**: records were refused; their causes are listed with the run. What was delivered stays delivered.
- **NotReady**: the first load of something that the source reads is not complete.
- **DefinitionError**: a field is not there any more, a model cannot be run, or {platform} lacks what was asked for.
- **SandboxRefused**: the push is marked `production: true` and the org is a sandbox.

### How to re-run
Clear `deliver`: it goes on where it was, and sends nothing twice. *Trigger* pushes what changed now; *Backfill* pushes the records that changed in past hours
and never sends an event again unless *resend* is set.
"""


def push_dag(push: PushDefinition, org: OrgDefinition) -> DAG:
    """Return the DAG of one push."""
    source = f"the {push.source.kind} `{push.source.name}`"
    with DAG(
        f"push_{push.push}",
        description=push.description or f"{push.source.name} of {push.org} → {push.platform.title}",
        doc_md=DOC.format(
            description=push.description,
            source=source,
            objects=", ".join(push.source.objects_read) or push.source.name,
            org=push.org,
            platform=push.platform.title,
            connection=push.destination.connection,
        ),
        schedule=CronDataIntervalTimetable(push.schedule, timezone="UTC"),
        start_date=datetime(2000, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args=task_defaults(push.owner),
        tags=["headwater", "push", f"org:{push.org}", f"platform:{push.destination.platform}"],
        params=push_params(push),
        render_template_as_native_obj=True,
    ) as dag:
        gate = HealthGateOperator(task_id="gate", push=push.push)
        select = SelectProfilesOperator(task_id="select", push=push.push)
        approve = ApprovePushOperator(task_id="approve", push=push.push, selection=select.output)
        deliver = PushProfilesOperator(task_id="deliver", push=push.push, selection=select.output, pool=PUSH_POOL)
        gate >> select >> approve >> deliver
        if org.notify:
            deliver >> RunVerdictOperator(task_id="verdict")
            deliver >> NotifyOperator(task_id="notify", org=org.org, kind="push", subjects=[push.push])
    return dag


definitions = load_definitions()
for definition in definitions.pushes.values():
    push_dag(definition, definitions.org(definition.org))
