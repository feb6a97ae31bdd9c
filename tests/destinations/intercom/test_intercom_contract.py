"""Every request to Intercom is one that the vendor's own description of its API (2.16) knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from include.config.platforms import Match
from include.records import Event, ProfileAction
from tests.destinations.intercom_line import AT, Line, person
from tests.destinations.openapi import Description
from tests.destinations.recording import Sent, recording
from tests.sandbox.running import Running

DESCRIPTION = Description("intercom-2.16.json")


@pytest.fixture
def passing(intercom: Running) -> Iterator[tuple[Line, list[Sent]]]:
    with recording(intercom.url) as (url, sent):
        yield Line(url, clear_nulls=True, compare=False), sent


def problems(sent: list[Sent]) -> list[str]:
    return [f"{one.method} {one.path}: {problem}" for one in sent for problem in DESCRIPTION.problems(one)]


def test_creations_updates_searches_and_events_are_as_described(
    passing: tuple[Line, list[Sent]], intercom: Running
) -> None:
    """With every standard attribute, custom ones of each type, values to empty, and people for two searches."""
    line, sent = passing
    full = {
        "name": "Ada", "phone_number": "+4930123456", "avatar": "https://example.com/a.png", "owner_id": "1",
        "signed_up_at": "2026-01-31T10:20:30.250Z", "last_seen_at": None, "unsubscribed_from_emails": False,
        "email_verified": True,
    }  # fmt: skip
    custom = {
        "account_tier": "Gold", "employees": 3, "annual_revenue": 2.5, "vip": True,
        "last_activity_at": "2026-01-31T00:00:00Z", "title": None,
    }  # fmt: skip
    people = [person(number, with_event=True, attributes=full, custom_attributes=custom) for number in range(40)]
    assert {one.outcome for one in line.send(*people).receipts} == {"delivered"}
    assert {one.outcome for one in line.send(*people).receipts} == {"delivered"}
    assert {f"{one.method} {one.path.split('?')[0].split('/')[1]}" for one in sent} == {
        "POST contacts", "PUT contacts", "POST events", "GET data_attributes",
    }  # fmt: skip
    assert problems(sent) == []
    assert intercom.counts["contacts"] == 40


def test_the_other_calls_are_as_described(passing: tuple[Line, list[Sent]], intercom: Running) -> None:
    """Who am I, look by external id, archive, bring back, delete."""
    line, sent = passing
    line.intercom.test()
    line.send(person(1))
    line.send(person(1, action=ProfileAction.ARCHIVE))
    line.send(person(1))
    line.send(person(1, action=ProfileAction.CLEAR, attributes={"name": None}))
    line.send(person(1, action=ProfileAction.DELETE))
    calls = {f"{one.method} {one.path.split('/')[-1]}" for one in sent}
    assert {"GET me", "POST archive", "POST unarchive"} <= calls
    assert any(one.method == "DELETE" for one in sent)
    assert problems(sent) == []
    assert intercom.counts["contacts"] == 0


def test_a_look_by_external_id_is_as_described(intercom: Running) -> None:
    """Also for an id that needs to be encoded."""
    with recording(intercom.url) as (url, sent):
        line = Line(url, match=Match.UPDATE_ONLY)
        assert line.one(person(1, identifiers={"uuid": "a/b c?d"})).outcome == "skipped"
    assert sent[-1].path == "/contacts/find_by_external_id/a%2Fb%20c%3Fd"
    assert problems(sent) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "what"),
    [
        ("POST", "/contacts", b'{"name": "Ada"}', "anyOf|not valid under any"),
        ("POST", "/contacts", b'{"email": "a@b.cd", "signed_up_at": "2026-01-31T10:20:30Z"}', "not valid under any"),
        ("POST", "/contacts", b'{"email": "a@b.cd", "favourite": 1}', "not described"),
        ("POST", "/contacts/search", b'{"query": {"operator": "NOR", "value": []}}', "not valid under any"),
        ("POST", "/events", b'{"event_name": "x", "id": "1"}', "not valid under any"),
        ("PATCH", "/contacts/1", b"{}", "not described"),
    ],
)
def test_the_judge_refuses_what_is_wrong(method: str, path: str, body: bytes, what: str) -> None:
    """Otherwise the tests above would prove nothing."""
    headers = {"content-type": "application/json", "intercom-version": "2.16"}
    found = DESCRIPTION.problems(Sent(method, path, headers, body))
    assert any(part in problem for problem in found for part in what.split("|")), found


def test_numbers_in_an_event_go_as_numbers(passing: tuple[Line, list[Sent]], intercom: Running) -> None:
    """The description knows only text there; the vendor's prose and its examples say that numbers are taken."""
    line, sent = passing
    event = Event(
        key="k", name="deal-won", at=AT + timedelta(days=1), params={"amount": 3, "close_date": "2026-01-01T00:00:00Z"}
    )
    line.send(person(1, events=(event,)))
    assert sent[-1].json["metadata"] == {"amount": 3, "close_date": 1_767_225_600}
    assert len(problems(sent)) == len(sent[-1].json["metadata"])
