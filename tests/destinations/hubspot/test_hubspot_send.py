"""Carrying records to the sandbox HubSpot over real HTTP: what it then holds, and what can never happen twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from include.config.platforms import Match
from include.destinations.hubspot.destination import open_hubspot
from include.destinations.line import Patience
from include.destinations.protocol import Access, Destination, Policy
from include.destinations.steps import InSteps
from include.errors import AuthError, RateLimited, Unreachable
from include.records import Event, Outcome, ProfileAction
from include.sandbox.hubspot.credentials import TOKEN
from tests.destinations.hubspot_line import AT, HEADERS, Line, person, tally
from tests.sandbox.running import Running, free_port, running

UPSERT = "/crm/v3/objects/contacts/batch/upsert"
UPDATE = "/crm/v3/objects/contacts/batch/update"


@pytest.fixture
def line(hubspot: Running) -> Line:
    return Line(hubspot.url)


def held(hubspot: Running) -> dict[str, dict[str, Any]]:
    """Return the properties of the contacts that are not archived, by e-mail address or uuid."""
    found = [one["properties"] for one in hubspot.all("contacts") if not one["archived"]]
    return {one.get("email") or one.get("salesforce_contact_id"): one for one in found}


def test_people_and_events_arrive_as_mapped(hubspot: Running, line: Line) -> None:
    """In two requests, and one that asks for the properties."""
    destination: Destination = line.hubspot
    people = [
        person(
            number,
            with_event=True,
            custom_attributes={"annualrevenue": number, "vip": True, "renewal_date": "2026-01-31T00:00:00Z"},
        )
        for number in range(100)
    ]
    (batch,) = destination.build(people, skip_hook=False)
    result = destination.send(batch)
    assert tally(result) == {"delivered": 100}
    contacts = held(hubspot)
    assert len(contacts) == 100
    for number, receipt in enumerate(result.receipts):
        one = contacts[f"p{number}@example.com"]
        assert one["hs_object_id"] == receipt.platform_id
        assert (one["firstname"], one["salesforce_contact_id"]) == (f"Ada {number}", f"u{number}")
        assert (one["annualrevenue"], one["vip"], one["renewal_date"]) == (str(number), "true", "2026-01-31")
    assert {event["contact"] for event in hubspot.all("events")} == {one["hs_object_id"] for one in contacts.values()}
    assert line.lanes == ["", "", "events"]
    assert result.requests == 3


def test_again_is_no_second_contact_and_no_second_event(hubspot: Running, line: Line) -> None:
    """The unique property and the uuid know them again."""
    for _ in range(2):
        line.send(*(person(number, with_event=True) for number in range(5)))
    assert hubspot.counts["contacts"] == 5
    assert hubspot.counts["events"] == 5
    assert hubspot.counts["events_repeated"] == 5


def test_the_headers_drive_the_bucket(hubspot: Running, line: Line) -> None:
    """What is left of ten seconds."""
    line.one(person())
    assert line.observed[-1][1:] == (10.0, 1_000_000)


def test_one_bad_record_does_not_spoil_its_batch(hubspot: Running, line: Line) -> None:
    """The mixed answer names it."""
    result = line.send(person(1), person(2, custom_attributes={"annualrevenue": "much"}), person(3))
    assert [one.outcome for one in result.receipts] == ["delivered", "rejected", "delivered"]
    assert result.receipts[1].message.endswith(": annualrevenue")


def test_a_property_that_is_not_there_is_told_without_a_request(hubspot: Running, line: Line) -> None:
    """One unknown property would refuse the batch."""
    result = line.send(person(1), person(2, custom_attributes={"unheard_of": "x"}))
    assert [(one.outcome, one.cause) for one in result.receipts] == [
        ("delivered", ""),
        ("rejected", "unknown_property"),
    ]
    assert hubspot.counts["by_status"] == {"200": 2}


def test_a_batch_refused_as_a_whole_shows_who_spoiled_it(hubspot: Running, line: Line) -> None:
    """A token that may not read the properties learns of an unknown one by halving; the others arrive."""
    hubspot.fault(path="/crm/v3/properties/contacts", status=403)
    people = [person(number) for number in range(8)]
    people[5] = person(5, custom_attributes={"unheard_of": "x"})
    result = line.send(*people)
    assert [one.record_id for one in result.receipts if one.outcome != "delivered"] == ["r5"]
    assert (result.receipts[5].cause, result.receipts[5].message.split(": ")[1]) == ("unknown_property", "unheard_of")
    assert hubspot.counts["contacts"] == 7
    assert hubspot.counts["by_status"]["400"] == 4


def test_an_event_that_is_not_defined_is_rejected_alone(hubspot: Running, line: Line) -> None:
    """Its contact arrived, the others' events too."""
    unknown = person(2, events=(Event(key="x", name="unheard_of", at=AT),))
    result = line.send(person(1, with_event=True), unknown, person(3, with_event=True))
    assert [(one.outcome, one.cause) for one in result.receipts] == [
        ("delivered", ""),
        ("rejected", "event_refused"),
        ("delivered", ""),
    ]
    assert hubspot.counts["contacts"] == 3
    assert hubspot.counts["events"] == 2


