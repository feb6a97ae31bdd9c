"""The ledger of problem records: how many have an issue of a category, and how many have one issue alone.

Counted once, while the assessment grades an object; no page counts findings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from include.warehouse.engine import transaction
from include.warehouse.health.assessments import ObjectGrade


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Say of a check how much a finding of it weighs in the weighted grade, and under which category it stands."""

    weight: float
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemRecords:
    """Count the records of an object that have an open finding, each once.

    `lost` is the sum of the weights of their worst findings, `by_category` counts a record once in each category,
    `alone` counts by check those that have no other finding.
    """

    records: int
    lost: float
    by_category: Mapping[str, int]
    alone: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedProblems:
    """Hold by category how many records have a problem, and by check how many have this one alone."""

    by_category: Mapping[str, int]
    alone: Mapping[str, int]


# One pass: a record's categories are bits of a number, and how many sets of them there are does not grow with the org.
_COUNT = """
SELECT places, CASE WHEN findings = 1 THEN number END AS alone, count(*) AS records, sum(weight) AS lost FROM (
    SELECT max(weight) AS weight, bit_or(1::bigint << place) AS places, count(*) AS findings, min(number) AS number
    FROM {findings} GROUP BY record_id) AS once
GROUP BY 1, 2"""

_JUDGED = """unnest(CAST(:checks AS text[]), CAST(:weights AS double precision[]), CAST(:places AS integer[]))
    WITH ORDINALITY AS judged (check_id, weight, place, number)"""

_OPEN = f"""headwater.finding AS finding JOIN {_JUDGED} ON judged.check_id = finding.check_id
    WHERE org = :org AND object = :object AND mended_by IS NULL"""

# Each touched record is looked up under each check: joined in any other way, all findings of the org would be read.
_OF_TOUCHED = """(SELECT DISTINCT record_id AS touched_id FROM {touched} WHERE object = :object) AS touched
    CROSS JOIN {judged} CROSS JOIN LATERAL (
        SELECT record_id FROM headwater.finding AS finding
        WHERE org = :org AND finding.check_id = judged.check_id AND record_id = touched_id AND object = :object
          AND {when} OFFSET 0) AS finding"""
_NOW = "mended_by IS NULL"
_BEFORE = "found_by < :assessment_id AND (mended_by IS NULL OR mended_by = :assessment_id)"


def count_problems(connection: Connection, org: str, object: str, checks: Mapping[str, Weighed]) -> ProblemRecords:
    """Return how many records of an object have an open finding of these checks; other checks do not count."""
    return _count(connection, _COUNT.format(findings=_OPEN), {"org": org, "object": object}, checks)


def recount_problems(
    connection: Connection,
    org: str,
    object: str,
    checks: Mapping[str, Weighed],
    *,
    before: ProblemRecords,
    assessment_id: int,
    touched: str,
) -> ProblemRecords:
    """Return what `count_problems` would, from what the assessment before counted: only touched records differ.

    Args:
        connection: the assessment's.
        org: whose.
        object: which.
        checks: those that count; they must be those of the assessment before.
        before: what that one counted.
        assessment_id: this one, which has settled its findings.
        touched: the table of records of which a finding appeared or was mended in it.
    """
    values = {"org": org, "object": object, "assessment_id": assessment_id}
    gone, come = (
        _count(
            connection,
            _COUNT.format(findings=_OF_TOUCHED.format(touched=touched, judged=_JUDGED, when=when)),
            values,
            checks,
        )
        for when in (_BEFORE, _NOW)
    )
    return ProblemRecords(
        records=before.records - gone.records + come.records,
        lost=round(before.lost - gone.lost + come.lost, 6),  # a sum of tenths: a rest would grow with each assessment
        by_category={
            name: before.by_category[name] - gone.by_category[name] + count for name, count in come.by_category.items()
        },
        alone={name: before.alone[name] - gone.alone[name] + count for name, count in come.alone.items()},
    )


