"""The ledger of health assessments: what an assessment found, check by check and object by object.

Written once, by `include.quality.assess`, inside its own transaction; read by the gate and by the pages.
The failing records themselves are in `include.warehouse.health.findings`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, text

from include.warehouse.engine import transaction

Verdict = Literal["passed", "failed", "not_assessed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueResult:
    """Hold what one check found in one assessment.

    `share` is failing / records; the check failed when it is greater than `max_share`.
    `reason` is filled when the check was not assessed: what is missing, and what to add where.
    `basis` is a hash of what the verdict follows from; while it stays the same the verdict is taken over, and
    `judged_by` names the assessment that judged it. `seen` says what it judged, as far as changed rows decide the next.
    `previous_failing` is None when the assessment before did not assess the check, or when there was none.
    """

    check_id: str
    object: str
    title: str
    why: str
    category: str
    severity: str
    verdict: Verdict
    max_share: float
    reason: str = ""
    records: int = 0
    failing: int = 0
    share: float = 0.0
    previous_failing: int | None = None
    appeared: int = 0
    mended: int = 0
    fix: str = ""
    basis: str = ""
    judged_by: int | None = None
    seen: str = ""
    change: str = ""  # one of `include.warehouse.health.changes.Change`; "" in assessments of before these were kept
    asked: str = ""  # a hash of what the definition asked; "" in assessments of before these were kept

    @property
    def trend(self) -> int | None:
        """Return how many more records fail than last time (negative: fewer), or None when there is no last time."""
        if self.previous_failing is None or self.verdict == "not_assessed":
            return None
        return self.failing - self.previous_failing


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectGrade:
    """Hold the grade of one object: the share of its live records without any issue; None when it has no records.

    In `weighted` a record with an issue is not all lost, but by the severity of its worst one.
    """

    object: str
    records: int
    records_with_issue: int
    grade: float | None
    weighted: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentRow:
    """Hold one assessment without its issues, as the trend of grades needs it."""

    assessment_id: int
    org: str
    assessed_at: datetime
    previous_id: int | None
    records: int
    records_with_issue: int
    grade: float | None
    seconds: float
    run_id: int | None = None
    weighted: float | None = None


def latest_assessment(engine: Engine, org: str) -> AssessmentRow | None:
    """Return the org's newest assessment, or None when there is none."""
    rows = recent_assessments(engine, org, limit=1)
    return rows[0] if rows else None


def one_assessment(engine: Engine, org: str, assessment_id: int) -> AssessmentRow | None:
    """Return this assessment of this org, or None: for a page that is asked for an older one."""
    statement = text(f"{_SELECT} WHERE org = :org AND assessment_id = :assessment_id")
    with transaction(engine) as connection:
        row = connection.execute(statement, {"org": org, "assessment_id": assessment_id}).one_or_none()
    return _assessment(row) if row else None


def recent_assessments(
    engine: Engine, org: str, *, limit: int = 30, before: int | None = None
) -> tuple[AssessmentRow, ...]:
    """Return the org's assessments, newest first, those before `before`: for the trend and to pick one."""
    older = " AND assessment_id < :before" if before is not None else ""
    statement = text(f"{_SELECT} WHERE org = :org{older} ORDER BY assessment_id DESC LIMIT :limit")
    bound = {"org": org, "limit": limit} | ({"before": before} if before is not None else {})
    with transaction(engine) as connection:
        return tuple(_assessment(row) for row in connection.execute(statement, bound))


def issues_of(engine: Engine, assessment_id: int) -> tuple[IssueResult, ...]:
    """Return every issue of an assessment: failed ones first, the most severe and most frequent on top."""
    with transaction(engine) as connection:
        rows = connection.execute(text(_ISSUES), {"assessment_id": assessment_id}).mappings()
        return tuple(IssueResult(**row) for row in rows)


def one_issue(engine: Engine, assessment_id: int, check_id: str) -> IssueResult | None:
    """Return what one check found in an assessment, or None when the assessment did not know the check."""
    return next((issue for issue in issues_of(engine, assessment_id) if issue.check_id == check_id), None)


def object_grades(engine: Engine, assessment_id: int) -> tuple[ObjectGrade, ...]:
    """Return the grade of each assessed object, by name."""
    statement = text(
        "SELECT object, records, records_with_issue, grade, weighted FROM headwater.assessed_object"
        " WHERE assessment_id = :assessment_id ORDER BY object"
    )
    with transaction(engine) as connection:
        rows = connection.execute(statement, {"assessment_id": assessment_id}).mappings()
        return tuple(ObjectGrade(**row) for row in rows)


