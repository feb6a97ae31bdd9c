"""The extracts page, and what any page answers when the warehouse cannot."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text as sql

from include.warehouse.engine import open_warehouse


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\u202f", " ").split())


def test_an_object_shows_both_counts_their_difference_and_when(pages, run):
    """The newest comparison, with its note."""
    run("a_working_org.sql")
    text = words(pages.get("/headwater/extracts?org=demo").text)
    assert "Contact 20,002 20,004 +2 2026-03-01 10:00:00 UTC" in text
    assert "Difference: 2 rows are in the reject table" in text


def test_an_object_shows_its_last_load(pages, run):
    """Window, mode and what became of the rows."""
    run("a_working_org.sql")
    text = words(pages.get("/headwater/extracts").text)
    assert "changes · rest 2026-03-01 08:50:00 UTC to 2026-03-01 10:00:00 UTC 12 1 4 5 0 2" in text
    assert "full · bulk the beginning to 2026-03-01 09:00:00 UTC 20,001 0 20,001 20,001 0 0 0 0" in text


def test_an_object_that_never_loaded_says_so(pages, run):
    """Its failed run and its message are there all the same."""
    run("a_working_org.sql")
    text = words(pages.get("/headwater/extracts").text)
    assert "Lead first load not complete not compared with the org yet failed" in text


def test_what_vanished_at_once_waits_for_a_person(pages, run):
    """How many, of what, and the two ways on."""
    run("a_working_org.sql")
    text = words(pages.get("/headwater/extracts").text)
    assert "compared Id by Id" in text
    assert "2,002 records of Contact are here and no longer in the org, more than may vanish at once" in text
    assert "trigger demo_reconcile with 2002 at Accept what vanished" in text


def test_what_is_not_read_as_usual_is_said(pages, run, warehouse):
    """A file that is left out, a filter, an object without a stamp; nothing of the usual ones."""
    run("a_working_org.sql")
    assert "How some of them are read" not in pages.get("/headwater/extracts?org=demo").text
    with warehouse.begin() as connection:
        connection.execute(
            sql(
                "INSERT INTO headwater.object (org, object, cursor_field, selection, described_at) VALUES"
                " ('demo', 'Attachment', 'SystemModstamp', '', now()), ('demo', 'Member', '', '', now()),"
                " ('demo', 'Share', 'CreatedDate', 'Region__c = TRUE', now())"
            )
        )
        connection.execute(
            sql(
                "INSERT INTO headwater.field (org, object, position, name, label, type)"
                " VALUES ('demo', 'Attachment', 1, 'Body', 'Body', 'base64')"
            )
        )
    text = words(pages.get("/headwater/extracts?org=demo").text)
    assert "Attachment : Body is left out: files and the like" in text
    assert "Member : No stamp tells what is new" in text
    assert "Share : Only CreatedDate tells what is new" in text
    assert "Only what this selects: Region__c = TRUE" in text


def test_markup_in_a_message_is_text(pages, run):
    """What an org answers is shown, never run."""
    run("a_working_org.sql")
    text = pages.get("/headwater/extracts").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(&#34;run&#34;)" in text


def test_runs_link_to_airflow(pages, run):
    """The run's id is quoted: it holds colons and pluses."""
    run("a_working_org.sql")
    href = "/dags/demo_extract/runs/scheduled__2026-03-01T09%3A00%3A00%2B00%3A00/tasks/extract_Contact"
    assert f'href="{href}" data-out' in pages.get("/headwater/extracts").text


def test_api_usage_is_the_orgs_own_count(pages, run):
    """With limit, share and time."""
    run("a_working_org.sql")
    text = words(pages.get("/headwater/extracts").text)
    assert "4,213 of 100,000 (4.2 %) · 16 by Headwater · observed 2026-03-01 10:00:00 UTC" in text


@pytest.mark.parametrize(
    ("query", "runs"),
    [
        ({"q": "lead"}, 1),
        ({"q": "Contact"}, 2),
        ({"state": "failed"}, 1),
        ({"state": "degraded", "q": "contact"}, 1),
        ({"state": "nonsense"}, 3),
        ({"q": "T10:00"}, 2),
        ({"q": "%"}, 0),
        ({"q": "' OR TRUE; DELETE FROM headwater.run; --"}, 0),
        ({"q": "a\x00b"}, 0),
        ({"sort": "rejected; DROP TABLE headwater.run", "order": "asc"}, 3),
        ({"page": "0"}, 3),
        ({"page": "-3"}, 3),
    ],
)
def test_the_log_can_be_searched(pages, run, warehouse, query, runs):
    """By object, state, message and Airflow's run; SQL is nothing but text."""
    run("a_working_org.sql")
    answer = pages.get("/headwater/extracts", params=query)
    log = answer.text.split('id="log"')[1]
    assert answer.status_code == 200
    assert len(re.findall(r'class="badge state-', log)) == runs
    with warehouse.connect() as connection:
        assert connection.execute(sql("SELECT count(*) FROM headwater.run")).scalar_one() == 4


