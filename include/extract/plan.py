"""Decide by which API a window is read, and what becomes of a large load that was left unfinished."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from include.config.budget import Work
from include.extract.window import moves_cursor
from include.records import RunMode, Window

_TOO_SLOW = frozenset({"QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG"})
# What the org refuses because of its limits: reading it by REST would only cost more calls.
_LIMITS = frozenset({"OPERATION_TOO_LARGE", "QUERY_TOO_COMPLICATED", "EXCEEDED_ID_LIMIT", "URI_TOO_LONG"})
PAGE_ROWS = 2000  # the most records that one REST page holds


class Plan(StrEnum):
    """Say how a window is read."""

    IDLE = "idle"  # nothing in it
    REST = "rest"  # queryAll, page by page
    BULK = "bulk"  # a Bulk API 2.0 query job


def decide_plan(total: int, *, bulk_above_rows: int, wide: bool = False, whole: bool = False) -> Plan:
    """Return how to read a window that holds `total` records.

    A query that is too `wide` for a URL goes by Bulk, which takes it in a body: a record that is read in several parts
    might change between them. What is read as a `whole` is not idle when nothing is left of it: its rows are gone.
    """
    if total == 0:
        return Plan.REST if whole else Plan.IDLE
    return Plan.BULK if wide or total > bulk_above_rows else Plan.REST


def page_travels(total: int, plan: Plan) -> bool:
    """Return whether the probe's first page is all there is, so that it is kept and loaded from the warehouse."""
    return plan is Plan.REST and total <= PAGE_ROWS


def decide_work(mode: RunMode, *, was_read: bool) -> Work:
    """Return how urgent a run is; `was_read` says that its object has a cursor, so that changes are only changes."""
    reads_all = mode is RunMode.FULL or (mode is RunMode.CHANGES and not was_read)
    return Work.BULK if reads_all else Work.SYNC


def is_too_slow(code: str) -> bool:
    """Return whether a job failed because the org took too long over it, so that half of it may succeed."""
    return code in _TOO_SLOW


def lacks_bulk(code: str) -> bool:
    """Return whether a job that was refused with this code may mean an object that only REST can read."""
    return code not in _LIMITS


class Leftover(StrEnum):
    """Say what to do with a slice that another run left open."""

    ADOPT = "adopt"  # go on where it stopped
    ABANDON = "abandon"  # it will not be needed any more
    LEAVE = "leave"  # another run will come for it


def decide_leftover(
    *,
    mode: RunMode,
    window: Window | None,
    cursor: datetime | None,
    left_mode: RunMode,
    left_window: Window,
    same_query: bool,
) -> Leftover:
    """Return what a run does with an open slice of its object.

    Args:
        mode: of this run.
        window: of this run, when it is fixed (an interval); None when it follows from the cursor.
        cursor: how far the object has been read.
        left_mode: of the run that opened the slice.
        left_window: of the slice.
        same_query: whether the slice reads the fields that would be read now.
    """
    if not moves_cursor(mode):
        if left_mode is not mode or left_window != window:
            return Leftover.LEAVE
        return Leftover.ADOPT if same_query else Leftover.ABANDON
    if not moves_cursor(left_mode):
        return Leftover.LEAVE
    needed = cursor is None or left_window.high > cursor
    return Leftover.ADOPT if same_query and needed and left_mode is mode else Leftover.ABANDON
