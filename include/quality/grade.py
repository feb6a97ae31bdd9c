"""Judge: what share fails, whether that is too much, and how healthy an object is. Plain numbers in and out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

from include.warehouse.health.assessments import IssueResult, ObjectGrade

# How much of a record is lost by an issue of this severity, in the weighted grade.
WEIGHTS: Mapping[str, float] = MappingProxyType({"critical": 1.0, "error": 0.7, "warning": 0.3, "info": 0.1})


def grade_of(records: int, records_with_issue: int) -> float | None:
    """Return the share of records without any issue; None when there are no records to grade."""
    if not 0 <= records_with_issue <= records:
        raise ValueError(f"{records_with_issue} of {records} records cannot have an issue")
    return None if records == 0 else (records - records_with_issue) / records


def share_of(failing: int, records: int) -> float:
    """Return failing / records, and 0 for an empty object: nothing fails where nothing is."""
    return failing / records if records else 0.0


def verdict_of(failing: int, records: int, max_share: float) -> Literal["passed", "failed"]:
    """Return "failed" when a greater share than allowed fails; exactly the allowed share passes."""
    return "failed" if share_of(failing, records) > max_share else "passed"


def grade_object(object: str, *, records: int, records_with_issue: int, lost: float) -> ObjectGrade:
    """Return the grade of one object; `lost` is the sum of the weights of its records' worst issues."""
    return ObjectGrade(
        object=object,
        records=records,
        records_with_issue=records_with_issue,
        grade=grade_of(records, records_with_issue),
        weighted=(records - lost) / records if records else None,
    )


def grade_all(objects: Iterable[ObjectGrade]) -> ObjectGrade:
    """Return the grade over all objects, named "": every record weighs the same, whatever its object."""
    each = tuple(objects)
    return grade_object(
        "",
        records=sum(one.records for one in each),
        records_with_issue=sum(one.records_with_issue for one in each),
        lost=sum(one.records * (1 - one.weighted) for one in each if one.weighted is not None),
    )


def worst_first(issue: IssueResult) -> tuple[int, int, int, str]:
    """Return a sort key: failed before passed before not assessed, then severity, then how many fail."""
    verdicts, severities = ("failed", "passed", "not_assessed"), ("critical", "error", "warning", "info")
    return (verdicts.index(issue.verdict), severities.index(issue.severity), -issue.failing, issue.check_id)
