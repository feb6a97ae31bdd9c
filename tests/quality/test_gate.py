"""The gate lets a push through only on a fresh, good assessment of its object, or when a person says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.config.checks import CheckDefinition
from include.config.pushes import Gate, PushDefinition
from include.quality.due import asked_by
from include.quality.gate import GateVerdict, decide_gate, judge_gate
from include.warehouse.health.assessments import AssessmentRow, IssueResult

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def _assessment(hours_ago: float = 1) -> AssessmentRow:
    return AssessmentRow(
        assessment_id=7,
        org="acme",
        assessed_at=NOW - timedelta(hours=hours_ago),
        previous_id=None,
        records=10,
        records_with_issue=0,
        grade=1.0,
        seconds=1.0,
    )


def _issue(verdict: str = "failed", severity: str = "critical", object: str = "Contact") -> IssueResult:
    return IssueResult(
        check_id="no_email",
        object=object,
        title="Contacts without e-mail",
        why="because",
        category="Incomplete",
        severity=severity,
        verdict=verdict,  # type: ignore[arg-type]
        max_share=0.5,
        records=10,
        failing=6,
        share=0.6,
    )


def _decide(
    *issues: IssueResult,
    gate: Gate | None = None,
    hours_ago: float | None = 1,
    override: bool = False,
    checks: tuple[CheckDefinition, ...] = (),
):
    latest = None if hours_ago is None else _assessment(hours_ago)
    named = {check.check: check for check in checks}
    return decide_gate(gate or Gate(), ("Contact",), latest, issues, named, override=override, now=NOW)


def test_a_failed_critical_check_of_the_object_closes_the_gate():
    """The reason names the check and its figures."""
    assert _decide(_issue()) == GateVerdict(
        open=False,
        reason="critical checks of Contact failed: Contacts without e-mail (no_email: 6 of 10, allowed 50.0%)",
        assessment_id=7,
    )


@pytest.mark.parametrize(
    "issue",
    [
        _issue(severity="error"),
        _issue(object="Lead"),
        _issue("passed"),
        _issue("not_assessed", severity="error"),
        _issue("not_assessed", object="Lead"),
    ],
)
def test_nothing_else_closes_it(issue):
    """Neither a lesser check, nor another object's, nor one that passed."""
    assert _decide(issue).open


def test_a_critical_check_that_was_not_assessed_closes_it():
    """Nobody knows what it would say; the reason names what is missing and how to let it pass."""
    verdict = _decide(replace(_issue("not_assessed"), reason="Contact.Email is not shown by the org"), _issue("passed"))
    assert verdict == GateVerdict(
        open=False,
        reason="critical checks of Contact could not be assessed: Contacts without e-mail (no_email: Contact.Email is"
        " not shown by the org). Mend that, or say `not_assessed: pass` under `gate`",
        assessment_id=7,
    )
    assert _decide(_issue("not_assessed"), override=True).open


def test_a_definition_may_let_what_was_not_assessed_pass_but_it_is_named():
    """Nobody shall think that it passed; and one that failed closes the gate all the same."""
    gate = Gate(not_assessed="pass")
    verdict = _decide(_issue("not_assessed"), gate=gate)
    assert (verdict.open, verdict.reason) == (True, "0 critical checks of Contact passed; not assessed: no_email")
    assert not _decide(_issue("not_assessed"), _issue(), gate=gate).open


@pytest.mark.parametrize(("without", "opens"), [("stop", False), ("pass", True)])
@pytest.mark.parametrize("hours_ago", [None, 30.1])
def test_without_an_assessment_or_with_an_old_one_the_definition_decides(without, opens, hours_ago):
    """An assessment older than max_age_hours counts as none, whatever it found."""
    verdict = _decide(gate=Gate(without_assessment=without), hours_ago=hours_ago)
    assert (verdict.open, verdict.assessment_id) == (opens, None)


def test_an_assessment_of_just_the_maximum_age_still_counts():
    """Older means older."""
    assert _decide(hours_ago=30).assessment_id == 7


def test_an_override_opens_the_gate_and_says_what_it_overrode():
    """A person's word counts more, and the reason stays on record."""
    verdict = _decide(_issue(), override=True)
    assert verdict.open
    assert verdict.reason.startswith("opened by override, although critical checks of Contact failed")


