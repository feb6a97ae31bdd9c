"""Say when a person must agree before a push goes on: many journeys, an unusual size, much that is gone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from include.activation.options import PushRunOptions
from include.config.pushes import PushDefinition

ENOUGH_RUNS = 5  # fewer runs that sent something say nothing about what is usual
NEVER_UNUSUAL = 100  # records; so few are never held up for being many times the usual


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Hold how large a run would be, and how large others were.

    Args:
        to_send: the records that may be sent, gone ones among them.
        gone: those that are gone.
        delivered: what was delivered up to now; of it they are gone.
        usual: how many records the last runs that sent any had to send.
        first: no run of the push has sent anything yet.
    """

    to_send: int
    gone: int = 0
    delivered: int = 0
    usual: Sequence[int] = ()
    first: bool = False


def guard_reason(push: PushDefinition, sizes: Sizes, options: PushRunOptions) -> str | None:
    """Return why a person must approve this run, every reason in it; None: nobody needs to."""
    reasons = [each for each in (_gone(push, sizes, options), _journeys(push, sizes, options)) if each]
    return " ".join(reasons) or None


def _gone(push: PushDefinition, sizes: Sizes, options: PushRunOptions) -> str:
    if not sizes.gone or sizes.gone <= options.max_gone_share * sizes.delivered:
        return ""
    share = sizes.gone / sizes.delivered
    return (
        f"{sizes.gone:,} of {sizes.delivered:,} delivered records ({share:.1%}) are gone: deleted, merged, or no longer"
        f" in the source, and the push says to {push.gone} them at {push.platform.title}. More than"
        f" {options.max_gone_share:.1%} (max_gone_share) needs a person's approval: look first whether a filter, a"
        " right or the org itself changed."
    )


def _journeys(push: PushDefinition, sizes: Sizes, options: PushRunOptions) -> str:
    if options.skip_hook:
        return ""
    way_out = (
        " To send the data without starting journeys, trigger the push with skip_hook on."
        if push.platform.capabilities.skip_hook
        else f" {push.platform.title} has no skip hook: pause the journeys there first if they are not meant."
    )
    what = f"{sizes.to_send:,} records would be sent, and journeys at {push.platform.title} may start for each of them"
    if sizes.to_send > options.approve_above:
        kind = " It is the push's first delivery." if sizes.first else ""
        return f"{what}; more than {options.approve_above:,} (approve_above) need a person's approval.{kind}{way_out}"
    usual = usual_size(sizes.usual)
    if usual and sizes.to_send > max(NEVER_UNUSUAL, options.unusual_factor * usual):
        times = sizes.to_send / usual
        return (
            f"{what}: {times:,.0f} times the usual {usual:,.0f}; more than {options.unusual_factor:g} times"
            f" (unusual_factor) needs a person's approval.{way_out}"
        )
    return ""


def usual_size(sizes: Sequence[int]) -> float:
    """Return the median size of runs, or 0 when there are too few to tell."""
    return float(median(sizes)) if len(sizes) >= ENOUGH_RUNS else 0.0
