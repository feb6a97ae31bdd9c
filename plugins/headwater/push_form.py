"""The trigger form of a push: what a person may set for one run, and nothing that the platform lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from airflow.sdk import Param

from include.config.push_mapping import InvalidPolicy

if TYPE_CHECKING:
    from include.config.pushes import PushDefinition


def push_params(push: PushDefinition) -> dict[str, Any]:
    """Return the parameters of a push's DAG, with the definition's own values to begin with."""
    return {**_choices(push), **_comparing(push), **_trying(), **_reading(push), **_limits(push)}


def _choices(push: PushDefinition) -> dict[str, Any]:
    said = push.options
    skip_hook = Param(
        said.skip_hook,
        type="boolean",
        title="Skip hook",
        description="Send the data without starting journeys at the platform.",
    )
    return {
        **({"skip_hook": skip_hook} if push.platform.capabilities.skip_hook else {}),
        "fast_fail": Param(
            said.fast_fail,
            type="boolean",
            title="Fast fail",
            description="Stop at the first batch with a failure; the rest is held.",
        ),
        "mode": Param(
            said.records,
            enum=["changed", "all"],
            title="Records",
            description="Those that changed since their last delivery, or all. A backfill takes those that its interval"
            " changed.",
        ),
    }


def _comparing(push: PushDefinition) -> dict[str, Any]:
    if not push.platform.capabilities.reads_back:
        return {}
    return {
        "compare": Param(
            False,
            type="boolean",
            title="Compare",
            description=f"Read what {push.platform.title} holds first, and write only the attributes that differ."
            " With all records this mends whatever was changed there by hand.",
        )
    }


def _trying() -> dict[str, Any]:
    return {
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Select, map, check and build everything, count the outcomes, and send nothing.",
        ),
        "record_ids": Param(
            [],
            type="array",
            items={"type": "string"},
            title="Record Ids",
            description="Only these records, e.g. one to try a mapping with.",
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
    }


def _reading(push: PushDefinition) -> dict[str, Any]:
    return {
        "phone_country": Param(
            push.phone.default_country or "",
            type="string",
            pattern="^([A-Z]{2})?$",
            title="Phone country",
            description="Two-letter code by which phone numbers without a country are read in this run.",
            section="More",
        ),
        "invalid_identifiers": Param(
            push.identifiers.invalid,
            enum=list(get_args(InvalidPolicy)),
            title="Invalid identifiers",
            description="What to do when a value is no valid identifier.",
            section="More",
        ),
    }


def _limits(push: PushDefinition) -> dict[str, Any]:
    said, most = push.options, push.platform.max_batch
    share = {"type": "number", "minimum": 0, "maximum": 1, "section": "Limits"}
    count = {"type": "integer", "minimum": 0, "section": "Limits"}
    return {
        "batch_size": Param(
            push.batch_size,
            type="integer",
            minimum=1,
            maximum=most,
            title="Batch size",
            description=f"Most records in a request; {push.platform.title} takes {most:,}.",
            section="Limits",
        ),
        "max_failed_share": Param(
            said.max_failed_share, title="Failed share", description="A larger share of failures is a red run.", **share
        ),
        "min_delivered": Param(
            said.min_delivered,
            title="At least delivered",
            description="Fewer delivered records are a red run.",
            **count,
        ),
        "approve_above": Param(
            said.approve_above,
            title="Approve above",
            description="More records than this, with journeys on, wait for a person.",
            **count,
        ),
        "unusual_factor": Param(
            said.unusual_factor,
            type="number",
            exclusiveMinimum=1,
            title="Unusual factor",
            description="So many times the usual size waits for a person.",
            section="Limits",
        ),
        "max_gone_share": Param(
            said.max_gone_share,
            title="Gone share",
            description="A larger share of delivered records that is gone waits for a person.",
            **share,
        ),
    }
