"""The page on schema changes: what changed, and what of ours uses it."""

from __future__ import annotations

import re
from html import unescape

import pytest


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u202f", " ").split())


def test_changes_stand_with_what_was_before_and_what_uses_them(pages, run):
    """The newest first; the shipped push and checks use Email, nothing uses Fax."""
    run("a_working_org.sql")
    text = words(pages.get("/headwater/schema?org=demo").text)
    assert "Lead Rating other picklist values Cold Frozen" in text
    assert "Contact Fax removed phone(40) – followed nothing of ours" in text
    assert re.search(r"Contact Email another label Email E-mail .* push contacts_to_insider_one, check ", text)
    assert text.index("Rating") < text.index("Fax")
    assert "3 changes" in text


def test_changes_can_be_searched_and_filtered(pages, run):
    """By object, field, value and kind; markup is text."""
    run("a_working_org.sql")
    assert "Fax" not in words(pages.get("/headwater/schema?q=frozen").text)
    assert "Rating" not in words(pages.get("/headwater/schema?kind=removed").text).split("Search")[1]
    assert "No change matches" in words(pages.get("/headwater/schema?q=nothing").text)
    assert pages.get("/headwater/schema?kind=x'; DROP TABLE headwater.run").status_code == 200
    assert '<script>alert("label")' not in pages.get("/headwater/schema").text


def test_an_org_whose_fields_never_changed_says_so(pages, run, warehouse):
    """The empty page tells when there would be something."""
    run("a_working_org.sql")
    with warehouse.begin() as connection:
        connection.exec_driver_sql("DELETE FROM headwater.schema_change")
    assert "No field has changed since the objects were first read" in words(pages.get("/headwater/schema").text)


WAITING = """
INSERT INTO headwater.schema_change
  (org, object, field, kind, before, after, class, policy, state, note, seen_at)
VALUES
  ('demo', 'Contact', 'Tier__c', 'added', '', 'string(80)', 'added', 'freeze', 'frozen',
   'its values are not read', '2026-02-01T09:00:00Z'),
  ('demo', 'Lead', 'Score__c', 'type', 'double(18,2)', 'string(20)', 'type', 'fail', 'failed',
   '', '2026-02-01T09:00:00Z')
"""
SAME = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def waiting(run, warehouse):
    """Fill a warehouse in which two changes wait, and return their numbers by field."""
    run("a_working_org.sql")
    with warehouse.begin() as connection:
        connection.exec_driver_sql(WAITING)
        found = "SELECT field, change_id FROM headwater.schema_change WHERE state <> 'followed'"
        return dict(tuple(row) for row in connection.exec_driver_sql(found))


def test_what_waits_for_a_person_stands_first_with_its_policy(pages, waiting):
    """A viewer sees it, is told who may accept it, and gets no button."""
    text = words(pages.get("/headwater/schema?org=demo").text)
    assert "2 changes wait for a person" in text
    assert text.index("Score__c") < text.index("Tier__c") < text.index("Rating other")
    assert "failed schema_changes.type: fail Somebody who may change connections can accept it here." in text
    assert "its values are not read" in text
    assert "removed a field is gone, or hidden from our user evolve" in text
    assert "type its values need a column of another type fail" in text
    assert "Accept</button>" not in pages.get("/headwater/schema?org=demo").text
    only = words(pages.get("/headwater/schema?org=demo&state=waiting").text).split("Used by")[1]
    assert "Tier__c" in only
    assert "Fax" not in only


def test_an_operator_accepts_a_change_once(open_pages, warehouse, waiting):
    """It is written down with the name, and the next run follows it."""
    pages = open_pages(lambda: warehouse, role="op")
    assert "Accept the change of Contact.Tier__c" in pages.get("/headwater/schema?org=demo").text
    order = {"change": str(waiting["Tier__c"])}
    answer = pages.post("/headwater/schema/accept?org=demo", data=order, headers=SAME)
    assert (answer.status_code, answer.headers["location"]) == (303, "/headwater/schema?org=demo&accepted=yes")
    text = words(pages.get(answer.headers["location"]).text)
    assert "Accepted. The next run follows the change" in text
    assert "accepted by op," in text
    assert "1 change waits for a person" in text
    assert pages.post("/headwater/schema/accept?org=demo", data=order, headers=SAME).status_code == 409


@pytest.mark.parametrize(
    ("role", "headers", "data", "status"),
    [
        ("viewer", SAME, {}, 403),
        ("user", SAME, {}, 403),
        ("op", {"sec-fetch-site": "cross-site"}, {}, 403),
        ("op", {}, {}, 403),
        ("op", SAME, {"change": "x'; DROP TABLE headwater.run"}, 400),
        ("op", SAME, {"change": "999999"}, 409),
    ],
)
def test_nobody_else_and_no_other_site_accepts_anything(open_pages, warehouse, waiting, role, headers, data, status):
    """And what was made up changes nothing."""
    pages = open_pages(lambda: warehouse, role=role)
    order = {"change": str(waiting["Tier__c"])} | data
    assert pages.post("/headwater/schema/accept?org=demo", data=order, headers=headers).status_code == status
    with warehouse.begin() as connection:
        accepted = "SELECT count(*) FROM headwater.schema_change WHERE accepted_at IS NOT NULL"
        assert connection.exec_driver_sql(accepted).scalar_one() == 0


def test_a_change_of_another_org_is_not_accepted_through_this_one(open_pages, warehouse, waiting):
    """The number alone is not enough."""
    with warehouse.begin() as connection:
        connection.exec_driver_sql("UPDATE headwater.schema_change SET org = 'other' WHERE field = 'Tier__c'")
    pages = open_pages(lambda: warehouse, role="op")
    order = {"change": str(waiting["Tier__c"])}
    assert pages.post("/headwater/schema/accept?org=demo", data=order, headers=SAME).status_code == 409
