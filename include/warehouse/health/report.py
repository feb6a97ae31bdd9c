"""Read what changed in an org's health of late, with the words that people know it by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from include.warehouse.health.changes import Change, HealthNews

# News of the day before the newest assessment: what was told of it is kept for a while, and must not be told again when
# that is forgotten. The clock is the assessments' own, and their order counts: after one that a wrong clock puts into
# the time to come, its day ends with the day of the one after it.
_NEWS = """
WITH newest AS (SELECT assessment_id, assessed_at FROM headwater.assessment WHERE org = :org
                 ORDER BY assessment_id DESC LIMIT 1),
told AS (SELECT coalesce(max(a.assessment_id), 0) AS assessment_id FROM headwater.assessment AS a, newest
          WHERE a.org = :org AND a.assessed_at <= newest.assessed_at - interval '1 day')
SELECT n.assessment_id, n.subject, n.change, n.object, n.failing, n.records, n.before_failing, n.before_records,
       a.grade, a.records AS all_records, coalesce(i.title, '') AS title, coalesce(i.why, '') AS why,
       coalesce(i.severity, 'info') AS severity, coalesce(i.max_share, 0) AS max_share,
       coalesce(i.reason, '') AS reason
  FROM headwater.health_news AS n
  JOIN headwater.assessment AS a ON a.assessment_id = n.assessment_id
  JOIN told ON n.assessment_id > told.assessment_id
  LEFT JOIN headwater.issue AS i ON i.assessment_id = n.assessment_id AND i.check_id = n.subject
 WHERE n.org = :org
 ORDER BY n.assessment_id, array_position(ARRAY['first', 'new', 'worse', 'not_assessed', 'better', 'mended',
          'assessed_again'], n.change), array_position(ARRAY['critical', 'error', 'warning', 'info'], i.severity),
          n.failing DESC, n.subject
"""

_STILL_BAD = """
SELECT s.subject AS check_id, s.bad_since, s.changed_at, i.object, i.title, i.severity, i.failing, i.records, i.share,
       i.reason
  FROM headwater.health_standing AS s
  JOIN headwater.issue AS i ON i.check_id = s.subject AND i.assessment_id = :assessment_id AND i.verdict = 'failed'
 WHERE s.org = :org AND s.layer = 'told' AND s.bad AND s.assessed
 ORDER BY array_position(ARRAY['critical', 'error', 'warning', 'info'], i.severity), i.failing DESC, s.subject
"""

_NEWEST = """
SELECT assessment_id, assessed_at FROM headwater.assessment WHERE org = :org ORDER BY assessment_id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsInWords:
    """Hold a change with what people know its issue by; empty for a grade."""

    news: HealthNews
    title: str
    why: str
    severity: str
    max_share: float
    reason: str
    grade: float | None  # of all objects, in that assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class StillBad:
    """Hold an issue that people were told of and that is not over."""

    check_id: str
    object: str
    title: str
    severity: str
    failing: int
    records: int
    share: float
    reason: str
    bad_since: datetime
    changed_at: datetime  # when people were told of it last


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """Hold what the newest assessments changed, and what stays bad."""

    assessment_id: int
    assessed_at: datetime
    news: tuple[NewsInWords, ...] = ()
    bad: tuple[StillBad, ...] = ()


def health_report(connection: Connection, org: str) -> HealthReport | None:
    """Return what there may be to tell of an org's health; None while it was never assessed."""
    newest = connection.execute(text(_NEWEST), {"org": org}).one_or_none()
    if newest is None:
        return None
    bound = {"org": org, "assessment_id": newest.assessment_id}
    return HealthReport(
        assessment_id=newest.assessment_id,
        assessed_at=newest.assessed_at,
        news=tuple(_in_words(row) for row in connection.execute(text(_NEWS), bound)),
        bad=tuple(StillBad(**row) for row in connection.execute(text(_STILL_BAD), bound).mappings()),
    )


def _in_words(row: Any) -> NewsInWords:
    return NewsInWords(
        news=HealthNews(
            assessment_id=row.assessment_id,
            subject=row.subject,
            change=Change(row.change),
            object=row.object,
            failing=row.failing,
            records=row.records,
            before_failing=row.before_failing,
            before_records=row.before_records,
        ),
        title=row.title,
        why=row.why,
        severity=row.severity,
        max_share=row.max_share,
        reason=row.reason,
        grade=row.grade,
    )
