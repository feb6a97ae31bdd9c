"""The ledger of findings: which record broke which check, from which assessment to which.

Only Ids are kept, so no page or export of it holds a person's data.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, text

from include.warehouse.engine import transaction


def failing_ids(
    engine: Engine, org: str, check_id: str, assessment_id: int, *, after: str = "", limit: int = 100
) -> tuple[str, ...]:
    """Return the Ids that failed a check in an assessment, any assessment, in order of Id.

    Page by handing the last Id of a page over as `after`. The count is the issue's `failing`.
    A check that was not assessed then has no failing Ids, though findings of before may still be open.
    """
    with transaction(engine) as connection:
        rows = connection.execute(
            text(_FAILING_IDS),
            {"org": org, "check_id": check_id, "assessment_id": assessment_id, "after": after, "limit": limit},
        )
        return tuple(rows.scalars())


def open_sweep(connection: Connection) -> None:
    """Make the table `sweep` that takes the failing Ids of one assessment; it is gone with the transaction."""
    connection.execute(text(_SWEEP))


def sweep_counts(connection: Connection) -> dict[str, int]:
    """Return how many records of the sweep failed each check; a check without any is missing."""
    return {row.check_id: row.failing for row in connection.execute(text(_SWEEP_COUNTS))}


def settle_findings(
    connection: Connection, org: str, assessment_id: int, checks: Sequence[str]
) -> dict[str, tuple[int, int]]:
    """Bring the findings of these checks to what the sweep holds; return per check how many appeared and were mended.

    A check that was not assessed must not be among them: nothing is known about its findings.
    """
    names = {"org": org, "assessment_id": assessment_id, "checks": list(checks)}
    connection.execute(text("ANALYZE sweep"))
    # The first assessment meets an empty ledger, which the planner would walk by index for each failing record: hours.
    connection.execute(text("SET LOCAL enable_nestloop = off"))
    mended = {row.check_id: row.findings for row in connection.execute(text(_MEND), names)}
    appeared = {row.check_id: row.findings for row in connection.execute(text(_FIND), names)}
    connection.execute(text("SET LOCAL enable_nestloop = on"))
    return {check: (appeared.get(check, 0), mended.get(check, 0)) for check in checks}


_FAILING_IDS = """
SELECT record_id FROM headwater.finding
WHERE org = :org AND check_id = :check_id AND record_id > :after
  AND found_by <= :assessment_id AND (mended_by IS NULL OR mended_by > :assessment_id)
  AND EXISTS (SELECT FROM headwater.issue AS issue
              WHERE issue.assessment_id = :assessment_id AND issue.check_id = :check_id
                AND issue.verdict <> 'not_assessed')
ORDER BY record_id
LIMIT :limit"""

_SWEEP = """
CREATE TEMPORARY TABLE sweep (check_id text NOT NULL, object text NOT NULL, record_id text NOT NULL) ON COMMIT DROP"""

_SWEEP_COUNTS = "SELECT check_id, count(*) AS failing FROM sweep GROUP BY check_id"

_MEND = """
WITH mended AS (
    UPDATE headwater.finding AS finding SET mended_by = :assessment_id
    WHERE org = :org AND mended_by IS NULL AND check_id = ANY(:checks)
      AND NOT EXISTS (SELECT FROM sweep WHERE sweep.check_id = finding.check_id AND sweep.record_id = finding.record_id)
    RETURNING check_id)
SELECT check_id, count(*) AS findings FROM mended GROUP BY check_id"""

_FIND = """
WITH found AS (
    INSERT INTO headwater.finding (org, check_id, object, record_id, found_by)
    SELECT :org, check_id, object, record_id, :assessment_id FROM sweep
    WHERE check_id = ANY(:checks)
      AND NOT EXISTS (SELECT FROM headwater.finding AS finding
                      WHERE finding.org = :org AND finding.mended_by IS NULL
                        AND finding.check_id = sweep.check_id AND finding.record_id = sweep.record_id)
    RETURNING check_id)
SELECT check_id, count(*) AS findings FROM found GROUP BY check_id"""
