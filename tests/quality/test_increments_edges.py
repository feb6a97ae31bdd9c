"""What could make an assessment of changed records differ from one of all records."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

import include
from include.config.checks import CheckDefinition
from include.warehouse.belongings import forget
from include.warehouse.health.assessments import object_grades
from include.warehouse.health.findings import failing_ids


def failing(org, found) -> dict[str, int]:
    """Return how many fail each check, having made sure that so many Ids are kept."""
    for issue in found.issues:
        kept = failing_ids(org.engine, "acme", issue.check_id, found.assessment_id, limit=1000)
        assert len(kept) == issue.failing
    return {issue.check_id: issue.failing for issue in found.issues}


def twins(make_check, **keys) -> CheckDefinition:
    return make_check("twins", bad_when="", duplicates={"rules": ["email"]}, **keys)


def pair(first: str) -> list[dict[str, object]]:
    return [{"Id": f"{first}{n}", "FirstName": "Ann", "LastName": "Li", "Email": f"{first}@x.de"} for n in range(2)]


def test_a_field_that_points_at_two_objects_is_followed_to_both(make_org, make_check):
    """Who a task is about is a contact or a lead: a change of either is seen by the checks of both."""
    org = make_org("Contact", "Lead", "Task")
    for name in ("Contact", "Lead"):
        org.put(name, {"Id": name[0], "Email": "a@b.de"})
    org.put("Task", {"Id": "1", "WhatId": "C"}, {"Id": "2", "WhatId": "L"})
    for name in ("Contact", "Lead", "Task"):
        org.extracted(name)
    of = "EXISTS (SELECT 1 FROM {%s} AS other WHERE {other.Id} = {row.WhatId} AND {other.Email} IS NULL)"
    checks = (
        make_check("of_contact", object="Task", bad_when=of % "Contact"),
        make_check("of_lead", object="Task", bad_when=of % "Lead"),
    )
    assert failing(org, org.assess(*checks)) == {"of_contact": 0, "of_lead": 0}
    for name in ("Contact", "Lead"):
        org.put(name, {"Id": name[0], "Email": None})
        org.extracted(name)
    assert failing(org, org.assess(*checks)) == {"of_contact": 1, "of_lead": 1}


def test_another_list_that_comes_with_us_makes_another_question(tmp_path: Path):
    """An upgrade adds a domain to a list: no verdict on the old list stands."""
    own = Path(include.__path__[0])
    shutil.copytree(own, tmp_path / "include", ignore=shutil.ignore_patterns("__pycache__"))
    program = """
from datetime import UTC, datetime
from include.config.checks import CheckDefinition
from include.quality.catalogue import KnownObject
from include.quality.due import basis_of
check = CheckDefinition(check="free", title="Free", why="because", category="Invalid", severity="info",
                        object="Contact", bad_when="lower({row.Email}) IN {list.free_mail_domains}")
known = {"Contact": KnownObject(loaded=True, columns=frozenset({"Email"}), version="1:1")}
print(basis_of(check, known, now=datetime.now(UTC)))
"""

    def basis() -> str:
        asked = [sys.executable, "-c", program]
        return subprocess.run(asked, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    before = basis()
    assert before == basis()
    with (tmp_path / "include/quality/lists/free_mail_domains.txt").open("a") as names:
        names.write("another.example\n")
    assert before != basis()


def test_an_object_that_was_forgotten_and_loaded_again_is_judged_again(make_org, make_check):
    """Its pairs are counted from the beginning; that they are as many as before is no reason to believe the past."""
    org = make_org("Contact")
    org.put("Contact", *pair("a"))
    org.extracted("Contact")
    assert failing(org, org.assess(twins(make_check))) == {"twins": 2}
    forget(org.engine, "acme", "Contact")
    org.add_object("Contact")
    org.put("Contact", *pair("b"))
    org.extracted("Contact")
    assert failing(org, org.assess(twins(make_check))) == {"twins": 2}


def test_the_share_of_duplicates_follows_the_number_of_records(make_org, make_check):
    """Records without a twin come: no pair changed, and yet fewer of all are one."""
    org = make_org("Contact")
    org.put("Contact", *pair("a"))
    org.extracted("Contact")
    for checks in ((twins(make_check),), (twins(make_check), make_check())):
        org.assess(*checks)
        before = org.assess(*checks).issues
        assert {issue.check_id: issue.share for issue in before}["twins"] == 2 / before[0].records
        number = before[0].records
        org.put("Contact", *({"Id": f"{number}{n}", "Email": f"{number}{n}@y.de"} for n in range(2)))
        org.extracted("Contact")
        found = org.assess(*checks)
        shares = {issue.check_id: (issue.failing, issue.records, issue.share) for issue in found.issues}
        assert shares["twins"] == (2, number + 2, 2 / (number + 2))
        (grade,) = object_grades(org.engine, found.assessment_id)
        assert (grade.records, grade.grade) == (number + 2, number / (number + 2))


@pytest.mark.parametrize("change", ['ALTER "Phone" TYPE integer USING NULL', 'ADD "Score" integer'])
def test_a_table_that_is_made_anew_while_an_assessment_begins_is_not_taken_for_empty(make_org, make_check, change):
    """A load that changes a column's type writes every row again: who began to look before would see none."""
    org = make_org("Contact")
    org.put("Contact", {"Id": "1"}, {"Id": "2", "Email": "a@b.de"})
    org.extracted("Contact")
    refused = []

    def begin_to_look(connection, cursor, statement, *rest):
        if "pg_export_snapshot" in statement:
            with org.engine.begin() as load, pytest.raises(OperationalError) as error:
                load.exec_driver_sql(
                    f"SET LOCAL lock_timeout = '50ms'; ALTER TABLE salesforce_acme.\"Contact\" {change}"
                )
            refused.append(error.value.orig.sqlstate)

    event.listen(org.engine, "after_cursor_execute", begin_to_look)
    try:
        found = org.assess(make_check())
    finally:
        event.remove(org.engine, "after_cursor_execute", begin_to_look)
    assert refused == ["55P03"]
    assert [(issue.records, issue.failing) for issue in found.issues] == [(2, 1)]
