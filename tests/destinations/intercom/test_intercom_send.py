"""Carrying records to the sandbox Intercom over real HTTP: what it then holds, and what can never happen twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from include.config.platforms import Match
from include.destinations.intercom.destination import HOSTS, open_intercom
from include.destinations.line import Patience
from include.destinations.protocol import Access, Destination, Policy
from include.destinations.steps import InSteps
from include.errors import AuthError, RateLimited, Unreachable
from include.records import Event, Outcome, ProfileAction
from include.sandbox.intercom.credentials import TOKEN
from tests.destinations.intercom_line import AT, HEADERS, Line, person, tally
from tests.sandbox.running import Running, free_port, running


@pytest.fixture
def line(intercom: Running) -> Line:
    return Line(intercom.url)


def contacts(intercom: Running) -> list[dict[str, Any]]:
    return intercom.all("contacts")


def make(intercom: Running, **fields: Any) -> str:
    """Make a contact as somebody else would, and return its id."""
    status, contact, _ = intercom.call("POST", "/contacts", fields)
    assert status == 200, contact
    return str(contact["id"])


def test_people_and_events_arrive_as_mapped(intercom: Running, line: Line) -> None:
    """What the platform holds is what was said, record by record; a permission was taken for each request."""
    destination: Destination = line.intercom
    people = [
        person(
            number,
            with_event=True,
            attributes={"name": f"Ada {number}", "signed_up_at": "2026-01-31T10:20:30Z"},
            custom_attributes={"account_tier": "Gold", "employees": number},
        )
        for number in range(60)
    ]
    (batch,) = destination.build(people, skip_hook=False)
    result = destination.send(batch)
    assert tally(result) == {"delivered": 60}
    held = {one["external_id"]: one for one in contacts(intercom)}
    assert len(held) == 60
    for number, receipt in enumerate(result.receipts):
        one = held[f"u{number}"]
        assert (one["name"], one["email"]) == (f"Ada {number}", f"p{number}@example.com")
        assert one["signed_up_at"] == 1_769_854_830
        assert one["custom_attributes"] == {"account_tier": "Gold", "employees": number}
        assert receipt.platform_id == one["id"]
    assert {event["contact"] for event in intercom.all("events")} == {one["id"] for one in held.values()}
    assert line.tokens == result.requests == intercom.counts["requests"]


def test_the_headers_drive_the_bucket(intercom: Running, line: Line) -> None:
    """Every answer tells what is left."""
    line.one(person())
    assert len(line.observed) == line.tokens
    remaining, resets, limit = line.observed[-1]
    assert limit == 1_000_000
    assert remaining < 1_000_000
    assert 0 <= resets <= 11


def test_once_known_a_contact_is_changed_without_a_search(intercom: Running, line: Line) -> None:
    """Its id was remembered; a search would cost as much as the change."""
    known = replace(person(), platform_id=line.one(person()).platform_id)
    assert line.send(replace(known, attributes={"name": "Grace"})).requests == 1
    assert [one["name"] for one in contacts(intercom)] == ["Grace"]


def test_updating_only_makes_nobody(intercom: Running) -> None:
    """Who isn't there is skipped, with the reason; who is there is changed."""
    make(intercom, email="p1@example.com")
    result = Line(intercom.url, match=Match.UPDATE_ONLY).send(person(1), person(2))
    assert [(one.outcome, one.cause) for one in result.receipts] == [("delivered", ""), ("skipped", "not_at_platform")]
    assert [(one["name"], one["external_id"]) for one in contacts(intercom)] == [("Ada 1", "u1")]


def test_updating_only_finds_whom_the_search_does_not_know_yet(intercom: Running) -> None:
    """The external id is asked for directly: a search lags by minutes."""
    make(intercom, external_id="u1")
    intercom.post("/sandbox/search_delay", {"seconds": 3600})
    assert Line(intercom.url, match=Match.UPDATE_ONLY).one(person(1)).outcome == "delivered"


