"""The page on notifications: who was told what, when, and whether it arrived."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import text as sql

from include.config.notify import ChannelDefinition

TEAM = ChannelDefinition(mail=("team@example.com", "boss@example.com"))
CHAT = ChannelDefinition(webhook="chat")
DEFINITION = """
org: demo
connection: salesforce_demo
notify:
  - mail: [team@example.com, boss@example.com]
  - webhook: chat
    events: [run_failed]
"""
TOLD = """
INSERT INTO headwater.notification (notification_id, org, key, event, title, message, path, raised_at, resolved_at)
OVERRIDING SYSTEM VALUE VALUES
  (1, 'demo', 'a', 'run_failed', 'Extract of Lead failed', 'AuthError: <script>alert("x")</script>',
   '/dags/demo_extract/runs/r1', '2026-03-01T10:00:00Z', '2026-03-01T11:00:00Z'),
  (2, 'demo', 'b', 'run_degraded', 'The copy of Contact is degraded', '2 rows are missing',
   '/headwater/extracts?org=demo&q=Contact', '2026-03-01T12:00:00Z', NULL),
  (3, 'demo', 'c', 'onboarding_ended', 'Onboarding of demo ended', '', '', '2026-02-01T12:00:00Z',
   '2026-02-01T12:00:00Z'),
  (4, 'other', 'd', 'run_failed', 'Something of another org', '', '', now(), NULL);
"""
DELIVERED = """
INSERT INTO headwater.notification_delivery
  (notification_id, channel, all_clear, state, tries, cause, written_at, sent_at) VALUES
  (1, :team, false, 'sent', 3, '', '2026-03-01T10:00:01Z', '2026-03-01T10:20:00Z'),
  (1, :chat, false, 'dropped', 4, 'could not reach chat.example', '2026-03-01T10:00:01Z', NULL),
  (1, :team, true, 'sent', 1, '', '2026-03-01T11:00:01Z', '2026-03-01T11:00:02Z'),
  (2, :team, false, 'waiting', 2, 'the mail server refused', '2026-03-01T12:00:01Z', NULL),
  (2, 'webhook gone', false, 'sent', 1, '', '2026-03-01T12:00:01Z', '2026-03-01T12:00:02Z');
"""


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u202f", " ").split())


@pytest.fixture
def told(run, warehouse, definitions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("a_working_org.sql")
    (definitions / "orgs" / "demo.yaml").write_text(DEFINITION, encoding="utf-8")
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(definitions))
    with warehouse.begin() as connection:
        connection.exec_driver_sql(TOLD)
        connection.execute(sql(DELIVERED), {"team": TEAM.name, "chat": CHAT.name})


@pytest.mark.usefixtures("told")
def test_each_matter_stands_with_who_was_told_and_what_became_of_it(pages):
    """The newest first, another org's not at all; markup is text."""
    html = pages.get("/headwater/notifications?org=demo").text
    text = words(html)
    assert "Something of another org" not in text
    assert '<script>alert("x")' not in html
    assert text.index("Onboarding of demo") < text.index("The copy of Contact") < text.index("Extract of Lead failed")
    assert "waits since 2026-03-01 12:00:01 UTC , 2 tries the mail server refused" in text
    assert "sent 2026-03-01 10:20:00 UTC at try 3" in text
    assert "webhook chat: never arrived could not reach chat.example" in text
    assert "that it is over: mail to 2 recipients: sent 2026-03-01 11:00:02 UTC" in text
    assert "webhook gone (no longer defined)" in text
    assert "happened once" in text
    assert 'href="/headwater/extracts?org=demo&amp;q=Contact"' in html
    assert 'href="/dags/demo_extract/runs/r1"' in html
    assert "3 notifications" in text


@pytest.mark.usefixtures("told")
def test_notifications_can_be_searched_and_filtered(pages):
    """By text and by what became of them; nonsense shows all."""
    assert "Extract of Lead" not in words(pages.get("/headwater/notifications?q=missing").text)
    assert "1 notification" in words(pages.get("/headwater/notifications?state=waiting").text)
    assert "Extract of Lead" in words(pages.get("/headwater/notifications?state=never+arrived").text)
    assert "Onboarding" not in words(pages.get("/headwater/notifications?state=open").text)
    assert "3 notifications" in words(pages.get("/headwater/notifications?state=x'; DROP TABLE headwater.run").text)
    assert "No notification matches" in words(pages.get("/headwater/notifications?q=nothing+like+it").text)


@pytest.mark.usefixtures("told")
def test_recipients_are_named_only_to_those_who_may_see_them(open_pages, warehouse):
    """A viewer sees how many there are."""
    seen = {
        role: words(open_pages(lambda: warehouse, role).get("/headwater/notifications").text)
        for role in ("viewer", "op")
    }
    assert "team@example.com" not in seen["viewer"]
    assert "mail to 2 recipients – everything" in seen["viewer"]
    assert "mail to team@example.com, boss@example.com – everything" in seen["op"]
    assert "webhook chat – run failed" in seen["op"]


def test_an_org_without_channels_says_how_to_get_one(pages, run, definitions: Path, monkeypatch):
    """Nothing was told, and nobody would be."""
    run("a_working_org.sql")
    (definitions / "orgs" / "demo.yaml").write_text("org: demo\nconnection: x\n", encoding="utf-8")
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(definitions))
    text = words(pages.get("/headwater/notifications").text)
    assert "its definition has no notify" in text
    assert "Nothing has happened that people are told of" in text
