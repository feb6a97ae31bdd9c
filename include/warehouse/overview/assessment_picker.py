"""Find an assessment by its day, and those beside one: what a run picker needs besides the list of the newest."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

_ON = """
SELECT coalesce(
    (SELECT assessment_id FROM headwater.assessment
      WHERE org = :org AND assessed_at < CAST(:day AS date) + interval '1 day' ORDER BY assessment_id DESC LIMIT 1),
    (SELECT min(assessment_id) FROM headwater.assessment WHERE org = :org))
"""

_BESIDE = """
SELECT (SELECT max(assessment_id) FROM headwater.assessment WHERE org = :org AND assessment_id < :assessment_id),
       (SELECT min(assessment_id) FROM headwater.assessment WHERE org = :org AND assessment_id > :assessment_id)
"""


def assessment_on(engine: Engine, org: str, day: date) -> int | None:
    """Return the last assessment of a day (UTC) or before it, else the oldest that is kept; None: there is none."""
    with transaction(engine) as connection:
        found = connection.execute(text(_ON), {"org": org, "day": day}).scalar()
    return None if found is None else int(found)


def neighbours(engine: Engine, org: str, assessment_id: int) -> tuple[int | None, int | None]:
    """Return the org's assessment before this one and the one after it, None where there is none."""
    with transaction(engine) as connection:
        earlier, later = connection.execute(text(_BESIDE), {"org": org, "assessment_id": assessment_id}).one()
    return earlier, later
