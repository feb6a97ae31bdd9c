"""Sending to the sandbox over real HTTP: attributes first, events once, errors by index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from include.config.platforms import Match
from include.destinations.braze.destination import Braze
from include.destinations.line import Patience
from include.destinations.protocol import BatchResult, Policy
from include.errors import AuthError, RateLimited, ServerFault, Unreachable
from include.records import Event, Outcome, Profile, ProfileAction
from include.sandbox.braze.credentials import KEY
from tests.sandbox.running import Running, free_port, running

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def one_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running("braze", tmp_path_factory.mktemp("braze")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(one_sandbox: Running) -> Running:
    one_sandbox.post("/sandbox/reset")
    return one_sandbox


class Wire:
    """A connector to the sandbox that notes its pauses instead of making them."""

    def __init__(self, sandbox: Running, **options: Any) -> None:
        self.pauses: list[float] = []
        options = {"base_url": sandbox.url, "key": KEY, "patience": Patience(sleep=self.pauses.append)} | options
        self.braze = Braze(**options)

    def push(self, *profiles: Profile) -> BatchResult:
        (batch,) = self.braze.build(profiles, skip_hook=False)
        result = self.braze.send(batch)
        assert [each.record_id for each in result.receipts] == [each.record_id for each in batch.records]
        return result


@pytest.fixture
def wire(sandbox: Running) -> Wire:
    return Wire(sandbox)


def person(number: int, **parts: Any) -> Profile:
    whole: dict[str, Any] = {
        "identifiers": {"uuid": f"u{number}", "email": f"p{number}@example.com"},
        "attributes": {"first_name": f"Ada {number}"},
    }
    return Profile(record_id=f"r{number}", **(whole | parts))


def event(number: int, **parts: Any) -> Event:
    return Event(**({"key": f"k{number}", "name": "stage_changed", "at": NOW} | parts))


def tally(result: BatchResult) -> dict[str, int]:
    return dict(Counter(str(each.outcome) for each in result.receipts))


def test_profiles_and_events_arrive(sandbox: Running, wire: Wire) -> None:
    """Under the strongest key; parameters become properties."""
    one = person(1, custom_attributes={"tier": "Gold"}, events=(event(1, custom_params={"stage": "won"}),))
    assert tally(wire.push(one, person(2))) == {"delivered": 2}
    assert sandbox.all("users")[0] == {
        "braze_id": "1", "external_id": "u1", "email": "p1@example.com", "first_name": "Ada 1", "tier": "Gold",
    }  # fmt: skip
    (stored,) = sandbox.all("events")
    assert (stored["name"], stored["properties"], stored["time"]) == (
        "stage_changed", {"stage": "won"}, "2026-11-22T12:00:00.000Z",
    )  # fmt: skip


def test_a_record_without_attributes_is_its_event(sandbox: Running, wire: Wire) -> None:
    """No element of attributes is sent for it; the others of the batch have one."""
    bare = person(1, identifiers={"uuid": "u1"}, attributes={}, events=(event(1),))
    assert tally(wire.push(bare, person(2))) == {"delivered": 2}
    assert tally(wire.push(bare)) == {"delivered": 1}
    assert (sandbox.counts["users"], sandbox.counts["events"]) == (2, 2)


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        ({"identifiers": {"email": "a@example.com"}}, "email"),
        ({"identifiers": {"phone_number": "+4930123456"}}, "phone"),
        ({"identifiers": {}, "custom_identifiers": {"crm": "003"}}, "user_aliases"),
    ],
)
def test_weaker_keys_find_the_same_user_again(sandbox: Running, wire: Wire, parts: dict[str, Any], key: str) -> None:
    """A user known by an alias is made as well."""
    for name in ("Ada", "Grace"):
        assert tally(wire.push(person(1, attributes={"first_name": name}, **parts))) == {"delivered": 1}
    (user,) = sandbox.all("users")
    assert key in user
    assert user["first_name"] == "Grace"


def test_a_batch_holds_seventy_five_records(sandbox: Running, wire: Wire) -> None:
    """And its events go in as many requests as they need."""
    batches = list(wire.braze.build((person(n, events=(event(n),)) for n in range(160)), skip_hook=False))
    assert [len(each.records) for each in batches] == [75, 75, 10]
    results = [wire.braze.send(each) for each in batches]
    assert [tally(each) for each in results] == [{"delivered": 75}, {"delivered": 75}, {"delivered": 10}]
    assert [each.requests for each in results] == [2, 2, 2]
    assert sandbox.counts["events"] == 160


def test_refused_elements_reject_their_records(sandbox: Running, wire: Wire) -> None:
    """By array and index; HTTP 201 is not success."""
    sandbox.fault(reject_indexes=[1])
    result = wire.push(person(0), person(1), person(2))
    assert [str(each.outcome) for each in result.receipts] == ["delivered", "rejected", "delivered"]
    assert sandbox.counts["users"] == 2


def test_a_record_whose_attributes_are_refused_sends_no_event(sandbox: Running, wire: Wire) -> None:
    """Or its event would be there twice when the record is mended and sent again."""
    sandbox.fault(reject_indexes=[0])
    result = wire.push(*(person(n, events=(event(n),)) for n in range(2)))
    assert [str(each.outcome) for each in result.receipts] == ["rejected", "delivered"]
    assert sandbox.counts["events"] == 1


def test_a_refused_event_rejects_its_record(sandbox: Running, wire: Wire) -> None:
    """The attributes stay; they are the same when they come again."""
    sandbox.fault(skip=1, reject_indexes=[1])
    result = wire.push(*(person(n, events=(event(n),)) for n in range(3)))
    assert [str(each.outcome) for each in result.receipts] == ["delivered", "rejected", "delivered"]
    assert sandbox.counts["events"] == 2


def test_one_of_two_events_refused_is_unknown(sandbox: Running, wire: Wire) -> None:
    """Sending both again would double the one that was stored."""
    sandbox.fault(skip=1, reject_indexes=[1])
    result = wire.push(person(1, events=(event(1), event(2))))
    assert [(str(each.outcome), each.cause) for each in result.receipts] == [("unknown", "partly_stored")]


@pytest.mark.parametrize(
    "fault", [{"drop_answer": True}, {"status": 500}, {"status": 504}, {"status": 200, "body": "<p>"}]
)
@pytest.mark.parametrize("after_store", [True, False])
def test_a_lost_answer_to_events_is_unknown_and_never_sent_again(
    sandbox: Running, wire: Wire, fault: dict[str, Any], after_store: bool
) -> None:
    """Whether they arrived or not: the platform would store them twice."""
    sandbox.fault(skip=1, after_store=after_store, **fault)
    assert tally(wire.push(*(person(n, events=(event(n),)) for n in range(3)))) == {"unknown": 3}
    assert sandbox.counts["events"] == (3 if after_store else 0)


@pytest.mark.parametrize("fault", [{"drop_answer": True}, {"status": 500}, {"status": 503}])
def test_a_lost_answer_to_attributes_is_sent_again(sandbox: Running, wire: Wire, fault: dict[str, Any]) -> None:
    """The same attributes twice are the same attributes."""
    sandbox.fault(after_store=True, **fault)
    assert tally(wire.push(*(person(n, events=(event(n),)) for n in range(3)))) == {"delivered": 3}
    assert (sandbox.counts["users"], sandbox.counts["events"]) == (3, 3)


def test_an_event_that_was_not_worked_on_is_sent_again(sandbox: Running, wire: Wire) -> None:
    """A 503 says so."""
    sandbox.fault(skip=1, status=503)
    assert tally(wire.push(person(1, events=(event(1),)))) == {"delivered": 1}
    assert sandbox.counts["events"] == 1


def test_an_answer_that_names_what_is_not_there_is_unclear(sandbox: Running, wire: Wire) -> None:
    """Attributes are asked again in halves; events are unknown."""
    body = {"message": "success", "errors": [{"type": "x", "input_array": "events", "index": 9}]}
    sandbox.fault(status=201, body=body, after_store=True)
    assert tally(wire.push(person(1), person(2))) == {"delivered": 2}
    sandbox.fault(skip=1, status=201, body=body, after_store=True)
    assert tally(wire.push(person(1, events=(event(1),)))) == {"unknown": 1}


def test_nobody_is_made_where_only_updates_are_wanted(sandbox: Running) -> None:
    """The platform does not tell who was not there."""
    wire = Wire(sandbox, policy=Policy(match=Match.UPDATE_ONLY))
    Wire(sandbox).push(person(1))
    wire.push(person(1, attributes={"first_name": "Grace"}, events=(event(1),)), person(2, events=(event(2),)))
    assert [(user["external_id"], user["first_name"]) for user in sandbox.all("users")] == [("u1", "Grace")]
    assert sandbox.counts["events"] == 1


@pytest.mark.parametrize("clear_nulls", [True, False])
def test_a_null_clears_where_that_is_wanted(sandbox: Running, clear_nulls: bool) -> None:
    """Otherwise nothing is sent of it."""
    wire = Wire(sandbox, policy=Policy(clear_nulls=clear_nulls))
    wire.push(person(1, custom_attributes={"tier": "Gold"}))
    wire.push(person(1, attributes={"first_name": None}, custom_attributes={"tier": None}))
    (user,) = sandbox.all("users")
    assert ("first_name" in user, "tier" in user) == (not clear_nulls, not clear_nulls)


def test_records_that_are_gone_can_be_cleared_or_deleted(sandbox: Running, wire: Wire) -> None:
    """Clearing empties what the push maps and makes nobody; deleting goes by id, fifty at a time."""
    wire.push(*(person(n, custom_attributes={"tier": "Gold"}) for n in range(60)))
    gone = person(0, custom_attributes={"tier": "Gold"}, action=ProfileAction.CLEAR)
    assert tally(wire.push(gone, person(99, action=ProfileAction.CLEAR))) == {"delivered": 2}
    assert sandbox.all("users")[0] == {"braze_id": "1", "external_id": "u0", "email": "p0@example.com"}
    assert sandbox.counts["users"] == 60
    batches = list(wire.braze.build((person(n, action=ProfileAction.DELETE) for n in range(60)), skip_hook=False))
    assert [len(each.records) for each in batches] == [50, 10]
    assert [tally(wire.braze.send(each)) for each in batches] == [{"delivered": 50}, {"delivered": 10}]
    assert sandbox.counts["users"] == 0
    assert tally(wire.push(person(1, action=ProfileAction.DELETE))) == {"delivered": 1}  # not there any more: the same


def test_throttling_waits_until_the_window_ends(sandbox: Running, wire: Wire) -> None:
    """The reset is a time; without headers a growing pause."""
    sandbox.fault(status=429, retry_after="7")
    assert tally(wire.push(person(1, events=(event(1),)))) == {"delivered": 1}
    assert wire.pauses == [7.0]
    sandbox.fault(status=429, retry_after="3600")
    with pytest.raises(RateLimited):
        wire.push(person(1))


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_raises_at_once(sandbox: Running, wire: Wire, status: int) -> None:
    """Nothing was taken; of events that follow taken attributes, the records are held."""
    sandbox.fault(status=status)
    with pytest.raises(AuthError, match=r"users\.track"):
        wire.push(person(1))
    sandbox.fault(skip=1, status=status)
    assert tally(wire.push(person(1, events=(event(1),)), person(2))) == {"held": 1, "delivered": 1}


def test_the_connection_test_stores_nothing(sandbox: Running, wire: Wire) -> None:
    """And says what is wrong."""
    wire.braze.test()
    assert sandbox.counts["users"] == 0
    with pytest.raises(AuthError):
        Wire(sandbox, key="wrong").braze.test()
    with pytest.raises(Unreachable):
        Wire(sandbox, base_url=f"http://127.0.0.1:{free_port()}").braze.test()
    with pytest.raises(Unreachable):
        Wire(sandbox, base_url=f"{sandbox.url}/elsewhere").braze.test()
    sandbox.fault(status=503)
    with pytest.raises(ServerFault):
        wire.braze.test()


@pytest.mark.parametrize(
    ("parts", "cause"),
    [
        ({"identifiers": {}}, "no_identifier"),
        ({"identifiers": {"nickname": "secret-value"}}, "unknown_identifier"),
        ({"identifiers": {"email": "secret-value"}}, "invalid_email"),
        ({"identifiers": {"phone_number": "12345"}}, "invalid_phone"),
        ({"attributes": {"tier": "secret-value"}}, "unknown_attribute"),
        ({"attributes": {"country": "secret-value"}}, "invalid_country"),
        ({"attributes": {"birthday": "secret-value"}}, "invalid_dob"),
        ({"attributes": {"email_subscribe": "secret-value"}}, "invalid_email_subscribe"),
        ({"custom_attributes": {"$tier": 1}}, "invalid_name"),
        ({"custom_attributes": {"external_id": "secret-value"}}, "invalid_name"),
        ({"custom_attributes": {"_update_existing_only": True}}, "invalid_name"),
        ({"custom_attributes": {"tier": {1, 2}}}, "invalid_value"),
        ({"custom_attributes": {"big": 2**70}}, "not_json"),
        ({"attributes": {"first_name": "x" * 4_000_000}}, "too_large"),
        ({"events": (event(1, name=""),)}, "invalid_event_name"),
        ({"events": (event(1, at=NOW.replace(tzinfo=None)),)}, "invalid_event_time"),
        ({"events": (event(1, custom_params={"$x": 1}),)}, "invalid_name"),
        ({"events": (event(1, custom_params={"x": "y" * 60_000}),)}, "too_large"),
        ({"identifiers": {"email": "a@example.com"}, "action": ProfileAction.DELETE}, "no_key_to_delete"),
    ],
)
def test_what_the_platform_would_refuse_or_lose_is_not_sent(wire: Wire, parts: dict[str, Any], cause: str) -> None:
    """The message names the place and never the value."""
    receipt = wire.braze.check(person(1, **parts), now=NOW)
    assert receipt is not None
    assert (receipt.outcome, receipt.cause) == (Outcome.REJECTED, cause)
    assert "secret-value" not in receipt.message


def test_a_record_with_nothing_to_say_is_skipped(wire: Wire) -> None:
    """Its key alone is no attribute."""
    receipt = wire.braze.check(person(1, identifiers={"uuid": "u1"}, attributes={"first_name": None}), now=NOW)
    assert receipt is not None
    assert (receipt.outcome, receipt.cause) == (Outcome.SKIPPED, "nothing_to_send")
    assert wire.braze.check(person(1), now=NOW) is None


def test_all_requests_of_a_batch_can_be_shown(wire: Wire, sandbox: Running) -> None:
    """In the order in which they go; nothing is sent."""
    shown = []
    for one in (person(1, events=(event(1),)), person(1), person(1, action=ProfileAction.DELETE)):
        (batch,) = wire.braze.build([one], skip_hook=False)
        shown.append([call for call, body in wire.braze.steps(batch) if body])
    assert shown == [
        ["POST /users/track (attributes)", "POST /users/track (events)"],
        ["POST /users/track (attributes)"],
        ["POST /users/delete"],
    ]
    assert sandbox.counts["requests"] == 0