def _count(
    connection: Connection, statement: str, values: Mapping[str, object], checks: Mapping[str, Weighed]
) -> ProblemRecords:
    names = list(checks)
    categories = sorted({each.category for each in checks.values()})
    listed = {
        "checks": names,
        "weights": [each.weight for each in checks.values()],
        "places": [categories.index(each.category) % 63 for each in checks.values()],
    }
    by_category = dict.fromkeys(categories, 0)
    alone = dict.fromkeys(names, 0)
    records, lost = 0, 0.0
    for row in connection.execute(text(statement), {**values, **listed}):
        records += row.records
        lost += float(row.lost)
        if row.alone is not None:
            alone[names[row.alone - 1]] += row.records
        for place, category in enumerate(categories):
            if row.places >> (place % 63) & 1:
                by_category[category] += row.records
    return ProblemRecords(records=records, lost=lost, by_category=by_category, alone=alone)


def write_problems(connection: Connection, assessment_id: int, object: str, found: ProblemRecords) -> None:
    """Add what was counted of an object to an assessment, inside the caller's transaction."""
    for table, column, counts in (
        ("assessed_category", "category", found.by_category),
        ("assessed_alone", "check_id", found.alone),
    ):
        connection.execute(
            text(
                f"INSERT INTO headwater.{table} (assessment_id, object, {column}, records)"
                " SELECT :assessment_id, :object, name, records"
                " FROM unnest(CAST(:names AS text[]), CAST(:records AS bigint[])) AS counted (name, records)"
            ),
            {
                "assessment_id": assessment_id,
                "object": object,
                "names": list(counts),
                "records": list(counts.values()),
            },
        )


def take_over_problems(connection: Connection, assessment_id: int, before: int, object: str) -> None:
    """Copy what was counted of an object from an assessment before: nothing of it has changed since."""
    for table, column in (("assessed_category", "category"), ("assessed_alone", "check_id")):
        connection.execute(
            text(
                f"INSERT INTO headwater.{table} (assessment_id, object, {column}, records)"
                f" SELECT :assessment_id, object, {column}, records FROM headwater.{table}"
                " WHERE assessment_id = :before AND object = :object"
            ),
            {"assessment_id": assessment_id, "before": before, "object": object},
        )


def counted_before(connection: Connection, assessment_id: int, grade: ObjectGrade) -> ProblemRecords | None:
    """Return what an assessment counted of the object that it graded so; None for one that did not keep it all."""
    counts: list[dict[str, int]] = []
    for table, column in (("assessed_category", "category"), ("assessed_alone", "check_id")):
        rows = connection.execute(
            text(
                f"SELECT {column}, records FROM headwater.{table}"
                " WHERE assessment_id = :assessment_id AND object = :object"
            ),
            {"assessment_id": assessment_id, "object": grade.object},
        )
        counts.append({name: int(records) for name, records in rows})
    if grade.weighted is None and grade.records:
        return None
    lost = round(grade.records * (1 - grade.weighted), 6) if grade.weighted is not None else 0.0
    return ProblemRecords(records=grade.records_with_issue, lost=lost, by_category=counts[0], alone=counts[1])


def problems_of(engine: Engine, assessment_id: int) -> AssessedProblems:
    """Return what was counted for an assessment over all objects; empty for one of before these counts were kept."""
    with transaction(engine) as connection:
        categories = connection.execute(
            text(
                "SELECT category, sum(records)::bigint FROM headwater.assessed_category"
                " WHERE assessment_id = :assessment_id GROUP BY category"
            ),
            {"assessment_id": assessment_id},
        ).all()
        alone = connection.execute(
            text(
                "SELECT check_id, sum(records)::bigint FROM headwater.assessed_alone"
                " WHERE assessment_id = :assessment_id GROUP BY check_id"
            ),
            {"assessment_id": assessment_id},
        ).all()
    return AssessedProblems(
        by_category={name: int(records) for name, records in categories},
        alone={name: int(records) for name, records in alone},
    )
