"""Decide which span of the cursor field a run reads (docs/windows.md)."""

from __future__ import annotations

from datetime import datetime, timedelta

from include.records import RunMode, Window

LAST_DAY = timedelta(hours=24)
_SECOND = timedelta(seconds=1)


def decide_window(
    mode: RunMode,
    *,
    cursor: datetime | None,
    org_now: datetime,
    lookback: timedelta,
    lag: timedelta,
    interval: tuple[datetime, datetime] | None = None,
) -> Window | None:
    """Return the half-open window that a run of this mode reads, or None when it holds no second yet.

    `org_now` is the org's clock, never ours. `interval` is the data interval of a backfill.

    Raises:
        ValueError: the mode is INTERVAL and no interval was given.
    """
    newest = _second(org_now - lag)
    if mode is RunMode.INTERVAL:
        if interval is None:
            raise ValueError("a run of mode interval needs the interval that it reads")
        return _window(_second(interval[0]), min(_second(interval[1]), newest))
    if mode is RunMode.LAST_DAY:
        return _window(_second(org_now - LAST_DAY), newest)
    if mode is RunMode.FULL or cursor is None:
        return Window(low=None, high=newest)
    if is_ahead(cursor, newest):
        return Window(low=_second(newest - max(lookback, _SECOND)), high=newest)
    return _window(_second(cursor - lookback), newest)


def is_ahead(cursor: datetime | None, newest: datetime) -> bool:
    """Return whether the cursor lies beyond all that can be read now: the org's clock was set back since.

    Then, and only then, the cursor goes back with the run, or what the org stamps until its clock has passed the cursor
    would be lost. (A lag that was made longer looks the same, and costs a second reading.)
    """
    return cursor is not None and cursor > newest


def moves_cursor(mode: RunMode) -> bool:
    """Return whether a run of this mode may move the cursor to the end of its window."""
    return mode in (RunMode.CHANGES, RunMode.FULL)


def _window(low: datetime, high: datetime) -> Window | None:
    return Window(low=low, high=high) if low < high else None


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