@pytest.mark.parametrize("sort", ["started", "object", "state", "took", "mode", "read", "inserted", "rejected"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_the_log_can_be_sorted_by_every_column(pages, run, sort, order):
    """What is not there comes last, either way."""
    run("a_working_org.sql")
    log = pages.get("/headwater/extracts", params={"sort": sort, "order": order}).text.split('id="log"')[1]
    assert log.count('class="badge state-') == 3
    assert f'aria-sort="{order}ending"' in log


def test_a_page_that_is_not_there_leads_back(pages, run):
    """An old bookmark is no fault."""
    run("a_working_org.sql")
    text = words(pages.get("/headwater/extracts?page=9").text)
    assert "There is no page 9. Go to the first of 3 runs" in text


def test_a_missing_warehouse_is_a_page_with_a_way_out(open_pages):
    """No stack trace, no password: what is down, and what to do."""
    engine = open_warehouse("postgresql://someone:s3cret@127.0.0.1:9/none")
    answer = open_pages(lambda: engine).get("/headwater/extracts?q=x")
    assert answer.status_code == 503
    assert "The warehouse does not answer" in answer.text
    assert "<p>The warehouse at 127.0.0.1:9 does not answer; start it (make up) or mend" in answer.text
    assert "s3cret" not in answer.text
    assert 'href="/headwater/extracts?q=x"' in answer.text


def test_a_missing_connection_is_a_page_of_its_own(open_pages):
    """It names the connection that has to be made."""
    from include.errors import NotReady

    def unconnected():
        raise NotReady("the Airflow connection 'headwater_warehouse' does not exist")

    answer = open_pages(unconnected).get("/headwater/health")
    assert answer.status_code == 503
    assert "The warehouse is not connected" in answer.text


def test_a_malformed_connection_is_the_page_that_says_what_to_mend(open_pages):
    """It was our fault on a page that says so: the person who wrote the connection learned nothing."""
    answer = open_pages(lambda: open_warehouse("//ada:s3cret@db/crm")).get("/headwater/health")
    assert answer.status_code == 503
    text = words(answer.text)
    assert "The warehouse is not connected" in text
    assert "does not read as the address of a PostgreSQL database" in text
    assert 'href="/connections"' in answer.text
    assert "s3cret" not in answer.text


def test_a_warehouse_without_our_tables_says_so(open_pages, warehouse):
    """A database that has not been migrated yet is not down."""
    with warehouse.begin() as connection:
        connection.execute(sql("DROP SCHEMA headwater CASCADE"))
    answer = open_pages(lambda: warehouse).get("/headwater/health")
    assert answer.status_code == 503
    assert "The warehouse is not set up" in answer.text


def test_a_program_is_told_when_to_come_back(open_pages):
    """JSON and Retry-After instead of a page."""
    engine = open_warehouse("postgresql://nobody@127.0.0.1:9/none")
    answer = open_pages(lambda: engine).get("/headwater/health", headers={"accept": "application/json"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "detail" in answer.json()


IDLE = """
INSERT INTO headwater.run (run_id, kind, org, subject, state, started_at, ended_at) OVERRIDING SYSTEM VALUE
SELECT n, 'extract', 'demo', 'Contact', CASE WHEN n IN (20, 30) THEN 'success' ELSE 'skipped' END,
       '2026-03-02T00:00:00Z'::timestamptz + n * interval '1 minute', '2026-03-02T00:00:01Z'
  FROM generate_series(11, 40) AS n;
INSERT INTO headwater.extract (run_id, org, object, mode, high, plan, rows_read, updated)
SELECT n, 'demo', 'Contact', 'changes', now(), 'rest', 5, 5 FROM unnest(ARRAY[20, 30]) AS n;
"""


def test_runs_that_read_nothing_are_one_line_for_each_stretch(pages, run, warehouse):
    """Ten an hour would hide the few that did something; how many there were, and when, stays in sight."""
    run("a_working_org.sql")
    with warehouse.begin() as connection:
        connection.exec_driver_sql(IDLE)
    log = pages.get("/headwater/extracts").text.split('id="log"')[1]
    assert re.findall(r"(\d+) runs? read nothing", log) == ["10", "9", "9"]
    assert log.count('class="badge state-') == 5
    shown = pages.get("/headwater/extracts?idle=shown").text.split('id="log"')[1]
    assert shown.count('class="badge state-') == 33
    assert "read nothing, " not in shown


def test_stretches_between_two_pages_are_not_lost(pages, run, warehouse):
    """What lies between the last run of a page and the first of the next is told on the first."""
    run("a_working_org.sql")
    with warehouse.begin() as connection:
        connection.exec_driver_sql(
            IDLE.replace("IN (20, 30)", "= 2 * (n / 2)")
            .replace("11, 40", "11, 140")
            .replace("unnest(ARRAY[20, 30]) AS n", "generate_series(12, 140, 2) AS n")
        )
    pages_of_log = [pages.get(f"/headwater/extracts?page={page}").text.split('id="log"')[1] for page in (1, 2)]
    assert sum(len(re.findall(r"1 run read nothing", each)) for each in pages_of_log) == 65


def test_each_run_says_how_complete_the_copy_was_after_it(pages, run):
    """As of, here and difference, as the run compared them."""
    run("a_working_org.sql")
    log = pages.get("/headwater/extracts").text.split('id="log"')[1]
    assert 'title="As of 2026-03-01 10:00:00 UTC; 20,004 in the org">20,002</td>' in log


def test_the_log_can_show_all_orgs(pages, run, warehouse):
    """With totals for each, and the org beside each run."""
    run("a_working_org.sql")
    with warehouse.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO headwater.org (org, org_id, instance_url) VALUES ('zwei', '00D2', '');"
            "INSERT INTO headwater.run (run_id, kind, org, subject, state) OVERRIDING SYSTEM VALUE"
            " VALUES (99, 'extract', 'zwei', 'Case', 'failed')"
        )
    text = pages.get("/headwater/extracts?org=demo&log=all").text
    assert "All orgs" in text
    assert '<span class="why">zwei</span>' in text.split('id="log"')[1]
    assert "zwei" not in pages.get("/headwater/extracts?org=demo").text.split('id="log"')[1]
