"""The ledger of problem records: how many have an issue of a category, and how many have one issue alone.

Counted once, while the assessment grades an object; no page counts findings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from include.warehouse.engine import transaction


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
    SELECT max(judged.weight) AS weight, bit_or(1::bigint << judged.place) AS places,
           count(*) AS findings, min(judged.number) AS number
    FROM headwater.finding AS finding
    JOIN unnest(CAST(:checks AS text[]), CAST(:weights AS double precision[]), CAST(:places AS integer[]))
         WITH ORDINALITY AS judged (check_id, weight, place, number)
      ON judged.check_id = finding.check_id
    WHERE finding.org = :org AND finding.mended_by IS NULL AND finding.object = :object
    GROUP BY finding.record_id) AS once
GROUP BY 1, 2"""


def count_problems(connection: Connection, org: str, object: str, checks: Mapping[str, Weighed]) -> ProblemRecords:
    """Return how many records of an object have an open finding of these checks; other checks do not count."""
    names = list(checks)
    categories = sorted({each.category for each in checks.values()})
    values = {
        "org": org,
        "object": object,
        "checks": names,
        "weights": [each.weight for each in checks.values()],
        "places": [categories.index(each.category) % 63 for each in checks.values()],
    }
    by_category = dict.fromkeys(categories, 0)
    alone = dict.fromkeys(names, 0)
    records, lost = 0, 0.0
    for row in connection.execute(text(_COUNT), values):
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
