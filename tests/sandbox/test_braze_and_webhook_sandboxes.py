"""The local Braze and the local receiver of webhooks keep to their limits and believe nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from include.sandbox.braze.credentials import KEY
from include.sandbox.webhook.signing import refusal
from tests.sandbox.running import Running, running

HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}


@pytest.fixture(scope="module")
def one_braze(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running("braze", tmp_path_factory.mktemp("braze"), headers=HEADERS) as sandbox:
        yield sandbox


@pytest.fixture
def braze(one_braze: Running) -> Running:
    one_braze.post("/sandbox/reset")
    return one_braze


def track(braze: Running, **arrays: Any) -> tuple[int, Any]:
    status, answer, _ = braze.call("POST", "/users/track", arrays)
    return status, answer


def test_who_asks_without_the_key_is_refused(braze: Running) -> None:
    """Before anything is read."""
    assert braze.call("POST", "/users/track", {}, Authorization="Bearer wrong")[0] == 401


def test_a_request_holds_at_most_seventy_five_objects_of_all_kinds(braze: Running) -> None:
    """Attributes and events together."""
    attributes = [{"external_id": f"u{number}", "a": 1} for number in range(40)]
    events = [{"external_id": "u1", "name": "won", "time": "2026-11-22T12:00:00Z"}]
    assert track(braze, attributes=attributes, events=events * 35)[0] == 201
    assert track(braze, attributes=attributes, events=events * 36)[0] == 400
    assert track(braze)[0] == 400
    assert (braze.counts["users"], braze.counts["events"], braze.counts["data_points"]) == (40, 35, 40)


@pytest.mark.parametrize(
    ("array", "element", "what"),
    [
        ("attributes", {"first_name": "Ada"}, "is required"),
        ("attributes", {"user_alias": {"alias_name": "x"}}, "user_alias"),
        ("attributes", {"external_id": "u1", "email": 5}, "email"),
        ("events", {"external_id": "u1", "time": "2026-11-22T12:00:00Z"}, "name"),
        ("events", {"external_id": "u1", "name": "won", "time": "yesterday"}, "time"),
        ("events", {"external_id": "u1", "name": "won", "time": "2026-11-22", "properties": {"$x": 1}}, "properties"),
    ],
)
def test_what_is_refused_is_named_by_array_and_index(braze: Running, array: str, element: Any, what: str) -> None:
    """The rest of the request is taken, with HTTP 201."""
    fine = {"external_id": "u0", "name": "won", "time": "2026-11-22T12:00:00Z"}
    status, answer = track(braze, **{array: [fine, element]})
    assert (status, answer["message"]) == (201, "success")
    (error,) = answer["errors"]
    assert (error["input_array"], error["index"]) == (array, 1)
    assert what in error["type"]
    assert answer[f"{array}_processed"] == 1


def test_an_alias_makes_nobody_unless_it_is_said(braze: Running) -> None:
    """As the platform has it; an external id does."""
    alias = {"user_alias": {"alias_name": "a", "alias_label": "crm"}, "tier": "Gold"}
    track(braze, attributes=[alias])
    assert braze.counts["users"] == 0
    track(braze, attributes=[alias | {"_update_existing_only": False}])
    track(braze, attributes=[{"external_id": "u1", "a": 1, "_update_existing_only": True}])
    assert [user["tier"] for user in braze.all("users")] == ["Gold"]


def test_a_deletion_names_keys_of_one_kind_and_at_most_fifty(braze: Running) -> None:
    """Who is not there is not counted."""
    track(braze, attributes=[{"external_id": "u1", "a": 1}])
    assert braze.call("POST", "/users/delete", {"external_ids": ["u1", "u2"]})[1] == {
        "deleted": 1,
        "message": "success",
    }
    assert braze.call("POST", "/users/delete", {"external_ids": ["x"], "braze_ids": ["1"]})[0] == 400
    assert braze.call("POST", "/users/delete", {"external_ids": ["x"] * 51})[0] == 400


def test_the_windows_end_is_told_as_a_time(tmp_path: Any) -> None:
    """With what is left of it; the request too many is told how long to wait."""
    with running("braze", tmp_path, "--pace", "0.001", headers=HEADERS) as strict:
        answers = [strict.call("POST", "/users/track", {"attributes": []}) for _ in range(60)]
    throttled = [headers for status, _, headers in answers if status == 429]
    assert throttled
    assert int(throttled[0]["X-RateLimit-Reset"]) > 1_700_000_000
    assert int(throttled[0]["X-RateLimit-Retry-After"]) >= 1


VECTOR = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
SECRET, BODY, AT = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}', 1_614_265_330


def test_a_receiver_believes_the_standards_own_message() -> None:
    """And the same among other signatures."""
    assert refusal(VECTOR, BODY, SECRET, AT) == ""
    both = VECTOR | {"webhook-signature": "v1,AAAA v1a,BBBB " + VECTOR["webhook-signature"]}
    assert refusal(both, BODY, SECRET, AT + 299) == ""


@pytest.mark.parametrize(
    ("changes", "body", "at", "what"),
    [
        ({}, BODY + b" ", AT, "signature"),
        ({"webhook-id": "msg_other"}, BODY, AT, "signature"),
        ({"webhook-signature": "v1,AAAA"}, BODY, AT, "signature"),
        ({"webhook-signature": ""}, BODY, AT, "signature"),
        ({"webhook-timestamp": "soon"}, BODY, AT, "missing"),
        ({"webhook-id": ""}, BODY, AT, "missing"),
        ({}, BODY, AT + 301, "too far"),
        ({}, BODY, AT - 301, "too far"),
    ],
)
def test_a_receiver_believes_nothing_else(changes: dict[str, str], body: bytes, at: float, what: str) -> None:
    """A changed body, id or time; one of yesterday; one of tomorrow."""
    assert what in refusal(VECTOR | changes, body, SECRET, at)
