"""Seeded plans: about a share of the calls is disturbed, the same ones in every run that makes the same calls."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.sandbox.org.conftest import RunningOrg, V

_PATHS = (f"{V}/query?q=SELECT+Id+FROM+Contact+LIMIT+9", f"{V}/limits", f"{V}/sobjects/User/describe")


@pytest.fixture(autouse=True)
def _calm_afterwards(org: RunningOrg) -> Iterator[None]:
    yield
    org.command("faults", clear=True)


def _run(org: RunningOrg, calls: int) -> list[int]:
    """Make calls in a fixed order, and return what became of each; 0 is a broken connection."""
    seen = []
    for number in range(calls):
        try:
            seen.append(org.http.get(_PATHS[number % len(_PATHS)]).status_code)
        except httpx.TransportError:
            seen.append(0)
    return seen


def _plan(org: RunningOrg, **plan: object) -> dict[str, object]:
    kinds = ["server_error", "bad_gateway", "reset", "half_body", "query_timeout", "lock_row", "no_route"]
    return dict(org.command("faults/plan", **{"kinds": kinds, **plan})["plan"])


def test_the_same_calls_meet_the_same_faults(org: RunningOrg) -> None:
    """Twice with one seed, once with another."""
    runs = []
    for seed in (11, 11, 12):
        _plan(org, seed=seed, rate=0.3)
        runs.append(_run(org, 60))
    assert runs[0] == runs[1] != runs[2]
    disturbed = sum(each != 200 for each in runs[0])
    assert 10 <= disturbed <= 27
    board = org.http.get("/sandbox/faults").json()["plan"]
    assert (board["calls"], board["disturbed"]) == (60, sum(each != 200 for each in runs[2]))
    assert board["disturbed"] == sum(board["met"].values())


def test_kinds_befall_only_calls_that_they_suit(org: RunningOrg) -> None:
    """A locked row can't befall a read, a query's timeout only a query."""
    _plan(org, seed=1, rate=1, kinds=["query_timeout", "lock_row"])
    assert _run(org, 6) == [400, 200, 200, 400, 200, 200]


def test_calm_calls_follow_a_disturbed_one(org: RunningOrg) -> None:
    """So that a client with few tries gets through."""
    _plan(org, seed=1, rate=1, calm=2, kinds=["server_error"])
    assert _run(org, 6) == [500, 200, 200, 500, 200, 200]


def test_a_plan_ends_with_its_time_or_on_demand(org: RunningOrg) -> None:
    """After its seconds nothing is disturbed any more."""
    _plan(org, rate=1, seconds=0, kinds=["server_error"])
    assert _run(org, 3) == [200, 200, 200]
    _plan(org, rate=1, kinds=["server_error"])
    assert org.command("faults/plan", clear=True) == {"plan": None}
    assert _run(org, 3) == [200, 200, 200]


def test_a_plan_without_kinds_takes_those_that_a_client_survives(org: RunningOrg) -> None:
    """What loses answers or records for good is never in it."""
    kinds = org.command("faults/plan", rate=0)["plan"]["kinds"]
    listed = org.http.get("/sandbox/faults/kinds").json()
    assert kinds == [name for name, each in listed.items() if each["in_plans"]]
    assert {"reset_in_body", "truncated_gzip", "html_200", "expire_sessions", "job_failed"} <= set(kinds)
    assert not {"lost_answer", "late_commit", "request_limit", "job_lost"} & set(kinds)


def test_the_control_plane_is_never_disturbed(org: RunningOrg) -> None:
    """However bad it gets, the plan can be ended."""
    _plan(org, rate=1, kinds=["reset"])
    assert org.http.get("/sandbox/health").json()["ready"] is True


def test_an_unknown_kind_spoils_a_plan(org: RunningOrg) -> None:
    """It is refused at once, not met later."""
    answer = org.http.post("/sandbox/faults/plan", json={"kinds": ["reset", "flood"]})
    assert (answer.status_code, "'flood'" in answer.json()[0]["message"]) == (400, True)
