"""An assessment says which records are bad, and remembers it."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from include.errors import Unbalanced
from include.warehouse.health.assessments import (
    expectation_documents,
    issues_of,
    latest_assessment,
    object_grades,
    one_issue,
    recent_assessments,
)
from include.warehouse.health.findings import failing_ids


def test_each_check_counts_its_records_and_keeps_their_ids(make_org, make_check):
    """An issue has count, share and verdict, and every failing Id can be read."""
    org = make_org()
    org.put("Contact", {"Id": "1", "Email": "a@b.de"}, {"Id": "2", "Email": None}, {"Id": "3", "Email": None})
    org.put("Contact", {"Id": "4", "Email": "c@d.de"})

    found = org.assess(make_check("no_email", max_share=0.4))

    (issue,) = found.issues
    assert (issue.records, issue.failing, issue.share, issue.verdict) == (4, 2, 0.5, "failed")
    assert failing_ids(org.engine, "acme", "no_email", found.assessment_id) == ("2", "3")


def test_exactly_the_allowed_share_passes(make_org, make_check):
    """The threshold is what may fail, not what fails."""
    org = make_org()
    org.put("Contact", {"Id": "1", "Email": "a@b.de"}, {"Id": "2", "Email": None})
    (issue,) = org.assess(make_check(max_share=0.5)).issues
    assert (issue.share, issue.verdict) == (0.5, "passed")


def test_the_grade_counts_each_record_once(make_org, make_check):
    """A record with three issues lowers the grade as much as a record with one."""
    org = make_org()
    org.put("Contact", *({"Id": str(n), "Email": "a@b.de", "LastName": "X"} for n in range(8)))
    org.put("Contact", {"Id": "8", "LastName": "X"}, {"Id": "9"})
    org.put("Account", {"Id": "a", "Name": "One"}, {"Id": "b", "Name": "Two"})
    found = org.assess(
        make_check("no_email"),
        make_check("no_name", bad_when="{row.LastName} IS NULL"),
        make_check("no_name_again", expect={"type": "expect_column_values_to_not_be_null", "column": "LastName"}),
        make_check("no_site", object="Account", bad_when="{row.Website} IS NULL AND {row.Id} = 'a'"),
    )
    assert (found.records, found.records_with_issue, found.grade) == (12, 3, 0.75)

    grades = {
        each.object: (each.records, each.records_with_issue, each.grade)
        for each in object_grades(org.engine, found.assessment_id)
    }
    assert grades == {"Account": (2, 1, 0.5), "Contact": (10, 2, 0.8)}


def test_the_weighted_grade_loses_of_a_record_what_its_worst_issue_weighs(make_org, make_check):
    """A typing error is not a lost customer: a minor issue costs a tenth of the record, a critical one all of it."""
    org = make_org()
    org.put("Contact", {"Id": "1", "LastName": "A"}, {"Id": "2", "Email": "a@b.de"}, {"Id": "3", "Email": "b@b.de"})
    org.put("Contact", {"Id": "4", "Email": "c@d.de", "LastName": "B"})
    checks = (
        make_check("no_email", severity="critical"),
        make_check("no_name", severity="info", bad_when="{row.LastName} IS NULL"),
    )
    found = org.assess(*checks)
    (grade,) = object_grades(org.engine, found.assessment_id)
    assert (grade.grade, round(grade.weighted, 6)) == (0.25, round((4 - 1 - 0.1 - 0.1) / 4, 6))
    assert latest_assessment(org.engine, "acme").weighted == grade.weighted


def test_deleted_records_are_not_judged(make_org, make_check):
    """Records that are gone in the org count nowhere: not as bad, not as records, not as a partner of others."""
    org = make_org()
    org.put("Account", {"Id": "a"}, {"Id": "b"})
    org.put("Contact", {"Id": "1", "AccountId": "a"}, {"Id": "2", "AccountId": "b"}, {"Id": "3", "AccountId": "b"})
    org.delete("Account", "b")
    org.delete("Contact", "3")
    orphan = "NOT EXISTS (SELECT 1 FROM {Account} AS parent WHERE {parent.Id} = {row.AccountId})"
    found = org.assess(make_check("orphan", bad_when=orphan))
    assert (found.records, found.issues[0].failing) == (2, 1)
    assert failing_ids(org.engine, "acme", "orphan", found.assessment_id) == ("2",)


def test_a_missing_object_or_field_is_not_assessed_and_says_what_to_add(make_org, make_check):
    """What we cannot see is no failure: the reason names object, field and file."""
    org = make_org("Contact", "Account")
    org.lose_field("Contact", "Birthdate")
    org.put("Contact", {"Id": "1", "Email": "a@b.de"})
    owner = "EXISTS (SELECT 1 FROM {User} AS owner WHERE {owner.Id} = {row.OwnerId} AND NOT {owner.IsActive})"
    found = org.assess(
        make_check("no_email", max_share=0),
        make_check("owner", bad_when=owner, severity="critical"),
        make_check("future", bad_when="{row.Birthdate} > {today}"),
        make_check("switched_off", enabled=False),
    )
    reasons = {issue.check_id: (issue.verdict, issue.reason) for issue in found.issues}
    assert reasons == {
        "no_email": ("passed", ""),
        "owner": ("not_assessed", "User is not read from this org: add User to objects in orgs/acme.yaml"),
        "future": (
            "not_assessed",
            "Contact.Birthdate is not shown by the org: let the connection's user read it,"
            " or switch the check off (enabled: false)",
        ),
    }
    assert found.grade == 1.0


def test_an_object_whose_first_load_is_not_complete_is_not_assessed(make_org, make_check):
    """Half a table would make every reference to the other half an orphan."""
    org = make_org()
    with org.engine.begin() as connection:
        connection.execute(text("UPDATE headwater.object SET first_loaded_at = NULL"))
    found = org.assess(make_check())
    assert found.issues[0].reason == "Contact is not loaded yet: its first extract must be complete"
    assert (found.grade, found.records) == (None, 0)


def test_a_predicate_that_does_not_fit_the_data_stops_no_other_check(make_org, make_check):
    """A check that PostgreSQL refuses is not assessed; the others are, and no value of a record is told."""
    org = make_org()
    org.put("Contact", {"Id": "1", "Email": "secret@person.de", "Birthdate": "1990-01-01"})
    found = org.assess(
        make_check("no_email", max_share=1),
        make_check("no_date", bad_when="{row.Email}::date > {today}"),
        make_check("no_pattern", bad_when="{row.Birthdate} ~ 'x'"),
        make_check("no_condition", bad_when="lower({row.Email})"),
    )
    verdicts = {issue.check_id: issue.verdict for issue in found.issues}
    assert verdicts == {
        "no_email": "passed",
        "no_date": "not_assessed",
        "no_pattern": "not_assessed",
        "no_condition": "not_assessed",
    }
    assert "secret" not in str(found)


def test_the_trend_compares_with_the_assessment_before(make_org, make_check):
    """An issue knows how many failed last time, how many are new and how many were mended."""
    org = make_org()
    org.put("Contact", {"Id": "1"}, {"Id": "2"}, {"Id": "3", "Email": "a@b.de"})
    first = org.assess(make_check())
    org.put("Contact", {"Id": "1", "Email": "x@y.de"}, {"Id": "3"}, {"Id": "4"})
    second = org.assess(make_check())

    assert (first.issues[0].previous_failing, first.issues[0].trend, first.issues[0].appeared) == (None, None, 2)
    issue = one_issue(org.engine, second.assessment_id, "no_email")
    assert (issue.previous_failing, issue.trend, issue.appeared, issue.mended) == (2, 1, 2, 1)
    assert [row.grade for row in recent_assessments(org.engine, "acme")] == [0.25, pytest.approx(1 / 3)]


def test_the_failing_ids_of_any_assessment_can_be_read_again(make_org, make_check):
    """Findings open and close, come back and stay away, and each assessment's own list remains."""
    org = make_org()
    org.put("Contact", {"Id": "1"}, {"Id": "2"}, {"Id": "3", "Email": "a@b.de"})
    lists, ids = [], []
    for change in ((), ({"Id": "1", "Email": "x@y.de"}, {"Id": "3"}), ({"Id": "1"},), ()):
        org.put("Contact", *change)
        assessment_id = org.assess(make_check()).assessment_id
        ids.append(assessment_id)
        lists.append(failing_ids(org.engine, "acme", "no_email", assessment_id))
    assert lists == [("1", "2"), ("2", "3"), ("1", "2", "3"), ("1", "2", "3")]
    assert [failing_ids(org.engine, "acme", "no_email", each) for each in ids] == lists
    with org.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM headwater.finding")).scalar() == 4


