"""How many records one check found over the assessments: a line an assessment, the oldest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

MOST_POINTS = 60

_TREND = """
SELECT a.assessment_id, a.assessed_at, i.verdict, i.records, i.failing, i.share
  FROM (SELECT assessment_id, assessed_at FROM headwater.assessment
         WHERE org = :org AND assessment_id <= :last ORDER BY assessment_id DESC LIMIT :most) AS a
  JOIN headwater.issue AS i ON i.assessment_id = a.assessment_id AND i.check_id = :check_id
 ORDER BY a.assessment_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueAt:
    """Hold what one check found at one assessment."""

    assessment_id: int
    assessed_at: datetime
    verdict: str
    records: int
    failing: int
    share: float


def issue_trend(engine: Engine, org: str, check_id: str, *, last: int, most: int = MOST_POINTS) -> tuple[IssueAt, ...]:
    """Return what a check found at the assessment `last` and those before it."""
    bound = {"org": org, "check_id": check_id, "last": last, "most": most}
    with transaction(engine) as connection:
        return tuple(IssueAt(**row) for row in connection.execute(text(_TREND), bound).mappings())
