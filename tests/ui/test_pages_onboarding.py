"""While an org's first loads last, every page says so, and the extracts page says how far each is."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import text as sql

LASTING = """
UPDATE headwater.object SET first_loaded_at = NULL WHERE object = 'Lead';
INSERT INTO headwater.onboarding (org, object, rows, fields, plan, calls, seconds, measured)
VALUES ('demo', 'Contact', 19000, 60, 'bulk', 5, 12, true), ('demo', 'Lead', 100000, 40, 'bulk', 6, 120, false),
       ('demo', 'Nonsense', NULL, 0, 'rest', 1, 0, false);
INSERT INTO headwater.run (run_id, kind, org, subject, dag_id, dag_run_id, task_id) OVERRIDING SYSTEM VALUE VALUES
       (99, 'extract', 'demo', 'Lead', 'demo_extract', 'r', 'extract_Lead');
INSERT INTO headwater.slice (run_id, org, object, mode, high, soql, rows_loaded, state)
SELECT max(run_id), 'demo', 'Lead', 'changes', now(), 'q', 25000, s.state FROM headwater.run,
       unnest(ARRAY['open', 'abandoned']) AS s(state) GROUP BY s.state;
"""


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u202f", " ").split())


@pytest.fixture
def onboarding(run, warehouse):
    run("a_working_org.sql")
    with warehouse.begin() as connection:
        for statement in LASTING.split(";\n"):
            connection.execute(sql(statement.replace(":", r"\:")))


@pytest.mark.parametrize("page", ["health", "extracts", "schema", "usage"])
def test_every_page_says_that_the_onboarding_lasts(pages, onboarding, page):
    """How many objects, how many rows, how long still, and what it means."""
    text = words(pages.get(f"/headwater/{page}?org=demo").text)
    assert "Onboarding of demo: 1 of 3 objects complete, 25,000 of about 100,000 rows (25.0 %), at most 1 min" in text
    assert "Nothing is pushed from the others yet" in text


def test_the_extracts_page_says_how_far_each_object_is(pages, onboarding):
    """Rows loaded and expected, and what the forecast rests on."""
    text = words(pages.get("/headwater/extracts?org=demo").text)
    assert "Lead 25,000 100,000 25.0 % 40 bulk 6 2 min 0 s assumed" in text
    assert "Nonsense 0 unknown" in text
    assert "12.0 s measured complete" in text


def test_a_first_load_that_stopped_is_named(pages, onboarding, warehouse):
    """The banner turns, and the row says why."""
    with warehouse.begin() as connection:
        connection.execute(
            sql("UPDATE headwater.run SET state = 'failed', message = 'AuthError' WHERE dag_run_id = 'r'")
        )
    answer = pages.get("/headwater/extracts?org=demo").text
    assert "Stopped: Lead" in words(answer)
    assert 'class="onboarding stopped"' in answer


def test_afterwards_no_page_has_a_banner(pages, onboarding, warehouse):
    """The extracts page tells for a day what it took."""
    with warehouse.begin() as connection:
        connection.execute(sql("DELETE FROM headwater.onboarding WHERE object = 'Nonsense'"))
        connection.execute(sql("UPDATE headwater.object SET first_loaded_at = now()"))
    text = pages.get("/headwater/extracts?org=demo").text
    assert 'class="onboarding' not in text
    assert "Onboarding ended" in words(text)
    with warehouse.begin() as connection:
        connection.execute(sql("UPDATE headwater.object SET first_loaded_at = now() - interval '2 days'"))
    assert "Onboarding" not in pages.get("/headwater/extracts?org=demo").text
