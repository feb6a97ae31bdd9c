"""Decide what changed since last time: what is new, worse, better, mended; pure.

Each change is measured against the level of the change before it, never against the run before: what creeps is noticed,
what trembles is not. Bad news counts at once; good news when it has lasted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from include.config.health import ToleranceDefinition
from include.warehouse.health.changes import Change, Standing

BAD_NEWS = frozenset({Change.NEW, Change.WORSE, Change.NOT_ASSESSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Hold what one assessment saw of an issue.

    `over`: more fail than `allowed`, a share. `urgent`: one record too many is no noise. Without `counted` there are no
    failing records: the object as a whole passes or fails.
    """

    assessed: bool = True
    over: bool = False
    failing: int = 0
    records: int = 0
    allowed: float = 0.0
    urgent: bool = False
    counted: bool = True


def by_the_clock_now(before: Standing, set_back: timedelta, now: datetime) -> Standing:
    """Return how something stood, in the time of a clock that was set back: what had lasted so long, still has.

    Without it good news would wait for as long as the clock was wrong.
    """

    def lasting(since: datetime | None) -> datetime | None:
        return None if since is None else since - set_back

    return replace(
        before,
        changed_at=min(before.changed_at, now),
        bad_since=None if before.bad_since is None else min(before.bad_since, now),
        better_since=lasting(before.better_since),
        again_since=lasting(before.again_since),
    )


def decide(
    before: Standing | None, seen: Seen, tolerance: ToleranceDefinition, *, settles_in: timedelta, now: datetime
) -> tuple[Standing, Change]:
    """Return how an issue stands now and what that changes.

    Args:
        before: how it stood; None when it was never looked at.
        seen: what this assessment found.
        tolerance: how small a difference is noise.
        settles_in: how long good news must last before it counts; zero: at once.
        now: the moment of the assessment.
    """
    if before is None or not before.judged:
        return _first_sight(before, seen, now)
    if not seen.assessed:
        lost = before.assessed
        after = replace(before, assessed=False, better_since=None, again_since=None)
        return (replace(after, changed_at=now), Change.NOT_ASSESSED) if lost else (after, Change.UNCHANGED)
    if before.assessed:
        return _moved(before, seen, tolerance, settles_in, now)
    return _again(before, seen, tolerance, settles_in, now)


def decide_grade(
    before: Standing | None,
    *,
    records: int,
    with_issue: int,
    tolerance: ToleranceDefinition,
    settles_in: timedelta,
    now: datetime,
) -> tuple[Standing, Change]:
    """Return how a grade stands now and whether it went down (worse) or up (better)."""
    share = with_issue / records if records else 0.0
    here = Standing(bad=True, failing=with_issue, records=records, changed_at=now)
    if before is None or not before.judged:
        return here, Change.UNCHANGED
    difference = share - before.share
    if not records or abs(difference) < tolerance.grade:
        return replace(before, better_since=None), Change.UNCHANGED
    if difference > 0:
        return here, Change.WORSE
    return _lasting(before, here, Change.BETTER, settles_in, now)


def _first_sight(before: Standing | None, seen: Seen, now: datetime) -> tuple[Standing, Change]:
    if not seen.assessed:
        return before or Standing(assessed=False, judged=False, changed_at=now), Change.UNCHANGED
    return _at(seen, now, bad=seen.over), Change.NEW if seen.over else Change.UNCHANGED


def _again(
    before: Standing, seen: Seen, tolerance: ToleranceDefinition, settles_in: timedelta, now: datetime
) -> tuple[Standing, Change]:
    after, change = _moved(replace(before, assessed=True), seen, tolerance, timedelta(0), now)
    since = before.again_since or now
    if change not in BAD_NEWS and now - since < settles_in:
        return replace(before, again_since=since), Change.UNCHANGED
    after = replace(after, again_since=None)
    if change is not Change.UNCHANGED:
        return after, change
    return replace(after, changed_at=now), Change.ASSESSED_AGAIN


def _moved(
    before: Standing, seen: Seen, tolerance: ToleranceDefinition, settles_in: timedelta, now: datetime
) -> tuple[Standing, Change]:
    if not before.bad:
        begins = seen.over and (seen.urgent or not seen.counted or _well_over(seen, tolerance))
        return (_at(seen, now, bad=True), Change.NEW) if begins else (before, Change.UNCHANGED)
    rise, gain = seen.failing - before.failing, _share(seen) - before.share
    if rise >= tolerance.records and gain >= tolerance.share:
        return replace(_at(seen, now, bad=True), bad_since=before.bad_since), Change.WORSE
    if _well_below(seen, tolerance):
        return _lasting(before, _at(seen, now, bad=False), Change.MENDED, settles_in, now)
    if -rise >= tolerance.records and -gain >= tolerance.share:
        lower = replace(_at(seen, now, bad=True), bad_since=before.bad_since)
        return _lasting(before, lower, Change.BETTER, settles_in, now)
    return replace(before, better_since=None), Change.UNCHANGED


def _lasting(
    before: Standing, after: Standing, change: Change, settles_in: timedelta, now: datetime
) -> tuple[Standing, Change]:
    since = before.better_since or now
    if now - since < settles_in:
        return replace(before, better_since=since), Change.UNCHANGED
    return after, change


def _well_over(seen: Seen, tolerance: ToleranceDefinition) -> bool:
    return (
        seen.failing - seen.allowed * seen.records >= tolerance.records
        and _share(seen) - seen.allowed >= tolerance.share
    )


def _well_below(seen: Seen, tolerance: ToleranceDefinition) -> bool:
    """Return whether an issue is over: below the threshold by the tolerance, or by half where that is more than all."""
    if seen.over or not seen.counted:
        return not seen.over
    return _share(seen) <= max(seen.allowed - tolerance.share, seen.allowed / 2)


def _share(seen: Seen) -> float:
    return seen.failing / seen.records if seen.records else 0.0


def _at(seen: Seen, now: datetime, *, bad: bool) -> Standing:
    return Standing(
        bad=bad,
        failing=seen.failing,
        records=seen.records,
        bad_since=now if bad else None,
        changed_at=now,
    )
