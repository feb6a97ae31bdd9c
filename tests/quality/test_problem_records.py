"""How many records have a problem of a category, and how many have one problem alone."""

from __future__ import annotations

from sqlalchemy import text

from include.warehouse.health.problems import problems_of


def checks(make_check):
    return (
        make_check("no_email", category="Incomplete"),
        make_check("no_name", category="Incomplete", bad_when="{row.LastName} IS NULL"),
        make_check("no_phone", category="Invalid", bad_when="{row.Phone} IS NULL"),
    )


def test_a_record_counts_once_in_each_category(make_org, make_check):
    """Two issues of one category are one problem record there; another category counts it again."""
    org = make_org()
    org.put("Contact", {"Id": "1"}, {"Id": "2", "LastName": "A", "Phone": "1"}, {"Id": "3", "LastName": "A"})
    org.put("Contact", {"Id": "4", "Email": "a@b.de", "LastName": "A", "Phone": "1"})
    found = problems_of(org.engine, org.assess(*checks(make_check)).assessment_id)
    assert found.by_category == {"Incomplete": 3, "Invalid": 2}


def test_a_check_knows_how_many_records_have_no_other_issue(make_org, make_check):
    """Mending those lifts the grade; mending a record with another issue left does not."""
    org = make_org()
    org.put("Contact", {"Id": "1"}, {"Id": "2", "LastName": "A", "Phone": "1"}, {"Id": "3", "LastName": "A"})
    org.put("Contact", {"Id": "4", "Email": "a@b.de", "Phone": "1"}, {"Id": "5", "Phone": "1", "LastName": "A"})
    found = problems_of(org.engine, org.assess(*checks(make_check)).assessment_id)
    assert found.alone == {"no_email": 2, "no_name": 1, "no_phone": 0}


def test_what_did_not_change_keeps_its_counts(make_org, make_check):
    """An assessment that takes an object over takes its counts over, too."""
    org = make_org()
    org.put("Contact", {"Id": "1"}, {"Id": "2", "Email": "a@b.de", "LastName": "A", "Phone": "1"})
    org.extracted("Contact")
    first = org.assess(*checks(make_check)).assessment_id
    second = org.assess(*checks(make_check)).assessment_id
    with org.engine.connect() as connection:
        judged = connection.execute(
            text("SELECT count(*) FROM headwater.issue WHERE assessment_id = :n AND judged_by IS NOT NULL"),
            {"n": second},
        )
        assert judged.scalar() == 3
    assert problems_of(org.engine, second) == problems_of(org.engine, first)
