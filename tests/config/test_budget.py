"""How many calls may be made now: the strictest of watermark, quota and tiers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from include.config.budget import POLL_RESERVE, BudgetDefinition, Usage, Work, decide, quota_began

NOW = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)


def budget(**keys: Any) -> BudgetDefinition:
    return BudgetDefinition.model_validate(keys)


def usage(used: int | None = 0, allowed: int | None = 1000, **more: Any) -> Usage:
    return Usage(**{"used": used, "allowed": allowed, "observed_at": NOW, "leased": 0, "ours": 0, **more})


def test_an_org_that_told_nothing_yet_is_asked() -> None:
    """Its answer tells; one request may cost as much as a batch of 25."""
    assert decide(budget(), usage(None, None), Work.BULK, NOW).calls == 25


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        ({"percent": 10}, 100),
        ({"calls": 300}, 300),
        ({"percent": 10, "calls": 50}, 100),
        ({"percent": 1, "calls": 50}, 50),
    ],
)
def test_the_watermark_keeps_the_larger_amount(keys: dict[str, float], kept: int) -> None:
    """A share, a number, or both: the stricter wins."""
    used = 400
    found = decide(budget(watermark=keys), usage(used), Work.SYNC, NOW)
    assert found.calls == 1000 - used - kept - POLL_RESERVE


def test_calls_that_are_lent_count_as_used() -> None:
    """The org has not seen them yet."""
    assert decide(budget(), usage(700, leased=190), Work.SYNC, NOW).calls == 0


def test_at_the_watermark_everything_waits_and_is_told_why() -> None:
    """Ten minutes later it is asked again."""
    found = decide(budget(), usage(890), Work.INTERACTIVE, NOW)
    assert found.calls == 0
    assert found.cause == "890 of the org's 1,000 calls are used, and 100 are kept for others"
    assert found.until == NOW + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("used", "minutes", "calls"), [(895, 9, 0), (895, 10, 1), (900, 10, 0), (900, 59, 0), (900, 60, 1), (2000, 60, 1)]
)
def test_an_old_count_is_asked_for_by_one_call(used: int, minutes: int, calls: int) -> None:
    """Capacity comes back by itself, and only the org can tell; below the watermark it is asked by the hour."""
    old = NOW - timedelta(minutes=minutes)
    assert decide(budget(), usage(used, observed_at=old), Work.SYNC, NOW).calls == calls


@pytest.mark.parametrize(
    ("keys", "quota"), [({"percent": 20}, 200), ({"calls": 50}, 50), ({"percent": 20, "calls": 50}, 50)]
)
def test_the_quota_is_the_smaller_amount_and_begins_anew(keys: dict[str, float], quota: int) -> None:
    """A pause lasts until then."""
    asked = budget(quota=keys, tiers=False, resets_at=4)
    assert decide(asked, usage(ours=quota - 1), Work.SYNC, NOW).calls == 1
    found = decide(asked, usage(ours=quota), Work.SYNC, NOW)
    assert (found.calls, found.until) == (0, datetime(2026, 3, 2, 4, tzinfo=UTC))
    assert found.cause == f"our quota of {quota} calls is used; it begins anew at 04:00 UTC"


def test_the_quotas_day_begins_at_its_hour() -> None:
    """Before it, yesterday's day goes on."""
    assert quota_began(budget(resets_at=16), NOW) == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert quota_began(budget(resets_at=15), NOW) == datetime(2026, 3, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ours", "goes_on"),
    [
        (39, {Work.BULK, Work.SYNC, Work.INTERACTIVE}),
        (40, {Work.SYNC, Work.INTERACTIVE}),
        (79, {Work.SYNC, Work.INTERACTIVE}),
        (80, {Work.INTERACTIVE}),
        (99, {Work.INTERACTIVE}),
        (100, set()),
    ],
)
def test_tiers_let_large_work_wait_first(ours: int, goes_on: set[Work]) -> None:
    """Exactly 40 and 80 per cent belong to the stricter side."""
    asked = budget(quota={"calls": 100})
    assert {work for work in Work if decide(asked, usage(ours=ours), work, NOW).calls} == goes_on


def test_a_tier_says_what_waits() -> None:
    """And until when."""
    found = decide(budget(quota={"calls": 100}), usage(ours=40), Work.BULK, NOW)
    assert found.cause == "40% of our quota of 100 calls are used; from 40% on large loads wait"
    assert found.until == datetime(2026, 3, 2, tzinfo=UTC)


def test_an_amount_must_say_something() -> None:
    """An empty one would be no limit at all."""
    with pytest.raises(ValidationError, match="give percent, calls, or both"):
        budget(quota={})
