"""When a person is asked before a push goes on."""

from __future__ import annotations

from typing import Any

import pytest

from include.activation.guards import Sizes, guard_reason, usual_size
from include.activation.options import PushMode, PushRunOptions
from include.config.pushes import PushDefinition
from include.records import Window
from tests.activation.noted import Noted
from tests.activation.source import CHANGED_AT, NOW, Org, definition, deliver, select

USUAL = (10, 12, 8, 9, 11)
OPTIONS = PushRunOptions(approve_above=1000, unusual_factor=40)


def reason(push: PushDefinition | None = None, options: PushRunOptions = OPTIONS, **sizes: Any) -> str:
    return guard_reason(push or definition(), Sizes(**sizes), options) or ""


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"to_send": 1000, "usual": ()}, ""),
        ({"to_send": 1001, "first": True}, "1,001 records would be sent, and journeys at Insider One may start"),
        ({"to_send": 400, "usual": USUAL}, ""),
        ({"to_send": 401, "usual": USUAL}, "40 times the usual 10; more than 40 times (unusual_factor)"),
        ({"to_send": 401, "usual": USUAL[:4]}, ""),  # too few runs to call anything usual
        ({"to_send": 90, "usual": (1, 1, 1, 1, 1)}, ""),  # few are few
        ({"to_send": 5, "gone": 5, "delivered": 100}, ""),
        ({"to_send": 6, "gone": 6, "delivered": 100}, "6 of 100 delivered records (6.0%) are gone"),
    ],
)
def test_a_guard_asks_for_what_is_out_of_the_ordinary(sizes: dict[str, Any], said: str) -> None:
    """More than the ceiling, many times the usual, too large a share gone; and says what it saw."""
    found = reason(definition(gone="delete"), **sizes)

    assert bool(found) is bool(said)
    assert said in found


def test_skip_hook_answers_for_journeys() -> None:
    """Not for what is gone."""
    quiet = PushRunOptions(approve_above=10, skip_hook=True)

    assert not reason(options=quiet, to_send=500, usual=USUAL)
    assert reason(definition(gone="clear"), options=quiet, to_send=500, gone=500, delivered=500)


def test_both_reasons_are_given_at_once() -> None:
    """Whoever approves knows all that they approve."""
    found = reason(definition(gone="clear"), to_send=5000, gone=500, delivered=1000)

    assert "50.0%" in found
    assert "approve_above" in found


def test_where_there_is_no_skip_hook_none_is_advised() -> None:
    """The message names what helps at that platform."""
    push = definition(destination={"platform": "intercom", "connection": "there"})

    assert "Intercom has no skip hook: pause the journeys there" in reason(push, to_send=1001)
    assert "trigger the push with skip_hook on" in reason(to_send=1001)


def test_the_usual_is_the_median_of_runs_that_sent_something(org: Org) -> None:
    """Idle runs and dry runs say nothing about it."""
    assert (usual_size((1, 1, 5, 100, 3)), usual_size((7,))) == (3, 0)
    org.add_contacts(150)
    for run in range(5):
        for number in range(1 + run * 2, 3 + run * 2):
            org.touch(number, minutes=run + 1, Title=f"T{run}")
        ids = tuple(
            row.Id
            for row in org.run('SELECT "Id" FROM salesforce_demo."Contact" ORDER BY 1 LIMIT 2 OFFSET :o', o=run * 2)
        )
        deliver(org.engine, definition(), Noted(), select(org.engine, definition(), record_ids=ids).run_id)
        select(org.engine, definition(), record_ids=ids)  # nothing new: an idle run

    guard = select(org.engine, definition(), options=PushRunOptions(unusual_factor=40)).guard

    assert guard is not None
    assert "140 records would be sent" in guard
    assert "70 times the usual 2" in guard


def test_a_backfill_and_a_full_fetch_are_guarded_like_any_run(org: Org) -> None:
    """Whatever selected them, they start journeys."""
    org.add_contacts(3)
    few = PushRunOptions(approve_above=2)

    assert select(org.engine, definition(), mode=PushMode.ALL, options=few).guard
    interval = Window(low=CHANGED_AT, high=NOW)
    assert select(org.engine, definition(), mode=PushMode.INTERVAL, interval=interval, options=few).guard
