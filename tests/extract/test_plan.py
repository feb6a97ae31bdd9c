from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.config.budget import Work
from include.extract.plan import (
    Leftover,
    Plan,
    decide_leftover,
    decide_plan,
    decide_work,
    is_too_slow,
    lacks_bulk,
    page_travels,
)
from include.records import RunMode, Window

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEFT = Window(low=None, high=NOON)


@pytest.mark.parametrize(("total", "plan"), [(0, Plan.IDLE), (1, Plan.REST), (10_000, Plan.REST), (10_001, Plan.BULK)])
def test_the_size_of_a_window_decides_how_it_is_read(total: int, plan: Plan) -> None:
    """Nothing, a few by REST, many by Bulk."""
    assert decide_plan(total, bulk_above_rows=10_000) is plan


@pytest.mark.parametrize(
    ("total", "plan", "travels"),
    [(2000, Plan.REST, True), (2001, Plan.REST, False), (500, Plan.BULK, False), (0, Plan.IDLE, False)],
)
def test_a_page_is_kept_only_when_it_is_all_there_is(total: int, plan: Plan, travels: bool) -> None:
    """A part of a result is no use: pages of another query would not fit to it."""
    assert page_travels(total, plan) is travels


@pytest.mark.parametrize(
    ("mode", "was_read", "work"),
    [
        (RunMode.CHANGES, False, Work.BULK),
        (RunMode.CHANGES, True, Work.SYNC),
        (RunMode.FULL, True, Work.BULK),
        (RunMode.FULL, False, Work.BULK),
        (RunMode.LAST_DAY, False, Work.SYNC),
        (RunMode.INTERVAL, False, Work.SYNC),
    ],
)
def test_what_reads_everything_waits_before_what_reads_changes(mode: RunMode, was_read: bool, work: Work) -> None:
    """A first load or a full refresh pauses first when calls become scarce."""
    assert decide_work(mode, was_read=was_read) is work


def test_only_what_took_too_long_is_worth_halving() -> None:
    """And what was refused for its size is no reason to go by REST."""
    assert [is_too_slow(code) for code in ("QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG", "INVALID_FIELD", "")] == [
        True,
        True,
        False,
        False,
    ]
    assert [lacks_bulk(code) for code in ("INVALIDENTITY", "FUNCTIONALITY_NOT_ENABLED", "OPERATION_TOO_LARGE")] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("changes", "leftover"),
    [
        ({}, Leftover.ADOPT),
        ({"cursor": NOON - HOUR}, Leftover.ADOPT),
        ({"cursor": NOON}, Leftover.ABANDON),
        ({"same_query": False}, Leftover.ABANDON),
        ({"mode": RunMode.FULL}, Leftover.ABANDON),
        ({"mode": RunMode.FULL, "left_mode": RunMode.FULL}, Leftover.ADOPT),
        ({"left_mode": RunMode.INTERVAL}, Leftover.LEAVE),
        ({"mode": RunMode.INTERVAL, "window": LEFT}, Leftover.LEAVE),
        ({"mode": RunMode.INTERVAL, "window": LEFT, "left_mode": RunMode.INTERVAL}, Leftover.ADOPT),
        (
            {"mode": RunMode.INTERVAL, "window": Window(low=NOON, high=NOON + HOUR), "left_mode": RunMode.INTERVAL},
            Leftover.LEAVE,
        ),
        (
            {"mode": RunMode.INTERVAL, "window": LEFT, "left_mode": RunMode.INTERVAL, "same_query": False},
            Leftover.ABANDON,
        ),
    ],
)
def test_a_leftover_is_adopted_only_by_a_run_that_would_read_the_same(
    changes: dict[str, object], leftover: Leftover
) -> None:
    """What a killed run left goes on, unless the cursor or the fields have moved past it; a backfill minds its own."""
    given = {
        "mode": RunMode.CHANGES,
        "window": None,
        "cursor": None,
        "left_mode": RunMode.CHANGES,
        "left_window": LEFT,
        "same_query": True,
    }
    assert decide_leftover(**(given | changes)) is leftover  # type: ignore[arg-type]