@pytest.mark.parametrize("remembered", [True, False])
def test_a_changed_address_moves_the_contact(hubspot: Running, remembered: bool) -> None:
    """There is one person before and after, also where the address is the only identifier."""
    line = Line(hubspot.url, unique_property="")
    first = line.one(person(1, identifiers={"email": "old@example.com"}))
    moved = person(
        1,
        identifiers={"email": "new@example.com"},
        former_identifiers={"email": "old@example.com"},
        platform_id=first.platform_id if remembered else "",
    )
    assert line.one(moved).platform_id == first.platform_id
    assert set(held(hubspot)) == {"new@example.com"}


def test_an_address_that_another_has_needs_a_person(hubspot: Running, line: Line) -> None:
    """Nobody is merged."""
    line.send(person(1), person(2))
    receipt = line.one(person(1, identifiers={"uuid": "u1", "email": "p2@example.com"}))
    assert (receipt.outcome, receipt.cause) == (Outcome.REJECTED, "identifier_taken")


def test_updating_only_makes_nobody(hubspot: Running, line: Line) -> None:
    """Who isn't there is skipped."""
    line.send(person(1))
    result = Line(hubspot.url, match=Match.UPDATE_ONLY).send(person(1, attributes={"firstname": "Grace"}), person(2))
    assert [(one.outcome, one.cause) for one in result.receipts] == [("delivered", ""), ("skipped", "not_at_platform")]
    assert {one["firstname"] for one in held(hubspot).values()} == {"Grace"}


def test_creating_only_touches_nobody(hubspot: Running, line: Line) -> None:
    """Who is there is skipped."""
    line.send(person(1))
    result = Line(hubspot.url, match=Match.CREATE_ONLY).send(person(1, attributes={"firstname": "Grace"}), person(2))
    assert [(one.outcome, one.cause) for one in result.receipts] == [
        ("skipped", "already_at_platform"),
        ("delivered", ""),
    ]
    assert {one["firstname"] for one in held(hubspot).values()} == {"Ada 1", "Ada 2"}


def test_comparing_writes_only_what_differs(hubspot: Running, line: Line) -> None:
    """One reading for all, one writing for the one that differs."""
    people = [person(number, custom_attributes={"annualrevenue": 3.5, "vip": False}) for number in range(20)]
    line.send(*people)
    people[3] = replace(people[3], attributes={"firstname": "Grace"})
    comparing = Line(hubspot.url, match=Match.UPDATE_ONLY, compare=True)
    before = hubspot.counts["requests"]
    result = comparing.send(*people)
    assert [one.cause for one in result.receipts].count("already_equal") == 19
    assert hubspot.counts["requests"] - before == 3
    assert hubspot.get("/sandbox/requests?limit=1")["requests"][0]["records"] == 1


def test_nulls_clear_where_that_is_asked_for(hubspot: Running, line: Line) -> None:
    """And are left where it isn't."""
    empty = person(1, attributes={"firstname": None, "lastname": "L"})
    line.send(person(1))
    line.send(empty)
    assert held(hubspot)["p1@example.com"]["firstname"] == "Ada 1"
    Line(hubspot.url, clear_nulls=True).send(empty)
    assert "firstname" not in held(hubspot)["p1@example.com"]


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize("action", [ProfileAction.ARCHIVE, ProfileAction.CLEAR])
def test_the_gone_are_archived_or_cleared(
    hubspot: Running, line: Line, action: ProfileAction, remembered: bool
) -> None:
    """And a second time changes nothing."""
    contact = line.one(person(1)).platform_id
    gone = person(1, action=action, attributes={"firstname": None}, platform_id=contact if remembered else "")
    assert [line.one(gone).outcome, line.one(gone).outcome] == ["delivered", "delivered"]
    left = [one.get("firstname", "") for one in held(hubspot).values()]
    assert left == ([] if action is ProfileAction.ARCHIVE else [""])


def test_a_remembered_contact_that_is_gone_is_made_anew(hubspot: Running, line: Line) -> None:
    """The memory was wrong; the record is not lost."""
    first = line.one(person(1))
    line.one(person(1, action=ProfileAction.ARCHIVE))
    again = line.one(person(1, platform_id=first.platform_id))
    assert again.outcome == "delivered"
    assert again.platform_id != first.platform_id
    assert set(held(hubspot)) == {"p1@example.com"}


LOST = [{"drop_answer": True}, {"status": 500}, {"status": 504}, {"status": 200, "body": "<html>later</html>"}]


