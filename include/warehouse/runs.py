"""Keep our runs: what ran for which object, assessment or push, under which Airflow task, and how it ended."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, text

from include.records import AirflowRun

Kind = Literal["extract", "reconcile", "health", "push"]
EndState = Literal["success", "skipped", "paused", "degraded", "failed"]


def start_run(connection: Connection, *, kind: Kind, org: str, subject: str, run: AirflowRun) -> int:
    """Write that a run begins and return its id."""
    run_id: int = connection.execute(
        text(
            "INSERT INTO headwater.run (kind, org, subject, dag_id, dag_run_id, task_id, try_number, run_type)"
            " VALUES (:kind, :org, :subject, :dag_id, :dag_run_id, :task_id, :try_number, :run_type) RETURNING run_id"
        ),
        {
            "kind": kind,
            "org": org,
            "subject": subject,
            "dag_id": run.dag_id,
            "dag_run_id": run.dag_run_id,
            "task_id": run.task_id,
            "try_number": run.try_number,
            "run_type": run.run_type,
        },
    ).scalar_one()
    return run_id


def has_begun(connection: Connection, *, kind: Kind, org: str, subject: str, run: AirflowRun) -> bool:
    """Return whether this try of a task began its work; one that waited for its turn all the while did not."""
    found: bool = connection.execute(
        text(
            "SELECT EXISTS (SELECT FROM headwater.run WHERE kind = :kind AND org = :org AND subject = :subject"
            " AND dag_id = :dag_id AND dag_run_id = :dag_run_id AND task_id = :task_id AND try_number = :try_number)"
        ),
        {
            "kind": kind,
            "org": org,
            "subject": subject,
            "dag_id": run.dag_id,
            "dag_run_id": run.dag_run_id,
            "task_id": run.task_id,
            "try_number": run.try_number,
        },
    ).scalar_one()
    return found


def finish_run(connection: Connection, run_id: int, state: EndState, message: str = "") -> None:
    """Write how a run ended; to be called in the transaction of what it did."""
    connection.execute(  # now() would be the moment at which that transaction, and so the whole load, began
        text(
            "UPDATE headwater.run SET state = :state, message = :message, ended_at = clock_timestamp()"
            " WHERE run_id = :run_id"
        ),
        {"run_id": run_id, "state": state, "message": message},
    )


def note_more(connection: Connection, run_id: int, words: str) -> None:
    """Add to what an ended run says that it changed more rows; one that had found nothing is no skip any more."""
    connection.execute(
        text(
            "UPDATE headwater.run SET message = concat_ws('; ', nullif(message, ''), CAST(:words AS text)),"
            " state = CASE WHEN state = 'skipped' THEN 'success' ELSE state END, ended_at = clock_timestamp()"
            " WHERE run_id = :run_id"
        ),
        {"run_id": run_id, "words": words},
    )


def bury_runs(connection: Connection, *, kind: Kind, org: str, subject: str) -> int:
    """Mark runs that never said how they ended as failed; only for the holder of the lock on their subject."""
    return connection.execute(
        text(
            "UPDATE headwater.run SET state = 'failed', ended_at = now(), message = 'its process ended without a word'"
            " WHERE kind = :kind AND org = :org AND subject = :subject AND state = 'running'"
        ),
        {"kind": kind, "org": org, "subject": subject},
    ).rowcount
