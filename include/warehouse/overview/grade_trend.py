"""The grade of each object over the assessments of an org: what the trend on the health page shows beside the whole."""

from __future__ import annotations

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

_GRADES = """
SELECT object, assessment_id, grade FROM headwater.assessed_object
 WHERE assessment_id = ANY(:assessments) ORDER BY object, assessment_id
"""


def object_grade_trend(engine: Engine, assessments: list[int]) -> dict[str, dict[int, float | None]]:
    """Return by object its grade at each of these assessments, the object with most graded assessments first."""
    found: dict[str, dict[int, float | None]] = {}
    with transaction(engine) as connection:
        for object, assessment_id, grade in connection.execute(text(_GRADES), {"assessments": assessments}):
            found.setdefault(object, {})[assessment_id] = grade
    return dict(sorted(found.items(), key=lambda each: (-len(each[1]), each[0])))
