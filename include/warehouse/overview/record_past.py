"""What the ledgers know of one record: findings, outcomes, sync errors, and the run that wrote its row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

MOST_RUNS = 1_000  # of pushes, that are looked through for a record
MOST_OUTCOMES = 50

# The ledger has no index by record: an assessment writes millions of findings, a record is looked at now and then.
# The checks are found by jumping through the index there is, and the record below each of them.
_FINDINGS = """
WITH RECURSIVE checks (check_id) AS (
    SELECT min(check_id) FROM headwater.finding WHERE org = :org
    UNION ALL
    SELECT (SELECT min(f.check_id) FROM headwater.finding AS f WHERE f.org = :org AND f.check_id > c.check_id)
      FROM checks AS c WHERE c.check_id IS NOT NULL),
newest (assessment_id) AS (SELECT max(assessment_id) FROM headwater.assessment WHERE org = :org)
SELECT f.check_id, f.object, first.assessed_at AS first_seen_at, f.mended_by IS NOT NULL AS mended,
       mended.assessed_at AS mended_at, coalesce(now_is.title, then_was.title, f.check_id) AS title,
       coalesce(now_is.why, then_was.why, '') AS why, coalesce(now_is.severity, then_was.severity, '') AS severity,
       coalesce(now_is.category, then_was.category, '') AS category,
       coalesce(now_is.fix, then_was.fix, '') AS fix, now_is.check_id IS NOT NULL AS assessed
  FROM checks AS c
  JOIN headwater.finding AS f ON f.org = :org AND f.check_id = c.check_id AND f.record_id = :id
  LEFT JOIN headwater.assessment AS first ON first.assessment_id = f.found_by
  LEFT JOIN headwater.assessment AS mended ON mended.assessment_id = f.mended_by
  LEFT JOIN headwater.issue AS now_is
         ON now_is.assessment_id = (SELECT assessment_id FROM newest) AND now_is.check_id = f.check_id
  LEFT JOIN headwater.issue AS then_was ON then_was.assessment_id = f.found_by AND then_was.check_id = f.check_id
 WHERE c.check_id IS NOT NULL
 ORDER BY f.mended_by IS NOT NULL,
          array_position(ARRAY['critical', 'error', 'warning', 'info'],
                         coalesce(now_is.severity, then_was.severity)),
          f.found_by DESC, f.check_id
 LIMIT 200
"""

_OUTCOMES = f"""
SELECT r.run_id, r.push, r.platform, r.dry_run, o.outcome, o.cause, o.message, o.at, run.dag_id, run.dag_run_id
  FROM (SELECT run_id, push, platform, dry_run FROM headwater.push_run
         WHERE org = :org ORDER BY run_id DESC LIMIT {MOST_RUNS}) AS r
 CROSS JOIN LATERAL (SELECT * FROM headwater.outcome AS o WHERE o.run_id = r.run_id AND o.record_id = :id LIMIT 1) AS o
  LEFT JOIN headwater.run AS run ON run.run_id = r.run_id
 ORDER BY r.run_id DESC LIMIT {MOST_OUTCOMES}
"""

_ERRORS = """
WITH RECURSIVE pushes (push) AS (
    SELECT min(push) FROM headwater.sync_error WHERE org = :org
    UNION ALL
    SELECT (SELECT min(e.push) FROM headwater.sync_error AS e WHERE e.org = :org AND e.push > p.push)
      FROM pushes AS p WHERE p.push IS NOT NULL)
SELECT e.error_id, e.push, e.platform, e.outcome, e.cause, e.message, e.attempts, e.first_at, e.last_at,
       e.settled_at, e.settled_by
  FROM pushes AS p
  JOIN headwater.sync_error AS e ON e.push = p.push AND e.record_id = :id AND e.org = :org
 ORDER BY e.settled_at IS NOT NULL, e.error_id DESC LIMIT 50
"""

_RUN = """
SELECT r.run_id, r.kind, r.state, r.started_at, r.ended_at, r.dag_id, r.dag_run_id, r.task_id, e.mode, e.low, e.high
  FROM headwater.run AS r LEFT JOIN headwater.extract AS e USING (run_id) WHERE r.run_id = :run_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFinding:
    """Hold one finding of a record; a time is None when its assessment is no longer kept.

    `assessed`: the newest assessment knows the check.
    """

    check_id: str
    object: str
    first_seen_at: datetime | None
    mended: bool
    mended_at: datetime | None
    title: str
    why: str
    severity: str
    category: str
    fix: str
    assessed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcome:
    """Hold what became of a record in one run of a push."""

    run_id: int
    push: str
    platform: str
    dry_run: bool
    outcome: str
    cause: str
    message: str
    at: datetime
    dag_id: str | None
    dag_run_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordError:
    """Hold one sync error of a record."""

    error_id: int
    push: str
    platform: str
    outcome: str
    cause: str
    message: str
    attempts: int
    first_at: datetime
    last_at: datetime
    settled_at: datetime | None
    settled_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRun:
    """Hold the run that wrote a row as it is now; the window is that of its load, if it was a load."""

    run_id: int
    kind: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    dag_id: str
    dag_run_id: str
    task_id: str
    mode: str | None
    low: datetime | None
    high: datetime | None


def findings_of(connection: Connection, org: str, record_id: str) -> tuple[RecordFinding, ...]:
    """Return the findings of a record, open ones first."""
    rows = connection.execute(text(_FINDINGS), {"org": org, "id": record_id}).mappings()
    return tuple(RecordFinding(**row) for row in rows)


def outcomes_of(connection: Connection, org: str, record_id: str) -> tuple[RecordOutcome, ...]:
    """Return what became of a record in the newest runs of the org's pushes, the newest first."""
    rows = connection.execute(text(_OUTCOMES), {"org": org, "id": record_id}).mappings()
    return tuple(RecordOutcome(**row) for row in rows)


def errors_of(connection: Connection, org: str, record_id: str) -> tuple[RecordError, ...]:
    """Return the sync errors of a record, open ones first."""
    rows = connection.execute(text(_ERRORS), {"org": org, "id": record_id}).mappings()
    return tuple(RecordError(**row) for row in rows)


def run_of(connection: Connection, run_id: int | None) -> RecordRun | None:
    """Return a run, or None when it is not kept any more."""
    row = connection.execute(text(_RUN), {"run_id": run_id}).mappings().one_or_none()
    return RecordRun(**row) if row else None
