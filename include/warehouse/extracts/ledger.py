"""Keep what each extract read and what became of it: a line per object and run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from include.records import AirflowRun, RowCounts, RunMode, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractRow:
    """Hold what an object's extract did in one DAG run."""

    run_id: int
    object: str
    mode: RunMode
    window: Window
    counts: RowCounts


def add_to_extract(
    connection: Connection,
    run_id: int,
    org: str,
    object: str,
    *,
    mode: RunMode,
    window: Window,
    plan: str,
    counts: RowCounts,
) -> RowCounts:
    """Write what a run loaded, in the transaction of the rows, and return its sum: a further page adds to it."""
    row = connection.execute(
        text(
            "INSERT INTO headwater.extract AS e (run_id, org, object, mode, low, high, plan, rows_read, inserted,"
            " updated, unchanged, deleted, rejected, nul_removed)"
            " VALUES (:run_id, :org, :object, :mode, :low, :high, :plan, :read,"
            " :inserted, :updated, :unchanged, :deleted, :rejected, :nul_removed)"
            " ON CONFLICT (run_id) DO UPDATE SET rows_read = e.rows_read + excluded.rows_read,"
            " inserted = e.inserted + excluded.inserted, updated = e.updated + excluded.updated,"
            " unchanged = e.unchanged + excluded.unchanged, deleted = e.deleted + excluded.deleted,"
            " rejected = e.rejected + excluded.rejected, nul_removed = e.nul_removed + excluded.nul_removed,"
            " high = greatest(e.high, excluded.high), committed_at = now() RETURNING *"
        ),
        {
            "run_id": run_id,
            "org": org,
            "object": object,
            "mode": mode.value,
            "low": window.low,
            "high": window.high,
            "plan": plan,
            "read": counts.read,
            "inserted": counts.inserted,
            "updated": counts.updated,
            "unchanged": counts.unchanged,
            "deleted": counts.deleted,
            "rejected": counts.rejected,
            "nul_removed": counts.nul_removed,
        },
    ).one()
    return _counts(row)


def extracts_of(connection: Connection, org: str, run: AirflowRun) -> list[ExtractRow]:
    """Return what this DAG run loaded, every try of every object."""
    rows = connection.execute(
        text(
            "SELECT e.* FROM headwater.extract e JOIN headwater.run r USING (run_id)"
            " WHERE r.kind = 'extract' AND r.org = :org AND r.dag_id = :dag_id AND r.dag_run_id = :dag_run_id"
            " ORDER BY run_id"
        ),
        {"org": org, "dag_id": run.dag_id, "dag_run_id": run.dag_run_id},
    )
    return [
        ExtractRow(
            run_id=row.run_id,
            object=row.object,
            mode=RunMode(row.mode),
            window=Window(low=row.low, high=row.high),
            counts=_counts(row),
        )
        for row in rows
    ]


def changed_since_certificate(connection: Connection, org: str, object: str) -> bool:
    """Return whether rows of the object changed or were rejected after its last certificate, or it has none."""
    found: bool = connection.execute(
        text(
            "SELECT c.written_at IS NULL OR EXISTS (SELECT 1 FROM headwater.extract e WHERE e.org = :org"
            " AND e.object = :object AND e.inserted + e.updated + e.rejected > 0 AND e.committed_at > c.written_at)"
            " FROM (SELECT max(written_at) AS written_at FROM headwater.certificate"
            " WHERE org = :org AND object = :object) AS c"
        ),
        {"org": org, "object": object},
    ).scalar_one()
    return found


def newest_extract(connection: Connection, org: str, object: str) -> int | None:
    """Return the run that last brought rows of the object, or None."""
    found: int | None = connection.execute(
        text("SELECT max(run_id) FROM headwater.extract WHERE org = :org AND object = :object"),
        {"org": org, "object": object},
    ).scalar()
    return found


def degrade_extract(connection: Connection, org: str, object: str, cause: str) -> None:
    """Mark the run that last brought rows of the object as degraded, and add the cause to its message."""
    connection.execute(
        text(
            "UPDATE headwater.run SET state = 'degraded',"
            " message = concat_ws('; ', nullif(message, ''), CAST(:cause AS text))"
            " WHERE run_id = (SELECT max(run_id) FROM headwater.extract WHERE org = :org AND object = :object)"
            " AND state IN ('success', 'degraded') AND strpos(message, :cause) = 0"
        ),
        {"org": org, "object": object, "cause": cause},
    )


def _counts(row: Row[Any]) -> RowCounts:
    return RowCounts(
        read=row.rows_read,
        inserted=row.inserted,
        updated=row.updated,
        unchanged=row.unchanged,
        deleted=row.deleted,
        rejected=row.rejected,
        nul_removed=row.nul_removed,
    )
