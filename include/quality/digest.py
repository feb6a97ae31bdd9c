"""Sum up a week: how the grades went, what changed for the worse or better, what would lift the grade most; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from include.config.health import ToleranceDefinition
from include.quality.changes import Seen, decide
from include.warehouse.health.assessments import IssueResult
from include.warehouse.health.changes import Change, Standing
from include.warehouse.health.digests import AssessedState, Digest, Lift, Trend, WeekChange, WeekFacts

_WEEKS = 3
_LIFTS = 5
_ORDER = (Change.NEW, Change.WORSE, Change.NOT_ASSESSED, Change.BETTER, Change.MENDED, Change.ASSESSED_AGAIN)


def moments_before(low: datetime, high: datetime) -> tuple[datetime, ...]:
    """Return the moments whose grades make the trend: the beginning of this period and of those before it."""
    return tuple(low - number * (high - low) for number in range(_WEEKS))


def sum_up(
    org: str,
    facts: WeekFacts,
    *,
    low: datetime,
    high: datetime,
    tolerance: ToleranceDefinition,
    without: Iterable[str] = (),
) -> Digest:
    """Return the digest of a week; issues that are muted are left out of its changes."""
    muted = set(without)
    changes = [each for each in _changes(facts, tolerance, high) if each.issue.check_id not in muted]
    return Digest(
        org=org,
        low=low,
        high=high,
        moments=(facts.now.row.assessed_at, *moments_before(low, high)),
        facts=facts,
        trends=tuple(_trends(facts)),
        changes=tuple(sorted(changes, key=_worst_first)),
        lifts=lifts_of(facts.now, facts.alone),
    )


def lifts_of(now: AssessedState, alone: Mapping[str, int], *, most: int = _LIFTS) -> tuple[Lift, ...]:
    """Return the issues that would lift the grade most, the greatest first.

    A record that has another issue besides stays bad when one is mended: it lifts nothing.
    """
    found = [
        Lift(
            issue=issue,
            records=alone[check_id],
            points=alone[check_id] / now.row.records,
            object_points=alone[check_id] / now.grades[issue.object].records,
        )
        for check_id, issue in now.issues.items()
        if alone.get(check_id) and issue.verdict != "not_assessed" and issue.object in now.grades
    ]
    return tuple(sorted(found, key=lambda each: (-each.records, each.issue.check_id))[:most])


def _trends(facts: WeekFacts) -> Iterable[Trend]:
    states: Sequence[AssessedState | None] = (facts.now, *facts.past)
    records = {"": facts.now.row.records, **{name: each.records for name, each in facts.now.grades.items()}}
    for object in ("", *sorted(facts.now.grades)):
        grades = tuple(state.grade_of(object) if state else None for state in states)
        yield Trend(object=object, records=records[object], grades=grades)


def _changes(facts: WeekFacts, tolerance: ToleranceDefinition, now: datetime) -> Iterable[WeekChange]:
    """Compare the two ends of the week; what came and went between them is no change of the week."""
    then = facts.past[0]
    if then is None:
        return
    for check_id, issue in facts.now.issues.items():
        before = then.issues.get(check_id)
        _, change = decide(
            _standing(before, now) if before else None, _seen(issue), tolerance, settles_in=timedelta(0), now=now
        )
        if change is not Change.UNCHANGED:
            known = before if before and before.verdict != "not_assessed" else None
            yield WeekChange(change=change, issue=issue, before=known)


def _standing(before: IssueResult, now: datetime) -> Standing:
    if before.verdict == "not_assessed":
        return Standing(judged=False, assessed=False, changed_at=now)
    return Standing(bad=before.verdict == "failed", failing=before.failing, records=before.records, changed_at=now)


def _seen(issue: IssueResult) -> Seen:
    return Seen(
        assessed=issue.verdict != "not_assessed",
        over=issue.verdict == "failed",
        failing=issue.failing,
        records=issue.records,
        allowed=issue.max_share,
        urgent=issue.severity == "critical",
        # An object that fails as a whole has no failing records.
        counted=bool(issue.failing) or issue.verdict != "failed",
    )


def _worst_first(each: WeekChange) -> tuple[int, int, int, str]:
    severities = ("critical", "error", "warning", "info")
    moved = abs(each.issue.failing - (each.before.failing if each.before else 0))
    return (_ORDER.index(each.change), severities.index(each.issue.severity), -moved, each.issue.check_id)