def test_creating_only_touches_nobody(intercom: Running) -> None:
    """Also not one that only the conflict tells of."""
    make(intercom, email="p1@example.com", name="Grace")
    line = Line(intercom.url, match=Match.CREATE_ONLY)
    result = line.send(person(1), person(2))
    assert [(one.outcome, one.cause) for one in result.receipts] == [
        ("skipped", "already_at_platform"),
        ("delivered", ""),
    ]
    intercom.post("/sandbox/search_delay", {"seconds": 3600})
    assert line.one(person(1)).cause == "already_at_platform"
    assert {one["name"] for one in contacts(intercom)} == {"Grace", "Ada 2"}


def test_whom_a_search_does_not_know_yet_is_no_second_contact(intercom: Running, line: Line) -> None:
    """The platform refuses the second one and names the first."""
    intercom.post("/sandbox/search_delay", {"seconds": 3600})
    first = line.one(person(1))
    second = line.one(person(1, attributes={"name": "Grace"}))
    assert (second.outcome, second.platform_id) == (Outcome.DELIVERED, first.platform_id)
    assert [one["name"] for one in contacts(intercom)] == ["Grace"]
    assert intercom.counts["by_status"]["409"] == 1


def test_an_archived_contact_is_brought_back(intercom: Running, line: Line) -> None:
    """A search doesn't find it, the conflict names it."""
    contact = make(intercom, external_id="u1", email="p1@example.com")
    intercom.call("POST", f"/contacts/{contact}/archive")
    receipt = line.one(person(1))
    assert (receipt.outcome, receipt.platform_id) == (Outcome.DELIVERED, contact)
    assert [(one["archived"], one["name"]) for one in contacts(intercom)] == [(False, "Ada 1")]


def test_several_contacts_of_one_address_need_a_person(intercom: Running, line: Line) -> None:
    """Nothing is written to either."""
    make(intercom, email="p1@example.com", role="lead")
    make(intercom, email="p1@example.com", role="lead")
    receipt = line.one(person(1, identifiers={"email": "p1@example.com"}))
    assert (receipt.outcome, receipt.cause, receipt.retryable) == (Outcome.REJECTED, "several_matches", False)
    assert [one["name"] for one in contacts(intercom)] == [None, None]


def test_another_systems_contact_is_left_alone(intercom: Running, line: Line) -> None:
    """It has the address, and an external id that is not ours; also when only the conflict tells."""
    make(intercom, external_id="app-7", email="p1@example.com")
    assert line.one(person(1)).cause == "identity_conflict"
    intercom.post("/sandbox/search_delay", {"seconds": 3600})
    assert line.one(person(1)).cause == "identity_conflict"
    assert [(one["external_id"], one["name"]) for one in contacts(intercom)] == [("app-7", None)]


@pytest.mark.parametrize("remembered", [True, False])
def test_a_changed_address_moves_the_contact(intercom: Running, line: Line, remembered: bool) -> None:
    """There is one person before and after."""
    first = line.one(person(1, identifiers={"email": "old@example.com"}))
    moved = person(
        1,
        identifiers={"email": "new@example.com"},
        former_identifiers={"email": "old@example.com"},
        platform_id=first.platform_id if remembered else "",
    )
    assert line.one(moved).platform_id == first.platform_id
    assert [one["email"] for one in contacts(intercom)] == ["new@example.com"]


def test_a_changed_address_that_another_has_needs_a_person(intercom: Running, line: Line) -> None:
    """The platform refuses it; we merge nobody."""
    first = line.one(person(1, identifiers={"email": "old@example.com"}))
    make(intercom, email="new@example.com")
    moved = person(1, identifiers={"email": "new@example.com"}, platform_id=first.platform_id)
    assert line.one(moved).cause == "identifier_taken"
    assert {one["email"] for one in contacts(intercom)} == {"old@example.com", "new@example.com"}


def merged_lead(intercom: Running) -> tuple[str, str]:
    lead = make(intercom, role="lead", external_id="u1", email="lead@example.com")
    user = make(intercom, email="p1@example.com")
    status, _, _ = intercom.call("POST", "/contacts/merge", {"from": lead, "into": user})
    assert status == 200
    return lead, user