def test_findings_of_a_check_that_is_not_assessed_stay_as_they_are(make_org, make_check):
    """Nothing is known about them: they are neither mended nor listed for that assessment."""
    org = make_org()
    org.put("Contact", {"Id": "1"})
    first = org.assess(make_check()).assessment_id
    org.lose_field("Contact", "Email")
    second = org.assess(make_check())
    assert failing_ids(org.engine, "acme", "no_email", first) == ("1",)
    assert failing_ids(org.engine, "acme", "no_email", second.assessment_id) == ()
    assert second.issues[0].trend is None
    with org.engine.connect() as connection:
        assert connection.execute(text("SELECT mended_by FROM headwater.finding")).scalar() is None


def test_the_planner_knows_of_the_findings_once_they_are_kept(make_org, make_check):
    """Otherwise the next assessment takes the ledger for empty, and walks all of it for what changed."""
    org = make_org()
    org.put("Contact", *({"Id": f"{n:03}"} for n in range(500)))
    org.assess(make_check())
    with org.engine.begin() as connection:
        known = "SELECT reltuples FROM pg_class WHERE oid = 'headwater.finding'::regclass"
        assert connection.execute(text(known)).scalar_one() == 500


def test_failing_ids_come_in_pages(make_org, make_check):
    """A page begins after the last Id of the page before."""
    org = make_org()
    org.put("Contact", *({"Id": f"{n:03}"} for n in range(5)))
    number = org.assess(make_check()).assessment_id
    first = failing_ids(org.engine, "acme", "no_email", number, limit=3)
    rest = failing_ids(org.engine, "acme", "no_email", number, limit=3, after=first[-1])
    assert (first, rest) == (("000", "001", "002"), ("003", "004"))


