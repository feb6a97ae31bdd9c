"""The page of sync errors: searched, filtered, with history; tried again and settled by those who may."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import text as sql

HEADERS = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
ERRORS = """
INSERT INTO headwater.run (run_id, kind, org, subject, dag_id, dag_run_id, state)
    OVERRIDING SYSTEM VALUE VALUES (901, 'push', 'demo', 'people', 'push_people', 'manual__1', 'degraded');
INSERT INTO headwater.push_run (run_id, org, push, object, platform, run_key, mode, skip_hook, fast_fail, batch_size,
    resend, max_failed_share, selected, unchanged)
    VALUES (901, 'demo', 'people', 'Contact', 'insider_one', 'manual__1', 'changed', false, false, 10, false, 1, 3, 0);
INSERT INTO headwater.sync_error (org, push, platform, object, record_id, outcome, event_key, cause, message,
    retryable, attempts, first_run_id, last_run_id, next_try_at) VALUES
    ('demo', 'people', 'insider_one', 'Contact', '003000000000001AAA', 'rejected', '', 'invalid_email',
     'the platform takes no such address', false, 2, 901, 901, NULL),
    ('demo', 'people', 'insider_one', 'Contact', '003000000000002AAA', 'rejected', '', 'busy', 'try later', true, 1,
     901, 901, now() + interval '1 hour'),
    ('demo', 'leads', 'klaviyo', 'Lead', '00Q000000000003EAA', 'unknown', 'leads:3', 'answer_lost', 'no answer',
     false, 1, 901, 901, NULL);
INSERT INTO headwater.sync_error_event (error_id, run_id, what, cause, message)
    SELECT error_id, 901, 'failed', cause, message FROM headwater.sync_error;
INSERT INTO headwater.outbox (event_key, push, record_id, run_id, request, event_name, event_at, state)
    VALUES ('leads:3', 'leads', '00Q000000000003EAA', 901, 1, 'changed', now(), 'unknown');
