"""The status as a person reads it in a terminal."""

from __future__ import annotations

from typing import Any

from include.local.tables import summary_text

ISSUE = {"title": "Tests", "object": "Lead", "severity": "error", "verdict": "failed", "failing": 3, "share": 0.3}


def report(**changed: Any) -> dict[str, Any]:
    return {
        "reachable": True, "objects": [], "healths": [], "deliveries": [], "url": "http://127.0.0.1:8080", **changed,
    }  # fmt: skip


def line(of: str) -> dict[str, Any]:
    return {
        "of": of,
        "object": "Lead",
        "here": 1000,
        "org": 1000,
        "difference": 0,
        "as_of": "2026-03-01T10:00:00+00:00",
    }


def test_one_org_needs_no_name_and_two_do() -> None:
    """The same object of two orgs is told apart."""
    assert summary_text(report(objects=[line("demo")])).startswith("object")
    said = summary_text(report(objects=[line("demo"), line("other")])).splitlines()
    assert said[0].split()[:2] == ["org", "object"]
    assert [each.split()[0] for each in said[2:4]] == ["demo", "other"]


def test_each_org_has_its_own_health() -> None:
    """An org that was never assessed says so under its own name."""
    healths = [{"org": "demo", "grade": 0.75, "issues": [ISSUE]}, {"org": "other", "grade": None, "issues": []}]
    said = summary_text(report(healths=healths))
    assert "health of demo: 75.0% of the records have no issue" in said
    assert "1 issues have failing records, 1 of them more than is allowed" in said
    assert "health of other: not assessed yet" in said


def test_a_stopped_warehouse_is_not_an_empty_one() -> None:
    """What is not known is not called none."""
    said = summary_text(report(reachable=False))
    assert "the warehouse is down" in said
    assert "none yet" not in said
    assert "not assessed" not in said