def test_a_gate_that_is_switched_off_asks_nothing():
    """The definition says so."""
    assert _decide(_issue(), gate=Gate(enabled=False)).open


def test_a_critical_check_that_is_new_since_the_assessment_closes_the_gate(make_check):
    """Nobody knows what it would say; the reason says what to do. One of another object is no matter of this push."""
    added = make_check("added", severity="critical")
    assert _decide(_issue("passed"), checks=(added,)) == GateVerdict(
        open=False,
        reason="critical checks of Contact could not be assessed: Title of added (added: it is new since the latest"
        " assessment: run the health DAG). Mend that, or say `not_assessed: pass` under `gate`",
        assessment_id=7,
    )
    assert _decide(checks=(added,), gate=Gate(not_assessed="pass")).reason.endswith("not assessed: added")
    for other in ({"object": "Lead"}, {"enabled": False}, {"severity": "error"}):
        assert _decide(checks=(make_check("added", **{"severity": "critical", **other}),)).open


def test_a_verdict_on_another_question_counts_no_more(make_check):
    """The words about a check may change, what it asks may not; of older verdicts nobody knows what was asked."""
    check = make_check(severity="critical", max_share=0.5)
    stricter = make_check(severity="critical", max_share=0.5, bad_when="{row.Email} IS NULL OR {row.Phone} IS NULL")
    passed = replace(_issue("passed"), failing=1, asked=asked_by(check))
    assert _decide(passed, checks=(check.model_copy(update={"why": "another reason"}),)).open
    assert "it asks something else since the latest assessment" in _decide(passed, checks=(stricter,)).reason
    assert _decide(replace(passed, asked=""), checks=(stricter,)).open


def test_what_is_critical_and_how_much_may_fail_is_what_the_definition_says_today(make_check):
    """Counts are known; so whoever turns a check off, or another threshold on, need not wait for an assessment."""
    issue = replace(_issue(severity="error"), asked=asked_by(make_check()))
    assert not _decide(issue, checks=(make_check(severity="critical", max_share=0.5),)).open
    assert _decide(issue, checks=(make_check(severity="critical", max_share=0.7),)).open
    critical = replace(issue, severity="critical")
    assert _decide(critical, checks=(make_check(severity="critical", enabled=False),)).open
    assert _decide(critical, checks=(make_check(severity="warning"),)).open


def _push() -> PushDefinition:
    return PushDefinition.model_validate(
        {
            "push": "to_insider",
            "org": "acme",
            "source": {"object": "Contact"},
            "destination": {"platform": "insider_one", "connection": "insider"},
            "schedule": "0 * * * *",
            "identifiers": {"email": "Email"},
            "attributes": {"name": "FirstName"},
        }
    )


def test_a_check_that_changed_in_the_warehouse_is_known_to_the_gate_once_it_was_assessed(make_org, make_check):
    """From the definition to the ledger and back: what was asked is the same until somebody changes it."""
    org, push = make_org(), _push()
    org.put("Contact", {"Id": "1", "Email": "a@b.de"})
    check = make_check(severity="critical")
    other = make_check(severity="critical", bad_when="{row.Email} LIKE '%@spam.de'")
    org.assess(check)
    seen = []
    for today in (check, other):
        seen.append(judge_gate(org.engine, push, {today.check: today}, override=False, now=NOW).open)
    org.assess(other)
    seen.append(judge_gate(org.engine, push, {other.check: other}, override=False, now=NOW).open)
    assert seen == [True, False, True]


def test_the_latest_assessment_in_the_warehouse_decides(make_org, make_check):
    """A check that failed last time and passes now opens the gate again; another org's assessment is not asked."""
    org = make_org()
    push, check = _push(), make_check(severity="critical", max_share=0.4)
    checks = {check.check: check}
    before = judge_gate(org.engine, push, checks, override=False, now=NOW)
    org.put("Contact", {"Id": "1"}, {"Id": "2", "Email": "a@b.de"})
    org.assess(check)
    closed = judge_gate(org.engine, push, checks, override=False, now=NOW)
    org.put("Contact", {"Id": "1", "Email": "c@d.de"})
    last = org.assess(check)
    opened = judge_gate(org.engine, push, checks, override=False, now=NOW)
    assert (before.open, closed.open, opened.open) == (False, False, True)
    assert opened.assessment_id == last.assessment_id
