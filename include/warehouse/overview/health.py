"""The health of an org at one assessment, with what a page or a status line needs beside it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from include.warehouse.health.assessments import (
    AssessmentRow,
    IssueResult,
    ObjectGrade,
    issues_of,
    latest_assessment,
    object_grades,
    one_assessment,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthOverview:
    """Hold an assessment, the one before it, its objects and its issues (failed first, the worst on top)."""

    assessment: AssessmentRow
    previous: AssessmentRow | None
    objects: tuple[ObjectGrade, ...]
    previous_objects: tuple[ObjectGrade, ...]
    issues: tuple[IssueResult, ...]

    @property
    def grade(self) -> float | None:
        """Return the share of records without any issue, each record counted once; None without records."""
        return self.assessment.grade

    @property
    def grade_change(self) -> float | None:
        """Return by how much the grade rose since the assessment before (negative: fell), or None."""
        return change(self.assessment.grade, self.previous.grade if self.previous else None)


def health_overview(engine: Engine, org: str, assessment_id: int | None = None) -> HealthOverview | None:
    """Return an assessment of an org, the newest unless another is named; None when there is none."""
    named = None if assessment_id is None else one_assessment(engine, org, assessment_id)
    assessment = latest_assessment(engine, org) if assessment_id is None else named
    if assessment is None:
        return None
    before = assessment.previous_id
    return HealthOverview(
        assessment=assessment,
        previous=one_assessment(engine, org, before) if before else None,
        objects=object_grades(engine, assessment.assessment_id),
        previous_objects=object_grades(engine, before) if before else (),
        issues=issues_of(engine, assessment.assessment_id),
    )


def change(now: float | None, before: float | None) -> float | None:
    """Return now - before, or None when one of them is not known."""
    return None if now is None or before is None else now - before
