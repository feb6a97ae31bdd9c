"""Put together what an assessment says of each check: what was found now, and what still stands from before. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from include.config.checks import CheckDefinition
from include.errors import Unbalanced
from include.quality.catalogue import Catalogue
from include.quality.documents import Tally
from include.quality.due import asked_by
from include.quality.grade import share_of, verdict_of, worst_first
from include.quality.suite import counted, observed
from include.warehouse.health.assessments import IssueResult, ObjectGrade, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Hold what the assessment before found; `assessment_id` is None when there is none."""

    assessment_id: int | None
    issues: Mapping[str, IssueResult]
    grades: Mapping[str, ObjectGrade]

    @property
    def bases(self) -> dict[str, str]:
        """Return what each verdict was judged on."""
        return {name: issue.basis for name, issue in self.issues.items()}

    def graded_by(self, object: str, checks: Iterable[CheckDefinition]) -> bool:
        """Return whether the object was graded by just these checks, of these severities and categories."""
        judged = {
            name: (issue.severity, issue.category) for name, issue in self.issues.items() if issue.object == object
        }
        return object in self.grades and judged == {each.check: (each.severity, each.category) for each in checks}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Hold what an assessment found.

    Args:
        tallies: by check, of every object that was looked at.
        judged: by check, the results of Great Expectations itself.
        settled: by check that was judged now, how many findings appeared and how many were mended.
        bases: by check, what its verdict follows from.
        seen: by check, what was judged now.
    """

    tallies: Mapping[str, Tally]
    judged: Mapping[str, Mapping[str, Any]]
    settled: Mapping[str, tuple[int, int]]
    bases: Mapping[str, str]
    seen: Mapping[str, str]


def insist_on_agreement(
    catalogue: Catalogue, tallies: Mapping[str, Tally], judged: Mapping[str, Mapping[str, Any]]
) -> None:
    """Refuse an assessment in which the two halves of a check, `expect` and `bad_when`, count differently.

    Raises:
        Unbalanced: they do.
    """
    differing = [
        check.check
        for check in catalogue.assessable
        if check.names_records
        and check.check in judged
        and counted(judged[check.check]["result"]) != tallies[check.check].failing
    ]
    if differing:
        raise Unbalanced(
            f"Great Expectations and bad_when disagree on how many records fail {', '.join(differing)};"
            " nothing was kept of this assessment. Mend bad_when of these checks, so that it says what expect says"
        )


def put_together(catalogue: Catalogue, found: Found, past: Past) -> tuple[IssueResult, ...]:
    """Return what there is to say of each check that is switched on, the worst first."""
    assessed = [_assessed(check, found, past) for check in catalogue.assessable]
    missing = [_described(check, verdict="not_assessed", reason=reason) for check, reason in catalogue.missing]
    return tuple(sorted(assessed + missing, key=worst_first))


def _assessed(check: CheckDefinition, found: Found, past: Past) -> IssueResult:
    name = check.check
    before = past.issues.get(name)
    previous = before.failing if before else None
    if name not in found.settled:  # nothing that it reads has changed
        assert before is not None
        tally = found.tallies.get(name)
        records = tally.records if tally else before.records
        return _described(
            check,
            verdict=_verdict(check, before.failing, records, before.verdict),
            records=records,
            failing=before.failing,
            share=share_of(before.failing, records) if check.names_records else before.share,
            reason=before.reason,
            previous_failing=previous,
            basis=before.basis,
            judged_by=before.judged_by or past.assessment_id,
            seen=before.seen,
        )
    tally = found.tallies[name]
    appeared, mended = found.settled[name]
    whole = None if check.names_records else found.judged[name]
    by_gx: Verdict = "passed" if whole is None or whole["success"] else "failed"
    return _described(
        check,
        verdict=_verdict(check, tally.failing, tally.records, by_gx),
        records=tally.records,
        failing=tally.failing,
        share=share_of(tally.failing, tally.records),
        reason=observed(whole["result"]) if whole else "",
        previous_failing=previous,
        appeared=appeared,
        mended=mended,
        basis=found.bases[name],
        seen=found.seen[name],
    )


def _verdict(check: CheckDefinition, failing: int, records: int, by_gx: Verdict) -> Verdict:
    """Return the verdict by today's threshold; a check of the whole object has none and is judged by GX."""
    return verdict_of(failing, records, check.max_share) if check.names_records else by_gx


def _described(check: CheckDefinition, **found: object) -> IssueResult:
    return IssueResult(
        check_id=check.check,
        object=check.object,
        title=check.title,
        why=check.why,
        category=check.category,
        severity=check.severity,
        max_share=check.max_share,
        fix=check.fix,
        asked=asked_by(check),
        **found,  # type: ignore[arg-type]
    )
