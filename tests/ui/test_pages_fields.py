"""The page on fields: what is decided, what is suggested, who may decide, and that a decision holds at once."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import text

from include.warehouse.engine import transaction

SAME = {"sec-fetch-site": "same-origin"}
ID = "003D000000QV9nlIAD"


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u202f", " ").split())


@pytest.fixture
def filled(run):
    """Fill the warehouse with one org and one contact."""
    run("a_working_org.sql")
    run("a_record.sql")


@pytest.fixture
def admin(open_pages, warehouse, filled):
    """Yield the pages, signed in as an admin."""
    return open_pages(lambda: warehouse, role="admin")


@pytest.fixture
def viewer(open_pages, warehouse, filled):
    """Yield the pages, signed in as a viewer."""
    return open_pages(lambda: warehouse, role="viewer")


def decide(client, what, *fields, object="Contact", headers=SAME):
    """Send the form of the page."""
    order = {"object": object, "decide": what, "field": list(fields), "back": "object=Contact&q=name"}
    return client.post("/headwater/fields/decide?org=demo", data=order, headers=headers)


def test_objects_stand_with_their_state_of_review(admin):
    """Nobody decided anything yet: what waits for a person stands first."""
    page = words(admin.get("/headwater/fields?org=demo").text)
    assert "Contact unreviewed 8 10 7 never" in page
    assert "Nobody has decided about a field yet" in page
    assert "Contact unreviewed" in words(admin.get("/headwater/fields?org=demo&q=cont").text)
    assert "No object matches" in words(admin.get("/headwater/fields?org=demo&q=nothing").text)


def test_a_field_stands_with_what_is_suggested_and_who_uses_it(viewer):
    """With the reason in words, the push with its role, the check, and its last change."""
    html = viewer.get("/headwater/fields?org=demo&object=Contact").text
    page = words(html)
    assert (
        "Email E-mail <b>work</b> email may be empty undecided counts as personal personal its type is e-mail" in page
    )
    assert "contacts_to_insider_one identifier" in page
    assert re.search(r'href="/headwater/health/issue/[a-z_]+\?org=demo"', html)
    assert 'href="/headwater/schema?org=demo&amp;q=Contact%20Email">another label' in html
    assert "Score__c Score double may be empty undecided counts as personal not personal it is a number" in page
    assert "Id Contact ID id may be empty no an Id or a stamp: nothing to decide" in page


def test_fields_can_be_searched_filtered_and_sorted(viewer):
    """By name, label and type; markup and SQL in the address are text."""
    assert "Score__c" not in viewer.get("/headwater/fields?org=demo&object=Contact&q=birth").text.split("<tbody>")[1]
    rows = viewer.get("/headwater/fields?org=demo&object=Contact&sort=name&order=desc").text.split("<tbody>")[1]
    assert rows.index("SystemModstamp") < rows.index("Birthdate")
    assert "No field matches" in viewer.get("/headwater/fields?org=demo&object=Contact&state=plain").text
    for strange in ("x'; DROP TABLE headwater.run", "<script>alert(1)</script>", "\x00", "%"):
        answer = viewer.get(
            "/headwater/fields", params={"org": "demo", "object": "Contact", "q": strange, "state": strange}
        )
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
    assert viewer.get("/headwater/fields?org=demo&object=Nothing").status_code == 404


def test_a_decision_holds_at_once_on_the_page_of_a_record(admin, viewer):
    """Tagged not personal a viewer sees the value; tagged personal again it is gone."""
    assert "12.5" not in viewer.get(f"/headwater/record/{ID}?org=demo").text
    answer = decide(admin, "plain", "Score__c", "Last_Visit__c")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/headwater/fields?org=demo&object=Contact&q=name&done=2"
    assert "2 fields were decided" in words(admin.get(answer.headers["location"]).text)
    shown = viewer.get(f"/headwater/record/{ID}?org=demo").text
    assert "12.5" in shown
    assert "2025-12-24" in shown
    assert "1980" not in shown
    assert decide(admin, "personal", "Score__c").status_code == 303
    assert "12.5" not in viewer.get(f"/headwater/record/{ID}?org=demo").text


def test_one_suggestion_is_accepted_by_its_button(admin):
    """The button names the field, whatever else is chosen."""
    html = admin.get("/headwater/fields?org=demo&object=Contact").text
    assert '<button name="decide" value="plain:Score__c"' in html
    decide(admin, "plain:Score__c", "Email")
    page = words(admin.get("/headwater/fields?org=demo&object=Contact").text)
    assert "Score__c Score double may be empty not personal admin," in page
    assert "partly reviewed" in page
    assert "Email E-mail <b>work</b> email may be empty undecided" in page


def test_all_suggestions_are_accepted_and_the_rest_is_reviewed(admin, viewer, warehouse):
    """What nothing speaks about stays undecided until somebody says that they looked at it."""
    with transaction(warehouse) as connection:
        connection.execute(
            text(
                "INSERT INTO headwater.field (org, object, position, name, label, type)"
                " VALUES ('demo', 'Contact', 20, 'Code__c', 'Code', 'string')"
            )
        )
    decide(admin, "personal", "Score__c")
    assert decide(admin, "suggestions").status_code == 303
    page = words(admin.get("/headwater/fields?org=demo&object=Contact").text)
    assert "partly reviewed" in page
    assert "1 undecided" in page
    assert "Score__c Score double may be empty personal admin" in page  # a person's own decision stays
    decide(admin, "reviewed")
    page = words(viewer.get("/headwater/fields?org=demo").text)
    assert "Contact reviewed 0 11" in page
    trail = words(viewer.get("/headwater/fields/audit?org=demo").text)
    assert "admin reviewed the object Contact Code__c undecided personal" in trail
    assert "admin accepted the suggestion Contact Last_Visit__c undecided not personal" in trail
    assert "admin decided Contact Score__c undecided personal" in trail
    assert "Last_Visit__c" not in words(viewer.get("/headwater/fields/audit?org=demo&q=reviewed").text)
    assert "No line matches" in viewer.get("/headwater/fields/audit?org=demo&q=nobody").text


@pytest.mark.parametrize("role", ["viewer", "user", "op"])
def test_nobody_but_an_admin_decides(open_pages, warehouse, filled, role):
    """Neither is it offered, nor is it done."""
    client = open_pages(lambda: warehouse, role=role)
    html = client.get("/headwater/fields?org=demo&object=Contact").text
    assert 'name="decide"' not in html
    assert "Who may edit roles in Airflow (Admin) decides here" in html
    assert decide(client, "plain", "Email").status_code == 403
    with transaction(warehouse) as connection:
        assert connection.execute(text("SELECT count(*) FROM headwater.audit")).scalar_one() == 0


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
def test_no_other_site_decides(admin, warehouse, headers):
    """Whatever cookies come along."""
    assert decide(admin, "plain", "Email", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("what", "object", "status"),
    [("everything", "Contact", 400), ("", "Contact", 400), ("plain", "Nothing", 404), ("plain", "x'; DROP", 404)],
)
def test_what_was_made_up_decides_nothing(admin, warehouse, what, object, status):
    """Unknown words, objects and fields."""
    assert decide(admin, what, "Email", object=object).status_code == status
    assert decide(admin, "plain", "Nope__c", "' OR TRUE --").headers["location"].endswith("done=0")
    with transaction(warehouse) as connection:
        assert connection.execute(text("SELECT count(*) FROM headwater.audit")).scalar_one() == 0


def test_values_are_looked_at_when_asked_and_only_counted(admin):
    """The share of filled values stands on the page then."""
    answer = decide(admin, "look")
    assert answer.headers["location"].endswith("looked=1")
    page = words(admin.get(answer.headers["location"]).text)
    assert "1 row was looked at in the database; only its counts were kept" in page
    assert "LastName Last Name string may be empty undecided counts as personal" in page
    assert "personal Accept its name speaks of a name 100" in page


def test_an_object_with_more_fields_than_a_page_shows_is_paged(admin, warehouse):
    """120 fields, 50 a page."""
    with transaction(warehouse) as connection:
        connection.execute(
            text(
                "INSERT INTO headwater.field (org, object, position, name, label, type) SELECT 'demo', 'Wide', n,"
                " 'F' || lpad(n::text, 3, '0') || '__c', 'F', 'string' FROM generate_series(1, 120) AS n"
            )
        )
    page = words(admin.get("/headwater/fields?org=demo&object=Wide&page=3").text)
    assert "101–120 of 120 fields" in page
    assert "F120__c" in page
    assert "There is no page 9" in words(admin.get("/headwater/fields?org=demo&object=Wide&page=9").text)
