"""Count the outcomes of a run, and insist that they add up. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from include.errors import Unbalanced
from include.records import Outcome, OutcomeCounts


def counts_of(selected: int, tally: Mapping[Outcome, int]) -> OutcomeCounts:
    """Return the counts of a run from a tally of its outcomes."""
    return OutcomeCounts(selected=selected, **{outcome.value: tally.get(outcome, 0) for outcome in Outcome})


def insist_on_balance(counts: OutcomeCounts, *, run_id: int) -> None:
    """Raise when a selected record has no outcome, or two.

    Raises:
        Unbalanced: the outcomes don't add up to the selection.
    """
    if counts.settled != counts.selected:
        raise Unbalanced(
            f"push run {run_id} selected {counts.selected:,} records and settled {counts.settled:,}:"
            " the tables headwater.selection and headwater.outcome of this run show which; please report it"
        )
