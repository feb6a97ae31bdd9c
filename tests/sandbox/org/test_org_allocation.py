"""Allocations: a window of 24 hours that rolls, other apps, quotas, Bulk work, long calls, and a restart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from include.sandbox.org.allocation import BULK_BATCHES, BULK_QUERY_JOBS, OWN_APP, Allocation
from include.sandbox.org.clock import Clock
from include.sandbox.org.credentials import USER_ID
from tests.sandbox.org.conftest import RunningOrg, V, sign_in

_EXHAUSTED = [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
_TOO_MANY = [
    {
        "message": "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        "errorCode": "REQUEST_LIMIT_EXCEEDED",
    }
]
_HOUR = 3600


@pytest.fixture(autouse=True)
def _all_back_afterwards(org: RunningOrg) -> Iterator[None]:
    yield
    org.command("clock", reset=True)
    org.command("allocation", max=100_000, used=0, others={}, quotas={}, long_calls={"max": 25, "others": 0})


def _frozen() -> Clock:
    clock = Clock()
    clock.run(0)
    clock.set(1_900_000_000 // _HOUR * _HOUR)
    return clock


def test_calls_come_back_a_day_after_they_were_made() -> None:
    """The guide's own example: 14,500 calls at 5:00, 499 at 23:00; one is left until 5:00 of the next day."""
    clock = _frozen()
    allocation = Allocation(clock, 15_000)
    allocation.spend(14_500)
    clock.advance(18 * _HOUR)
    allocation.spend(499)
    assert (allocation.used(), allocation.exhausted()) == (14_999, False)
    allocation.spend(1)
    assert allocation.exhausted()
    clock.advance(6 * _HOUR - 1)
    assert allocation.exhausted()
    clock.advance(61)
    assert (allocation.used(), allocation.exhausted()) == (500, False)


def test_an_exhausted_org_serves_again_as_the_clock_moves(org: RunningOrg) -> None:
    """403 today, 200 tomorrow; a refused call costs nothing."""
    org.command("clock", rate=0)
    org.command("allocation", max=3, used=2)
    assert [org.http.get(f"{V}/limits").status_code for _ in range(3)] == [200, 403, 403]
    assert org.http.get(f"{V}/limits").json() == _EXHAUSTED
    org.command("clock", advance=86_400 + 61)
    org.http.headers["Authorization"] = f"Bearer {_token(org)}"
    assert org.http.get(f"{V}/limits").headers["Sforce-Limit-Info"] == "api-usage=1/3"


def test_other_apps_take_calls_as_time_passes(org: RunningOrg) -> None:
    """So much an hour, never more than 24 hours' worth, and nested in /limits."""
    org.command("clock", rate=0)
    org.command("allocation", used=0, others={"Marketing Sync": 600, "Data Loader": 60})
    org.command("clock", advance=2 * _HOUR)
    assert org.http.get("/sandbox/allocation").json()["apps"] == {
        "Data Loader": 120, "Marketing Sync": 1200, OWN_APP: 0
    }  # fmt: skip
    org.command("clock", advance=100 * _HOUR)
    assert org.used() == 660 * 24
    org.command("allocation", others={})
    org.command("clock", advance=12 * _HOUR)
    assert org.used() == 660 * 12
    org.command("clock", advance=12 * _HOUR)
    assert org.used() == 0


def test_other_apps_stop_at_the_maximum(org: RunningOrg) -> None:
    """They are refused too; the org's own calls are refused as long as nothing is left."""
    org.command("clock", rate=0)
    org.command("allocation", max=500, used=0, others={"Greedy": 1000})
    org.command("clock", advance=_HOUR)
    assert org.used() == 500
    assert org.http.get(f"{V}/limits").json() == _EXHAUSTED


def test_an_app_with_a_quota_is_told_of_it(org: RunningOrg) -> None:
    """The header has a second part then, and only then; /limits nests the apps."""
    org.command("clock", rate=0)
    org.command("allocation", used=16, quotas={OWN_APP: 250}, others={"Marketing Sync": 60})
    answer = org.http.get(f"{V}/limits")
    assert answer.headers["Sforce-Limit-Info"] == (f"api-usage=17/100000; per-app-api-usage=17/250(appName={OWN_APP})")
    assert answer.json()["DailyApiRequests"] == {
        "Max": 100_000,
        "Remaining": 99_984,
        "Marketing Sync": {"Max": 0, "Remaining": 0},
        OWN_APP: {"Max": 250, "Remaining": 234},
    }
    org.command("allocation", quotas={OWN_APP: 17})
    assert org.http.get(f"{V}/limits").json() == _EXHAUSTED
    org.command("allocation", quotas={})
    assert org.http.get(f"{V}/limits").headers["Sforce-Limit-Info"] == "api-usage=18/100000"


