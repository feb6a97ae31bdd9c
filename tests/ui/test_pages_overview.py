"""The first page: an org at a glance."""

from __future__ import annotations

import re

from sqlalchemy import text

from include.warehouse.engine import transaction
from include.warehouse.overview.glance import glance_at


def words(html: str) -> str:
    """Return what a person reads, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\u202f", " ").replace("&#8239;", " ").split())


def do(warehouse, *statements: str) -> None:
    with transaction(warehouse) as connection:
        for each in statements:
            connection.execute(text(each))


def test_an_empty_warehouse_says_how_to_begin(pages):
    """Before the first extract a person learns what to unpause."""
    answer = pages.get("/headwater/overview")
    assert answer.status_code == 200
    assert "Nothing extracted yet" in answer.text


def test_every_card_says_what_its_page_would(pages, run):
    """Grade and change, rows and difference, deliveries, errors, calls, schema changes."""
    run("a_working_org.sql")
    run("a_record.sql")
    page = words(pages.get("/headwater/overview?org=demo").text)
    assert "85.0 % of 20,002 records have no issue. ▲ +5.0 pp better than 80.0 %" in page
    assert "1 issue is over its allowed share: Contacts without e-mail 60" in page
    assert "20,002 rows here, 20,004 in the org. Contact : 2 missing here As of 2026-03-01 10:00:00 UTC" in page
    assert "Deliveries last 24 h 9 records delivered, 1 failed . contacts 9 of 12 selected (2 unchanged), 1 run" in page
    assert "Open sync errors 1 record did not arrive; 1 wait for a change" in page
    assert "API calls last 24 h 4.2 % of 100,000 are used: 4,213 by everybody, 16 by us." in page
    assert "85,787 left for us; the rest stays for others" in page
    assert "Schema changes 0 None waits for a person." in page


def test_what_did_not_end_well_stands_on_top_and_only_its_newest_run_counts(pages, run, warehouse):
    """A run that failed and went well since is nobody's concern; a paused one waits."""
    run("a_working_org.sql")
    page = words(pages.get("/headwater/overview").text)
    assert "3 runs need a look" in page
    assert "No such column &lt;script&gt;alert(&#34;run&#34;)&lt;/script&gt; on Lead" in page
    do(
        warehouse,
        "INSERT INTO headwater.run (run_id, kind, org, subject, state) OVERRIDING SYSTEM VALUE VALUES"
        " (11, 'extract', 'demo', 'Lead', 'success'), (12, 'reconcile', 'demo', 'Contact', 'success'),"
        " (13, 'extract', 'demo', 'Contact', 'paused')",
    )
    page = words(pages.get("/headwater/overview").text)
    assert "1 run needs a look" in page
    assert "paused Contact extract" in page


def test_differences_do_not_cancel_each_other(pages, run, warehouse):
    """Two rows too many of one object don't make up for two that lack of another."""
    run("a_working_org.sql")
    do(
        warehouse,
        "INSERT INTO headwater.certificate (org, object, here, in_org, difference, as_of)"
        " VALUES ('demo', 'Lead', 12, 10, -2, '2026-03-01T08:00:00Z')",
    )
    page = words(pages.get("/headwater/overview").text)
    assert "20,014 rows here, 20,014 in the org." in page
    assert "Contact : 2 missing here, Lead : 2 too many here" in page
    assert "As of 2026-03-01 08:00:00 UTC" in page
    assert "Lead was compared longest ago" in page


def test_changes_that_wait_and_errors_without_an_answer_lead_to_their_lists(pages, run, warehouse):
    """Each number is a link to what it counts."""
    run("a_working_org.sql")
    run("a_record.sql")
    do(
        warehouse,
        "UPDATE headwater.schema_change SET state = 'frozen', policy = 'freeze' WHERE field = 'Fax'",
        "UPDATE headwater.sync_error SET outcome = 'unknown'",
    )
    page = pages.get("/headwater/overview").text
    assert 'href="/headwater/schema?org=demo&amp;state=waiting">change waits' in page
    assert 'href="/headwater/errors?org=demo&amp;cause_class=unknown"' in page


def test_each_card_links_on(pages, run):
    """To the page that says more."""
    run("a_working_org.sql")
    page = pages.get("/headwater/overview").text
    for name in ("health", "extracts", "pushes", "errors", "usage", "schema"):
        assert re.search(rf'<h2 id="card-\w+"><a href="/headwater/{name}\?org=demo">', page), name


def test_several_orgs_stand_in_a_list(pages, run, warehouse):
    """With grade, difference and freshness of each; one that has nothing yet says so."""
    run("a_working_org.sql")
    assert "All orgs" not in pages.get("/headwater/overview").text
    do(
        warehouse,
        "INSERT INTO headwater.org (org, org_id, instance_url) VALUES ('other', '00D000000000002AAA', 'https://x')",
    )
    page = words(pages.get("/headwater/overview?org=demo").text)
    assert re.search(r"demo 85.0 % 2026-03-01 10:10:00 UTC .* 2 2026-03-01 10:00:00 UTC", page)
    assert "other – not yet – not compared yet" in page
    empty = words(pages.get("/headwater/overview?org=other").text)
    assert "Not assessed yet" in empty
    assert "Nothing was compared with the org yet." in empty
    assert "None is open. What a run held goes with its next run." in empty


def test_a_first_load_that_lasts_is_told(pages, run, warehouse):
    """The banner of the onboarding stands here as on every page."""
    run("a_working_org.sql")
    do(
        warehouse,
        "INSERT INTO headwater.onboarding (org, object, rows, fields, plan, calls, seconds, measured)"
        " VALUES ('demo', 'Lead', 1000, 10, 'rest', 5, 10, false)",
    )
    assert "Onboarding of demo:" in pages.get("/headwater/overview").text


def test_dry_runs_are_no_deliveries(pages, run, warehouse):
    """Nothing was sent."""
    run("a_working_org.sql")
    run("a_record.sql")
    do(warehouse, "UPDATE headwater.push_run SET dry_run = true")
    assert "records delivered" not in words(pages.get("/headwater/overview").text)


def test_a_flood_of_errors_is_counted_up_to_a_bound(warehouse):
    """So that the page stays fast."""
    do(
        warehouse,
        "INSERT INTO headwater.sync_error (org, push, platform, object, record_id, outcome, cause, first_run_id,"
        " last_run_id) SELECT 'demo', 'p', 'x', 'Contact', n::text, 'rejected', 'c', 1, 1 FROM generate_series(1, 9) n",
    )
    bounded = glance_at(warehouse, "demo", most_errors=3).errors
    assert (bounded.open, bounded.more) == (4, True)
    whole = glance_at(warehouse, "demo").errors
    assert (whole.open, whole.more) == (9, False)