@pytest.mark.parametrize("after_store", [True, False])
@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("path", [UPSERT, "/events/v3/send/batch"])
def test_a_lost_answer_doubles_nothing(
    hubspot: Running, line: Line, path: str, fault: dict[str, Any], after_store: bool
) -> None:
    """Contacts and events are known again."""
    if path.startswith("/events/") and fault.get("status") == 200:
        fault = {"status": 502}
    hubspot.fault(path=path, after_store=after_store, **fault)
    assert tally(line.send(*(person(number, with_event=True) for number in range(4)))) == {"delivered": 4}
    assert hubspot.counts["contacts"] == 4
    assert hubspot.counts["events"] == 4


def test_a_fault_that_stays_leaves_the_records_to_a_later_run(hubspot: Running, line: Line) -> None:
    """They may be tried again; events whose contacts arrived too."""
    hubspot.fault(path="/events/v3/send/batch", status=503, times=9)
    result = line.send(person(1, with_event=True), person(2))
    assert [(one.outcome, one.retryable) for one in result.receipts] == [("rejected", True), ("delivered", False)]
    hubspot.http.request("DELETE", hubspot.url + "/sandbox/faults")
    assert line.one(person(1, with_event=True)).outcome == "delivered"
    assert hubspot.counts["events"] == 1


def test_a_refused_token_raises_and_sends_nothing(hubspot: Running) -> None:
    """Neither the batch nor the test passes."""
    line = Line(hubspot.url, token="wrong")
    with pytest.raises(AuthError, match="access token"):
        line.send(person(1))
    with pytest.raises(AuthError):
        line.hubspot.test()
    assert hubspot.counts["contacts"] == 0


def test_a_token_refused_after_the_contacts_holds_their_events(hubspot: Running, line: Line) -> None:
    """What needs no event was delivered."""
    hubspot.fault(path="/events/v3/send/batch", status=401)
    result = line.send(person(1, with_event=True), person(2))
    assert [one.outcome for one in result.receipts] == ["held", "delivered"]


def test_a_spent_day_is_left_to_the_caller(tmp_path: Path) -> None:
    """Waiting for tomorrow is no pause of a task."""
    with running("hubspot", tmp_path, "--daily", "1", headers=HEADERS) as sandbox:
        line = Line(sandbox.url)
        with pytest.raises(RateLimited) as caught:
            line.send(person(1))
        assert caught.value.retry_after_seconds == 3600


def test_a_narrow_window_is_waited_out(tmp_path: Path) -> None:
    """Real waits: all arrives, once."""
    with running("hubspot", tmp_path, "--requests", "2", "--window-seconds", "0.5", headers=HEADERS) as sandbox:
        line = Line(sandbox.url, patience=Patience(attempts=20))
        for number in range(6):
            assert line.one(person(number)).outcome == "delivered"
        assert sandbox.counts["contacts"] == 6


def test_somebody_else_listening_is_unreachable(hubspot: Running) -> None:
    """Also nobody."""
    with pytest.raises(Unreachable):
        Line(f"http://127.0.0.1:{free_port()}").send(person(1))
    with pytest.raises(Unreachable):
        Line(f"{hubspot.url}/somewhere").send(person(1))
    with pytest.raises(Unreachable):
        Line(f"{hubspot.url}/somewhere").hubspot.test()


def test_a_connection_needs_a_token_and_a_real_property() -> None:
    """And shows no token."""
    opened = open_hubspot(Access(name="hs", secret=TOKEN), policy=Policy())
    assert "api.hubapi.com" in repr(opened)
    assert TOKEN not in repr(opened)
    with pytest.raises(AuthError, match="token"):
        open_hubspot(Access(name="hs", secret=""))
    with pytest.raises(AuthError, match="unique_property"):
        open_hubspot(Access(name="hs", secret=TOKEN, extras={"unique_property": "No Name"}))


@pytest.mark.parametrize(
    ("match", "changes", "calls"),
    [
        (Match.UPSERT, {}, ["upsert", "events"]),
        (Match.UPDATE_ONLY, {}, ["read", "update", "events"]),
        (Match.CREATE_ONLY, {}, ["read", "upsert", "events"]),
        (Match.UPSERT, {"platform_id": "7"}, ["update", "events"]),
        (Match.UPSERT, {"platform_id": "7", "action": ProfileAction.ARCHIVE}, ["archive"]),
        (Match.UPSERT, {"action": ProfileAction.CLEAR}, ["read", "update"]),
    ],
)
def test_a_preview_shows_each_request_and_makes_none(
    hubspot: Running, match: Match, changes: dict[str, Any], calls: list[str]
) -> None:
    """What the sandbox is then asked is the same."""
    line = Line(hubspot.url, match=match)
    (batch,) = line.hubspot.build([person(1, with_event=True, **changes)], skip_hook=False)
    assert isinstance(line.hubspot, InSteps)
    shown = [call for call, _ in line.hubspot.steps(batch)]
    assert ["events" if "/events/" in call else call.rpartition("/")[2] for call in shown] == calls
    assert hubspot.counts["requests"] == 0
