"""Make one DAG for each push's definition."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from headwater.defaults import PUSH_POOL, task_defaults
from headwater.operators import (
    ApprovePushOperator,
    HealthGateOperator,
    NotifyOperator,
    PushProfilesOperator,
    RunVerdictOperator,
    SelectProfilesOperator,
)
from include.config.loader import load_definitions
from include.config.orgs import OrgDefinition
from include.config.pushes import PushDefinition

DOC = """\
### What it does
{description}

Sends the records of `{object}` (org `{org}`) that changed since their last delivery to {platform}, over the Airflow connection `{connection}`.
`gate` looks at the health assessment, `select` writes down which records it is about, `approve` waits for a person only if a guard asks,
`deliver` sends them in batches. Every record ends in one outcome, and the outcomes add up to the selection.

### When it fails
- **GateClosed**: a critical check of {object} is over its threshold, or the assessment is missing or too old. See *CRM → Health*; the parameter *override gate* lets this run through.
- **AuthError**: the platform refused the connection's credentials. What was not sent is *held* and goes with the next run.
- **FastFailed, PushFailed**: records were refused; their causes are listed with the run. What was delivered stays delivered.
- **NotReady**: the first load of {object} is not complete.

### How to re-run
Clear `deliver`: it goes on where it was, and sends nothing twice. *Trigger* pushes what changed now; *Backfill* pushes the records that changed in past hours
and never sends an event again unless *resend* is set.
"""


def push_dag(push: PushDefinition, org: OrgDefinition) -> DAG:
    """Return the DAG of one push."""
    options = push.options
    with DAG(
        f"push_{push.push}",
        description=push.description or f"{push.source.object} of {push.org} → {push.destination.platform}",
        doc_md=DOC.format(
            description=push.description,
            object=push.source.object,
            org=push.org,
            platform=push.destination.platform,
            connection=push.destination.connection,
        ),
        schedule=CronDataIntervalTimetable(push.schedule, timezone="UTC"),
        start_date=datetime(2000, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args=task_defaults(push.owner),
        tags=["headwater", "push", f"org:{push.org}", f"platform:{push.destination.platform}"],
        params={
            "skip_hook": Param(
                options.skip_hook,
                type="boolean",
                title="Skip hook",
                description="Send the data without starting journeys at the platform.",
            ),
            "fast_fail": Param(
                options.fast_fail,
                type="boolean",
                title="Fast fail",
                description="Stop at the first batch with a failure; the rest is held.",
            ),
            "mode": Param(
                "changed",
                enum=["changed", "all"],
                title="Records",
                description="Those that changed since their last delivery, or all. A backfill takes those that its interval changed.",
            ),
            "resend": Param(
                False,
                type="boolean",
                title="Resend",
                description="Send again what was delivered already, events included.",
                section="More",
            ),
            "override_gate": Param(
                False,
                type="boolean",
                title="Override gate",
                description="Push whatever the health assessment says.",
                section="More",
            ),
            "record_ids": Param(
                [],
                type="array",
                items={"type": "string"},
                title="Record Ids",
                description="Only these records, e.g. one to try a mapping with.",
                section="More",
            ),
            "batch_size": Param(
                options.batch_size, type="integer", minimum=1, maximum=1000, title="Batch size", section="More"
            ),
        },
        render_template_as_native_obj=True,
    ) as dag:
        gate = HealthGateOperator(task_id="gate", push=push.push)
        select = SelectProfilesOperator(task_id="select", push=push.push, skip_hook=options.skip_hook)
        approve = ApprovePushOperator(task_id="approve", push=push.push, selection=select.output)
        deliver = PushProfilesOperator(
            task_id="deliver",
            push=push.push,
            selection=select.output,
            skip_hook=options.skip_hook,
            fast_fail=options.fast_fail,
            batch_size=options.batch_size,
            pool=PUSH_POOL,
        )
        gate >> select >> approve >> deliver
        if org.notify:
            deliver >> RunVerdictOperator(task_id="verdict")
            deliver >> NotifyOperator(task_id="notify", org=org.org, kind="push", subjects=[push.push])
    return dag


definitions = load_definitions()
for definition in definitions.pushes.values():
    push_dag(definition, definitions.org(definition.org))
