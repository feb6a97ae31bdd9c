"""What a job tells in the end, and what may be sent at all; pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from include.destinations.klaviyo import replies
from include.destinations.klaviyo.body import LIMITS
from include.destinations.klaviyo.destination import Klaviyo, read_allowance
from include.destinations.protocol import Batch, BatchResult, Pending, Reply
from include.records import Outcome
from tests.destinations.klaviyo.conftest import NOW, event, person

PENDING = [Pending(record_id=f"r{place}", place=place) for place in range(3)]


def error(pointer: str, **more: Any) -> dict[str, Any]:
    return {"code": "invalid", "title": "t", "detail": "secret-value", "source": {"pointer": pointer}, **more}


def outcomes(*errors: dict[str, Any], failed: int, done: bool = True) -> list[tuple[str, str, bool]]:
    receipts = replies.settled(PENDING, errors, failed_count=failed, done=done)
    assert not any("secret-value" in each.message for each in receipts)
    return [(str(each.outcome), each.cause, each.retryable) for each in receipts]


@pytest.mark.parametrize(
    "pointer",
    [
        "/data/attributes/profiles/data/1/attributes/email",
        "/data/1/attributes/email",
        "/data/attributes/profiles/data/1",
    ],
)
def test_an_error_is_attributed_by_its_place(pointer: str) -> None:
    """However deep it points."""
    found = outcomes(error(pointer), failed=1)
    assert [each[0] for each in found] == ["delivered", "rejected", "delivered"]


@pytest.mark.parametrize("decide", [replies.of_events, replies.of_single, replies.of_job])
def test_a_page_that_answers_for_the_platform_delivers_nothing(decide: Callable[[Batch, Reply], BatchResult]) -> None:
    """A proxy that asks for a login says 200 as well; the platform says nothing, or speaks JSON."""
    batch = Batch(records=(person(1, events=(event(1),)),), body=b"{}", skip_hook=False)
    for body in (b"<html>sign in</html>", b'"ok"'):
        (receipt,) = decide(batch, Reply(status=200, body=body)).receipts
        assert (receipt.outcome, receipt.cause) == (Outcome.REJECTED, "no_answer")
    if decide is not replies.of_job:
        (receipt,) = decide(batch, Reply(status=202, body=b"")).receipts
        assert receipt.outcome is Outcome.DELIVERED


def test_an_error_without_a_place_is_known_by_its_external_id() -> None:
    """Where that is the record's Id; the description's own default points to the whole."""
    lone = error("/data", original_payload={"external_id": "r2", "email": "x"})
    assert [each[0] for each in outcomes(lone, failed=1)] == ["delivered", "delivered", "rejected"]
    nested = error("/data", original_payload={"attributes": {"external_id": "r0"}})
    assert [each[0] for each in outcomes(nested, failed=1)] == ["rejected", "delivered", "delivered"]


@pytest.mark.parametrize(("errors", "failed"), [([error("/data")], 1), ([], 1), ([{}], 0)])
def test_an_error_that_belongs_to_nobody_leaves_nobody_delivered(errors: list[dict[str, Any]], failed: int) -> None:
    """To call them delivered would be a guess."""
    assert outcomes(*errors, failed=failed) == [("unknown", "unclear_answer", False)] * 3


def test_what_a_cancelled_job_had_not_reached_is_sent_again() -> None:
    """A profile is merged, so that twice does no harm."""
    found = outcomes(error("/data/attributes/profiles/data/0/attributes"), failed=1, done=False)
    assert found == [("rejected", "refused_by_platform", False)] + [("rejected", "job_cancelled", True)] * 2


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        ({"data": {"attributes": {"status": "complete", "failed_count": 2}}}, (True, 2)),
        ({"data": {"attributes": {"status": "complete", "failed_count": None}}}, (True, 0)),
        ({"data": {"attributes": {"status": "cancelled"}}}, (False, 0)),
        ({"data": {"attributes": {"status": "processing"}}}, None),
        ({"data": {"attributes": {"status": "new word"}}}, None),
        ({"data": []}, None),
    ],
)
def test_a_job_has_ended_only_where_the_answer_says_so(answer: dict[str, Any], end: tuple[bool, int] | None) -> None:
    """Anything else is asked again."""
    found = replies.end_of(answer)
    assert (None if found is None else (found.done, found.failed)) == end


def test_a_page_that_cannot_be_read_is_not_no_error() -> None:
    """It counts as one that belongs to nobody."""
    assert replies.import_errors({"data": [{"attributes": {"code": "x"}}, None, {"id": "1"}]}) == [
        {"code": "x"},
        {},
        {},
    ]


def test_the_nearest_window_is_read_of_the_headers() -> None:
    """And nothing where there is no number."""
    found = read_allowance({"ratelimit-remaining": "3", "ratelimit-reset": "12", "ratelimit-limit": "10, 10;w=1"}, NOW)
    assert found is not None
    assert (found.remaining, found.resets_in_seconds, found.limit) == (3, 12.0, None)
    assert read_allowance({"ratelimit-remaining": "soon"}, NOW) is None
    assert read_allowance({}, NOW) is None


@pytest.mark.parametrize(
    ("parts", "cause"),
    [
        ({"identifiers": {}}, "no_identifier"),
        ({"identifiers": {"uuid": " "}}, "invalid_identifier"),
        ({"identifiers": {"nickname": "secret-value"}}, "unknown_identifier"),
        ({"custom_identifiers": {"crm": "secret-value"}}, "unknown_identifier"),
        ({"identifiers": {"email": "secret-value"}}, "invalid_email"),
        ({"identifiers": {"phone_number": "12345"}}, "invalid_phone"),
        ({"attributes": {"tier": "secret-value"}}, "unknown_attribute"),
        ({"attributes": {"first_name": 5}}, "invalid_first_name"),
        ({"attributes": {"latitude": True}}, "invalid_latitude"),
        ({"attributes": {"phone_number": "secret-value"}}, "invalid_phone_number"),
        ({"custom_attributes": {"": 1}}, "invalid_name"),
        ({"custom_attributes": {"tier": {1, 2}}}, "invalid_value"),
        ({"custom_attributes": {"tier": float("nan")}}, "invalid_value"),
        ({"custom_attributes": {"big": 2**70}}, "not_json"),
        ({"attributes": {"first_name": "x" * 100_000}}, "too_large"),
        ({"events": (event(1, key=""),)}, "no_event_key"),
        ({"events": (event(1, name="n" * 128),)}, "invalid_event_name"),
        ({"events": (event(1, at=NOW.replace(tzinfo=None)),)}, "invalid_event_time"),
        ({"events": (event(1, at=NOW + timedelta(days=400)),)}, "invalid_event_time"),
        ({"events": (event(1, at=NOW.replace(year=1980)),)}, "invalid_event_time"),
        ({"events": (event(1, params={"amount": 3}),)}, "unknown_event_parameter"),
        ({"events": (event(1, params={"value": "3"}),)}, "invalid_value"),
        ({"events": (event(1, params={"value_currency": "euro"}),)}, "invalid_value_currency"),
        ({"events": (event(1, custom_params={f"p{n}": n for n in range(401)}),)}, "too_many_parameters"),
        ({"events": (event(1, custom_params={"note": "x" * 100_001}),)}, "too_large"),
    ],
)
def test_what_the_platform_would_refuse_is_not_sent(parts: dict[str, Any], cause: str) -> None:
    """The message names the place and never the value."""
    klaviyo = Klaviyo(base_url="http://127.0.0.1:1", key="pk_x")
    receipt = klaviyo.check(person(1, **parts), now=NOW)
    assert receipt is not None
    assert (receipt.outcome, receipt.cause, receipt.retryable) == (Outcome.REJECTED, cause, False)
    assert "secret-value" not in receipt.message
    assert "pk_x" not in repr(klaviyo)
    assert klaviyo.check(person(1, events=(event(1),)), now=NOW) is None


def test_a_batch_keeps_both_limits() -> None:
    """By count, and by bytes; what is larger than a profile may be is refused before anything is sent."""
    klaviyo = Klaviyo(base_url="http://127.0.0.1:1", key="pk_x")
    batches = list(klaviyo.build((person(n) for n in range(10_001)), skip_hook=False))
    assert [len(each.records) for each in batches] == [10_000, 1]
    large = [person(n, custom_attributes={"note": "x" * 90_000}) for n in range(60)]
    batches = list(klaviyo.build(large, skip_hook=False))
    assert [len(each.records) for each in batches] == [54, 6]
    assert all(len(each.body) <= LIMITS.max_bytes for each in batches)
    (giant,) = klaviyo.build([person(1, custom_attributes={"note": "x" * 100_000})], skip_hook=False)
    assert (giant.records, [each.cause for each in giant.refused]) == ((), ["too_large"])
    assert klaviyo.send(giant).receipts == giant.refused
