"""Keep the parts of large loads: a slice is committed with its rows, and is where a killed load goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, text

from include.records import Bounds, RunMode, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Hold a slice: what it reads, by which Bulk job, and from which locator it goes on ("": the first page).

    A window that is read in several slices has one for the whole of it, their root, which is split.
    """

    slice_id: int
    root_id: int
    run_id: int
    object: str
    mode: RunMode
    window: Window
    bounds: Bounds
    soql: str
    straight: bool
    halvings: int = 0
    job_id: str = ""
    locator: str = ""
    rows_loaded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceCounts:
    """Count the slices of a window by what became of them; `halved` took the org too long as a whole."""

    open: int
    done: int
    halved: int


_KEPT = (
    "slice_id, coalesce(root_id, slice_id) AS root_id, run_id, object, mode, low, high, soql, straight, halvings,"
    " id_from, id_below, stamp_from, stamp_below, job_id, locator, rows_loaded"
)


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
    row = connection.execute(
        text(
            "INSERT INTO headwater.slice (run_id, org, object, mode, low, high, soql, straight)"
            f" VALUES (:run_id, :org, :object, :mode, :low, :high, :soql, :straight) RETURNING {_KEPT}"
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
    ).one()
    return _slice(row)


def split_slice(
    connection: Connection, slice_: Slice, parts: Sequence[tuple[Bounds, str]], *, run_id: int, halved: bool
) -> list[Slice]:
    """Write that parts, each with its bounds and query, are read instead of a slice; together they must be all of it.

    `halved` says that the org was too slow for it, so that somebody can count how often that happened.
    """
    connection.execute(
        text(
            "UPDATE headwater.slice SET state = 'split', job_id = '', locator = '', closed_at = now()"
            " WHERE slice_id = :slice_id"
        ),
        {"slice_id": slice_.slice_id},
    )
    return [_slice(_open_part(connection, slice_, bounds, soql, run_id, halved=halved)) for bounds, soql in parts]


def _open_part(
    connection: Connection, slice_: Slice, bounds: Bounds, soql: str, run_id: int, *, halved: bool
) -> Row[Any]:
    return connection.execute(
        text(
            "INSERT INTO headwater.slice (run_id, org, object, mode, low, high, straight, root_id, parent_id, soql,"
            " halvings, id_from, id_below, stamp_from, stamp_below)"
            " SELECT :run_id, org, object, mode, low, high, straight, coalesce(root_id, slice_id), slice_id, :soql,"
            " halvings + :halved, :id_from, :id_below, :stamp_from, :stamp_below"
            f" FROM headwater.slice WHERE slice_id = :slice_id RETURNING {_KEPT}"
        ),
        {
            "run_id": run_id,
            "slice_id": slice_.slice_id,
            "soql": soql,
            "halved": int(halved),
            "id_from": bounds.id_from,
            "id_below": bounds.id_below,
            "stamp_from": bounds.low,
            "stamp_below": bounds.high,
        },
    ).one()


def open_slices(connection: Connection, org: str, object: str) -> list[Slice]:
    """Return the slices of the object that are not finished, oldest first."""
    rows = connection.execute(
        text(
            f"SELECT {_KEPT} FROM headwater.slice WHERE org = :org AND object = :object AND state = 'open'"
            " ORDER BY slice_id"
        ),
        {"org": org, "object": object},
    )
    return [_slice(row) for row in rows]


def count_slices(connection: Connection, root_id: int) -> SliceCounts:
    """Return how many slices of a window are open, done, and halved."""
    row = connection.execute(
        text(
            "SELECT count(*) FILTER (WHERE s.state = 'open') AS open, count(*) FILTER (WHERE s.state = 'done') AS done,"
            " count(*) FILTER (WHERE s.state = 'split' AND EXISTS (SELECT FROM headwater.slice AS c"
            " WHERE c.parent_id = s.slice_id AND c.halvings > s.halvings)) AS halved"
            " FROM headwater.slice AS s WHERE s.slice_id = :root OR s.root_id = :root"
        ),
        {"root": root_id},
    ).one()
    return SliceCounts(**row._mapping)


def give_job(connection: Connection, slice_id: int, job_id: str) -> None:
    """Write which Bulk job reads the slice."""
    connection.execute(
        text("UPDATE headwater.slice SET job_id = :job_id WHERE slice_id = :slice_id"),
        {"slice_id": slice_id, "job_id": job_id},
    )


def forget_job(connection: Connection, slice_id: int) -> None:
    """Write that the slice's job is of no use any more; a new one reads it from its beginning."""
    connection.execute(
        text("UPDATE headwater.slice SET job_id = '', locator = '', rows_loaded = 0 WHERE slice_id = :slice_id"),
        {"slice_id": slice_id},
    )


def advance_slice(connection: Connection, slice_id: int, *, locator: str, rows: int) -> int | None:
    """Write, in the transaction of a page's rows, where the next page begins, and return how many rows came by now.

    None, and nothing written, when the slice is open no more: another run has closed it.
    """
    return connection.execute(
        text(
            "UPDATE headwater.slice SET locator = :locator, rows_loaded = rows_loaded + :rows"
            " WHERE slice_id = :slice_id AND state = 'open' RETURNING rows_loaded"
        ),
        {"slice_id": slice_id, "locator": locator, "rows": rows},
    ).scalar_one_or_none()


def close_slice(connection: Connection, slice_id: int, state: Literal["done", "abandoned"]) -> None:
    """Write that a slice is finished, or will not be."""
    connection.execute(
        text("UPDATE headwater.slice SET state = :state, closed_at = now() WHERE slice_id = :slice_id"),
        {"slice_id": slice_id, "state": state},
    )


def _slice(row: Row[Any]) -> Slice:
    return Slice(
        slice_id=row.slice_id,
        root_id=row.root_id,
        run_id=row.run_id,
        object=row.object,
        mode=RunMode(row.mode),
        window=Window(low=row.low, high=row.high),
        bounds=Bounds(id_from=row.id_from, id_below=row.id_below, low=row.stamp_from, high=row.stamp_below),
        soql=row.soql,
        straight=row.straight,
        halvings=row.halvings,
        job_id=row.job_id,
        locator=row.locator,
        rows_loaded=row.rows_loaded,
    )
