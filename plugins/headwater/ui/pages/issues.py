"""Sort, filter and group issues for the health page. Decides only: values in, values out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from include.warehouse.health.assessments import IssueResult

SEVERITIES = ("critical", "error", "warning", "info")
SORTS: dict[str, Callable[[IssueResult], Any]] = {
    "severity": lambda issue: (-SEVERITIES.index(issue.severity), issue.failing),
    "issue": lambda issue: issue.title.lower(),
    "object": lambda issue: issue.object.lower(),
    "records": lambda issue: issue.failing,
    "share": lambda issue: issue.share,
    "trend": lambda issue: issue.trend or 0,
}
FILTERS = ("object", "category", "severity", "show", "change")
SHOWN = {
    "": "all",
    "over": "over the allowed share",
    "failing": "with failing records",
    "worse": "more than the run before",
    "clean": "without failing records",
    "not_assessed": "not assessed",
}
CHANGES = ("new", "worse", "better", "mended", "not_assessed", "assessed_again")
_MOST_LIFTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryIssues:
    """Hold the assessed issues of one category."""

    category: str
    issues: tuple[IssueResult, ...]
    records: int | None = None  # with a problem of the category, each counted once; None: not counted then

    @property
    def anchor(self) -> str:
        """Return the name of its place in the page."""
        return "category-" + "-".join(self.category.lower().split())

    @property
    def failing(self) -> int:
        """Return how many findings the category has: a record with two issues counts twice here."""
        return sum(issue.failing for issue in self.issues)

    @property
    def open_issues(self) -> int:
        """Return how many of the issues have failing records."""
        return sum(1 for issue in self.issues if issue.failing)

    @property
    def over(self) -> int:
        """Return how many of the issues are over their allowed share."""
        return sum(1 for issue in self.issues if issue.verdict == "failed")

    @property
    def gravest(self) -> tuple[int, int]:
        """Return the rank of the gravest issue: over its threshold first, then by severity; none failing comes last."""
        ranks = (
            (0 if issue.verdict == "failed" else 1, SEVERITIES.index(issue.severity))
            for issue in self.issues
            if issue.failing
        )
        return min(ranks, default=(2, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """Say by how much the grade rises when the records are mended that have this issue and no other."""

    issue: IssueResult
    records: int
    share: float


def lifts(issues: Iterable[IssueResult], alone: Mapping[str, int], records: int) -> list[Lift]:
    """Return the issues whose mending lifts the grade most, the first most."""
    found = [
        Lift(issue=issue, records=alone[issue.check_id], share=alone[issue.check_id] / records)
        for issue in issues
        if records and alone.get(issue.check_id)
    ]
    return sorted(found, key=lambda each: (-each.records, each.issue.check_id))[:_MOST_LIFTS]


def matching(
    issues: Iterable[IssueResult],
    *,
    search: str,
    object: str,
    severity: str,
    show: str,
    category: str = "",
    change: str = "",
) -> list[IssueResult]:
    """Return the issues that a person asked for."""
    wanted = search.lower()
    return [
        issue
        for issue in issues
        if wanted in f"{issue.title} {issue.why} {issue.check_id} {issue.category} {issue.object}".lower()
        and object in ("", issue.object)
        and severity in ("", issue.severity)
        and category in ("", issue.category)
        and change in ("", issue.change)
        and _shown(issue, show)
    ]


def by_category(
    issues: Iterable[IssueResult], *, sort: str, descending: bool, records: Mapping[str, int] | None = None
) -> list[CategoryIssues]:
    """Return assessed issues under their categories, the category with the gravest open issue first.

    Inside a category they stand as asked. `records` counts by category the records with a problem.
    """
    grouped: dict[str, list[IssueResult]] = {}
    for issue in sorted(issues, key=SORTS[sort], reverse=descending):
        if issue.verdict != "not_assessed":
            grouped.setdefault(issue.category, []).append(issue)
    categories = [
        CategoryIssues(category=name, issues=tuple(held), records=(records or {}).get(name))
        for name, held in grouped.items()
    ]
    return sorted(categories, key=lambda each: (each.gravest, -each.failing, each.category))


_SHOWN: dict[str, Callable[[IssueResult], bool]] = {
    "over": lambda issue: issue.verdict == "failed",
    "failing": lambda issue: issue.failing > 0,
    "worse": lambda issue: (issue.trend or 0) > 0,
    "clean": lambda issue: issue.failing == 0 and issue.verdict == "passed",
    "not_assessed": lambda issue: issue.verdict == "not_assessed",
}


def _shown(issue: IssueResult, show: str) -> bool:
    return _SHOWN[show](issue) if show in _SHOWN else True
