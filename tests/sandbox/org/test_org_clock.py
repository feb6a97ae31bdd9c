"""The org's clock: set, moved, run at another speed, and kept over a restart; answers as slow as in real orgs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from include.sandbox.org.clock import Clock
from include.sandbox.org.latency import PROFILES, Latency
from tests.sandbox.org.conftest import RunningOrg, V, sign_in


@pytest.fixture(autouse=True)
def _real_time_afterwards(org: RunningOrg) -> Iterator[None]:
    yield
    org.command("clock", reset=True)
    org.command("latency", profile="none")


def _move(org: RunningOrg, **clock: object) -> dict[str, str]:
    """Move the clock and sign in again: the session of before is long dead, or not yet born."""
    moved = org.command("clock", **clock)
    org.http.headers["Authorization"] = f"Bearer {sign_in(org.url).json()['access_token']}"
    return moved


def _date(org: RunningOrg) -> datetime:
    return parsedate_to_datetime(org.http.get(f"{V}/limits").headers["Date"])


def test_the_clock_can_be_set_to_a_time(org: RunningOrg) -> None:
    """Records get stamps of that time; a frozen clock gives all of them the same."""
    _move(org, rate=0, set="2031-03-04T05:06:07Z")
    made = [org.command("create", object="Contact")["ids"][0] for _ in range(2)]
    found = org.query(f"SELECT SystemModstamp FROM Contact WHERE Id IN ('{made[0]}','{made[1]}')")["records"]
    assert {each["SystemModstamp"] for each in found} == {"2031-03-04T05:06:07.000+0000"}
    assert _date(org) == datetime(2031, 3, 4, 5, 6, 7, tzinfo=UTC)


def test_the_clock_can_be_advanced(org: RunningOrg) -> None:
    """Time passes at once."""
    org.command("clock", rate=0, set=1_900_000_000)
    moved = org.command("clock", advance=90)
    assert datetime.fromisoformat(moved["now"]) == datetime.fromtimestamp(1_900_000_090, tz=UTC)


def test_the_date_header_can_be_off_the_stamps(org: RunningOrg) -> None:
    """Two servers have clocks of their own."""
    _move(org, rate=0, set="2031-03-04T05:06:07Z", skew=-30)
    made = org.command("create", object="Contact")["ids"][0]
    stamp = org.query(f"SELECT CreatedDate FROM Contact WHERE Id = '{made}'")["records"][0]["CreatedDate"]
    assert stamp == "2031-03-04T05:06:07.000+0000"
    assert _date(org) == datetime(2031, 3, 4, 5, 5, 37, tzinfo=UTC)


def test_a_time_that_is_none_is_refused(org: RunningOrg) -> None:
    """With what was given."""
    answer = org.http.post("/sandbox/clock", json={"set": "soon"})
    assert (answer.status_code, answer.json()) == (
        400,
        [{"message": "'soon' is no time", "errorCode": "INVALID_INPUT"}],
    )


def test_a_clock_runs_at_its_rate_and_outlives_a_restart(tmp_path: Path) -> None:
    """Offset, rate and skew are kept; time went on while the org was down."""
    clock = Clock(tmp_path / "clock.json")
    clock.set(2_000_000_000)
    clock.run(3600)
    clock.shift_date_header(7)
    first = clock.epoch()
    again = Clock(tmp_path / "clock.json")
    assert (again.rate, again.skew) == (3600, 7)
    assert again.epoch() >= first >= 2_000_000_000
    again.reset()
    assert abs(Clock(tmp_path / "clock.json").epoch() - time.time()) < 60


def test_late_changes_show_when_the_clock_reaches_them(org: RunningOrg) -> None:
    """An hour is over in no time."""
    org.command("touch", object="Contact", n=1, seed=2, fields={"Title": "Seen late"}, visible_after_seconds=3000)
    soql = "SELECT Id FROM Contact WHERE Title = 'Seen late'"
    assert org.query(soql)["totalSize"] == 0
    _move(org, advance=3600)
    assert org.query(soql)["totalSize"] == 1


def test_a_profile_draws_the_same_delays_by_seed() -> None:
    """Within its spans, with something for every megabyte."""
    first, second = Latency(), Latency()
    for each in (first, second):
        each.choose("typical", seed=4)
    drawn = [first.answer("GET", f"{V}/query", 2_000_000) for _ in range(20)]
    assert drawn == [second.answer("GET", f"{V}/query", 2_000_000) for _ in range(20)]
    low, high = PROFILES["typical"].rest
    assert all(low + 1.6 <= each <= high + 1.6 for each in drawn)
    assert 0.3 <= first.answer("POST", "/services/oauth2/token", 0) <= 0.8
    assert 2 <= first.job() <= 30


def test_latency_is_set_by_the_control_plane(org: RunningOrg) -> None:
    """A profile by name, with spans of one's own."""
    assert org.http.get("/sandbox/latency").json()["profile"] == "none"
    shown = org.command("latency", profile="slow", rest=[0.02, 0.02], megabyte=0)
    assert (shown["profile"], shown["rest"], shown["megabyte"]) == ("slow", [0.02, 0.02], 0)
    began = time.monotonic()
    org.http.get(f"{V}/limits")
    assert time.monotonic() - began >= 0.02
    assert org.http.post("/sandbox/latency", json={"profile": "warp"}).status_code == 400
