"""The health gate: whether a push may take records from its object, by the latest assessment of the org."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from include.config.pushes import Gate, PushDefinition
from include.warehouse.assessments import AssessmentRow, IssueResult, issues_of, latest_assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class GateVerdict:
    """Say whether the gate is open, why, and by which assessment; the assessment is None when none was used."""

    open: bool
    reason: str
    assessment_id: int | None


def judge_gate(engine: Engine, push: PushDefinition, *, override: bool, now: datetime) -> GateVerdict:
    """Read the org's latest assessment and return whether this push may go on."""
    latest = latest_assessment(engine, push.org)
    issues = issues_of(engine, latest.assessment_id) if latest else ()
    return decide_gate(push.gate, push.source.objects_read, latest, issues, override=override, now=now)


def decide_gate(
    gate: Gate,
    objects: Sequence[str],
    latest: AssessmentRow | None,
    issues: Sequence[IssueResult],
    *,
    override: bool,
    now: datetime,
) -> GateVerdict:
    """Return whether records of these objects may be pushed.

    A critical check that failed closes the gate; so does one that could not be assessed, unless `gate.not_assessed`
    lets it pass: then it is named.
    An assessment older than `gate.max_age_hours` counts as none.
    """
    if not gate.enabled:
        return GateVerdict(open=True, reason="the gate is switched off in the push's definition", assessment_id=None)
    verdict = _by_assessment(gate, objects, latest, issues, now)
    if verdict.open or not override:
        return verdict
    reason = f"opened by override, although {verdict.reason}"
    return GateVerdict(open=True, reason=reason, assessment_id=verdict.assessment_id)


def _by_assessment(
    gate: Gate, objects: Sequence[str], latest: AssessmentRow | None, issues: Sequence[IssueResult], now: datetime
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
    critical = [issue for issue in issues if issue.object in objects and issue.severity == "critical"]
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


def _without(gate: Gate, reason: str) -> GateVerdict:
    return GateVerdict(open=gate.without_assessment == "pass", reason=reason, assessment_id=None)


def _says(issue: IssueResult) -> str:
    return f"{issue.title} ({issue.check_id}: {issue.failing} of {issue.records}, allowed {issue.max_share:.1%})"


def _misses(issue: IssueResult) -> str:
    return f"{issue.title} ({issue.check_id}: {issue.reason})"
