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


class Sweep:
    """Collect the failing Ids of one assessment in temporary tables, which are gone with its transaction.

    Each part is a new table, because PostgreSQL reads with several processes to make one,
    and with a single one to add rows to it.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._parts: list[str] = []

    def add(self, query: str) -> None:
        """Keep what a query finds: check_id, object and record_id of each failing record."""
        part = f"{self._name}_{len(self._parts) + 1}"
        # As it stands: neither % nor : in it stands for a parameter.
        self._connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE {part} ON COMMIT DROP AS {query}", execution_options={"no_parameters": True}
        )
        self._parts.append(part)

    @property
    def rows(self) -> str:
        """Return what stands for all of it behind FROM."""
        parts = " UNION ALL ".join(f"SELECT check_id, object, record_id FROM {part}" for part in self._parts)
        return f"({parts or _NOTHING})"

    def analyze(self) -> None:
        """Let the planner know how much was found."""
        for part in self._parts:
            self._connection.exec_driver_sql(f"ANALYZE {part}")

    def counts(self) -> dict[str, int]:
        """Return how many records failed each check; a check without any is missing."""
        statement = text(f"SELECT check_id, count(*) AS failing FROM {self.rows} AS sweep GROUP BY check_id")
        return {row.check_id: row.failing for row in self._connection.execute(statement)}


def keep_touched(connection: Connection, name: str) -> None:
    """Make a temporary table for the records of which a finding appears or is mended in this transaction."""
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {name} (object text, record_id text) ON COMMIT DROP")


def settle_findings(
    connection: Connection,
    org: str,
    assessment_id: int,
    sweep: Sweep,
    checks: Sequence[str],
    *,
    among: str = "",
    touched: str = "",
) -> dict[str, tuple[int, int]]:
    """Bring the findings of these checks to what the sweep holds; return per check how many appeared and were mended.

    A check that was not assessed must not be among them: nothing is known about its findings.

    Args:
        connection: the assessment's.
        org: whose.
        assessment_id: which assessment.
        sweep: the failing records.
        checks: those that were judged.
        among: a table of the records that were judged; "" for all.
        touched: a table that takes the records of which a finding appeared or was mended; "" for none.
    """
    names = {"org": org, "assessment_id": assessment_id, "checks": list(checks)}
    sweep.analyze()
    only = f"AND record_id IN (SELECT record_id FROM {among})" if among else ""
    # The first assessment meets an empty ledger, which the planner would walk by index for each failing record: hours.
    connection.execute(text(f"SET LOCAL enable_nestloop = {'on' if among else 'off'}"))
    note = _NOTE.format(touched=touched) if touched else ""
    statements = (text(each.format(sweep=sweep.rows, only=only, note=note)) for each in (_MEND, _FIND))
    mended, appeared = ({row.check_id: row.findings for row in connection.execute(each, names)} for each in statements)
    connection.execute(text("SET LOCAL enable_nestloop = on"))
    return {check: (appeared.get(check, 0), mended.get(check, 0)) for check in checks}


def learn_findings(connection: Connection) -> None:
    """Let the planner know of the findings once they grew by a tenth; call it after they are committed.

    Autovacuum does so within minutes. Until then the next assessment would take the ledger for empty, and walk all of
    it for a few changed records.
    """
    if connection.execute(text(_GREW)).scalar_one():
        connection.exec_driver_sql("ANALYZE (SKIP_LOCKED) headwater.finding")


_GREW = """
SELECT pg_relation_size(oid) > 1.1 * relpages * current_setting('block_size')::integer
FROM pg_class WHERE oid = 'headwater.finding'::regclass"""

_FAILING_IDS = """
SELECT record_id FROM headwater.finding
WHERE org = :org AND check_id = :check_id AND record_id > :after
  AND found_by <= :assessment_id AND (mended_by IS NULL OR mended_by > :assessment_id)
  AND EXISTS (SELECT FROM headwater.issue AS issue
              WHERE issue.assessment_id = :assessment_id AND issue.check_id = :check_id
                AND issue.verdict <> 'not_assessed')
ORDER BY record_id
LIMIT :limit"""

_NOTHING = "SELECT ''::text AS check_id, ''::text AS object, ''::text AS record_id WHERE false"

_NOTE = ", noted AS (INSERT INTO {touched} SELECT object, record_id FROM settled)"

_MEND = """
WITH settled AS (
    UPDATE headwater.finding AS finding SET mended_by = :assessment_id
    WHERE org = :org AND mended_by IS NULL AND check_id = ANY(:checks) {only}
      AND NOT EXISTS (SELECT FROM {sweep} AS sweep
                      WHERE sweep.check_id = finding.check_id AND sweep.record_id = finding.record_id)
    RETURNING check_id, object, record_id){note}
SELECT check_id, count(*) AS findings FROM settled GROUP BY check_id"""

# In the order of the indexes: each of their pages is then filled once, not found again for each row.
_FIND = """
WITH settled AS (
    INSERT INTO headwater.finding (org, check_id, object, record_id, found_by)
    SELECT :org, check_id, object, record_id, :assessment_id FROM {sweep} AS sweep
    WHERE check_id = ANY(:checks)
      AND NOT EXISTS (SELECT FROM headwater.finding AS finding
                      WHERE finding.org = :org AND finding.mended_by IS NULL
                        AND finding.check_id = sweep.check_id AND finding.record_id = sweep.record_id)
    ORDER BY check_id, record_id
    RETURNING check_id, object, record_id){note}
SELECT check_id, count(*) AS findings FROM settled GROUP BY check_id"""