def test_issues_are_read_back_as_they_were_found(make_org, make_check):
    """Pages read what the assessment returned: the same issues with their categories, the worst first."""
    org = make_org()
    org.put("Contact", {"Id": "1"}, {"Id": "2", "Email": "a@b.de"})
    found = org.assess(
        make_check("b_warning", max_share=0),
        make_check("c_passed", max_share=1, severity="critical"),
        make_check("a_error", severity="error", category="Invalid"),
        make_check("d_absent", bad_when="{row.Nothing__c} IS NULL", category="Invalid"),
    )
    assert [issue.check_id for issue in found.issues] == ["a_error", "b_warning", "c_passed", "d_absent"]
    assert issues_of(org.engine, found.assessment_id) == found.issues
    assert [issue.category for issue in found.issues] == ["Invalid", "Incomplete", "Incomplete", "Invalid"]
    assert latest_assessment(org.engine, "acme").grade == found.grade == 0.5


def test_the_kept_documents_hold_no_value_of_a_record(make_org, make_check):
    """Great Expectations' suite and result are kept as its own JSON, with counts and without samples."""
    org = make_org()
    org.put("Contact", {"Id": "003SECRET", "Email": "secret", "LastName": "Secretson"})
    pattern = {"type": "expect_column_values_to_match_regex", "column": "Email", "regex": "@"}
    found = org.assess(make_check("bad_email", expect=pattern), make_check("bad_name", bad_when="{row.LastName} ~ 'S'"))
    suite, validation = expectation_documents(org.engine, found.assessment_id, "Contact")
    assert [each["type"] for each in suite["expectations"]] == [
        "expect_column_values_to_match_regex",
        "headwater_failing_rows",
    ]
    assert [each["meta"]["verdict"] for each in validation["results"]] == ["failed", "failed"]
    assert "secret" not in json.dumps([suite, validation]).lower()


def test_loads_during_the_assessment_do_not_show_in_it(make_org, make_check):
    """Counts, findings and Great Expectations all see one moment, though rows arrive all the while."""
    org = make_org()
    org.put("Contact", *({"Id": f"{n}"} for n in range(20)))
    org.assess(make_check())
    stop = threading.Event()

    def keep_loading() -> None:
        number = 1000
        while not stop.is_set():
            org.put("Contact", {"Id": str(number)})
            number += 1

    loader = threading.Thread(target=keep_loading)
    loader.start()
    try:
        found = org.assess(make_check("no_email"), make_check("shares", bad_when=_SHARED))
    finally:
        stop.set()
        loader.join()
    assert {issue.failing for issue in found.issues} == {found.records}


