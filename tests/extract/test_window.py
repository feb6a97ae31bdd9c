from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.extract.window import decide_window, is_ahead, moves_cursor
from include.records import RunMode, Window

NOW = datetime(2026, 11, 20, 12, 30, 15, tzinfo=UTC)
CURSOR = datetime(2026, 11, 20, 11, 0, 0, tzinfo=UTC)
LOOKBACK = timedelta(minutes=10)
NO_LAG = timedelta()
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)

moments = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
spans = st.timedeltas(min_value=timedelta(), max_value=timedelta(hours=2))


def decide(mode: RunMode, **changes: object) -> Window | None:
    given_ = {"cursor": CURSOR, "org_now": NOW, "lookback": LOOKBACK, "lag": NO_LAG, "interval": None} | changes
    return decide_window(mode, **given_)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mode", "changes", "window"),
    [
        (RunMode.CHANGES, {}, Window(low=CURSOR - LOOKBACK, high=NOW)),
        (
            RunMode.CHANGES,
            {"lag": timedelta(seconds=15)},
            Window(low=CURSOR - LOOKBACK, high=NOW - timedelta(seconds=15)),
        ),
        (RunMode.CHANGES, {"cursor": None}, Window(low=None, high=NOW)),
        (RunMode.CHANGES, {"cursor": NOW + HOUR}, Window(low=NOW - LOOKBACK, high=NOW)),
        (RunMode.CHANGES, {"cursor": NOW + HOUR, "lookback": NO_LAG}, Window(low=NOW - SECOND, high=NOW)),
        (RunMode.CHANGES, {"cursor": NOW, "lookback": NO_LAG}, None),
        (RunMode.LAST_DAY, {}, Window(low=NOW - timedelta(hours=24), high=NOW)),
        (RunMode.LAST_DAY, {"cursor": None}, Window(low=NOW - timedelta(hours=24), high=NOW)),
        (RunMode.FULL, {}, Window(low=None, high=NOW)),
        (RunMode.INTERVAL, {"interval": (CURSOR - HOUR, CURSOR)}, Window(low=CURSOR - HOUR, high=CURSOR)),
        (RunMode.INTERVAL, {"interval": (CURSOR, NOW + HOUR)}, Window(low=CURSOR, high=NOW)),
        (RunMode.INTERVAL, {"interval": (NOW + HOUR, NOW + 2 * HOUR)}, None),
        (RunMode.INTERVAL, {"interval": (CURSOR, CURSOR)}, None),
    ],
)
def test_each_mode_reads_its_window(mode: RunMode, changes: dict[str, object], window: Window | None) -> None:
    """The table of docs/windows.md."""
    assert decide(mode, **changes) == window


def test_a_backfill_without_an_interval_is_a_fault_of_the_caller() -> None:
    """It must never fall back to reading something else."""
    with pytest.raises(ValueError, match="interval"):
        decide(RunMode.INTERVAL)


def test_only_changes_and_full_move_the_cursor() -> None:
    """Windows of the past leave it."""
    assert {mode for mode in RunMode if moves_cursor(mode)} == {RunMode.CHANGES, RunMode.FULL}


@given(start=moments, steps=st.lists(spans, min_size=1, max_size=20), lookback=spans, lag=spans)
def test_windows_of_successive_runs_leave_no_gap(
    start: datetime, steps: list[timedelta], lookback: timedelta, lag: timedelta
) -> None:
    """Each run begins at or before the end of the one before it, whatever the clock does between them."""
    cursor: datetime | None = None
    now = start
    for step in steps:
        now += step
        window = decide_window(RunMode.CHANGES, cursor=cursor, org_now=now, lookback=lookback, lag=lag)
        if window is None:
            continue
        assert window.low is None if cursor is None else window.low is not None and window.low <= cursor
        cursor = max(cursor, window.high) if cursor else window.high


@given(
    start=moments,
    steps=st.lists(st.timedeltas(min_value=-4 * HOUR, max_value=4 * HOUR), min_size=1, max_size=20),
    lookback=spans,
    lag=spans,
)
def test_no_stretch_of_the_orgs_time_is_skipped_when_its_clock_jumps(
    start: datetime, steps: list[timedelta], lookback: timedelta, lag: timedelta
) -> None:
    """From wherever a run saw the clock, the next run reads on, also after the clock was set back in between."""
    cursor: datetime | None = None
    seen, now = None, start
    for step in steps:
        now += step
        newest = (now - lag).replace(microsecond=0)
        window = decide_window(RunMode.CHANGES, cursor=cursor, org_now=now, lookback=lookback, lag=lag)
        if window:
            assert window.high == newest
            assert window.low is None or seen is None or window.low <= seen or window.low <= newest - lookback
            if seen and step >= NO_LAG:
                assert window.low is None or window.low <= seen
            cursor = window.high if cursor is None or is_ahead(cursor, newest) else max(cursor, window.high)
        else:
            assert newest == seen
        assert cursor == newest
        seen = newest


@given(start=moments, steps=st.lists(spans, min_size=1, max_size=20), now=moments)
def test_windows_of_successive_intervals_tile(start: datetime, steps: list[timedelta], now: datetime) -> None:
    """A backfill's windows cover its span up to now once: no second twice, none left out."""
    edges = [start]
    for step in steps:
        edges.append(edges[-1] + step)
    windows = [decide(RunMode.INTERVAL, interval=pair, org_now=now) for pair in itertools.pairwise(edges)]
    found = [each for each in windows if each]
    for one, other in itertools.pairwise(found):
        assert one.high == other.low
    if found:
        assert found[0].low == start.replace(microsecond=0)
        assert found[-1].high == min(edges[-1], now).replace(microsecond=0)


@given(
    mode=st.sampled_from(RunMode),
    cursor=st.none() | moments,
    now=moments,
    lookback=spans,
    lag=spans,
    start=moments,
    span=spans,
)
def test_a_window_is_never_empty_or_backwards_and_never_in_the_future(
    mode: RunMode,
    cursor: datetime | None,
    now: datetime,
    lookback: timedelta,
    lag: timedelta,
    start: datetime,
    span: timedelta,
) -> None:
    """low < high <= the org's now, in whole seconds."""
    window = decide_window(mode, cursor=cursor, org_now=now, lookback=lookback, lag=lag, interval=(start, start + span))
    if window is None:
        return
    assert window.low is None or window.low < window.high
    assert window.high <= now - lag
    assert window.high.microsecond == 0
    assert window.low is None or window.low.microsecond == 0
