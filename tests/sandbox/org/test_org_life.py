"""Life: a seeded sales team that changes records, at once or in the background."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from include.sandbox.org.life.team import KINDS
from tests.sandbox.org.conftest import RunningOrg

_NOON = "2026-06-03T12:00:00Z"  # a Wednesday


@pytest.fixture
def fresh(start_org: Callable[..., RunningOrg]) -> Callable[[], RunningOrg]:
    """Return a function that starts an org whose clock stands still."""

    def start() -> RunningOrg:
        org = start_org(contacts=200)
        org.command("clock", rate=0, set=_NOON)
        return org

    return start


def _fingerprint(org: RunningOrg) -> str:
    """Return one hash of every version of every record of the org."""
    digest = hashlib.sha256()
    for name in sorted(org.org.catalogue.objects):
        for row in org.org.database.rows(f'SELECT * FROM "{name}" ORDER BY _n, _from'):
            digest.update(repr(row).encode())
    return digest.hexdigest()


def test_the_same_seed_makes_the_same_changes(fresh: Callable[[], RunningOrg]) -> None:
    """Two orgs, one seed: every record is the same, stamps and all, whether at once or bit by bit; another differs."""
    first, second = fresh(), fresh()
    assert _fingerprint(first) == _fingerprint(second)
    at_once = first.command("life", seed=5, steps=70)["made"]
    bit_by_bit = second.command("life", seed=5, steps=20)["made"] + second.command("life", steps=50)["made"]
    assert at_once == bit_by_bit
    assert _fingerprint(first) == _fingerprint(second)
    first.command("life", seed=6, steps=5)
    second.command("life", seed=7, steps=5)
    assert _fingerprint(first) != _fingerprint(second)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_of_change_happens(org: RunningOrg, kind: str) -> None:
    """Alone, five times, and never refused."""
    if kind == "restore":
        org.command("life", seed=1, steps=9, weights=_only("delete"))
    before = org.http.get("/sandbox/life").json()
    shown = org.command("life", seed=2, steps=5, weights=_only(kind))
    assert shown["made"] == [kind] * 5
    assert shown["records"][kind] > before["records"].get(kind, 0)
    assert shown["refused"].get(kind, 0) == before["refused"].get(kind, 0)


def test_late_changes_show_later(fresh: Callable[[], RunningOrg]) -> None:
    """With a late share of one, every new lead waits for its commit, with a stamp from before."""
    org = fresh()
    leads = org.query("SELECT count() FROM Lead")["totalSize"]
    org.command("life", seed=1, steps=5, late_share=1, late_seconds=60, weights=_only("create_lead"))
    assert org.query("SELECT count() FROM Lead")["totalSize"] == leads
    org.command("clock", advance=61)
    late = org.query(f"SELECT count() FROM Lead WHERE SystemModstamp = {_NOON}")["totalSize"]
    assert (org.query("SELECT count() FROM Lead")["totalSize"], late) == (leads + 5, 5)


def test_planted_defects_stay_known(fresh: Callable[[], RunningOrg]) -> None:
    """People delete, merge and restore, but what is planted and present still shows what it was planted for."""
    org = fresh()
    org.command("life", seed=9, steps=120)
    missing = org.http.get("/sandbox/truth/contact_missing_email").json()["ids"]
    shown = org.query("SELECT Id FROM Contact WHERE Email = null")["records"]
    assert {each["Id"] for each in shown} == set(missing)
    without = org.http.get("/sandbox/truth/lead_missing_email").json()["ids"]
    found = org.query("SELECT Id FROM Lead WHERE Email = null")["records"]
    assert {each["Id"] for each in found} == set(without)


def test_life_goes_on_in_the_background_until_it_is_stopped(org: RunningOrg) -> None:
    """Changes appear by themselves; after the stop nothing moves."""
    before = org.http.get("/sandbox/life").json()["step"]
    org.command("life", seed=4, changes_per_minute=6000, weights={}, late_share=0)
    while org.http.get("/sandbox/life").json()["step"] < 5:
        time.sleep(0.01)
    assert org.http.get("/sandbox/life").json()["running"] is True
    stopped = org.command("life", stop=True)
    assert (stopped["running"], stopped["step"] >= 5, before >= 0) == (False, True, True)
    assert org.http.get("/sandbox/life").json() == stopped


def test_people_work_in_working_hours_only(fresh: Callable[[], RunningOrg]) -> None:
    """On a Sunday nothing happens; on Monday morning it does."""
    org = fresh()
    org.command("clock", set="2026-06-07T12:00:00Z")
    org.command("life", seed=1, changes_per_minute=6000, working_hours=True)
    time.sleep(0.1)
    assert org.http.get("/sandbox/life").json()["step"] == 0
    org.command("clock", set="2026-06-08T08:00:00Z")
    while org.http.get("/sandbox/life").json()["step"] == 0:
        time.sleep(0.01)
    org.command("life", stop=True)


def test_an_unknown_kind_of_change_is_refused(org: RunningOrg) -> None:
    """With the names of those that exist."""
    answer = org.http.post("/sandbox/life", json={"weights": {"strike": 1}})
    assert (answer.status_code, "'strike'" in answer.json()[0]["message"]) == (400, True)


def _only(kind: str) -> dict[str, Any]:
    return {name: float(name == kind) for name in KINDS}
