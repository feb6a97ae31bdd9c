"""What changed and what went: /updated and /deleted."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.sandbox.org.conftest import RunningOrg, V


@pytest.fixture(scope="module")
def moved(start_org: Callable[..., RunningOrg]) -> RunningOrg:
    """Return an org whose clock stands at noon of a day, with generated records that are older than a month."""
    org = start_org(contacts=20)
    org.command("clock", offset=datetime(2026, 9, 1, 12, 0, 30, tzinfo=UTC).timestamp() - time.time())
    return org


def _list(org: RunningOrg, name: str, start: str, end: str, target: str = "Contact") -> httpx.Response:
    return org.http.get(f"{V}/sobjects/{target}/{name}/", params={"start": start, "end": end})


def _span(org: RunningOrg, minutes: int = 5) -> tuple[str, str]:
    now = org.org.clock.now()
    return tuple((now + timedelta(minutes=shift)).isoformat(timespec="seconds") for shift in (-minutes, 2))  # type: ignore[return-value]


def test_changed_records_are_listed(moved: RunningOrg) -> None:
    """Ids of what was created or changed, and up to when the list is whole."""
    touched = moved.command("touch", object="Contact", n=3, seed=1)["ids"]
    made = moved.command("create", object="Contact", records=[{"LastName": "New"}])["ids"]
    body = _list(moved, "updated", *_span(moved)).json()
    assert sorted(body["ids"]) == sorted(touched + made)
    assert list(body) == ["ids", "latestDateCovered"]
    assert body["latestDateCovered"][16:] == ":00.000+0000"


def test_deleted_records_are_listed_until_they_come_back(moved: RunningOrg) -> None:
    """Id and time of each deletion; what was restored is gone from the list, and what is deleted isn't changed."""
    gone = moved.command("delete", object="Contact", n=2, seed=5)["ids"]
    span = _span(moved)
    body = _list(moved, "deleted", *span).json()
    assert list(body) == ["deletedRecords", "earliestDateAvailable", "latestDateCovered"]
    assert sorted(each["id"] for each in body["deletedRecords"]) == sorted(gone)
    assert all(each["deletedDate"].endswith(".000+0000") for each in body["deletedRecords"])
    assert not set(gone) & set(_list(moved, "updated", *span).json()["ids"])
    moved.command("undelete", object="Contact", ids=gone)
    assert _list(moved, "deleted", *span).json()["deletedRecords"] == []


def test_a_slow_commit_bounds_what_is_covered(start_org: Callable[..., RunningOrg]) -> None:
    """What is stamped but not visible yet is missing from the list, and latestDateCovered says so."""
    org = start_org(contacts=5)
    late = org.command("touch", object="Contact", n=1, visible_after_seconds=300)["ids"]
    span = _span(org)
    body = _list(org, "updated", *span).json()
    assert not set(late) & set(body["ids"])
    stamped = org.org.clock.now().replace(second=0, microsecond=0)
    assert datetime.fromisoformat(body["latestDateCovered"]) <= stamped


@pytest.mark.parametrize(
    ("name", "start", "end", "message"),
    [
        ("updated", "2026-09-01T10:00:59Z", "2026-09-01T10:00:01Z",
         "endDate must be at least one minute greater than startDate"),
        ("deleted", "2026-09-01T10:00:00Z", "2026-09-01T10:00:59Z",
         "endDate must be at least one minute greater than startDate"),
        ("updated", "2026-07-01T10:00:00Z", "2026-09-01T10:00:00Z", "startDate cannot be more than 30 days ago"),
        ("deleted", "2026-07-01T10:00:00Z", "2026-09-01T10:00:00Z", "startDate cannot be more than 30 days ago"),
    ],
)  # fmt: skip
def test_a_wrong_span_is_refused(moved: RunningOrg, name: str, start: str, end: str, message: str) -> None:
    """Seconds don't count: within one minute, turned round, and too long ago."""
    answer = _list(moved, name, start, end)
    expected: list[dict[str, Any]] = [{"message": message, "errorCode": "INVALID_REPLICATION_DATE"}]
    assert (answer.status_code, answer.json()) == (400, expected)


@pytest.mark.parametrize("end", ["2026-09-01T11:00:00 00:00", "2026-09-01T11:00:00Z", "2026-09-01T13:00:00+0200",
                                 "2026-09-01T11:00:00:", "2026-09-01T11:00:00.000000+00:00"])  # fmt: skip
def test_times_are_read_as_clients_write_them(moved: RunningOrg, end: str) -> None:
    """A plus sign that became a blank, no zone, a colon too many."""
    body = _list(moved, "updated", "2026-09-01T09:00:00Z", end).json()
    assert body == {"ids": [], "latestDateCovered": "2026-09-01T11:00:00.000+0000"}


def test_an_unknown_object_has_no_lists(moved: RunningOrg) -> None:
    """It is a path that leads nowhere."""
    answer = _list(moved, "deleted", "2026-09-01T09:00:00Z", "2026-09-01T10:00:00Z", target="Nope")
    expected = [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]
    assert (answer.status_code, answer.json()) == (404, expected)
