"""Read what a week's digest says of an org: the assessments at its ends, what is not fresh, what waits. Counts only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from include.warehouse.engine import transaction
from include.warehouse.health.assessments import AssessmentRow, IssueResult, ObjectGrade, issues_of, object_grades
from include.warehouse.health.changes import Change
from include.warehouse.health.problems import problems_of

_AT = """
SELECT assessment_id, org, assessed_at, previous_id, records, records_with_issue, grade, seconds, run_id, weighted
  FROM headwater.assessment WHERE org = :org AND assessed_at <= :moment ORDER BY assessment_id DESC LIMIT 1
"""

_FRESHNESS = """
SELECT object, cursor_at, first_loaded_at IS NOT NULL AS loaded FROM headwater.object
 WHERE org = :org AND object = ANY(:objects) ORDER BY object
"""

_FAILED_EXTRACTS = """
SELECT count(*) FROM headwater.run
 WHERE org = :org AND kind = 'extract' AND state = 'failed' AND started_at > :low AND started_at <= :high
"""

_ERRORS = """
SELECT count(*) FILTER (WHERE settled_at IS NULL) AS open,
       count(*) FILTER (WHERE settled_at IS NULL AND outcome = 'unknown') AS unknown,
       count(*) FILTER (WHERE first_at > :low AND first_at <= :high) AS appeared
  FROM headwater.sync_error
 WHERE org = :org AND (settled_at IS NULL OR first_at > :low)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedState:
    """Hold one assessment whole: its grades and issues."""

    row: AssessmentRow
    grades: dict[str, ObjectGrade]
    issues: dict[str, IssueResult]

    def grade_of(self, object: str) -> float | None:
        """Return the grade of an object; "" is all of them."""
        if not object:
            return self.row.grade
        return self.grades[object].grade if object in self.grades else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """Say up to when an object has been read; `read_to` is None before its first load is complete."""

    object: str
    read_to: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekFacts:
    """Hold what the ledgers say of a week; `past` are states before `now`, the newest first, None where there is none.

    `alone` counts by check the records of which it is the only issue.
    """

    now: AssessedState
    past: tuple[AssessedState | None, ...]
    alone: dict[str, int]
    fresh: tuple[Freshness, ...]
    failed_extracts: int
    errors_open: int
    errors_unknown: int
    errors_appeared: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekChange:
    """Hold what became of an issue within the week; `before` is None when it was not assessed at its beginning."""

    change: Change
    issue: IssueResult
    before: IssueResult | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """Say how much the grade gains when an issue is mended: records of which it is the only one."""

    issue: IssueResult
    records: int
    points: float  # of the overall grade, 0.01 is one percentage point
    object_points: float  # of the grade of its object


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Hold the grades of an object, the newest first; that of all objects has no name."""

    object: str
    records: int
    grades: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Hold all that the mail of a week says."""

    org: str
    low: datetime
    high: datetime
    moments: tuple[datetime, ...]  # of the trends' grades, the newest first
    facts: WeekFacts
    trends: tuple[Trend, ...]
    changes: tuple[WeekChange, ...]
    lifts: tuple[Lift, ...]


def week_facts(
    engine: Engine, org: str, *, low: datetime, high: datetime, moments: Sequence[datetime], objects: Sequence[str]
) -> WeekFacts | None:
    """Return what is known of the time up to `high`; None when nothing was assessed until then.

    Args:
        engine: of the warehouse.
        org: whose.
        low: where the week begins.
        high: where it ends.
        moments: whose grades are wanted besides, the newest first; the first is `low`.
        objects: of which to say how fresh they are.
    """
    now = _state_at(engine, org, high)
    if now is None:
        return None
    with transaction(engine) as connection:
        bound = {"org": org, "low": low, "high": high, "objects": list(objects)}
        fresh = connection.execute(text(_FRESHNESS), bound).all()
        failed = connection.execute(text(_FAILED_EXTRACTS), bound).scalar_one()
        errors = connection.execute(text(_ERRORS), bound).one()
    return WeekFacts(
        now=now,
        past=tuple(_state_at(engine, org, moment) for moment in moments),
        alone=dict(problems_of(engine, now.row.assessment_id).alone),
        fresh=tuple(Freshness(object=each.object, read_to=each.cursor_at if each.loaded else None) for each in fresh),
        failed_extracts=int(failed),
        errors_open=int(errors.open),
        errors_unknown=int(errors.unknown),
        errors_appeared=int(errors.appeared),
    )


def _state_at(engine: Engine, org: str, moment: datetime) -> AssessedState | None:
    with transaction(engine) as connection:
        row = _assessment_at(connection, org, moment)
    if row is None:
        return None
    return AssessedState(
        row=row,
        grades={each.object: each for each in object_grades(engine, row.assessment_id)},
        issues={each.check_id: each for each in issues_of(engine, row.assessment_id)},
    )


def _assessment_at(connection: Connection, org: str, moment: datetime) -> AssessmentRow | None:
    row = connection.execute(text(_AT), {"org": org, "moment": moment}).mappings().one_or_none()
    return AssessmentRow(**row) if row else None
