"""Counting and judging a run."""

from __future__ import annotations

import pytest

from include.activation.counts import counts_of, insist_on_balance
from include.activation.options import PushRunOptions, options_of
from include.activation.verdict import settle
from include.errors import DefinitionError, PushFailed, Unbalanced
from include.records import Outcome, OutcomeCounts
from tests.activation.source import definition


@pytest.mark.parametrize(
    ("counts", "share"),
    [
        (OutcomeCounts(selected=3, rejected=3), 1.0),
        (OutcomeCounts(selected=9, unchanged=8, unknown=1), 1.0),
        (OutcomeCounts(selected=4, skipped=3, rejected=1), 1.0),
        (OutcomeCounts(selected=10, delivered=4, rejected=6), 0.5),
        (OutcomeCounts(selected=10, delivered=9, rejected=1), 0.0),
    ],
)
def test_too_many_failures_are_red(counts: OutcomeCounts, share: float) -> None:
    """All that were tried failed, or more than the allowed share."""
    with pytest.raises(PushFailed):
        settle(counts, PushRunOptions(max_failed_share=share))


@pytest.mark.parametrize(
    ("counts", "share"),
    [
        (OutcomeCounts(), 0.0),
        (OutcomeCounts(selected=9, unchanged=9), 0.0),
        (OutcomeCounts(selected=9, skipped=9), 0.0),
        (OutcomeCounts(selected=10, delivered=5, rejected=3, unknown=2), 0.5),
        (OutcomeCounts(selected=10, accepted=9, rejected=1), 0.1),
    ],
)
def test_otherwise_it_is_not(counts: OutcomeCounts, share: float) -> None:
    """Unchanged and skipped records say nothing about the platform."""
    settle(counts, PushRunOptions(max_failed_share=share))


def test_outcomes_must_add_up() -> None:
    """A record without an outcome is a bug that is said aloud."""
    insist_on_balance(counts_of(3, {Outcome.DELIVERED: 2, Outcome.HELD: 1}), run_id=1)
    with pytest.raises(Unbalanced, match="3 records and settled 2"):
        insist_on_balance(counts_of(3, {Outcome.DELIVERED: 2}), run_id=1)


def test_a_run_does_what_the_definition_says_unless_told_otherwise() -> None:
    """False is an answer, None is none."""
    push = definition(options={"skip_hook": True, "batch_size": 7})

    assert options_of(push, skip_hook=False, fast_fail=None) == PushRunOptions(skip_hook=False, batch_size=7)


def test_only_a_platform_that_can_be_read_is_compared_with() -> None:
    """Asked of another one, the run says so before anything is sent."""
    intercom = definition(destination={"platform": "intercom", "connection": "ic"}, options={}, event=None)
    assert options_of(intercom, compare=True).compare
    assert not options_of(intercom).compare

    with pytest.raises(DefinitionError, match="compared"):
        options_of(definition(), compare=True)
