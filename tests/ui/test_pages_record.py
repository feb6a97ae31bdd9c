"""The page of one record: its row, its findings, where it went; values masked from those who may not see them."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from include.warehouse.engine import transaction

ID = "003D000000QV9nlIAD"


def words(html: str) -> str:
    """Return what a person reads, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\u202f", " ").split())


@pytest.fixture
def record(run):
    """Fill the warehouse."""
    run("a_working_org.sql")
    run("a_record.sql")


@pytest.mark.parametrize("typed", ["003D000000QV9nl", ID, ID.lower(), f"  {ID}\n"])
def test_an_id_is_found_in_whatever_form_it_was_pasted(pages, record, typed):
    """15 characters, 18, 18 whose capitals a program lost, with blanks around."""
    answer = pages.get("/headwater/record", params={"org": "demo", "id": typed})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/headwater/record/{ID}?org=demo")
    assert pages.get(answer.headers["location"]).status_code == 200


@pytest.mark.parametrize(
    "typed",
    ["x", "003", "' OR TRUE --", "<script>alert(1)</script>", "003d000000qv9nl", "\x00", "../../etc/passwd", "Ä" * 15],
)
def test_what_is_no_id_of_a_record_here_is_told_and_nothing_else_happens(pages, record, typed):
    """SQL or markup in the box is text that is not found."""
    answer = pages.get("/headwater/record", params={"org": "demo", "id": typed})
    if answer.status_code == 303:
        answer = pages.get(answer.headers["location"])
    assert answer.status_code == (404 if typed.strip("\x00") else 200)
    assert "<script>alert" not in answer.text


def test_a_viewer_sees_which_fields_are_filled_and_no_value_of_a_person(pages, record):
    """Not even a part of one leaves the server; Id, yes and no, and the system's stamps are shown."""
    html = pages.get(f"/headwater/record/{ID}?org=demo").text
    page = words(html)
    assert "LastName Last Name string •••" in page
    assert "Email E-mail &lt;b&gt;work&lt;/b&gt; email empty" in page
    assert "Score__c Score double •••" in page
    assert "empty fields" in page.partition("Score__c")[2]  # what is empty is folded, and stands last
    assert page.index("SystemModstamp") < page.index("empty field") < page.index("Email E-mail")
    assert "Last_Visit__c Last visit datetime •••" in page
    assert "IsDeleted Deleted boolean no" in page
    assert "SystemModstamp System Modstamp datetime 2026-03-01 09:59:00 UTC" in page
    assert f"Id Contact ID id {ID}" in page
    for value in ("alert", "1980", "12.5", "2025-12-24", "001D000000QV9nlIAD"):
        assert value not in html, value


@pytest.mark.parametrize(("role", "sees"), [("viewer", False), ("user", False), ("op", True), ("admin", True)])
def test_values_are_shown_to_those_who_may_see_them(open_pages, warehouse, record, role, sees):
    """As Airflow's own check says; a script in a name is text."""
    html = open_pages(lambda: warehouse, role=role).get(f"/headwater/record/{ID}?org=demo").text
    assert ("1980-05-06" in html) is sees
    assert ("&lt;script&gt;alert(&#34;contact&#34;)&lt;/script&gt;" in html) is sees
    assert "<script>alert" not in html
    assert ('<a href="/headwater/record/001D000000QV9nlIAD?org=demo">' in html) is sees


def test_findings_deliveries_and_errors_stand_on_the_page_and_lead_on(pages, record):
    """Open and mended, with their times; each with the run that says more."""
    html = pages.get(f"/headwater/record/{ID}?org=demo").text
    page = words(html)
    assert "Contacts without e-mail They get no mail error open 2026-03-01 09:10:00 UTC" in page
    assert (
        "Phones that are none Nobody can be called warning mended 2026-03-01 09:10:00 UTC 2026-03-01 10:10:00 UTC"
        in page
    )
    assert "contacts Insider One rejected no_identifier It has no &lt;i&gt;e-mail&lt;/i&gt;" in page
    assert page.index("contacts Insider One delivered") > page.index("contacts Insider One rejected no_identifier")
    assert 'href="/headwater/errors/7?org=demo"' in html
    assert 'href="/dags/push_contacts/runs/manual__1"' in html
    assert f'href="/headwater/health/issue/email_missing?org=demo&amp;q={ID}"' in html
    assert f'href="https://demo.my.salesforce.test/lightning/r/Contact/{ID}/view"' in html


def test_the_run_that_wrote_the_row_is_named_with_its_window(pages, record):
    """So that one can look at its log."""
    page = words(pages.get(f"/headwater/record/{ID}?org=demo").text)
    assert "By run 2 ↗ degraded extract, changes" in page
    assert "Window of that run 2026-03-01 08:50:00 UTC to 2026-03-01 10:00:00 UTC" in page


def test_a_merged_and_a_deleted_record_say_so(pages, record):
    """The survivor is a link; a run that is no longer kept is no fault."""
    html = pages.get("/headwater/record/003000000000001AAA?org=demo").text
    assert f'It was merged into <a href="/headwater/record/{ID}?org=demo">' in html
    assert "loser@example.com" not in html
    deleted = words(pages.get("/headwater/record/003000000000002AAA?org=demo").text)
    assert "It is deleted in the org; seen" in deleted
    assert "By run no longer kept" in deleted


def test_a_newer_version_that_could_not_be_stored_is_told(pages, record, warehouse):
    """The cause names a column, never a value."""
    with transaction(warehouse) as connection:
        connection.execute(
            text(
                "INSERT INTO headwater.reject (run_id, org, object, record_id, column_name, cause, source) VALUES"
                f" (2, 'demo', 'Contact', '{ID}', 'Score__c', '22003 out of range', '{{\"LastName\": \"Secret\"}}')"
            )
        )
    html = pages.get(f"/headwater/record/{ID}?org=demo").text
    assert "Score__c: 22003 out of range" in html
    assert "Secret" not in html


def test_a_record_whose_row_is_gone_is_still_known_by_the_ledgers(pages, record, warehouse):
    """Its findings and deliveries stay."""
    with transaction(warehouse) as connection:
        connection.execute(text('DELETE FROM salesforce_demo."Contact"'))
    page = words(pages.get(f"/headwater/record/{ID}?org=demo").text)
    assert "No row of it is here" in page
    assert "Contacts without e-mail" in page


def test_another_org_s_record_is_not_shown(pages, record, warehouse):
    """The address names the org, and only its tables and ledgers are read."""
    with transaction(warehouse) as connection:
        connection.execute(text("INSERT INTO headwater.org (org, org_id, instance_url) VALUES ('b', 'x', 'https://b')"))
    assert pages.get(f"/headwater/record/{ID}?org=b").status_code == 404


def test_lists_of_records_lead_to_their_pages(pages, record):
    """From a finding and from a sync error."""
    assert f'href="/headwater/record/{ID}?org=demo"' in pages.get("/headwater/health/issue/email_missing?q=003D").text
    assert f'href="/headwater/record/{ID}?org=demo"' in pages.get("/headwater/errors?org=demo").text
    assert f'href="/headwater/record/{ID}?org=demo"' in pages.get("/headwater/errors/7?org=demo").text
