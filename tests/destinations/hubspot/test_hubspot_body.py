"""What is sent to HubSpot of a record, and what an answer means for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from include.destinations.hubspot import body as bodies
from include.destinations.hubspot import replies, rules
from include.destinations.protocol import NextStep, Reply
from include.records import Event, Outcome, Profile, ProfileAction

TYPES = {"renewal_date": rules.Property("date"), "seen_at": rules.Property("datetime")}


def profile(**changes: Any) -> Profile:
    return Profile(**({"record_id": "r", "identifiers": {"uuid": "u", "email": "a@example.com"}} | changes))


def properties(clear: bool = False, **changes: Any) -> dict[str, str]:
    return bodies.properties(profile(**changes), unique_property="sf_id", types=TYPES, clear_nulls=clear)


def test_every_value_becomes_text() -> None:
    """Flags in lower case, lists with semicolons, days without an hour."""
    found = properties(
        attributes={"phone_number": "+4930123456"},
        custom_attributes={
            "vip": True, "size": 3, "share": 0.5, "tags": ["a", "b"],
            "renewal_date": "2026-01-31T00:00:00Z", "seen_at": "2026-01-31T10:20:30Z",
        },
    )  # fmt: skip
    assert found == {
        "email": "a@example.com", "sf_id": "u", "phone": "+4930123456", "vip": "true", "size": "3", "share": "0.5",
        "tags": "a;b", "renewal_date": "2026-01-31", "seen_at": "2026-01-31T10:20:30Z",
    }  # fmt: skip


def test_an_empty_text_clears_where_that_is_asked_for() -> None:
    """And never an identifier."""
    values = {"attributes": {"firstname": None, "email": None}}
    assert "firstname" not in properties(**values)
    assert properties(clear=True, **values)["firstname"] == ""
    cleared = properties(action=ProfileAction.CLEAR, attributes={"firstname": None, "email": None, "sf_id": None})
    assert cleared == {"firstname": ""}


def test_a_batch_names_nobody_twice() -> None:
    """The platform would refuse all of it; whoever comes again begins the next one."""
    twice = [profile(record_id="a"), profile(record_id="b", identifiers={"email": "A@example.com"})]
    others = [profile(record_id=str(n), identifiers={"uuid": str(n)}) for n in range(150)]
    sizes = [len(batch.records) for batch in bodies.build([*twice, *others], skip_hook=False)]
    assert sizes == [1, 100, 51]


def test_the_strongest_property_finds_a_contact() -> None:
    """The uuid, another unique property, the e-mail address; formerly or now."""
    assert bodies.key_of(profile(), "sf_id") == ("sf_id", "u")
    assert bodies.key_of(profile(), "") == ("email", "a@example.com")
    assert bodies.key_of(profile(custom_identifiers={"crm_id": "7"}), "") == ("crm_id", "7")
    moved = profile(identifiers={"email": "new@example.com"}, former_identifiers={"email": "old@example.com"})
    assert bodies.key_of(moved, "", former=True) == ("email", "old@example.com")
    renumbered = profile(custom_identifiers={"crm_id": "8"}, former_identifiers={"custom.crm_id": "7"})
    assert bodies.key_of(renumbered, "", former=True) == ("crm_id", "7")


def test_an_event_always_has_the_same_uuid() -> None:
    """It is made of the event's key: by it the platform knows the event again."""
    at = datetime(2026, 1, 31, 10, 20, 30, 123_000, tzinfo=UTC)
    one = bodies.event(Event(key="k", name="won", at=at, params={"amount": 3, "empty": None}), "7")
    assert one == bodies.event(Event(key="k", name="won", at=at, params={"amount": 3}), "7")
    assert one["uuid"] != bodies.event(Event(key="l", name="won", at=at), "7")["uuid"]
    assert (one["occurredAt"], one["properties"]) == ("2026-01-31T10:20:30.123Z", {"amount": "3"})


@pytest.mark.parametrize(
    ("mine", "held", "same"),
    [
        ("3", "3.0", True),
        ("", None, True),
        ("2026-01-31", "2026-01-31T00:00:00Z", True),
        ("2026-01-31T10:20:30Z", "2026-01-31T10:20:30.000Z", True),
        ("a", "A", False),
        ("", "x", False),
    ],
)
def test_what_is_only_written_otherwise_does_not_differ(mine: str, held: str | None, same: bool) -> None:
    """Numbers and times have several forms."""
    assert bodies.differing({"p": mine}, {"p": held}) == ({} if same else {"p": mine})


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"identifiers": {"phone_number": "+4930123456"}}, "no_identifier"),
        ({"identifiers": {"email": "nobody"}}, "invalid_email"),
        ({"identifiers": {"cookie": "x", "email": "a@example.com"}}, "unknown_identifier"),
        ({"custom_identifiers": {"Crm Id": "7"}}, "invalid_identifier"),
        ({"attributes": {"First Name": "A"}}, "invalid_name"),
        ({"attributes": {"firstname": "x" * 65_537}}, "invalid_value"),
        ({"custom_attributes": {"tags": ["a;b"]}}, "invalid_value"),
        ({"events": (Event(key="k", name="Won Deal", at=datetime.now(UTC)),)}, "invalid_event_name"),
    ],
)
def test_what_the_platform_would_refuse_is_not_sent(changes: dict[str, Any], cause: str) -> None:
    """A bad record would cost its whole batch."""
    receipt = rules.check(profile(**changes), clear_nulls=False, unique_property="sf_id")
    assert receipt is not None
    assert (receipt.outcome, receipt.cause) == (Outcome.REJECTED, cause)