@pytest.mark.parametrize("remembered", [True, False])
def test_a_merged_contact_leads_to_its_heir(intercom: Running, remembered: bool) -> None:
    """By the remembered id as by the external id (410 with a link)."""
    lead, user = merged_lead(intercom)
    record = person(1, identifiers={"uuid": "u1"}, platform_id=lead if remembered else "")
    receipt = Line(intercom.url, match=Match.UPDATE_ONLY).one(record)
    assert (receipt.outcome, receipt.platform_id) == (Outcome.DELIVERED, user)
    assert {one["id"]: one["name"] for one in contacts(intercom)}[user] == "Ada 1"


def test_a_remembered_contact_that_was_deleted_is_made_anew(intercom: Running, line: Line) -> None:
    """The memory was wrong; the record is not lost."""
    first = line.one(person(1))
    intercom.call("DELETE", f"/contacts/{first.platform_id}")
    again = line.one(person(1, platform_id=first.platform_id))
    assert again.outcome == "delivered"
    assert [one["id"] for one in contacts(intercom)] == [again.platform_id]


def test_nulls_clear_where_that_is_asked_for(intercom: Running) -> None:
    """And are left where it isn't."""
    full = person(1, attributes={"name": "Ada"}, custom_attributes={"account_tier": "Gold", "title": "CTO"})
    empty = replace(full, attributes={"name": None}, custom_attributes={"account_tier": None, "title": "CTO"})
    Line(intercom.url).send(full)
    Line(intercom.url).send(empty)
    assert contacts(intercom)[0]["custom_attributes"] == {"account_tier": "Gold", "title": "CTO"}
    Line(intercom.url, clear_nulls=True).send(empty)
    (one,) = contacts(intercom)
    assert (one["name"], one["custom_attributes"]) == (None, {"title": "CTO"})


def test_comparing_writes_only_what_differs(intercom: Running) -> None:
    """Of records found in both; what is equal costs no request beyond the search."""
    people = [person(number) for number in range(20)]
    Line(intercom.url).send(*people)
    people[3] = replace(people[3], attributes={"name": "Grace"})
    line = Line(intercom.url, match=Match.UPDATE_ONLY, compare=True)
    before = intercom.counts["requests"]
    result = line.send(*people, person(99))
    assert [one.cause for one in result.receipts].count("already_equal") == 19
    assert [one.outcome for one in result.receipts] == ["delivered"] * 20 + ["skipped"]
    paths = [one["method"] + one["path"] for one in intercom.get("/sandbox/requests?limit=1000")["requests"]]
    new = paths[: intercom.counts["requests"] - before]
    assert new.count("PUT/contacts/{id}") == 1
    assert len(new) == 5  # two searches, the types, the look by external id of the one that is not there, the change


def test_comparing_reads_a_remembered_contact_that_the_search_does_not_know(intercom: Running) -> None:
    """It was made a moment ago."""
    intercom.post("/sandbox/search_delay", {"seconds": 3600})
    first = Line(intercom.url).one(person(1))
    line = Line(intercom.url, compare=True)
    assert line.one(person(1, platform_id=first.platform_id)).cause == "already_equal"


@pytest.mark.parametrize(
    ("action", "left"),
    [
        (ProfileAction.ARCHIVE, [(True, "Ada 1")]),
        (ProfileAction.DELETE, []),
        (ProfileAction.CLEAR, [(False, None)]),
    ],
)
@pytest.mark.parametrize("remembered", [True, False])
def test_the_gone_are_archived_deleted_or_cleared(
    intercom: Running, line: Line, action: ProfileAction, left: list[Any], remembered: bool
) -> None:
    """And a second time changes nothing."""
    contact = line.one(person(1)).platform_id
    gone = person(1, action=action, attributes={"name": None}, platform_id=contact if remembered else "")
    assert [line.one(gone).outcome, line.one(gone).outcome] == ["delivered", "delivered"]
    assert [(one["archived"], one["name"]) for one in contacts(intercom)] == left


def test_whoever_became_part_of_another_is_not_deleted_with_them(intercom: Running, line: Line) -> None:
    """The heir is somebody who is still there."""
    lead, user = merged_lead(intercom)
    assert line.one(person(1, action=ProfileAction.DELETE, platform_id=lead)).cause == "already_gone"
    assert user in {one["id"] for one in contacts(intercom)}


