"""The health gate: whether a push may take records from its object, by the latest assessment of the org."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Engine

from include.config.checks import CheckDefinition
from include.config.pushes import Gate, PushDefinition
from include.quality.due import asked_by
from include.quality.grade import verdict_of
from include.warehouse.health.assessments import AssessmentRow, IssueResult, issues_of, latest_assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class GateVerdict:
    """Say whether the gate is open, why, and by which assessment; the assessment is None when none was used."""

    open: bool
    reason: str
    assessment_id: int | None


def judge_gate(
    engine: Engine, push: PushDefinition, checks: Mapping[str, CheckDefinition], *, override: bool, now: datetime
) -> GateVerdict:
    """Read the org's latest assessment and return whether this push may go on; `checks` are today's definitions."""
    latest = latest_assessment(engine, push.org)
    issues = issues_of(engine, latest.assessment_id) if latest else ()
    return decide_gate(push.gate, push.source.objects_read, latest, issues, checks, override=override, now=now)


def decide_gate(
    gate: Gate,
    objects: Sequence[str],
    latest: AssessmentRow | None,
    issues: Sequence[IssueResult],
    checks: Mapping[str, CheckDefinition],
    *,
    override: bool,
    now: datetime,
) -> GateVerdict:
    """Return whether records of these objects may be pushed.

    A critical check that failed closes the gate; so does one that could not be assessed, unless `gate.not_assessed`
    lets it pass: then it is named. Which checks are critical, and how much each allows, is what `checks` say today; of
    one that is new or asks something else since the assessment nobody knows what it would say.
    An assessment older than `gate.max_age_hours` counts as none.
    """
    if not gate.enabled:
        return GateVerdict(open=True, reason="the gate is switched off in the push's definition", assessment_id=None)
    verdict = _by_assessment(gate, objects, latest, tuple(_critical(objects, issues, checks)), now)
    if verdict.open or not override:
        return verdict
    reason = f"opened by override, although {verdict.reason}"
    return GateVerdict(open=True, reason=reason, assessment_id=verdict.assessment_id)


def _by_assessment(
    gate: Gate, objects: Sequence[str], latest: AssessmentRow | None, critical: Sequence[IssueResult], now: datetime
) -> GateVerdict:
    if latest is None:
        return _without(gate, "there is no health assessment of the org yet; run its health DAG")
    if now - latest.assessed_at > timedelta(hours=gate.max_age_hours):
        return _without(
            gate,
            f"the latest health assessment, of {latest.assessed_at:%Y-%m-%d %H:%M} UTC, is older than"
            f" {gate.max_age_hours:g} hours; run the health DAG",
        )
    named = " and ".join(objects)
    failed = [issue for issue in critical if issue.verdict == "failed"]
    if failed:
        reason = f"critical checks of {named} failed: {'; '.join(map(_says, failed))}"
        return GateVerdict(open=False, reason=reason, assessment_id=latest.assessment_id)
    passed = sum(issue.verdict == "passed" for issue in critical)
    absent = [issue for issue in critical if issue.verdict == "not_assessed"]
    if absent and gate.not_assessed == "stop":
        reason = (
            f"critical checks of {named} could not be assessed: {'; '.join(map(_misses, absent))}."
            " Mend that, or say `not_assessed: pass` under `gate`"
        )
        return GateVerdict(open=False, reason=reason, assessment_id=latest.assessment_id)
    reason = f"{passed} critical checks of {named} passed"
    if absent:
        reason += f"; not assessed: {', '.join(issue.check_id for issue in absent)}"
    return GateVerdict(open=True, reason=reason, assessment_id=latest.assessment_id)


def _critical(
    objects: Sequence[str], issues: Sequence[IssueResult], checks: Mapping[str, CheckDefinition]
) -> Iterator[IssueResult]:
    """Yield what is known of each check that is critical today.

    One that is defined no more keeps its verdict until the next assessment: its file may only have a slip in it.
    """
    known = {issue.check_id: issue for issue in issues}
    for issue in issues:
        if issue.object in objects and issue.severity == "critical" and issue.check_id not in checks:
            yield issue
    for check in checks.values():
        if check.enabled and check.severity == "critical" and check.object in objects:
            yield _today(check, known.get(check.check))


def _today(check: CheckDefinition, issue: IssueResult | None) -> IssueResult:
    """Return what is known of a check as it is defined today."""
    if issue is None or issue.asked not in ("", asked_by(check)):
        since = "is new" if issue is None else "asks something else"
        return IssueResult(
            check_id=check.check,
            object=check.object,
            title=check.title,
            why=check.why,
            category=check.category,
            severity=check.severity,
            verdict="not_assessed",
            max_share=check.max_share,
            reason=f"it {since} since the latest assessment: run the health DAG",
        )
    issue = replace(issue, severity=check.severity, max_share=check.max_share)
    if issue.verdict == "not_assessed" or not check.names_records:
        return issue
    return replace(issue, verdict=verdict_of(issue.failing, issue.records, check.max_share))


def _without(gate: Gate, reason: str) -> GateVerdict:
    return GateVerdict(open=gate.without_assessment == "pass", reason=reason, assessment_id=None)


def _says(issue: IssueResult) -> str:
    return f"{issue.title} ({issue.check_id}: {issue.failing} of {issue.records}, allowed {issue.max_share:.1%})"


def _misses(issue: IssueResult) -> str:
    return f"{issue.title} ({issue.check_id}: {issue.reason})"