def test_a_uuid_needs_a_property_to_be_held_in() -> None:
    """The message says where to name it."""
    receipt = rules.check(profile(), clear_nulls=False, unique_property="")
    assert receipt is not None
    assert "unique_property" in receipt.message


def test_properties_that_the_platform_lacks_are_told_before() -> None:
    """If it told its properties; an unknown one would be refused with all its batch."""
    known = {"a": rules.Property("string"), "b": rules.Property("string", read_only=True)}
    assert rules.misfit({"a": "1"}, known) is None
    assert (rules.misfit({"b": "1"}, known) or ("",))[0] == "read_only_property"
    assert (rules.misfit({"c": "1"}, known) or ("",))[0] == "unknown_property"
    assert rules.misfit({"c": "1"}, {}) is None


BATCH = bodies.batch_of([profile(record_id="a"), profile(record_id="b")], {"a": {"id": "1"}, "b": {"id": "2"}})


def answered(status: int, content: Any, **fields: Any) -> Any:
    body = content if isinstance(content, bytes) else orjson.dumps(content)
    return replies.interpret(BATCH, Reply(status=status, body=body, **fields))


def test_a_mixed_answer_is_read_by_trace() -> None:
    """Not by place: the platform keeps no order."""
    content = {
        "results": [{"id": "9", "objectWriteTraceId": "b"}],
        "errors": [
            {"category": "CONFLICT", "message": "Existing ID: 77", "context": {"objectWriteTraceId": ["a"]}},
        ],
    }
    result = answered(207, content)
    assert [(one.outcome, one.cause, one.platform_id) for one in result.receipts] == [
        (Outcome.REJECTED, "identifier_taken", ""),
        (Outcome.DELIVERED, "", "9"),
    ]


@pytest.mark.parametrize("content", [{"results": [], "status": "COMPLETE"}, b"<html>later</html>", {"errors": "?"}])
def test_a_success_that_names_nobody_is_tried_again(content: Any) -> None:
    """Seen in the wild; what it took may be sent again."""
    result = answered(200, content)
    assert result.next_step is NextStep.RETRY
    assert {(one.outcome, one.retryable) for one in result.receipts} == {(Outcome.REJECTED, True)}


@pytest.mark.parametrize(
    ("status", "content", "step"),
    [
        (401, {}, NextStep.STOP),
        (403, {"category": "MISSING_SCOPES"}, NextStep.STOP),
        (429, {"policyName": "TEN_SECONDLY_ROLLING"}, NextStep.WAIT),
        (477, {}, NextStep.WAIT),
        (413, {}, NextStep.SPLIT),
        (400, {"category": "VALIDATION_ERROR", "message": "x"}, NextStep.SPLIT),
        (500, {}, NextStep.RETRY),
        (503, b"<html>", NextStep.RETRY),
        (404, b"<html>", NextStep.MISDIRECTED),
    ],
)
def test_each_answer_has_a_next_step(status: int, content: Any, step: NextStep) -> None:
    """A batch refused as a whole is halved until it shows who spoiled it."""
    assert answered(status, content).next_step is step


def test_a_spent_day_is_no_short_wait() -> None:
    """It is left to whoever called us."""
    assert answered(429, {"policyName": "DAILY"}).retry_after_seconds == 3600
    assert answered(429, {"policyName": "SECONDLY"}, retry_after_seconds=2.0).retry_after_seconds == 2


def test_no_message_repeats_a_value() -> None:
    """The platform's texts do; only the property's name is taken from them."""
    text = (
        'Property values were not valid: [{"isValid":false,"message":"Email address ada@x is invalid",'
        '"error":"INVALID_EMAIL","name":"email"}]'
    )
    content = {"results": [], "errors": [{"message": text, "context": {"objectWriteTraceId": ["a", "b"]}}]}
    for receipt in answered(207, content).receipts:
        assert (receipt.cause, receipt.message) == (
            "invalid_email", "the platform takes this for no e-mail address: email",
        )  # fmt: skip


@pytest.mark.parametrize(("body", "delivered"), [(b"<html>sign in</html>", False), (b"", True), (b"{}", True)])
def test_a_page_that_answers_for_the_platform_takes_no_events(body: bytes, delivered: bool) -> None:
    """A proxy that asks for a login says 200 as well; the platform says nothing, or speaks JSON."""
    for decide in (replies.interpret_events, replies.interpret_archive):
        outcomes = {each.outcome for each in decide(BATCH, Reply(status=200, body=body)).receipts}
        assert outcomes == {Outcome.DELIVERED if delivered else Outcome.REJECTED}


def test_rubbish_in_a_success_is_no_answer() -> None:
    """What it took may be sent again; it must not end the run."""
    assert answered(200, {"results": 5}).cause == "unclear_answer"
