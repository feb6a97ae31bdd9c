"""Read what a run of a push is asked to do: its parameters, else the operator's own values, else the definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headwater.runs import parameter

if TYPE_CHECKING:
    from airflow.sdk import Context

    from include.activation.options import PushRunOptions
    from include.config.pushes import PushDefinition

OPTIONS = (
    "skip_hook",
    "fast_fail",
    "batch_size",
    "max_failed_share",
    "min_delivered",
    "approve_above",
    "unusual_factor",
    "max_gone_share",
    "dry_run",
    "compare",
)
READINGS = ("phone_country", "invalid_identifiers")


def take_options(arguments: dict[str, Any]) -> dict[str, Any]:
    """Take an operator's options out of its keyword arguments, so that the rest is Airflow's; absent: as defined."""
    return {name: arguments.pop(name) for name in (*OPTIONS, *READINGS) if name in arguments}


def push_of_run(context: Context, name: str, own: Mapping[str, Any]) -> PushDefinition:
    """Return the definition of a push, with how phones and identifiers are read replaced by what the run says.

    Raises:
        DefinitionError: there is no such push, or what the run says is none of the choices.
    """
    from headwater.hooks import push_definition
    from include.activation.options import overridden

    said = {each: parameter(context, each, own.get(each)) or None for each in READINGS}
    return overridden(push_definition(name), **said)


def options_of_run(context: Context, push: PushDefinition, own: Mapping[str, Any]) -> PushRunOptions:
    """Return what the run does.

    Raises:
        DefinitionError: the platform lacks what is asked for.
    """
    from include.activation.options import options_of

    return options_of(push, **{each: parameter(context, each, own.get(each)) for each in OPTIONS})
