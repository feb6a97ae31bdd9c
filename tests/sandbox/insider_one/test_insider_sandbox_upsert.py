"""The sandbox follows the documented contract of the platform's upsert, as the server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.insider_one.running import Sandbox, running_sandbox

OK = {"data": {"successful": {"count": 1}, "fail": {}}}


def stamp(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def person(uuid: str = "0035g00000ABCDEAA4", **more: Any) -> dict[str, Any]:
    return {"identifiers": {"uuid": uuid}, "attributes": {"name": "Ada"}} | more


def test_a_good_user_is_counted_and_stored(sandbox: Sandbox) -> None:
    """Success has its count and an empty fail; what was sent can be read back."""
    status, answer = sandbox.upsert(person(attributes={"name": "Ada", "custom": {"tier": "Gold"}}))
    assert (status, answer) == (200, OK)
    stored = sandbox.get("/sandbox/profile?uuid=0035g00000ABCDEAA4")
    assert stored["attributes"] == {"name": "Ada", "custom": {"tier": "Gold"}}
    assert stored["identifiers"] == {"uuid": "0035g00000ABCDEAA4"}


@pytest.mark.parametrize(
    ("user", "errors"),
    [
        (
            {"attributes": {"name": "Ada"}},
            {
                "users.0.identifiers.required": ["either insider_id or idenifiers must be specified"],
                "users.0.insider_id.required": ["either insider_id or idenifiers must be specified"],
            },
        ),
        (
            person(identifiers={"email": "sample"}),
            {r"users.0.identifiers.*.regexp(^.+@.+\..+$)": ["not a valid email address: sample"]},
        ),
        (
            person(identifiers={"phone_number": "12345"}),
            {r"users.0.identifiers.*.regexp(^\+[1-9]\d{6,14}$)": ["user has an invalid phone number: 12345"]},
        ),
        (person(identifiers={"uuid": 12345}), {"users.0.identifiers.*.type(string)": ["uuid must be string: 12345"]}),
        (
            person(identifiers={"nick": "a"}),
            {"users.0.identifiers.*.in(defaults_column)": ["key must be one of phone_number(pn), email(em) or uuid"]},
        ),
        (
            person(events=[{"event_name": "homepageView", "timestamp": "2026-01-01T00:00:00Z"}]),
            {"users.0.events.0.event_name.*.regexp(^[a-z0-9][a-zA-Z0-9._-]*$)": ["invalid event name: homepageView"]},
        ),
        (
            person(
                events=[
                    {"event_name": "purchase", "timestamp": stamp(), "event_params": {"currency": "EUR"}},
                ]
            ),
            {
                "users.0.events.0.event_params.*.required": [
                    "event_group_id parameter is required on purchase event",
                    "unit_sale_price parameter is required on purchase event",
                ]
            },
        ),
    ],
)
def test_a_bad_user_is_named_with_status_200(sandbox: Sandbox, user: dict[str, Any], errors: dict[str, Any]) -> None:
    """The platform answers 200 and says by index and rule what it refused, in its own words."""
    assert sandbox.upsert(user) == (200, {"data": {"successful": {}, "fail": {"count": 1, "errors": errors}}})
    assert sandbox.counts["profiles"] == 0


def test_one_of_three_is_refused_and_the_others_are_stored(sandbox: Sandbox) -> None:
    """A mixed answer has both counts; only the index of the bad one is named."""
    status, answer = sandbox.upsert(person("a1"), person("b1", identifiers={"email": "sample"}), person("c1"))
    assert status == 200
    assert answer["data"]["successful"] == {"count": 2}
    assert answer["data"]["fail"]["count"] == 1
    assert [key[:8] for key in answer["data"]["fail"]["errors"]] == ["users.1."]
    assert sandbox.counts["profiles"] == 2


@pytest.mark.parametrize("body", [{}, {"users": []}, {"users": {}}])
def test_a_request_without_users_is_a_400(sandbox: Sandbox, body: dict[str, Any]) -> None:
    """Without users there is one text for all."""
    assert sandbox.call("/api/user/v1/upsert", body) == (400, {"error": "users must be defined: bad request"})


def test_more_than_a_thousand_users_are_a_400(sandbox: Sandbox) -> None:
    """1,000 users pass, 1,001 do not."""
    assert sandbox.upsert(*(person(f"u{n}") for n in range(1_000)))[0] == 200
    assert sandbox.upsert(*(person(f"u{n}") for n in range(1_001)))[0] == 400
    assert sandbox.counts["profiles"] == 1_000


def test_five_million_bytes_are_taken_and_one_more_is_not(sandbox: Sandbox) -> None:
    """The limit is decimal and says so."""
    frame = b'{"users":[{"identifiers":{"uuid":"u1"},"attributes":{"name":"%s"}}]}'
    room = 5_000_000 - len(frame) + 2
    assert sandbox.call("/api/user/v1/upsert", frame % (b"x" * room))[0] == 200
    status, answer = sandbox.call("/api/user/v1/upsert", frame % (b"x" * (room + 1)))
    assert status == 400
    assert answer == {"error": "request body is bigger than maximum allowed size 5,000,000 bytes"}


@pytest.mark.parametrize(
    ("headers", "status", "text"),
    [
        ({"X-PARTNER-NAME": "Headwater"}, 400, "Partner is invalid."),
        ({"X-REQUEST-TOKEN": "wrong"}, 401, "Partner token authentication failed."),
        ({"X-REQUEST-TOKEN": ""}, 401, "Bad Api Key."),
    ],
)
def test_wrong_credentials_are_refused(sandbox: Sandbox, headers: dict[str, str], status: int, text: str) -> None:
    """The partner name must be in lower case, the token right."""
    answer = sandbox.call("/api/user/v1/upsert", {"users": [person()]}, **headers)
    assert answer == (status, {"success": False, "message": text})
    assert sandbox.counts["profiles"] == 0


def test_what_the_platform_loses_is_lost_without_a_word(sandbox: Sandbox) -> None:
    """An unknown key at the root, a null and a value of a wrong form vanish behind a success."""
    attributes = {"tier": "Gold", "city": None, "country": "Germany", "email_optin": "true", "age": 30}
    assert sandbox.upsert(person("a1", attributes=attributes)) == (200, OK)
    assert sandbox.get("/sandbox/profile?uuid=a1")["attributes"] == {"age": 30}


def test_an_event_older_than_its_retention_is_dropped_without_a_word(sandbox: Sandbox) -> None:
    """Custom events live 90 days, purchases 730; the answer is the same success."""
    params = {"event_group_id": "o1", "currency": "EUR", "unit_sale_price": 1.0}
    old = stamp(days=91)
    events = [
        {"event_name": "stage_changed", "timestamp": old},
        {"event_name": "stage_changed", "timestamp": stamp(days=89)},
        {"event_name": "purchase", "timestamp": old, "event_params": params},
    ]
    assert sandbox.upsert(person(events=events)) == (200, OK)
    assert [event["event_name"] for event in sandbox.get("/sandbox/events")["events"]] == ["stage_changed", "purchase"]


def test_an_event_sent_twice_is_stored_twice(sandbox: Sandbox) -> None:
    """The platform knows no key of an event."""
    user = person(events=[{"event_name": "stage_changed", "timestamp": stamp()}])
    sandbox.upsert(user)
    sandbox.upsert(user)
    assert sandbox.counts["events"] == 2
    assert sandbox.counts["profiles"] == 1


def test_skip_hook_keeps_journeys_from_starting(sandbox: Sandbox) -> None:
    """Events start journeys unless the request as a whole says not to; the log shows the flag."""
    user = person(events=[{"event_name": "stage_changed", "timestamp": stamp()}])
    sandbox.upsert(user, skip_hook=True)
    assert sandbox.counts["journeys"] == 0
    sandbox.upsert(user)
    assert sandbox.counts["journeys"] == 1
    log = sandbox.get("/sandbox/requests")["requests"]
    assert [(line["skip_hook"], line["users"], line["status"]) for line in log] == [(False, 1, 200), (True, 1, 200)]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({}, [1, 2, 2, 3]),
        ({"not_append": True}, [2, 3]),
        ({"append": False}, [2, 3]),
        ({"append": True, "not_append": True}, [1, 2, 2, 3]),
    ],
)
def test_lists_grow_unless_told_otherwise(sandbox: Sandbox, flags: dict[str, bool], expected: list[int]) -> None:
    """`append` wins over `not_append`."""
    sandbox.upsert(person("a1", attributes={"static_segment_id": [1, 2]}))
    sandbox.upsert(person("a1", attributes={"static_segment_id": [2, 3]}, **flags))
    assert sandbox.get("/sandbox/profile?uuid=a1")["attributes"]["static_segment_id"] == expected


def test_an_identifier_is_added_but_never_changed_by_an_upsert(sandbox: Sandbox) -> None:
    """A second identifier leads to the same person; a changed e-mail does not replace the old one."""
    sandbox.upsert(person(identifiers={"uuid": "a1"}))
    sandbox.upsert(person(identifiers={"uuid": "a1", "email": "old@example.com"}))
    sandbox.upsert(person(identifiers={"uuid": "a1", "email": "new@example.com"}))
    assert sandbox.counts["profiles"] == 1
    assert sandbox.get("/sandbox/profile?email=old@example.com")["identifiers"]["email"] == "old@example.com"
    sandbox.upsert(person(identifiers={"email": "new@example.com"}))
    assert sandbox.counts["profiles"] == 2


def test_two_users_of_one_identity_in_one_request_are_one_profile(sandbox: Sandbox) -> None:
    """The second finds the first."""
    sandbox.upsert(person("a1", attributes={"name": "Ada"}), person("a1", attributes={"city": "Rome"}))
    assert sandbox.get("/sandbox/profile?uuid=a1")["attributes"] == {"name": "Ada", "city": "Rome"}
    assert sandbox.counts["profiles"] == 1


def test_too_many_requests_in_a_minute_are_throttled(tmp_path: Path) -> None:
    """The limit is shared by upsert and attribute/delete."""
    with running_sandbox(tmp_path, "--requests-per-minute", "2") as sandbox:
        answers = [sandbox.upsert(person()) for _ in range(6)]
    throttled = [answer for status, answer in answers if status == 429]
    assert throttled  # a new minute may have begun in between
    assert throttled[0] == {"error": "rejected: too many requests"}


def test_everything_is_there_after_a_kill(tmp_path: Path) -> None:
    """The sandbox is killed (not stopped) and started again over the same folder."""
    user = person("a1", events=[{"event_name": "stage_changed", "timestamp": stamp()}])
    with running_sandbox(tmp_path) as sandbox:
        sandbox.upsert(user)
        before = sandbox.counts
    with running_sandbox(tmp_path) as sandbox:
        assert sandbox.counts == before
        sandbox.upsert(user)
        assert sandbox.counts["profiles"] == 1
