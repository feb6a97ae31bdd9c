"""The failing records of an issue as a file."""

from __future__ import annotations

import csv
import io

import duckdb
import pytest
from sqlalchemy import text

from include.config.checks import SoughtDuplicates
from include.warehouse.duplicates.matches import Match, matches_of
from include.warehouse.engine import transaction
from include.warehouse.health.assessments import one_issue
from include.warehouse.health.finding_rows import finding_rows
from include.warehouse.personal.fields import decide_fields

ISSUE = "/headwater/health/issue/email_missing/export"
HEAD = ["Id", "link", "check", "title", "severity", "first_seen"]


@pytest.fixture
def read_by_the_check(definitions, monkeypatch):
    """Define the check: it reads two fields of the record."""
    (definitions / "checks" / "mail.yaml").write_text(
        "checks:\n  - check: email_missing\n    title: Contacts without e-mail\n    why: They get no mail\n"
        "    category: Incomplete\n    severity: error\n    object: Contact\n"
        "    bad_when: '{row.Email} IS NULL AND {row.LastName} IS NOT NULL'\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(definitions))


@pytest.fixture
def findings(run, read_by_the_check):
    """Fill the warehouse."""
    run("a_working_org.sql")
    run("a_record.sql")


def rows_of(answer) -> list[list[str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_csv_has_every_failing_record_with_what_the_check_reads(open_pages, warehouse, findings):
    """As of the assessment asked for; unmasked for those who may see it, and harmless in a spreadsheet."""
    with transaction(warehouse) as connection:
        connection.execute(
            text("""UPDATE salesforce_demo."Contact" SET "LastName" = '=cmd|x' WHERE "Id" = '003D000000QV9nlIAD'""")
        )
    answer = open_pages(lambda: warehouse, role="admin").get(f"{ISSUE}/csv?org=demo")
    head, *rows = rows_of(answer)
    assert head == [*HEAD, "Email", "LastName"]
    assert len(rows) == 61
    assert rows[-1] == [
        "003D000000QV9nlIAD",
        "https://demo.my.salesforce.test/lightning/r/Contact/003D000000QV9nlIAD/view",
        "email_missing", "Contacts without e-mail", "error", "2026-03-01T09:10:00Z", "", "'=cmd|x",
    ]  # fmt: skip
    assert answer.headers["content-disposition"] == 'attachment; filename="demo-email_missing-2026-03-01.csv"'
    assert answer.headers["cache-control"] == "no-store"
    before = rows_of(open_pages(lambda: warehouse).get(f"{ISSUE}/csv?org=demo&assessment=1"))
    assert len(before) == 1 + 56


def test_a_viewer_gets_no_value_of_a_person_in_any_form(pages, findings, tmp_path):
    """Masked where it is filled, empty where it is empty."""
    rows = rows_of(pages.get(f"{ISSUE}/csv?org=demo"))
    assert rows[-1][-2:] == ["", "•••"]
    answer = pages.get(f"{ISSUE}/parquet?org=demo")
    path = tmp_path / "x.parquet"
    path.write_bytes(answer.content)
    assert answer.headers["content-length"] == str(len(answer.content))
    read = duckdb.connect().execute('SELECT count(*), max("LastName"), max("Email") FROM read_parquet(?)', [str(path)])
    assert read.fetchall() == [(61, "•••", None)]


def test_a_workbook_is_offered_where_it_can_be_written(pages, findings):
    """The link stands on the page of the issue."""
    pytest.importorskip("xlsxwriter")
    assert "/export/xlsx?org=demo" in pages.get("/headwater/health/issue/email_missing").text
    answer = pages.get(f"{ISSUE}/xlsx?org=demo")
    assert answer.status_code == 200
    assert answer.content[:2] == b"PK"


def test_the_page_of_the_issue_leads_to_the_files(pages, findings):
    """Out of Airflow's frame, which allows no downloads."""
    html = pages.get("/headwater/health/issue/email_missing?org=demo").text
    assert 'href="/headwater/health/issue/email_missing/export/csv?org=demo&amp;assessment=2" data-out' in html


@pytest.mark.parametrize(
    "path",
    [f"{ISSUE}/exe", f"{ISSUE}/csv?org=nobody", "/headwater/health/issue/none/export/csv",
     "/headwater/health/issue/case_orphan/export/csv", f"{ISSUE}/csv?assessment=99"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(pages, findings, path):
    """No file of nothing that would look as if all were well."""
    assert pages.get(path).status_code == 404


@pytest.fixture
def of_duplicates(run, warehouse, definitions, monkeypatch):
    """Define the check as one of duplicates, two clusters of which are found."""
    (definitions / "checks" / "mail.yaml").write_text(
        "checks:\n  - check: email_missing\n    title: Contacts twice\n    why: They get two mails\n"
        "    category: Duplicates\n    severity: error\n    object: Contact\n"
        "    duplicates: {rules: [name, phone, swapped]}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(definitions))
    for name in ("a_working_org.sql", "a_record.sql", "some_duplicates.sql"):
        run(name)
    with transaction(warehouse) as connection:
        connection.execute(
            text(
                "INSERT INTO headwater.duplicate_pair (org, object, left_id, right_id, rule, score) VALUES"
                " ('demo', 'Contact', '003000000000002AAA', '003D000000QV9nlIAD', 'swapped', 0.94),"
                " ('demo', 'Contact', '003000000000003AAA', '003D000000QV9nlIAD', 'phone', 0.8)"
            )
        )


def test_of_duplicates_the_file_says_which_record_is_meant(pages, of_duplicates, tmp_path):
    """The number of the cluster, the surest match, by which of the check's rules, and how many matches there are."""
    head, *rows = rows_of(pages.get(f"{ISSUE}/csv?org=demo"))
    assert head == [*HEAD, "cluster", "matched_by", "matched_id", "matched_score", "matches"]
    assert rows[-1][6:] == ["1", "swapped", "003000000000002AAA", "0.94", "2"]
    assert len(rows) == 61
    assert rows[0][6:] == [""] * 5  # found by the check once, and no duplicate now
    path = tmp_path / "x.parquet"
    path.write_bytes(pages.get(f"{ISSUE}/parquet?org=demo").content)
    read = duckdb.connect().execute(
        "SELECT cluster, matched_id, matches FROM read_parquet(?) WHERE cluster IS NOT NULL ORDER BY 1, 2", [str(path)]
    )
    assert (1, "003000000000002AAA", 2) in read.fetchall()
    assert pages.get(f"{ISSUE}/xlsx?org=demo").status_code in (200, 404)


def test_of_duplicates_the_api_says_which_record_is_meant(pages, of_duplicates):
    """The same as in the file; nothing where the pair is gone meanwhile, or found by another rule."""
    path = "/headwater/api/v1/orgs/demo/assessments/latest/issues/email_missing/findings?q=003D"
    found = {each["record_id"]: each["match"] for each in pages.get(path).json()["items"]}
    match = {"matched_id": "003000000000002AAA", "rule": "swapped", "score": 0.94, "others": 2, "cluster_id": 1}
    assert found == {"003D000000QV9nlIAD": match}
    others = pages.get(path.replace("003D", "0030")).json()["items"]
    assert None in [each["match"] for each in others]


def test_of_a_lead_the_contact_is_named_and_no_cluster(warehouse):
    """Clusters are of one object."""
    one = "'demo', 'Lead', '00Q1', 'Contact'"
    with transaction(warehouse) as connection:
        connection.execute(
            text(
                "INSERT INTO headwater.duplicate_link (org, object, record_id, other_object, other_id, rule, score)"
                f" VALUES ({one}, '0031', 'email', 0.9), ({one}, '0032', 'email', 0.98), ({one}, '0032', 'phone', 0.96)"
            )
        )
    sought = SoughtDuplicates(rules=("email", "phone"), among="Contact")
    with transaction(warehouse) as connection:
        found = matches_of(connection, "demo", "Lead", sought, ["00Q1", "00Q2"])
    assert found == {
        "00Q1": Match(record_id="00Q1", matched_id="0032", rule="email", score=0.98, others=2, cluster_id=None)
    }


def test_batches_meet_without_gap_or_overlap(warehouse, findings):
    """Whatever their size."""
    issue = one_issue(warehouse, 2, "email_missing")
    assert issue
    for size in (1, 7, 61, 62):
        found = finding_rows(
            warehouse, "demo", issue, 2, fields=("Email",), link=lambda *_: "", unmasked=True, rows_at_once=size
        )
        ids = [row[0] for batch in found.batches for row in batch]
        assert len(ids) == len(set(ids)) == 61, size
        assert ids == sorted(ids)


def test_a_field_that_is_gone_and_an_object_without_a_table_leave_the_ids(warehouse, findings):
    """What is here no longer is left out."""
    issue = one_issue(warehouse, 2, "email_missing")
    assert issue
    found = finding_rows(warehouse, "demo", issue, 2, fields=("Nope", "Email"), link=lambda *_: "", unmasked=True)
    assert [column.name for column in found.columns] == [*HEAD, "Email"]
    with transaction(warehouse) as connection:
        connection.execute(text('DROP TABLE salesforce_demo."Contact"'))
    found = finding_rows(warehouse, "demo", issue, 2, fields=("Email",), link=lambda *_: "", unmasked=True)
    assert [column.name for column in found.columns] == HEAD
    assert sum(len(batch) for batch in found.batches) == 61


def trail(warehouse) -> list[tuple[str, str, str, str, str]]:
    """Return who took what along."""
    with transaction(warehouse) as connection:
        rows = connection.execute(text("SELECT who, what, object, field, after FROM headwater.audit ORDER BY audit_id"))
        return [tuple(row) for row in rows]


def decide(warehouse, *fields: str, personal: bool) -> None:
    """Decide as an admin does."""
    with transaction(warehouse) as connection:
        decide_fields(connection, "demo", "Contact", fields, personal=personal, by="admin")


def test_who_takes_people_along_is_written_down(open_pages, warehouse, findings):
    """Once a file, with the fields; a masked file is nothing to tell."""
    assert open_pages(lambda: warehouse).get(f"{ISSUE}/csv?org=demo").status_code == 200
    assert trail(warehouse) == []
    assert open_pages(lambda: warehouse, role="op").get(f"{ISSUE}/parquet?org=demo").status_code == 200
    line = ("op", "exported unmasked", "Contact", "Email, LastName", "email_missing, assessment 2, parquet")
    assert trail(warehouse) == [line]
    page = open_pages(lambda: warehouse).get("/headwater/fields/audit?org=demo&q=exported").text
    assert "email_missing, assessment 2, parquet" in page


def test_a_file_shows_what_people_decided_not_to_be_personal(open_pages, warehouse, findings):
    """To everybody, and as text and numbers; nothing is written down for it."""
    decide(warehouse, "LastName", "Email", personal=False)
    rows = rows_of(open_pages(lambda: warehouse).get(f"{ISSUE}/csv?org=demo"))
    assert rows[-1][-2:] == ["", '<script>alert("contact")</script>']
    before = len(trail(warehouse))
    open_pages(lambda: warehouse, role="op").get(f"{ISSUE}/csv?org=demo")
    assert len(trail(warehouse)) == before
    decide(warehouse, "LastName", personal=True)
    assert rows_of(open_pages(lambda: warehouse).get(f"{ISSUE}/csv?org=demo"))[-1][-1] == "•••"


def test_a_decision_holds_in_the_middle_of_a_file(warehouse, findings):
    """What has become personal since the file began is left empty."""
    decide(warehouse, "LastName", personal=False)
    issue = one_issue(warehouse, 2, "email_missing")
    assert issue
    with transaction(warehouse) as connection:
        connection.execute(
            text(
                """INSERT INTO salesforce_demo."Contact" ("Id", "LastName") SELECT f.record_id, 'Known'
                     FROM headwater.finding AS f WHERE f.check_id = 'email_missing' ON CONFLICT DO NOTHING"""
            )
        )
    found = finding_rows(
        warehouse, "demo", issue, 2, fields=("LastName",), link=lambda *_: "", unmasked=False, rows_at_once=10
    )
    names = [row[-1] for row in next(found.batches)]
    assert names == ["Known"] * 10
    decide(warehouse, "LastName", personal=True)
    assert {row[-1] for batch in found.batches for row in batch} == {None}