def test_what_the_platform_refuses_is_rejected_with_its_attribute(intercom: Running, line: Line) -> None:
    """One record; the others arrive."""
    result = line.send(person(1), person(2, custom_attributes={"unheard_of": "x"}), person(3))
    assert [one.outcome for one in result.receipts] == ["delivered", "rejected", "delivered"]
    assert result.receipts[1].message.endswith(": unheard_of")
    assert not result.receipts[1].retryable


LOST = [{"drop_answer": True}, {"status": 500}, {"status": 504}, {"status": 200, "body": "<html>later</html>"}]


@pytest.mark.parametrize("search_delay", [0, 3600])
@pytest.mark.parametrize("after_store", [True, False])
@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("identifiers", [{"uuid": "u1"}, {"email": "p1@example.com"}])
def test_a_lost_answer_to_a_creation_makes_no_second_contact(
    intercom: Running,
    line: Line,
    fault: dict[str, Any],
    after_store: bool,
    search_delay: int,
    identifiers: dict[str, str],
) -> None:
    """One looks, then decides; where the search is too slow, the platform's own conflict tells."""
    intercom.post("/sandbox/search_delay", {"seconds": search_delay})
    intercom.fault(path="/contacts", method="POST", after_store=after_store, **fault)
    assert line.one(person(1, with_event=True, identifiers=identifiers)).outcome == "delivered"
    assert [one["name"] for one in contacts(intercom)] == ["Ada 1"]
    assert len(intercom.all("events")) == 1


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_to_an_event_stores_no_second_one(intercom: Running, line: Line, fault: dict[str, Any]) -> None:
    """The platform knows it again by contact, name and second."""
    intercom.fault(path="/events", after_store=True, **fault)
    first = line.one(person(1, with_event=True))
    assert first.outcome == "delivered" or (first.retryable and line.one(person(1, with_event=True)))
    assert [event["repeats"] for event in intercom.all("events")] == [1]


def test_two_events_of_one_second_are_one_and_of_two_seconds_are_two(intercom: Running, line: Line) -> None:
    """That is the platform's rule; the documentation says so."""
    events = tuple(
        Event(key=str(number), name="deal-won", at=AT + timedelta(milliseconds=ms))
        for number, ms in enumerate((0, 100, 1000))
    )
    line.send(person(1, events=events))
    assert len(intercom.all("events")) == 2


def test_a_fault_that_stays_leaves_the_record_to_a_later_run(intercom: Running, line: Line) -> None:
    """It may be tried again, for nothing of it can be doubled."""
    intercom.fault(path="/contacts", method="POST", status=503, times=99)
    receipt = line.one(person(1))
    assert (receipt.outcome, receipt.cause, receipt.retryable) == (Outcome.REJECTED, "server_fault", True)
    intercom.http.request("DELETE", intercom.url + "/sandbox/faults")
    assert line.one(person(1)).outcome == "delivered"


def test_a_search_that_fails_leaves_its_records_to_a_later_run(intercom: Running, line: Line) -> None:
    """Nothing was written."""
    intercom.fault(path="/contacts/search", status=503, times=99)
    assert tally(line.send(person(1), person(2))) == {"rejected": 2}
    assert contacts(intercom) == []


def test_two_who_create_at_once_end_with_one_contact(intercom: Running) -> None:
    """Whoever comes second changes what the first made."""
    intercom.post("/sandbox/search_delay", {"seconds": 3600})
    twins = [person(number, identifiers={"uuid": "same"}) for number in range(16)]
    assert tally(Line(intercom.url, connections=16).send(*twins)) == {"delivered": 16}
    assert len(contacts(intercom)) == 1


def test_a_refused_token_raises_and_sends_nothing(intercom: Running) -> None:
    """Neither the batch nor the test passes, and no message holds the token."""
    line = Line(intercom.url, token="wrong")
    with pytest.raises(AuthError, match="access token") as caught:
        line.send(person(1))
    assert "wrong" not in str(caught.value).replace("wrongly", "")
    with pytest.raises(AuthError):
        line.intercom.test()


def test_a_token_refused_in_the_middle_holds_the_rest(intercom: Running) -> None:
    """What was delivered is said; nothing more is sent."""
    intercom.fault(path="/contacts", method="POST", status=401, skip=3, times=99)
    line = Line(intercom.url, connections=1)
    result = line.send(*(person(number) for number in range(8)))
    assert tally(result) == {"delivered": 3, "held": 5}
    assert intercom.counts["by_status"]["401"] == 1


