"""The page on API usage: five figures, what the calls went to, and what helps when they become scarce."""

from __future__ import annotations

import re
from html import unescape

from sqlalchemy import text as sql


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u202f", " ").split())


def test_the_five_figures_stand_on_top(pages, run):
    """Ours, our quota, the watermark, everybody's, the org's limit."""
    run("a_working_org.sql")
    text = words(pages.get("/headwater/usage?org=demo").text)
    assert "Used by us 16 calls since 2026-03-01 00:00:00 UTC" in text
    assert "Our quota 40,000 calls a day; < 0.1 % used" in text
    assert "Watermark 10,000 calls that we leave to others" in text
    assert "Used by everybody 4,213 calls in the org's last 24 h" in text
    assert "The org's limit 100,000 calls in 24 h; 4.2 % used" in text
    assert "large loads wait" in text


def test_calls_are_shown_by_purpose_and_object(pages, run):
    """The most expensive first, with how many runs shared them."""
    run("a_working_org.sql")
    text = words(pages.get("/headwater/usage").text)
    assert "extract Contact 15 2" in text
    assert "describe several at once 1 1" in text
    assert "about 4,197 are other apps" in text
    found = words(pages.get("/headwater/usage?q=contact").text)
    assert "extract Contact 15 2" in found
    assert "several at once" not in found
    assert "No purpose or object matches" in words(pages.get("/headwater/usage?q=nothing").text)


def test_a_scarce_budget_names_what_helps(pages, run, warehouse):
    """And only a scarce one."""
    run("a_working_org.sql")
    assert "Calls are scarce" not in pages.get("/headwater/usage").text
    with warehouse.begin() as connection:
        connection.execute(sql("UPDATE headwater.api_budget SET used = 89000"))
    text = words(pages.get("/headwater/usage").text)
    assert "Calls are scarce: 1,000 are left before the watermark" in text
    assert "Ask Salesforce for a temporary rise" in text


def test_an_org_that_was_never_called_has_a_page_too(pages, run, warehouse):
    """Nothing is known yet, and that is said."""
    run("a_working_org.sql")
    with warehouse.begin() as connection:
        connection.execute(sql("DELETE FROM headwater.api_budget"))
        connection.execute(sql("DELETE FROM headwater.api_call"))
    text = words(pages.get("/headwater/usage").text)
    assert "the org has not told yet" in text
    assert "No call was made in the last 24 h" in text
    assert "Our calls by the hour" not in text  # nothing to draw


def test_who_changed_records_is_a_hint_to_who_spends_calls(pages, run, warehouse):
    """By user and object, the last day only; a link to the user in Salesforce."""
    run("a_working_org.sql")
    assert "No record that is here was changed" in words(pages.get("/headwater/usage").text)
    with warehouse.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA salesforce_demo")
        connection.exec_driver_sql(
            'CREATE TABLE salesforce_demo."Contact" ("Id" text, "LastModifiedById" text, "SystemModstamp" timestamptz)'
        )
        connection.exec_driver_sql(
            'INSERT INTO salesforce_demo."Contact" SELECT n::text, CASE WHEN n < 13 THEN $$005A$$ ELSE $$005B$$ END,'
            " now() - interval '1 hour' * CASE WHEN n = 1 THEN 30 ELSE 1 END FROM generate_series(1, 15) AS n"
        )
    html = pages.get("/headwater/usage").text
    assert "005A ↗ Contact 11" in words(html)
    assert "005B ↗ Contact 3" in words(html)
    assert 'href="https://demo.my.salesforce.test/' in html