"""


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u202f", " ").split())


@pytest.fixture
def failing(run: Any, warehouse: Any) -> Any:
    run("a_working_org.sql")
    with warehouse.begin() as connection:
        connection.exec_driver_sql("DELETE FROM headwater.sync_error")
        connection.exec_driver_sql(ERRORS)
    return warehouse


def ids(warehouse: Any) -> dict[str, int]:
    with warehouse.begin() as connection:
        rows = connection.execute(sql("SELECT cause, error_id FROM headwater.sync_error")).all()
    return {row.cause: row.error_id for row in rows}


def decide(client: Any, body: str) -> Any:
    return client.post("/headwater/errors/decide?org=demo", content=body, headers=HEADERS)


def test_each_error_says_what_happens_next(pages, failing):
    """A passing one goes by itself, a permanent one waits for a change, an unknown one for a person."""
    text = words(pages.get("/headwater/errors?org=demo").text)
    assert "003000000000001AAA ↗ Contact people Insider One permanent invalid_email" in text
    assert "when something changes" in text
    assert "passing busy" in text
    assert "by itself" in text
    assert "unknown answer_lost" in text
    assert "a person decides" in text


def test_errors_are_searched_and_filtered(pages, failing):
    """By text, push, platform, cause, kind and age; what matches nothing says so."""
    for query, there, gone in (
        ("q=address", "invalid_email", "answer_lost no"),
        ("push=leads", "00Q000000000003EAA", "003000000000001AAA"),
        ("platform=klaviyo", "00Q000000000003EAA", "003000000000001AAA"),
        ("cause=busy", "003000000000002AAA", "003000000000001AAA"),
        ("cause_class=permanent", "003000000000001AAA", "003000000000002AAA"),
    ):
        text = words(pages.get(f"/headwater/errors?org=demo&{query}").text)
        assert there in text
        assert gone not in text
    assert "No sync error matches" in words(pages.get("/headwater/errors?org=demo&q=nothing").text)
    assert "No sync error matches" in words(pages.get("/headwater/errors?org=demo&shown=settled").text)


def test_no_open_error_is_good_news(pages, run, warehouse):
    """And is said as such."""
    run("a_working_org.sql")
    with warehouse.begin() as connection:
        connection.exec_driver_sql("DELETE FROM headwater.sync_error")
    assert "No sync error is open" in words(pages.get("/headwater/errors?org=demo").text)


def test_one_error_shows_its_history_and_leads_on(pages, failing):
    """To the record in Salesforce and to the run in Airflow, whose kind is named."""
    page = pages.get(f"/headwater/errors/{ids(failing)['invalid_email']}?org=demo").text
    assert "/dags/push_people/runs/manual__1" in page
    assert "003000000000001AAA/view" in page
    assert "failed invalid_email the platform takes no such address 901" in words(page)
    assert "changed" in words(page)
    assert pages.get("/headwater/errors/999999?org=demo").status_code == 404


def test_who_may_not_run_sees_no_button_and_is_refused(pages, failing):
    """A viewer reads."""
    assert 'name="decide"' not in pages.get("/headwater/errors?org=demo").text
    assert decide(pages, f"decide=dismiss&error={ids(failing)['busy']}").status_code == 403


def test_another_site_decides_nothing(open_pages, failing):
    """A form that another site's page sends is refused, whoever is signed in."""
    client = open_pages(lambda: failing, "op")
    answer = client.post(
        "/headwater/errors/decide?org=demo",
        content=f"decide=dismiss&error={ids(failing)['busy']}",
        headers=HEADERS | {"sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 403


def test_a_person_settles_what_nobody_else_can_know(open_pages, failing):
    """The event counts as delivered, and the history says who said so."""
    client = open_pages(lambda: failing, "op")
    number = ids(failing)["answer_lost"]
    answer = decide(client, f"decide=arrived&error={number}&back={number}")
    assert answer.status_code == 303
    page = words(client.get(answer.headers["location"]).text)
    assert "1 error is settled: arrived" in page
    assert "settled by op" in page
    with failing.begin() as connection:
        assert connection.execute(sql("SELECT state FROM headwater.outbox")).scalar_one() == "delivered"


def test_retrying_all_of_a_filter_takes_those_that_match_and_no_other(open_pages, failing):
    """They are due now; what Airflow could not start goes with the next run, and that is said."""
    client = open_pages(lambda: failing, "op")
    numbers = ids(failing)
    answer = decide(client, f"decide=retry:all&push=people&shown=open&last={max(numbers.values())}&back=push%3Dpeople")
    assert answer.status_code == 303
    assert "push=people" in answer.headers["location"]
    assert "2 errors are due now" in words(client.get(answer.headers["location"]).text)
    with failing.begin() as connection:
        due = connection.execute(sql("SELECT cause FROM headwater.sync_error WHERE next_try_at <= now()")).scalars()
        assert set(due) == {"invalid_email", "busy"}
        who = connection.execute(sql("SELECT DISTINCT who FROM headwater.sync_error_event WHERE what = 'asked'"))
        assert who.scalars().all() == ["op"]


def test_sending_an_unknown_again_frees_its_event(open_pages, failing):
    """Only a person may do that: the platform may store it twice."""
    client = open_pages(lambda: failing, "op")
    decide(client, f"decide=retry&error={ids(failing)['answer_lost']}")
    with failing.begin() as connection:
        assert connection.execute(sql("SELECT count(*) FROM headwater.outbox")).scalar_one() == 0


def test_nothing_chosen_is_said(open_pages, failing):
    """A click without a tick changes nothing."""
    client = open_pages(lambda: failing, "op")
    answer = decide(client, "decide=retry")
    assert "No error was chosen" in words(client.get(answer.headers["location"]).text)


@pytest.mark.parametrize("body", ["", "decide=erase&error=1", "error=1"])
def test_nonsense_is_refused(open_pages, failing, body):
    """A form that says nothing does nothing."""
    assert decide(open_pages(lambda: failing, "op"), body).status_code == 400