def test_throttling_waits_until_the_window_ends(intercom: Running, line: Line) -> None:
    """As the header says, which the bucket hears too."""
    intercom.fault(path="/contacts", method="POST", status=429, retry_after="3")
    assert line.one(person(1)).outcome == "delivered"
    assert line.pauses == [3.0]
    assert line.told_to_wait == [3.0]


def test_throttling_without_end_is_left_to_the_caller(intercom: Running, line: Line) -> None:
    """Nothing was taken."""
    intercom.fault(path="/contacts/search", status=429, retry_after="3600")
    with pytest.raises(RateLimited) as caught:
        line.send(person(1))
    assert caught.value.retry_after_seconds == 3600


def test_a_narrow_window_is_waited_out(tmp_path: Path) -> None:
    """Real waits: more is sent than a window takes, and all arrives, once."""
    with running("intercom", tmp_path, "--requests", "20", "--window-seconds", "0.5", headers=HEADERS) as sandbox:
        line = Line(sandbox.url, patience=Patience(attempts=20))
        result = line.send(*(person(number) for number in range(60)))
        assert tally(result) == {"delivered": 60}
        assert sandbox.counts["contacts"] == 60
        assert sandbox.counts["by_status"]["429"] > 0


def test_nobody_or_somebody_else_listening_is_unreachable(intercom: Running) -> None:
    """The message names the address."""
    port = free_port()
    with pytest.raises(Unreachable, match=str(port)):
        Line(f"http://127.0.0.1:{port}").send(person(1))
    with pytest.raises(Unreachable, match="404"):
        Line(f"{intercom.url}/somewhere").send(person(1))


def test_the_connection_test_reads_only(intercom: Running, line: Line) -> None:
    """It asks who the token belongs to."""
    line.intercom.test()
    assert [one["path"] for one in intercom.get("/sandbox/requests")["requests"]] == ["/me"]


def test_a_connection_names_host_or_region() -> None:
    """And nothing that shows the token."""
    opened = open_intercom(Access(name="ic", secret=TOKEN, extras={"region": "EU"}), policy=Policy())
    assert HOSTS["eu"] in repr(opened)
    assert TOKEN not in repr(opened)
    with pytest.raises(AuthError, match="region"):
        open_intercom(Access(name="ic", secret=TOKEN, extras={"region": "mars"}))
    with pytest.raises(AuthError, match="token"):
        open_intercom(Access(name="ic", secret=" "))


@pytest.mark.parametrize(
    ("match", "changes", "calls"),
    [
        (
            Match.UPSERT,
            {},
            [
                "POST /contacts/search",
                "PUT /contacts/{the contact that is found}",
                "POST /contacts (if none is found)",
                "POST /events",
            ],
        ),
        (
            Match.UPDATE_ONLY,
            {},
            ["POST /contacts/search", "PUT /contacts/{the contact that is found}", "POST /events"],
        ),
        (Match.CREATE_ONLY, {}, ["POST /contacts/search", "POST /contacts (if none is found)", "POST /events"]),
        (Match.UPSERT, {"platform_id": "c1"}, ["PUT /contacts/c1", "POST /events"]),
        (Match.UPSERT, {"platform_id": "c1", "action": ProfileAction.DELETE}, ["DELETE /contacts/c1"]),
        (Match.UPSERT, {"platform_id": "c1", "action": ProfileAction.ARCHIVE}, ["POST /contacts/c1/archive"]),
        (
            Match.CREATE_ONLY,
            {"platform_id": "c1", "action": ProfileAction.CLEAR, "with_event": False},
            ["PUT /contacts/c1"],
        ),
    ],
)
def test_a_preview_shows_each_request_and_makes_none(
    intercom: Running, match: Match, changes: dict[str, Any], calls: list[str]
) -> None:
    """In their order; what only the platform knows is said in words."""
    line = Line(intercom.url, match=match)
    (batch,) = line.intercom.build([person(1, **({"with_event": True} | changes))], skip_hook=False)
    assert isinstance(line.intercom, InSteps)
    assert [call for call, _ in line.intercom.steps(batch)] == calls
    assert intercom.counts["requests"] == 0
