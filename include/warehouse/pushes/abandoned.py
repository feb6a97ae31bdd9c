"""Find push runs whose process ended without a word: they are neither at work nor will ever be again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

# Airflow lets one run of a DAG follow the other, backfills aside: an earlier one that still "runs" is over.
_OUTRUN = (
    "SELECT r.run_id FROM headwater.run AS r JOIN headwater.run AS mine ON mine.run_id = :run_id"
    " WHERE r.kind = 'push' AND r.subject = mine.subject AND r.state = 'running' AND r.run_id < mine.run_id"
    " AND r.dag_id <> '' AND r.dag_id = mine.dag_id AND 'backfill' NOT IN (r.run_type, mine.run_type)"
)
# A selection takes minutes; whoever waits for an approval or for Airflow's retries does so for days at most.
_OLD = (
    "SELECT r.run_id, r.subject FROM headwater.run AS r LEFT JOIN headwater.push_run AS p USING (run_id)"
    " WHERE r.kind = 'push' AND r.state = 'running' AND r.started_at < now() -"
    " CASE WHEN p.run_id IS NULL THEN interval '1 hour' ELSE interval '7 days' END ORDER BY r.run_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandoned:
    """Name a run and the push that it belongs to."""

    run_id: int
    push: str


def outrun_by(connection: Connection, run_id: int) -> list[int]:
    """Return the runs of the same push that a later run of their DAG has overtaken; for the holder of its lock."""
    return [int(each) for each in connection.execute(text(_OUTRUN), {"run_id": run_id}).scalars()]


def old_runs(connection: Connection) -> list[Abandoned]:
    """Return the push runs that nobody can be waiting for any more."""
    return [Abandoned(run_id=row.run_id, push=row.subject) for row in connection.execute(text(_OLD))]


def try_lock_push(connection: Connection, push: str) -> bool:
    """Take the lock of a push until the transaction ends, if nobody delivers it now."""
    return bool(
        connection.execute(
            text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"push:{push}"}
        ).scalar_one()
    )
