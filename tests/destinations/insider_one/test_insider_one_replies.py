"""What an answer means for each record of a batch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from include.destinations.insider_one.body import build
from include.destinations.insider_one.replies import interpret, lost
from include.destinations.protocol import Batch, NextStep, Reply
from include.records import Event, Outcome, Profile

EMAIL_KEY = r"identifiers.*.regexp(^.+@.+\..+$)"


def batch(count: int, *, events: bool = False) -> Batch:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    some = (
        Profile(
            record_id=f"r{number}",
            identifiers={"uuid": f"u{number}"},
            attributes={"name": "Ada"},
            events=(Event(key="k", name="won", at=at),) if events else (),
        )
        for number in range(count)
    )
    (one,) = build(some, skip_hook=False)
    return one


def answer(taken: int, failed: int, errors: dict[str, Any] | None = None) -> Reply:
    successful = {"count": taken} if taken else {}
    fail = {"count": failed, "errors": errors or {}} if failed else {}
    return Reply(status=200, body=orjson.dumps({"data": {"successful": successful, "fail": fail}}))


def outcomes(some: Batch, reply: Reply) -> list[str]:
    return [str(receipt.outcome) for receipt in interpret(some, reply).receipts]


def test_all_taken_is_all_delivered() -> None:
    """The count is the batch's."""
    assert outcomes(batch(3), answer(3, 0)) == ["delivered"] * 3


def test_one_of_three_refused_is_found_by_its_index() -> None:
    """The others are delivered, the cause is ours and holds no value."""
    result = interpret(batch(3), answer(2, 1, {f"users.1.{EMAIL_KEY}": ["not a valid email address: ada"]}))
    assert [one.outcome for one in result.receipts] == [Outcome.DELIVERED, Outcome.REJECTED, Outcome.DELIVERED]
    refused = result.receipts[1]
    assert (refused.record_id, refused.cause, refused.retryable) == ("r1", "invalid_email", False)
    assert "ada" not in refused.message
    assert result.next_step is NextStep.DONE


def test_two_errors_of_one_user_are_one_refusal() -> None:
    """The count of the platform counts users."""
    errors = {
        "users.2.identifiers.required": ["either insider_id or idenifiers must be specified"],
        "users.2.insider_id.required": ["either insider_id or idenifiers must be specified"],
    }
    result = interpret(batch(3), answer(2, 1, errors))
    assert [one.outcome for one in result.receipts] == [Outcome.DELIVERED, Outcome.DELIVERED, Outcome.REJECTED]
    assert result.receipts[2].cause == "no_identifier"


def test_an_error_of_an_event_is_one_of_its_user() -> None:
    """The platform's words about parameters hold names only: they are kept."""
    key = "users.2.events.1.event_params.*.required"
    result = interpret(batch(3, events=True), answer(2, 1, {key: ["currency parameter is required on purchase event"]}))
    assert result.receipts[2].cause == "missing_event_parameter"
    assert result.receipts[2].message == "event purchase needs the parameter currency"


@pytest.mark.parametrize(
    ("rule", "cause"),
    [
        (EMAIL_KEY, "invalid_email"),
        (r"identifiers.*.regexp(^\+[1-9]\d{6,14}$)", "invalid_phone"),
        ("identifiers.*.type(string)", "invalid_identifier"),
        ("identifiers.*.in(defaults_column)", "unknown_identifier"),
        ("events.0.event_name.*.regexp(^[a-z0-9][a-zA-Z0-9._-]*$)", "invalid_event_name"),
        ("attributes.custom.new_rule", "refused_by_platform"),
    ],
)
def test_each_rule_of_the_platform_has_a_cause_of_ours(rule: str, cause: str) -> None:
    """A rule that we don't know is still a refusal of that record."""
    result = interpret(batch(1), answer(0, 1, {f"users.0.{rule}": ["ada@example.com is bad"]}))
    assert result.receipts[0].cause == cause
    assert "example" not in result.receipts[0].message


