"""Keep the records that a platform took for later, until its job tells what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from include.warehouse.listed import LISTED, as_json, clean, column, lines

# An event key holds no tabulator.
_KEYS_END = "\t"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Hold a record that a platform works on: its job, its place there, and the events that went with it."""

    record_id: str
    job: str
    place: int
    event_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenJob:
    """Hold a job that has not told yet, as one run gave it its records."""

    run_id: int
    job: str
    accepted_at: datetime
    records: tuple[Accepted, ...]


def note_accepted(connection: Connection, push: str, run_id: int, accepted: Sequence[Accepted]) -> None:
    """Write down what a platform took for later, in the transaction that records the outcomes."""
    if not accepted:
        return
    connection.execute(
        text(
            "INSERT INTO headwater.accepted (run_id, push, record_id, job, place, event_keys)"
            " SELECT :run_id, :push, record_id, job, CAST(place AS integer),"
            f" coalesce(string_to_array(keys, E'\\t'), '{{}}') FROM {lines('record_id', 'job', 'place', 'keys')}"
        ),
        {
            "run_id": run_id,
            "push": push,
            "record_id": column([each.record_id for each in accepted]),
            "job": column([clean(each.job) for each in accepted]),
            "place": column([str(each.place) for each in accepted]),
            "keys": column([_KEYS_END.join(each.event_keys) or None for each in accepted]),
        },
    )


def open_jobs(connection: Connection, push: str) -> list[tuple[int, str]]:
    """Return the jobs of a push that have not told yet, each with its run, the oldest first."""
    rows = connection.execute(
        text(
            "SELECT run_id, job FROM headwater.accepted WHERE push = :push GROUP BY run_id, job"
            " ORDER BY min(accepted_at), job"
        ),
        {"push": push},
    )
    return [(int(row.run_id), str(row.job)) for row in rows]


def read_job(connection: Connection, run_id: int, job: str) -> OpenJob | None:
    """Return a job with its records, or None when it is settled."""
    rows = connection.execute(
        text(
            "SELECT record_id, place, event_keys, accepted_at FROM headwater.accepted"
            " WHERE run_id = :run_id AND job = :job ORDER BY place, record_id"
        ),
        {"run_id": run_id, "job": job},
    ).all()
    if not rows:
        return None
    return OpenJob(
        run_id=run_id,
        job=job,
        accepted_at=min(row.accepted_at for row in rows),
        records=tuple(
            Accepted(record_id=row.record_id, job=job, place=row.place, event_keys=tuple(row.event_keys))
            for row in rows
        ),
    )


def leave_accepted(connection: Connection, run_id: int, record_ids: Sequence[str]) -> int:
    """Take records out that are settled now; return how many still were there."""
    return connection.execute(
        text(f"DELETE FROM headwater.accepted WHERE run_id = :run_id AND record_id IN ({LISTED})"),
        {"run_id": run_id, "listed": as_json(record_ids)},
    ).rowcount


def pushes_with_jobs(connection: Connection) -> list[str]:
    """Return the pushes that wait for a platform's word."""
    return list(connection.execute(text("SELECT DISTINCT push FROM headwater.accepted ORDER BY push")).scalars())
