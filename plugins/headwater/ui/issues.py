"""Sort, filter and group issues for the health page. Decides only: values in, values out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from include.warehouse.assessments import IssueResult

SEVERITIES = ("critical", "error", "warning", "info")
SORTS: dict[str, Callable[[IssueResult], Any]] = {
    "severity": lambda issue: (-SEVERITIES.index(issue.severity), issue.failing),
    "issue": lambda issue: issue.title.lower(),
    "object": lambda issue: issue.object.lower(),
    "records": lambda issue: issue.failing,
    "share": lambda issue: issue.share,
    "trend": lambda issue: issue.trend or 0,
}
FILTERS = ("object", "severity", "show")
SHOWN = {"": "all", "failing": "with failing records", "worse": "worse than before", "clean": "without failing records"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryIssues:
    """Hold the assessed issues of one category."""

    category: str
    issues: tuple[IssueResult, ...]

    @property
    def failing(self) -> int:
        """Return how many findings the category has: a record with two issues counts twice here."""
        return sum(issue.failing for issue in self.issues)

    @property
    def open_issues(self) -> int:
        """Return how many of the issues have failing records."""
        return sum(1 for issue in self.issues if issue.failing)

    @property
    def gravest(self) -> tuple[int, int]:
        """Return the rank of the gravest issue: over its threshold first, then by severity; none failing comes last."""
        ranks = (
            (0 if issue.verdict == "failed" else 1, SEVERITIES.index(issue.severity))
            for issue in self.issues
            if issue.failing
        )
        return min(ranks, default=(2, 0))


def matching(issues: Iterable[IssueResult], *, search: str, object: str, severity: str, show: str) -> list[IssueResult]:
    """Return the issues that a person asked for."""
    wanted = search.lower()
    return [
        issue
        for issue in issues
        if wanted in f"{issue.title} {issue.why} {issue.check_id} {issue.category} {issue.object}".lower()
        and object in ("", issue.object)
        and severity in ("", issue.severity)
        and _shown(issue, show)
    ]


def by_category(issues: Iterable[IssueResult], *, sort: str, descending: bool) -> list[CategoryIssues]:
    """Return assessed issues under their categories, the category with the gravest open issue first.

    Inside a category they stand as asked.
    """
    grouped: dict[str, list[IssueResult]] = {}
    for issue in sorted(issues, key=SORTS[sort], reverse=descending):
        if issue.verdict != "not_assessed":
            grouped.setdefault(issue.category, []).append(issue)
    categories = [CategoryIssues(category=name, issues=tuple(held)) for name, held in grouped.items()]
    return sorted(categories, key=lambda each: (each.gravest, -each.failing, each.category))


def _shown(issue: IssueResult, show: str) -> bool:
    if show == "failing":
        return issue.failing > 0
    if show == "worse":
        return (issue.trend or 0) > 0
    if show == "clean":
        return issue.failing == 0 and issue.verdict != "not_assessed"
    return True
