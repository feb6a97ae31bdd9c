"""What belongs to an upsert at Insider One: changed identifiers, what became empty, records that are gone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from include.destinations.insider_one.destination import InsiderOne
from include.destinations.line import Patience
from include.destinations.protocol import BatchResult, Policy
from include.errors import AuthError, Unreachable
from include.records import Event, Outcome, Profile, ProfileAction, Receipt
from include.sandbox.insider_one.credentials import PARTNER, TOKEN
from tests.sandbox.insider_one.running import Sandbox

CLEAR = "/api/user/v1/attribute/delete"
IDENTITY = "/api/user/v1/identity"
DELETE = "/api/user/v1/delete"
UPSERT = "/api/user/v1/upsert"


class Line:
    """A connector that clears nulls, notes lanes and makes no pauses."""

    def __init__(self, sandbox: Sandbox, *, url: str = "", clear_nulls: bool = True) -> None:
        self.lanes: list[str] = []
        self.insider = InsiderOne(
            base_url=url or sandbox.url,
            partner=PARTNER,
            token=TOKEN,
            bucket=self,
            policy=Policy(clear_nulls=clear_nulls),
            patience=Patience(sleep=lambda seconds: None),
        )

    def take(self, tokens: int = 1, *, lane: str = "") -> None:
        self.lanes.append(lane)

    def observe(self, *, remaining: int, resets_in_seconds: float, limit: int | None = None, lane: str = "") -> None:
        """Take no note."""

    def pause(self, seconds: float, *, lane: str = "") -> None:
        """Take no note."""

    def send(self, *profiles: Profile) -> BatchResult:
        for profile in profiles:
            assert self.insider.check(profile, now=datetime.now(UTC)) is None
        (batch,) = self.insider.build(profiles, skip_hook=True)
        result = self.insider.send(batch)
        assert [one.record_id for one in result.receipts] == [one.record_id for one in batch.records]
        assert batch.skip_hook
        return result

    def one(self, profile: Profile) -> Receipt:
        return self.send(profile).receipts[0]


@pytest.fixture
def line(sandbox: Sandbox) -> Line:
    return Line(sandbox)


def person(number: int = 1, *, with_event: bool = False, **changes: Any) -> Profile:
    fields: dict[str, Any] = {
        "record_id": f"r{number}",
        "identifiers": {"uuid": f"u{number}", "email": f"p{number}@example.com"},
        "attributes": {"name": "Ada", "city": "Rome"},
        "custom_attributes": {"tier": "Gold"},
        "events": (Event(key=f"k{number}", name="stage_changed", at=datetime.now(UTC)),) if with_event else (),
    }
    return Profile(**(fields | changes))


def emptied(number: int = 1, **changes: Any) -> Profile:
    return person(number, attributes={"name": "Ada", "city": None}, custom_attributes={"tier": None}, **changes)


def paths(sandbox: Sandbox) -> list[str]:
    """Return the paths of the requests so far, the first one first."""
    return [one["path"] for one in reversed(sandbox.get("/sandbox/requests?limit=1000")["requests"])]


def test_what_became_empty_is_cleared_after_the_upsert(sandbox: Sandbox, line: Line) -> None:
    """In one request for all; who has nothing to clear is not in it."""
    line.send(person(1), person(2))
    result = line.send(emptied(1), person(2))
    assert [one.outcome for one in result.receipts] == ["delivered", "delivered"]
    assert sandbox.get("/sandbox/profile?uuid=u1")["attributes"] == {"name": "Ada"}
    assert sandbox.get("/sandbox/profile?uuid=u2")["attributes"]["custom"] == {"tier": "Gold"}
    assert paths(sandbox) == [UPSERT, UPSERT, CLEAR]
    assert sandbox.get("/sandbox/requests?limit=1")["requests"][0]["users"] == 1
    assert result.requests == 2


def test_nulls_are_left_where_clearing_is_not_asked_for(sandbox: Sandbox) -> None:
    """The platform keeps what it has."""
    line = Line(sandbox, clear_nulls=False)
    line.send(person(1))
    line.send(emptied(1))
    assert sandbox.get("/sandbox/profile?uuid=u1")["attributes"]["city"] == "Rome"


def test_a_record_that_only_empties_is_no_upsert(sandbox: Sandbox, line: Line) -> None:
    """The platform would refuse one without attributes."""
    line.send(person(1))
    assert line.one(person(1, attributes={"city": None}, custom_attributes={})).outcome == "delivered"
    assert paths(sandbox) == [UPSERT, CLEAR]
    assert "city" not in sandbox.get("/sandbox/profile?uuid=u1")["attributes"]


def test_an_identifier_among_the_attributes_is_never_cleared(sandbox: Sandbox, line: Line) -> None:
    """It cannot be, and the others are."""
    record = person(1, attributes={"email": None, "city": None, "name": "Ada"}, custom_attributes={})
    assert line.one(record).outcome == "delivered"
    assert sandbox.get("/sandbox/profile?uuid=u1")["attributes"] == {"name": "Ada"}


def test_events_wait_until_their_profile_is_as_it_should_be(sandbox: Sandbox, line: Line) -> None:
    """Those of a record that has something to clear come last; all are stored once."""
    result = line.send(emptied(1, with_event=True), person(2, with_event=True))
    assert [one.outcome for one in result.receipts] == ["delivered", "delivered"]
    assert paths(sandbox) == [UPSERT, CLEAR, UPSERT]
    assert sandbox.counts["events"] == 2
    assert {event["skip_hook"] for event in sandbox.get("/sandbox/events")["events"]} == {True}


def test_a_clearing_that_fails_leaves_its_events_unsent(sandbox: Sandbox, line: Line) -> None:
    """So that a later run may send all of it, and no event is stored twice."""
    line.send(person(1))
    sandbox.fault(path=CLEAR, status=503, times=9)
    receipt = line.one(emptied(1, with_event=True))
    assert (receipt.outcome, receipt.retryable) == (Outcome.REJECTED, True)
    assert sandbox.counts["events"] == 0
    sandbox.http.request("DELETE", sandbox.url + "/sandbox/faults")
    assert line.one(emptied(1, with_event=True)).outcome == "delivered"
    assert sandbox.counts["events"] == 1
    assert "city" not in sandbox.get("/sandbox/profile?uuid=u1")["attributes"]


def test_a_clearing_refused_for_one_user_rejects_that_one(sandbox: Sandbox, line: Line) -> None:
    """By its index, as in an upsert."""
    line.send(person(1), person(2))
    sandbox.fault(path=CLEAR, reject_indexes=[1])
    result = line.send(emptied(1), emptied(2))
    assert [one.outcome for one in result.receipts] == ["delivered", "rejected"]


@pytest.mark.parametrize("fault", [{"drop_answer": True}, {"status": 504}, {"status": 200, "body": {}}])
def test_a_lost_answer_to_a_clearing_is_asked_again(sandbox: Sandbox, line: Line, fault: dict[str, Any]) -> None:
    """Clearing twice is clearing once; an empty object is a success, as documented."""
    line.send(person(1))
    sandbox.fault(path=CLEAR, after_store=True, **fault)
    assert line.one(emptied(1)).outcome == "delivered"
    assert "city" not in sandbox.get("/sandbox/profile?uuid=u1")["attributes"]


def moved(**changes: Any) -> Profile:
    return person(
        1,
        identifiers={"email": "new@example.com"},
        former_identifiers={"email": "old@example.com"},
        **changes,
    )


def test_a_changed_address_is_followed_before_the_upsert(sandbox: Sandbox, line: Line) -> None:
    """There is one profile before and after, with its events."""
    line.send(person(1, identifiers={"email": "old@example.com"}, with_event=True))
    assert line.one(moved()).outcome == "delivered"
    assert paths(sandbox) == [UPSERT, IDENTITY, UPSERT]
    assert line.lanes == ["", "identity", ""]
    assert sandbox.counts["profiles"] == 1
    assert len(sandbox.get("/sandbox/profile?email=new@example.com")["events"]) == 1


def test_a_changed_custom_identifier_is_followed_too(sandbox: Sandbox, line: Line) -> None:
    """Its former value is kept under its name with a prefix."""
    own = {"identifiers": {}, "custom_identifiers": {"crm_id": "7"}}
    line.send(person(1, **own))
    changed = {"identifiers": {}, "custom_identifiers": {"crm_id": "8"}}
    line.send(person(1, **changed, former_identifiers={"custom.crm_id": "7"}))
    (profile,) = sandbox.get("/sandbox/profiles")["profiles"]
    assert profile["identifiers"] == {"custom": {"crm_id": "8"}}


def test_whom_the_platform_never_knew_is_made(sandbox: Sandbox, line: Line) -> None:
    """The former address leads to nobody."""
    assert line.one(moved()).outcome == "delivered"
    assert sandbox.counts["profiles"] == 1


def test_a_change_that_was_made_before_is_no_conflict(sandbox: Sandbox, line: Line) -> None:
    """Its answer was lost, or the run was killed after it: nobody has the former address any more."""
    line.send(person(1, identifiers={"email": "old@example.com"}))
    sandbox.fault(path=IDENTITY, after_store=True, drop_answer=True)
    assert line.one(moved()).outcome == "delivered"
    assert line.one(moved()).outcome == "delivered"
    assert sandbox.counts["profiles"] == 1


def test_an_address_that_another_profile_has_needs_a_person(sandbox: Sandbox, line: Line) -> None:
    """Nothing of the record is sent; the others of the batch are."""
    line.send(person(1, identifiers={"email": "old@example.com"}), person(2, identifiers={"email": "new@example.com"}))
    result = line.send(moved(with_event=True), person(3, with_event=True))
    assert [(one.outcome, one.cause) for one in result.receipts] == [
        ("rejected", "identifier_taken"),
        ("delivered", ""),
    ]
    assert sandbox.counts["events"] == 1
    assert sandbox.counts["profiles"] == 3


def test_a_change_that_fails_is_tried_by_a_later_run(sandbox: Sandbox, line: Line) -> None:
    """Without it the upsert would make a second profile, so that nothing is sent."""
    line.send(person(1, identifiers={"email": "old@example.com"}))
    sandbox.fault(path=IDENTITY, status=503, times=9)
    receipt = line.one(moved(with_event=True))
    assert (receipt.outcome, receipt.retryable) == (Outcome.REJECTED, True)
    assert sandbox.counts["profiles"] == 1
    assert sandbox.counts["events"] == 0


def test_the_gone_lose_what_the_push_maps(sandbox: Sandbox, line: Line) -> None:
    """Their profile stays, with what others wrote; a second time changes nothing."""
    line.send(person(1), person(2))
    sandbox.upsert({"identifiers": {"uuid": "u1"}, "attributes": {"surname": "L"}})
    gone = person(1, action=ProfileAction.CLEAR, attributes={"name": None, "city": None, "email": None})
    assert [line.one(gone).outcome, line.one(gone).outcome] == ["delivered", "delivered"]
    assert sandbox.get("/sandbox/profile?uuid=u1")["attributes"] == {"surname": "L"}
    assert sandbox.counts["profiles"] == 2


def test_the_gone_are_deleted_and_a_second_time_is_as_good(sandbox: Sandbox, line: Line) -> None:
    """Each is a request in a lane of its own."""
    line.send(person(1), person(2))
    gone = [person(number, action=ProfileAction.DELETE) for number in (1, 2)]
    sandbox.fault(path=DELETE, after_store=True, drop_answer=True)
    assert [one.outcome for one in line.send(*gone).receipts] == ["delivered", "delivered"]
    assert [one.cause for one in line.send(*gone).receipts] == ["already_gone", "already_gone"]
    assert sandbox.counts["profiles"] == 0
    assert set(line.lanes) == {"", "removal"}


def test_upserts_and_the_gone_are_never_in_one_batch(line: Line) -> None:
    """Whatever their order."""
    actions = [ProfileAction.UPSERT, ProfileAction.DELETE, ProfileAction.CLEAR] * 4
    people = [person(number, action=action) for number, action in enumerate(actions)]
    batches = list(line.insider.build(people, skip_hook=False))
    assert sorted(len(batch.records) for batch in batches) == [4, 4, 4]
    assert all(len({record.action for record in batch.records}) == 1 for batch in batches)


@pytest.mark.parametrize("path", [IDENTITY, CLEAR, UPSERT])
def test_refused_credentials_hold_what_was_not_sent(sandbox: Sandbox, line: Line, path: str) -> None:
    """Raised as long as nothing was taken; what arrived before is said."""
    line.send(person(1, identifiers={"email": "old@example.com"}))
    sandbox.fault(path=path, status=403)
    record = moved(attributes={"city": None, "name": "Ada"})
    if path == CLEAR:
        assert line.one(record).outcome == "held"
    else:
        with pytest.raises(AuthError):
            line.send(record)


def test_somebody_else_answering_a_companion_call_is_unreachable(sandbox: Sandbox) -> None:
    """A 404 without the platform's words is no answer of its."""
    elsewhere = Line(sandbox, url=f"{sandbox.url}/somewhere")
    with pytest.raises(Unreachable, match="404"):
        elsewhere.send(moved())
    with pytest.raises(Unreachable, match="404"):
        elsewhere.send(person(1, action=ProfileAction.DELETE))
