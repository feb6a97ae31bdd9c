"""Every request to Klaviyo is one that the vendor's own description of its API (2026-07-15) knows, to the last name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest

from include.destinations.protocol import Policy
from include.records import ProfileAction
from include.sandbox.klaviyo.credentials import KEY
from tests.destinations.klaviyo.conftest import Klav, event, person
from tests.destinations.openapi import Description
from tests.destinations.recording import Sent, recording
from tests.sandbox.running import Running

DESCRIPTION = Description("klaviyo-2026-07-15.json")
FULL: dict[str, Any] = {
    "attributes": {
        "first_name": "Ada", "last_name": "L", "organization": "Acme", "title": "CTO", "locale": "en-US",
        "image": "https://example.com/a.png", "address1": "1 Way", "city": "Berlin", "country": "DE", "region": "BE",
        "zip": "10115", "latitude": 52.5, "longitude": "13.4", "timezone": "Europe/Berlin", "ip": "203.0.113.7",
    },
    "custom_attributes": {"tier": "Gold", "likes": ["a", 1, True], "deep": {"a": None}, "count": 3},
}  # fmt: skip


@pytest.fixture
def passing(sandbox: Running) -> Iterator[tuple[Klav, list[Sent]]]:
    with recording(sandbox.url) as (url, sent):
        yield Klav(Running(url, sandbox.http), policy=Policy(clear_nulls=True)), sent


def problems(sent: list[Sent]) -> list[str]:
    """Return what is wrong, unknown names below the root included: the description lets them pass."""
    found = [f"{one.method} {one.path}: {problem}" for one in sent for problem in DESCRIPTION.problems(one)]
    for one in sent:
        schema = DESCRIPTION.body_schema(one)
        found += [f"{one.method} {one.path}: {name} is not described" for name in unknown(schema, one.json)]
    return found


def unknown(schema: Mapping[str, Any], value: Any, where: str = "$") -> list[str]:
    """Return the names in a value that no schema of it knows; an object without described names is free."""
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        judged = [unknown(option, value, where) for option in options if option != {"type": "null"}]
        return min(judged, key=len, default=[])
    if isinstance(value, list):
        items = schema.get("items", {})
        return [name for place, each in enumerate(value) for name in unknown(items, each, f"{where}[{place}]")]
    known = schema.get("properties")
    if not isinstance(value, dict) or not known:
        return []
    found = [f"{where}.{name}" for name in value if name not in known]
    below = (unknown(known[name], each, f"{where}.{name}") for name, each in value.items() if name in known)
    return found + [name for names in below for name in names]


def paths(sent: list[Sent]) -> set[str]:
    return {f"{one.method} {one.path.split('?')[0].removeprefix('/api/')}" for one in sent}


def test_imports_and_events_in_bulk_are_as_described(passing: tuple[Klav, list[Sent]], sandbox: Running) -> None:
    """With every standard attribute, custom ones of each kind, one to unset, and events with value and parameters."""
    klav, sent = passing
    one = event(1, params={"value": 9.5, "value_currency": "EUR"}, custom_params={"stage": "won", "n": [1, "a"]})
    unset = person(2, custom_attributes={"tier": None})
    result = klav.push(person(1, events=(one, event(2)), **FULL), unset, skip_hook=True)
    sandbox.fault(reject_indexes=[0])
    refused = klav.push(person(3))
    assert {str(each.outcome) for each in (*klav.settled(result), *klav.settled(refused))} == {"delivered", "rejected"}
    assert problems(sent) == []
    assert {path.partition("/job-")[0] for path in paths(sent)} == {
        "POST profile-bulk-import-jobs", "POST event-bulk-create-jobs", "GET profile-bulk-import-jobs",
    }  # fmt: skip
    assert any(one.path.split("?")[0].endswith("/import-errors") for one in sent)


def test_single_profiles_and_events_are_as_described(passing: tuple[Klav, list[Sent]]) -> None:
    """Nulls at the one endpoint that takes them; an event that is known already."""
    klav, sent = passing
    klav.push(person(1, events=(event(1),), **FULL))
    nothing = dict.fromkeys(FULL["attributes"])
    klav.push(person(1, attributes=nothing, custom_attributes={"tier": None}, events=(event(1, params={"value": 1}),)))
    klav.push(person(1, action=ProfileAction.CLEAR, **FULL))
    klav.klaviyo.test()
    assert {"POST profile-import", "POST events", "GET profile-bulk-import-jobs"} <= paths(sent)
    assert problems(sent) == []


def test_the_sandbox_answers_as_described(sandbox: Running, klav: Klav) -> None:
    """A job, and its errors with the link to the next page."""
    sandbox.fault(reject_indexes=list(range(30)))
    job = klav.push(*(person(number) for number in range(40))).receipts[0].job
    headers = {"Authorization": f"Klaviyo-API-Key {KEY}", "revision": "2026-07-15"}
    for path in (f"/api/profile-bulk-import-jobs/{job}", f"/api/profile-bulk-import-jobs/{job}/import-errors"):
        status, answer, _ = sandbox.call("GET", path, **headers)
        assert DESCRIPTION.answer_problems(Sent("GET", path, {}, b""), status, answer) == []
    assert len(answer["data"]) == 20
    assert "page%5Bcursor%5D" in answer["links"]["next"]


@pytest.mark.parametrize(
    ("path", "content", "what"),
    [
        ("/api/profile-bulk-import-jobs", {"nope": 1}, "'data' is a required property"),
        ("/api/profile-import", {"data": {"type": "profile"}}, "'attributes' is a required property"),
        ("/api/profile-import", {"data": {"type": "profile", "attributes": {"email": 1}}}, "not valid under any"),
        ("/api/profile-import", {"data": {"type": "profile", "attributes": {"nick": "x"}}}, "attributes.nick"),
        ("/api/events", {"data": {"type": "event", "attributes": {"properties": {}}}}, "'metric' is a required"),
        ("/api/nothing", {}, "not described"),
    ],
)
def test_the_judge_refuses_what_is_wrong(path: str, content: Any, what: str) -> None:
    """Otherwise the tests above would prove nothing."""
    headers = {"content-type": "application/vnd.api+json", "revision": "2026-07-15"}
    found = problems([Sent("POST", path, headers, orjson.dumps(content))])
    assert any(what in problem for problem in found), found


def test_the_judge_wants_the_revision() -> None:
    """Without it the platform answers by whatever it finds fit."""
    sent = Sent("GET", "/api/profile-bulk-import-jobs", {}, b"")
    assert DESCRIPTION.problems(sent) == ["header revision is missing"]