def test_query_jobs_are_counted_and_run_out(org: RunningOrg) -> None:
    """Each creation takes one of the day's; a deleted job gives nothing back."""
    before = org.http.get(f"{V}/limits").json()[BULK_QUERY_JOBS]["Remaining"]
    job = org.bulk("SELECT Id FROM Contact")
    org.http.delete(f"{V}/jobs/query/{job}")
    assert org.http.get(f"{V}/limits").json()[BULK_QUERY_JOBS] == {"Max": 10_000, "Remaining": before - 1}
    org.command("allocation", work={BULK_QUERY_JOBS: {"used": 10_000}})
    answer = org.http.post(f"{V}/jobs/query", json={"operation": "query", "query": "SELECT Id FROM Contact"})
    org.command("allocation", work={BULK_QUERY_JOBS: {"used": 0}})
    assert answer.status_code == 400


def test_batches_have_their_old_name_in_old_versions(org: RunningOrg) -> None:
    """DailyBulkApiRequests up to 48.0."""
    old = org.http.get("/services/data/v48.0/limits").json()
    assert old["DailyBulkApiRequests"]["Max"] == 15_000
    assert BULK_BATCHES not in old
    assert "DailyBulkApiRequests" not in org.http.get(f"{V}/limits").json()


def test_limits_list_all_that_a_real_org_lists(org: RunningOrg) -> None:
    """Every entry has Max and Remaining; permission sets nest the custom ones."""
    limits = org.http.get(f"{V}/limits/").json()
    assert len(limits) >= 60
    assert all(0 <= each["Remaining"] <= each["Max"] for each in limits.values())
    assert limits["PermissionSets"]["CreateCustom"] == {"Max": 1000, "Remaining": 998}
    assert list(limits) == sorted(limits)


def test_too_many_long_calls_refuse_another_one(org: RunningOrg) -> None:
    """Two calls hang; with a limit of two the third is refused, and served once they are over."""
    org.command("allocation", long_calls={"max": 2, "seconds": 0.01})
    org.command("faults", kind="slow", match=f"{V}/sobjects", delay=0.6, times=2)
    waiting = [threading.Thread(target=org.http.get, args=(f"{V}/sobjects/",)) for _ in range(2)]
    for each in waiting:
        each.start()
    while org.http.get("/sandbox/allocation").json()["long_calls"]["now"] < 2:
        pass
    refused = org.http.get(f"{V}/limits")
    for each in waiting:
        each.join()
    assert (refused.status_code, refused.json()) == (403, _TOO_MANY)
    org.command("allocation", long_calls={"max": 25, "seconds": 20})
    assert org.http.get(f"{V}/limits").status_code == 200


def test_long_calls_of_other_apps_can_be_pretended(org: RunningOrg) -> None:
    """All 25 places are taken by someone else."""
    org.command("allocation", long_calls={"others": 25})
    assert org.http.get(f"{V}/limits").json() == _TOO_MANY
    org.command("allocation", long_calls={"others": 24})
    assert org.http.get(f"{V}/limits").status_code == 200


def test_what_was_used_outlives_a_restart(tmp_path: Path) -> None:
    """Calls, Bulk work and other apps' pace stand in the org's home."""
    clock = _frozen()
    first = Allocation(clock, 10_000, tmp_path / "allocation.json")
    first.spend(40)
    first.count(BULK_QUERY_JOBS, 3)
    first.set_others({"Marketing Sync": 60})
    first.close()
    clock.advance(_HOUR)
    again = Allocation(clock, 10_000, tmp_path / "allocation.json")
    assert again.used() == 100
    assert again.remaining(BULK_QUERY_JOBS) == 9_997
    assert again.others() == {"Marketing Sync": 60}
    clock.advance(23 * _HOUR + 61)
    assert again.used() == 60 * 24


def test_a_restarted_org_remembers_its_calls(start_org: Callable[..., RunningOrg], tmp_path: Path) -> None:
    """The same over HTTP: an org that is closed and opened on its home."""
    first = start_org(contacts=40, home=tmp_path)
    for _ in range(5):
        first.http.get(f"{V}/limits")
    first.org.allocation.close()
    assert Allocation(first.org.clock, 100_000, tmp_path / "allocation.json").used() == first.used()


def _token(org: RunningOrg) -> str:
    return str(sign_in(org.url).json()["access_token"])


def test_each_connected_app_has_its_own_count(org: RunningOrg) -> None:
    """A session that no connected app opened is told nothing of any app's quota."""
    org.command("allocation", used=0, quotas={OWN_APP: 50})
    session = org.org.sessions.open(USER_ID)
    header = {"Authorization": f"Bearer {session.token}"}
    assert org.http.get(f"{V}/limits", headers=header).headers["Sforce-Limit-Info"] == "api-usage=1/100000"
    assert org.http.get(f"{V}/limits").headers["Sforce-Limit-Info"].endswith(f"=1/50(appName={OWN_APP})")
