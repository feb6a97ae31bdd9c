"""What did not change is not judged again, and an assessment is whole all the same."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import event

from include.warehouse.health.assessments import expectation_documents, latest_assessment, object_grades
from include.warehouse.health.findings import failing_ids
from tests.quality.conftest import NOW


def _scans(org, run):
    """Return the tables of the org that `run` read."""
    seen: list[str] = []

    def note(connection, cursor, statement, *rest):
        if not statement.startswith("LOCK TABLE"):
            seen.append(statement)

    event.listen(org.engine, "before_cursor_execute", note)
    try:
        run()
    finally:
        event.remove(org.engine, "before_cursor_execute", note)
    return {name for name in ("Account", "Contact") if any(f'"salesforce_acme"."{name}"' in each for each in seen)}


def test_a_table_that_did_not_change_is_not_scanned_again(make_org, make_check):
    """Counts, Ids, grade and documents are those of before; each issue names the assessment that judged it."""
    org = make_org()
    org.put("Contact", {"Id": "1", "Email": None}, {"Id": "2", "Email": "a@b.de"})
    org.put("Account", {"Id": "a", "Name": None})
    org.extracted("Contact")
    org.extracted("Account")
    checks = (make_check(), make_check("no_name", object="Account", bad_when="{row.Name} IS NULL"))
    first = org.assess(*checks)

    org.put("Account", {"Id": "b", "Name": "B"})
    org.extracted("Account")
    assert _scans(org, lambda: org.assess(*checks)) == {"Account"}

    latest = latest_assessment(org.engine, "acme")
    grades = {each.object: (each.records, each.grade) for each in object_grades(org.engine, latest.assessment_id)}
    assert grades == {"Contact": (2, 0.5), "Account": (2, 0.5)}
    assert failing_ids(org.engine, "acme", "no_email", latest.assessment_id) == ("1",)
    assert expectation_documents(org.engine, latest.assessment_id, "Contact") == expectation_documents(
        org.engine, first.assessment_id, "Contact"
    )
    third = org.assess(*checks)
    assert {issue.check_id: issue.judged_by for issue in third.issues} == {
        "no_email": first.assessment_id,
        "no_name": latest.assessment_id,
    }


def test_a_check_is_judged_again_when_another_object_that_it_reads_changed(make_org, make_check):
    """A contact of an account that is gone fails, though no contact changed."""
    org = make_org()
    org.put("Account", {"Id": "a"})
    org.put("Contact", {"Id": "1", "AccountId": "a"})
    org.extracted("Contact")
    org.extracted("Account")
    orphan = make_check("orphan", bad_when="NOT EXISTS (SELECT 1 FROM {Account} AS p WHERE {p.Id} = {row.AccountId})")
    assert [issue.failing for issue in org.assess(orphan).issues] == [0]
    org.delete("Account", "a")
    org.extracted("Account")
    assert [issue.failing for issue in org.assess(orphan).issues] == [1]


def test_a_check_that_reads_the_clock_is_judged_once_a_day(make_org, make_check):
    """The same day nothing is read; the next day it is, and what became late is found."""
    org = make_org()
    org.put("Contact", {"Id": "1", "Birthdate": (NOW + timedelta(days=1)).date()})
    org.extracted("Contact")
    early = make_check("early", bad_when="{row.Birthdate} > {today}")
    assert [issue.failing for issue in org.assess(early).issues] == [1]
    assert _scans(org, lambda: org.assess(early, now=NOW + timedelta(hours=1))) == set()
    assert [issue.failing for issue in org.assess(early, now=NOW + timedelta(days=2)).issues] == [0]


def test_a_changed_definition_is_judged_and_a_changed_threshold_only_compared(make_org, make_check):
    """Another predicate is another question; another threshold is another verdict on the same count."""
    org = make_org()
    org.put("Contact", {"Id": "1", "Email": None}, {"Id": "2", "Email": "a@b.de"})
    org.extracted("Contact")
    assert org.assess(make_check()).issues[0].verdict == "failed"
    looser = make_check(max_share=0.5)
    assert _scans(org, lambda: org.assess(looser)) == set()
    assert org.assess(looser).issues[0].verdict == "passed"
    other = make_check(bad_when="{row.Email} IS NOT NULL")
    found = org.assess(other)
    assert failing_ids(org.engine, "acme", "no_email", found.assessment_id) == ("2",)


def test_a_check_that_is_switched_off_leaves_the_grade_at_once(make_org, make_check):
    """The grade is that of the checks that are on, though no record changed."""
    org = make_org()
    org.put("Contact", {"Id": "1", "Email": None, "LastName": "A"}, {"Id": "2", "Email": "a@b.de"})
    org.extracted("Contact")
    nameless = make_check("nameless", bad_when="{row.LastName} IS NULL")
    assert org.assess(make_check(), nameless).grade == 0.0
    assert org.assess(nameless).grade == 0.5
    assert org.assess(make_check(), nameless).grade == 0.0


def test_without_a_record_of_runs_everything_is_judged(make_org, make_check):
    """A table that somebody filled by hand has no version to compare: it is always read."""
    org = make_org()
    org.put("Contact", {"Id": "1", "Email": None})
    assert [issue.failing for issue in org.assess(make_check()).issues] == [1]
    org.put("Contact", {"Id": "2", "Email": None})
    assert [issue.failing for issue in org.assess(make_check()).issues] == [2]
