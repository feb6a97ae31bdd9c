"""Keep the parts of large loads: a slice is committed with its rows, and is where a killed load goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, text

from include.records import RunMode, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Hold a slice: what it reads, by which Bulk job, and from which locator it goes on ("": the first page)."""

    slice_id: int
    run_id: int
    object: str
    mode: RunMode
    window: Window
    soql: str
    straight: bool
    job_id: str = ""
    locator: str = ""
    rows_loaded: int = 0


def open_slice(
    connection: Connection,
    org: str,
    object: str,
    *,
    run_id: int,
    mode: RunMode,
    window: Window,
    soql: str,
    straight: bool,
) -> Slice:
    """Write that a large load begins."""
    slice_id = connection.execute(
        text(
            "INSERT INTO headwater.slice (run_id, org, object, mode, low, high, soql, straight)"
            " VALUES (:run_id, :org, :object, :mode, :low, :high, :soql, :straight) RETURNING slice_id"
        ),
        {
            "run_id": run_id,
            "org": org,
            "object": object,
            "mode": mode.value,
            "low": window.low,
            "high": window.high,
            "soql": soql,
            "straight": straight,
        },
    ).scalar_one()
    return Slice(
        slice_id=slice_id, run_id=run_id, object=object, mode=mode, window=window, soql=soql, straight=straight
    )


def open_slices(connection: Connection, org: str, object: str) -> list[Slice]:
    """Return the slices of the object that are not finished, oldest first."""
    rows = connection.execute(
        text(
            "SELECT slice_id, run_id, mode, low, high, soql, straight, job_id, locator, rows_loaded"
            " FROM headwater.slice WHERE org = :org AND object = :object AND state = 'open' ORDER BY slice_id"
        ),
        {"org": org, "object": object},
    )
    return [
        Slice(
            slice_id=row.slice_id,
            run_id=row.run_id,
            object=object,
            mode=RunMode(row.mode),
            window=Window(low=row.low, high=row.high),
            soql=row.soql,
            straight=row.straight,
            job_id=row.job_id,
            locator=row.locator,
            rows_loaded=row.rows_loaded,
        )
        for row in rows
    ]


def give_job(connection: Connection, slice_id: int, job_id: str) -> None:
    """Write which Bulk job reads the slice."""
    connection.execute(
        text("UPDATE headwater.slice SET job_id = :job_id WHERE slice_id = :slice_id"),
        {"slice_id": slice_id, "job_id": job_id},
    )


def advance_slice(connection: Connection, slice_id: int, *, locator: str, rows: int) -> None:
    """Write, in the transaction of a page's rows, where the next page begins."""
    connection.execute(
        text(
            "UPDATE headwater.slice SET locator = :locator, rows_loaded = rows_loaded + :rows"
            " WHERE slice_id = :slice_id"
        ),
        {"slice_id": slice_id, "locator": locator, "rows": rows},
    )


def close_slice(connection: Connection, slice_id: int, state: Literal["done", "abandoned"]) -> None:
    """Write that a slice is finished, or will not be."""
    connection.execute(
        text("UPDATE headwater.slice SET state = :state, closed_at = now() WHERE slice_id = :slice_id"),
        {"slice_id": slice_id, "state": state},
    )