@pytest.mark.parametrize(
    "reply",
    [
        answer(1, 1, {"users.0.insider_id.required": ["x"]}),
        answer(3, 1, {"users.0.insider_id.required": ["x"]}),
        answer(2, 1, {"user-two": ["x"]}),
        answer(2, 1, {"users.7.insider_id.required": ["x"]}),
        answer(1, 2, {"users.0.insider_id.required": ["x"]}),
        Reply(status=200, body=b'{"data":{"successful":{"count":"3"},"fail":{}}}'),
    ],
)
@pytest.mark.parametrize(("events", "step"), [(False, NextStep.BISECT), (True, NextStep.DONE)])
def test_an_answer_that_does_not_add_up_makes_all_unknown(reply: Reply, events: bool, step: NextStep) -> None:
    """Only a batch without events is looked at again in halves: nothing can be doubled."""
    result = interpret(batch(3, events=events), reply)
    assert [one.outcome for one in result.receipts] == [Outcome.UNKNOWN] * 3
    assert result.next_step is step


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=401, body=b'{"success":false,"message":"Bad Api Key."}'),
        Reply(status=403, body=b'{"success":false,"message":"Access Denied."}'),
        Reply(status=400, body=b'{"success":false,"message":"Partner is invalid."}'),
    ],
)
def test_refused_credentials_stop_everything_and_hold_the_records(reply: Reply) -> None:
    """It is no error of a record."""
    result = interpret(batch(2, events=True), reply)
    assert result.next_step is NextStep.STOP
    assert {one.outcome for one in result.receipts} == {Outcome.HELD}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'{"error":"request body is bigger than maximum allowed size 5,000,000 bytes"}'),
        (413, b"<html>too large</html>"),
    ],
)
def test_a_request_too_large_is_split_until_one_is_left(status: int, body: bytes) -> None:
    """One record alone that is too large is rejected."""
    reply = Reply(status=status, body=body)
    assert interpret(batch(2, events=True), reply).next_step is NextStep.SPLIT
    alone = interpret(batch(1), reply)
    assert (alone.next_step, alone.receipts[0].outcome) == (NextStep.DONE, Outcome.REJECTED)


def test_another_400_rejects_its_batch_without_repeating_texts() -> None:
    """The platform took nothing and would not take it the next time either."""
    result = interpret(batch(2), Reply(status=400, body=b'{"error":"cannot read ada@example.com: bad request"}'))
    assert [(one.outcome, one.retryable) for one in result.receipts] == [(Outcome.REJECTED, False)] * 2
    assert "ada" not in result.receipts[0].message


@pytest.mark.parametrize("wait", [None, 7.0])
def test_throttling_waits_as_long_as_asked(wait: float | None) -> None:
    """Nothing was taken."""
    result = interpret(batch(1, events=True), Reply(status=429, body=b"", retry_after_seconds=wait))
    assert (result.next_step, result.retry_after_seconds) == (NextStep.WAIT, wait)


@pytest.mark.parametrize(
    ("status", "events", "outcome", "retryable"),
    [
        (503, True, Outcome.UNKNOWN, False),
        (503, False, Outcome.REJECTED, True),
        (500, False, Outcome.REJECTED, True),
    ],
)
def test_a_fault_of_the_platform_is_tried_again(status: int, events: bool, outcome: Outcome, retryable: bool) -> None:
    """If that does not help: unknown with events, to be tried again without."""
    result = interpret(batch(1, events=events), Reply(status=status, body=b""))
    assert result.next_step is NextStep.RETRY
    assert (result.receipts[0].outcome, result.receipts[0].retryable) == (outcome, retryable)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500, body=b"{}"),
        Reply(status=504, body=b"<html>"),
        Reply(status=502, body=b""),
        Reply(status=520, body=b""),
        Reply(status=200, body=b"<html>maintenance</html>"),
        Reply(status=200, body=b"{}"),
        Reply(status=200, body=b""),
    ],
)
def test_an_answer_of_somebody_in_between_is_a_lost_answer(reply: Reply) -> None:
    """With events it stays unknown, without it is sent again."""
    assert interpret(batch(2, events=True), reply).next_step is NextStep.DONE
    assert outcomes(batch(2, events=True), reply) == ["unknown", "unknown"]
    assert interpret(batch(2), reply).next_step is NextStep.RETRY


def test_a_lost_answer_is_unknown_with_events() -> None:
    """The same as for a gateway's answer."""
    assert [one.outcome for one in lost(batch(2, events=True), "gone").receipts] == [Outcome.UNKNOWN] * 2


@pytest.mark.parametrize("status", [301, 302, 404, 405])
def test_something_else_than_the_platform_is_misdirected(status: int) -> None:
    """The address is wrong; no record is to blame."""
    assert interpret(batch(1), Reply(status=status, body=b"")).next_step is NextStep.MISDIRECTED
