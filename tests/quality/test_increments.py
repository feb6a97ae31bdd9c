"""Judging only what changed finds what judging everything finds."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from include.quality.documents import Documents, Tally, documents_of
from include.quality.grade import WEIGHTS
from include.quality.predicate import condition
from include.quality.suite import counted
from include.warehouse.engine import quoted
from include.warehouse.health.assessments import expectation_documents, object_grades
from include.warehouse.health.findings import failing_ids
from include.warehouse.health.journals import LIVE
from include.warehouse.health.problems import problems_of
from tests.quality.conftest import NOW

BIRTHDATES = (None, "1980-01-01", NOW.date() + timedelta(days=1), NOW.date() + timedelta(days=2))


def _checks(make_check, loose: bool):
    """Return checks of every kind; `loose` makes another question of one of them, and puts one elsewhere."""
    category = "Invalid" if loose else "Incomplete"
    owner = "EXISTS (SELECT 1 FROM {User} AS owner WHERE {owner.Id} = {row.OwnerId} AND NOT {owner.IsActive})"
    boss = "NOT EXISTS (SELECT 1 FROM {Contact} AS boss WHERE {row.ReportsToId} = {boss.Id})"
    lonely = "NOT EXISTS (SELECT 1 FROM {Contact} AS person WHERE {person.AccountId} = {row.Id})"
    return (
        make_check("no_email", bad_when="{row.Email} IS NULL" + (" OR {row.Email} = 'b@b.de'" if loose else "")),
        make_check("bad_email", severity="error", category="Invalid", expect=_PATTERN),
        make_check("early", severity="info", bad_when="{row.Birthdate} > {today}"),
        make_check("late", severity="info", bad_when="{row.Birthdate} < {now}"),
        make_check("owner_left", severity="critical", category="Ownership", bad_when=owner),
        make_check("no_boss", bad_when=f"{{row.ReportsToId}} IS NOT NULL AND {boss}"),
        make_check("twins", expect={"type": "expect_column_values_to_be_unique", "column": "Email"}),
        make_check("lonely", object="Account", bad_when=lonely),
        make_check("nameless", object="Account", category=category, bad_when="{row.Name} IS NULL"),
    )


_PATTERN = {"type": "expect_column_values_to_match_regex", "column": "Email", "regex": "@"}


def _change(org, dice):
    """Do something that an extract, a comparison or an administrator may do."""
    number = dice.randrange(12)
    match dice.randrange(8):
        case 0 | 1 | 2:
            person = {"Email": dice.choice((None, "a@b.de", "b@b.de", "nobody", f"{number}@x.de"))}
            person |= {"Birthdate": dice.choice(BIRTHDATES), "OwnerId": dice.choice(("u1", "u2", None))}
            person |= {"AccountId": dice.choice(("a1", "a2", None)), "ReportsToId": dice.choice((None, "c1", "c2"))}
            org.put("Contact", {"Id": f"c{number}", **person})
            org.extracted("Contact")
        case 3:
            org.delete("Contact", f"c{number}")
            org.extracted("Contact")
        case 4:
            org.put("Account", {"Id": f"a{number % 4}", "Name": dice.choice((None, "Nordwind"))})
            org.extracted("Account")
        case 5:
            org.put("User", {"Id": f"u{1 + number % 2}", "IsActive": dice.random() < 0.5})
            org.extracted("User")
        case 6:
            org.delete("Account", f"a{number % 4}")
            org.extracted("Account")
        case 7:
            org.clear("Contact")
            org.extracted("Contact")


def _expected(org, check, now):
    """Return the Ids that fail a check, asked of the whole table."""
    where = condition(check.predicate, schema="salesforce_acme", now=now)
    statement = f'SELECT "Id" FROM {quoted("salesforce_acme", check.object)} AS "row" WHERE {LIVE} AND {where}'
    with org.engine.connect() as connection:
        return set(connection.exec_driver_sql(statement, execution_options={"no_parameters": True}).scalars())


def _compare(org, checks, found, now):
    bad = {check.check: _expected(org, check, now) for check in checks}
    for issue in found.issues:
        kept = failing_ids(org.engine, "acme", issue.check_id, found.assessment_id, limit=1000)
        assert (issue.check_id, set(kept), issue.failing) == (issue.check_id, bad[issue.check_id], len(kept))
    problems = problems_of(org.engine, found.assessment_id)
    assert (dict(problems.by_category), dict(problems.alone)) == _problems(checks, bad)
    for grade in object_grades(org.engine, found.assessment_id):
        own = [check for check in checks if check.object == grade.object]
        worst: dict[str, float] = {}
        for check in own:
            for record in bad[check.check]:
                worst[record] = max(worst.get(record, 0), WEIGHTS[check.severity])
        assert grade.records_with_issue == len(worst)
        if grade.records:
            assert grade.weighted == pytest.approx((grade.records - sum(worst.values())) / grade.records)
        _, validation = expectation_documents(org.engine, found.assessment_id, grade.object)
        counts = {
            each["expectation_config"]["meta"]["check"]: counted(each["result"]) for each in validation["results"]
        }
        assert counts == {check.check: len(bad[check.check]) for check in own}


def _problems(checks, bad):
    """Return by category how many records fail one of its checks, and by check how many fail no other."""
    of_category = {check.category: set() for check in checks}
    of_record: dict[tuple[str, str], list[str]] = {}
    for check in checks:
        for record in bad[check.check]:
            of_category[check.category].add((check.object, record))
            of_record.setdefault((check.object, record), []).append(check.check)
    alone = {check.check: sum(failed == [check.check] for failed in of_record.values()) for check in checks}
    return {category: len(records) for category, records in of_category.items()}, alone


@pytest.mark.parametrize("seed", range(4))
def test_after_any_changes_an_assessment_is_what_a_whole_one_would_be(make_org, make_check, seed):
    """Loads, edits, deletions, emptied tables, other definitions and other days: Ids, counts, grades and documents."""
    dice = random.Random(seed)
    org = make_org("Account", "Contact", "User")
    org.put("User", {"Id": "u1", "IsActive": True}, {"Id": "u2", "IsActive": False})
    for name in ("Account", "Contact", "User"):
        org.extracted(name)
    now, loose, left_out = NOW, False, ""
    for _ in range(10):
        for _ in range(dice.randrange(4)):
            _change(org, dice)
        now += timedelta(days=dice.random() < 0.15)
        loose ^= dice.random() < 0.15
        left_out = dice.choice(("", "", "", "no_email", "nameless", "owner_left"))
        checks = [check for check in _checks(make_check, loose) if check.check != left_out]
        _compare(org, checks, org.assess(*checks, now=now), now)


def _statements(org, run):
    seen: list[str] = []

    def note(connection, cursor, statement, *rest):
        seen.append(statement)

    event.listen(org.engine, "before_cursor_execute", note)
    try:
        run()
    finally:
        event.remove(org.engine, "before_cursor_execute", note)
    return seen


def test_a_check_that_a_record_decides_alone_is_judged_on_changed_records(make_org, make_check):
    """The whole table is asked for what changed and how many there are, and for nothing else."""
    org = make_org("Contact")
    org.put("Contact", *({"Id": f"c{number}", "Email": None} for number in range(20)))
    org.extracted("Contact")
    org.assess(make_check())
    org.put("Contact", {"Id": "c3", "Email": "a@b.de"}, {"Id": "new"})
    org.extracted("Contact")
    found = []
    asked = _statements(org, lambda: found.append(org.assess(make_check())))
    judged = [each for each in asked if '"Email" IS NULL' in each and "CREATE TEMPORARY" in each]
    assert judged
    assert all("record_id FROM changed_" in each for each in judged)
    (issue,) = found[0].issues
    assert (issue.failing, issue.appeared, issue.mended) == (20, 1, 1)


def test_a_load_that_was_under_way_during_an_assessment_is_judged_by_the_next(make_org, make_check):
    """Its rows are older than the assessment that could not see them."""
    org = make_org("Contact")
    org.put("Contact", {"Id": "1", "Email": "a@b.de"})
    org.extracted("Contact")
    org.assess(make_check())
    with org.engine.begin() as loading:
        loading.execute(text("""INSERT INTO salesforce_acme."Contact" ("Id") VALUES ('late')"""))
        org.put("Contact", {"Id": "2"})
        org.extracted("Contact")
        assert org.assess(make_check()).issues[0].failing == 1
    org.extracted("Contact")
    found = org.assess(make_check())
    assert failing_ids(org.engine, "acme", "no_email", found.assessment_id) == ("2", "late")


def test_a_column_that_was_dropped_and_made_again_is_judged_whole(make_org, make_check):
    """No row was written, and yet none has its value any more."""
    org = make_org("Contact")
    org.put("Contact", {"Id": "1", "Email": "a@b.de"}, {"Id": "2", "Email": "b@b.de"})
    org.extracted("Contact")
    assert org.assess(make_check()).issues[0].failing == 0
    with org.engine.begin() as connection:
        connection.execute(text('ALTER TABLE salesforce_acme."Contact" DROP COLUMN "Email"'))
        connection.execute(text('ALTER TABLE salesforce_acme."Contact" ADD COLUMN "Email" text'))
    org.extracted("Contact")
    assert org.assess(make_check()).issues[0].failing == 2


def test_documents_of_before_with_other_counts_are_those_that_great_expectations_writes(make_check):
    """Only where every definition is the same are its words taken over; what reads the clock says the new moment."""
    checks = _checks(make_check, loose=False)[:6]
    later = NOW + timedelta(hours=3)

    def documents(counts, now, before=None, checks=checks):
        tallies = {
            check.check: Tally(records=50, missing=4, failing=count)
            for check, count in zip(checks, counts, strict=True)
        }
        return documents_of("Contact", checks, tallies, {}, schema="salesforce_acme", now=now, before=before)

    before = documents((1, 2, 3, 4, 5, 6), NOW)
    assert documents((0, 9, 0, 8, 0, 7), later, before) == documents((0, 9, 0, 8, 0, 7), later)
    assert documents((0,) * 6, later, before) == documents((0,) * 6, later)
    marked = Documents(suite=before.suite | {"name": "taken over"}, validation=before.validation)
    assert documents((0,) * 6, later, marked).suite["name"] == "taken over"
    other = (make_check("no_email", title="Another title"), *checks[1:])
    assert documents((0,) * 6, later, marked, other).suite["name"] == "Contact"