_SHARED = "{row.Email} IS NULL AND {row.Id} IN (SELECT {other.Id} FROM {Contact} AS other)"


def test_a_disagreement_with_great_expectations_keeps_nothing(make_org, make_check):
    """If the two halves of a check count differently, the assessment is refused whole and its run is failed."""
    org = make_org()
    org.put("Contact", {"Id": "1", "LastName": "ab"}, {"Id": "2", "LastName": "abc"})
    twins = {
        "type": "expect_select_column_values_to_be_unique_within_record",
        "column_list": ["LastName", "FirstName"],
    }
    with pytest.raises(Unbalanced, match="disagree on how many records fail twins"):
        org.assess(make_check("twins", expect=twins, bad_when="{row.LastName} = 'abc'"))
    assert latest_assessment(org.engine, "acme") is None


def test_a_failed_assessment_leaves_a_failed_run_and_nothing_else(make_org, make_check):
    """A table that vanished under us: the run says so, no half assessment can be read."""
    org = make_org()
    with org.engine.begin() as connection:
        connection.execute(text("ALTER TABLE headwater.issue RENAME TO gone"))
    with pytest.raises(Exception, match=r"headwater\.issue"):
        org.assess(make_check())
    with org.engine.begin() as connection:
        connection.execute(text("ALTER TABLE headwater.gone RENAME TO issue"))
        states = connection.execute(text("SELECT kind, state FROM headwater.run")).all()
    assert [tuple(row) for row in states] == [("health", "failed")]
    assert latest_assessment(org.engine, "acme") is None


def test_the_clock_of_the_checks_is_the_one_handed_over(make_org, make_check):
    """{today} is the day of `now`, so that a run can be judged as of its own time."""
    org = make_org()
    org.put("Contact", {"Id": "1", "Birthdate": "2026-11-21"})
    check = make_check("future", bad_when="{row.Birthdate} > {today}")
    today = org.assess(check).issues[0].failing
    tomorrow = org.assess(check, now=datetime(2026, 11, 21, 0, 0, tzinfo=UTC)).issues[0].failing
    assert (today, tomorrow) == (1, 0)


def test_two_assessments_of_an_org_wait_for_each_other(make_org, make_check):
    """Started together, each finds the ledger as the other left it: no finding twice, none lost."""
    org = make_org()
    org.put("Contact", {"Id": "1"}, {"Id": "2"})
    org.assess(make_check())
    org.put("Contact", {"Id": "3"})
    with ThreadPoolExecutor(2) as pool:
        both = [each.result() for each in [pool.submit(org.assess, make_check()) for _ in range(2)]]
    assert sorted(found.issues[0].appeared for found in both) == [0, 1]
    with org.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM headwater.finding")).scalar() == 3
        states = connection.execute(text("SELECT DISTINCT state FROM headwater.run")).scalars().all()
    assert states == ["success"]


def test_what_cannot_be_judged_says_why_and_no_value_of_a_record(make_org, make_check):
    """What PostgreSQL says of the predicate itself; of what it stumbled over in a row, no more than its kind."""
    org = make_org("Contact")
    org.put("Contact", {"Id": "1", "Email": "secret@x.de"})
    asked = {
        "types": {"bad_when": "{row.Email} > 5"},
        "value": {"bad_when": "{row.Email}::numeric > 5"},
        "object": {"object": "contact"},
        "field": {"bad_when": "{row.email} IS NULL"},
    }
    checks = [make_check(name, **keys) for name, keys in asked.items()]
    reasons = {issue.check_id: issue.reason for issue in org.assess(*checks).issues}
    assert reasons["types"].endswith("(42883 undefined function: operator does not exist: text > integer)")
    assert reasons["value"] == "the predicate does not fit this org's data (22P02 invalid text representation)"
    assert reasons["object"].endswith("add contact to objects in orgs/acme.yaml, or write Contact if that is meant")
    assert reasons["field"].endswith("switch the check off (enabled: false), or write Email if that is meant")