def expectation_documents(
    engine: Engine, assessment_id: int, object: str
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return Great Expectations' suite and validation result of an object, as JSON values; None when there are none.

    They hold counts and definitions only, never a value of a record.
    """
    with transaction(engine) as connection:
        return documents_before(connection, assessment_id, object)


def write_assessment(connection: Connection, *, org: str, run_id: int | None, assessed_at: datetime) -> AssessmentRow:
    """Add an assessment, inside the caller's transaction, and return it with its number and the one before it.

    What it found is added by `finish_assessment`.
    """
    row = connection.execute(
        text(_INSERT),
        {
            "org": org,
            "run_id": run_id,
            "assessed_at": assessed_at,
        },
    ).one()
    return _assessment(row)


def write_issues(connection: Connection, assessment_id: int, issues: Sequence[IssueResult]) -> None:
    """Add what the checks found to an assessment, inside the caller's transaction."""
    if issues:
        rows = [{"assessment_id": assessment_id} | asdict(issue) for issue in issues]
        connection.execute(text(_INSERT_ISSUE), rows)


def write_object(
    connection: Connection,
    assessment_id: int,
    grade: ObjectGrade,
    *,
    suite: Mapping[str, Any],
    validation: Mapping[str, Any],
) -> None:
    """Add one object's grade and Great Expectations' documents to an assessment, inside the caller's transaction."""
    connection.execute(
        text(_INSERT_OBJECT),
        {"assessment_id": assessment_id, "suite": json.dumps(suite), "validation": json.dumps(validation)}
        | asdict(grade),
    )


def finish_assessment(connection: Connection, assessment_id: int, overall: ObjectGrade, *, seconds: float) -> None:
    """Note the grade over all objects, and how long the assessment took."""
    statement = text(
        "UPDATE headwater.assessment SET records = :records, records_with_issue = :records_with_issue, grade = :grade,"
        " weighted = :weighted, seconds = :seconds WHERE assessment_id = :assessment_id"
    )
    connection.execute(statement, asdict(overall) | {"seconds": seconds, "assessment_id": assessment_id})


def issues_before(connection: Connection, assessment_id: int | None) -> dict[str, IssueResult]:
    """Return what an assessment found of each check that it assessed; nothing for None."""
    rows = connection.execute(text(_ISSUES), {"assessment_id": assessment_id}).mappings()
    return {row["check_id"]: IssueResult(**row) for row in rows if row["verdict"] != "not_assessed"}


def grades_before(connection: Connection, assessment_id: int | None) -> dict[str, ObjectGrade]:
    """Return the grades of an assessment by object; nothing for None."""
    statement = text(
        "SELECT object, records, records_with_issue, grade, weighted FROM headwater.assessed_object"
        " WHERE assessment_id = :assessment_id"
    )
    rows = connection.execute(statement, {"assessment_id": assessment_id}).mappings()
    return {row["object"]: ObjectGrade(**row) for row in rows}


def documents_before(
    connection: Connection, assessment_id: int | None, object: str
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the suite and the validation result of an object in an assessment, or None when there are none."""
    statement = text(
        "SELECT suite, validation FROM headwater.assessed_object"
        " WHERE assessment_id = :assessment_id AND object = :object"
    )
    row = connection.execute(statement, {"assessment_id": assessment_id, "object": object}).one_or_none()
    return (row.suite, row.validation) if row else None


def take_over_object(connection: Connection, assessment_id: int, before: int, object: str) -> None:
    """Copy an object's grade and documents from an assessment before: nothing of it has changed since."""
    connection.execute(text(_TAKE_OVER), {"assessment_id": assessment_id, "before": before, "object": object})


def _assessment(row: Row[Any]) -> AssessmentRow:
    return AssessmentRow(**row._mapping)


_COLUMNS = "assessment_id, org, assessed_at, previous_id, records, records_with_issue, grade, seconds, run_id, weighted"
_SELECT = f"SELECT {_COLUMNS} FROM headwater.assessment"

_INSERT = f"""
INSERT INTO headwater.assessment (org, run_id, assessed_at, previous_id, records, records_with_issue, grade)
VALUES (:org, :run_id, :assessed_at,
        (SELECT max(assessment_id) FROM headwater.assessment WHERE org = :org), 0, 0, NULL)
RETURNING {_COLUMNS}"""

_ISSUE_COLUMNS = tuple(each.name for each in fields(IssueResult))

_INSERT_ISSUE = (
    f"INSERT INTO headwater.issue (assessment_id, {', '.join(_ISSUE_COLUMNS)})"
    f" VALUES (:assessment_id, {', '.join(f':{name}' for name in _ISSUE_COLUMNS)})"
)

_INSERT_OBJECT = """
INSERT INTO headwater.assessed_object
       (assessment_id, object, records, records_with_issue, grade, weighted, suite, validation)
VALUES (:assessment_id, :object, :records, :records_with_issue, :grade, :weighted,
        CAST(:suite AS jsonb), CAST(:validation AS jsonb))"""

_TAKE_OVER = """
INSERT INTO headwater.assessed_object
       (assessment_id, object, records, records_with_issue, grade, weighted, suite, validation)
SELECT :assessment_id, object, records, records_with_issue, grade, weighted, suite, validation
FROM headwater.assessed_object WHERE assessment_id = :before AND object = :object"""

_ISSUES = f"""
SELECT {", ".join(_ISSUE_COLUMNS)} FROM headwater.issue
WHERE assessment_id = :assessment_id
ORDER BY array_position(ARRAY['failed', 'passed', 'not_assessed'], verdict),
         array_position(ARRAY['critical', 'error', 'warning', 'info'], severity),
         failing DESC, check_id"""
