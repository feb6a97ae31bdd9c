"""The local HubSpot refuses what the real one refuses, and holds what it was told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.hubspot.conftest import HEADERS
from tests.sandbox.running import Running, running

BATCH = "/crm/v3/objects/contacts/batch/"
UUID = "00000000-0000-4000-8000-000000000001"


def entry(email: str, trace: str = "t", **properties: str) -> dict[str, Any]:
    return {"id": email, "idProperty": "email", "properties": properties, "objectWriteTraceId": trace}


def upsert(hubspot: Running, *inputs: Any) -> tuple[int, Any]:
    status, answer, _ = hubspot.call("POST", BATCH + "upsert", {"inputs": list(inputs)})
    return status, answer


def test_contacts_are_made_and_changed_by_a_unique_property(hubspot: Running) -> None:
    """The answer says who is new, with our trace; an empty text clears."""
    status, answer = upsert(hubspot, entry("A@example.com", "1", firstname="Ada", city="Rome"))
    assert (status, answer["results"][0]["new"], answer["results"][0]["objectWriteTraceId"]) == (200, True, "1")
    _, answer = upsert(hubspot, entry("a@EXAMPLE.com", "2", firstname="Grace", city=""))
    assert answer["results"][0]["new"] is False
    (contact,) = hubspot.all("contacts")
    assert contact["properties"]["firstname"] == "Grace"
    assert "city" not in contact["properties"]


def test_a_mixed_batch_names_who_failed(hubspot: Running) -> None:
    """By trace; the others are stored."""
    upsert(hubspot, {**entry("a@example.com"), "properties": {"salesforce_contact_id": "1"}})
    status, answer = upsert(
        hubspot,
        entry("b@example.com", "good", firstname="B"),
        entry("c@example.com", "number", annualrevenue="much"),
        entry("d@example.com", "taken", salesforce_contact_id="1"),
        entry("e@example.com", "day", renewal_date="2026-01-31T10:00:00Z"),
    )
    assert (status, answer["numErrors"]) == (207, 3)
    found = {error["context"]["objectWriteTraceId"][0]: error["category"] for error in answer["errors"]}
    assert found == {"number": "VALIDATION_ERROR", "taken": "CONFLICT", "day": "VALIDATION_ERROR"}
    assert hubspot.counts["contacts"] == 2


@pytest.mark.parametrize(
    "inputs",
    [
        [entry("a@example.com"), entry("A@example.com")],
        [entry("a@example.com"), entry("b@example.com", unheard_of="x")],
        [entry("a@example.com"), entry("b@example.com", createdate="2026-01-31")],
        [entry("a@example.com"), {**entry("b@example.com"), "properties": {"firstname": 3}}],
        [entry("a@example.com"), {**entry("Ada"), "idProperty": "firstname"}],
        [entry("a@example.com"), {"id": "b@example.com", "idProperty": "email"}],
        [entry(f"{number}@example.com") for number in range(101)],
        [],
    ],
)
def test_a_batch_is_refused_as_a_whole(hubspot: Running, inputs: list[Any]) -> None:
    """Twins, unknown or read-only properties, numbers for texts, too many: nothing is stored."""
    status, answer = upsert(hubspot, *inputs)
    assert (status, answer["category"]) == (400, "VALIDATION_ERROR")
    assert hubspot.counts["contacts"] == 0


def test_contacts_are_read_changed_and_archived_by_id(hubspot: Running) -> None:
    """Who is not there is an error of the mixed answer; archiving him is none."""
    _, answer = upsert(hubspot, entry("a@example.com", firstname="Ada"))
    number = answer["results"][0]["id"]
    status, answer, _ = hubspot.call(
        "POST", BATCH + "update", {"inputs": [{"id": number, "properties": {"city": "X"}}]}
    )
    assert status == 200
    order = {"inputs": [{"id": number}, {"id": "9"}], "properties": ["city", "nonsense"]}
    status, answer, _ = hubspot.call("POST", BATCH + "read", order)
    assert (status, answer["results"][0]["properties"]["city"]) == (207, "X")
    assert answer["errors"][0]["context"]["ids"] == ["9"]
    order = {"inputs": [{"id": number}, {"id": "9"}]}
    assert hubspot.call("POST", BATCH + "archive", order)[0] == 204
    status, answer, _ = hubspot.call("POST", BATCH + "update", {"inputs": [{"id": number, "properties": {}}]})
    assert (status, answer["errors"][0]["category"]) == (207, "OBJECT_NOT_FOUND")
    assert hubspot.counts["archived"] == 1


def event(**changes: Any) -> dict[str, Any]:
    sent = {
        "eventName": "pe42_opportunity_won",
        "objectId": "1",
        "occurredAt": "2026-01-31T10:20:30.000Z",
        "uuid": UUID,
    }
    return sent | changes


def test_of_one_uuid_only_the_first_event_is_stored(hubspot: Running) -> None:
    """A repeat is taken and counted."""
    for value in ("1", "2"):
        order = {"inputs": [event(properties={"amount": value})]}
        assert hubspot.call("POST", "/events/v3/send/batch", order)[:2] == (204, None)
    (stored,) = hubspot.all("events")
    assert (stored["properties"], stored["repeats"]) == ({"amount": "1"}, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"eventName": "unheard_of"},
        {"objectId": ""},
        {"uuid": "1"},
        {"occurredAt": "2026-01-31"},
        {"properties": {"amount": 3}},
    ],
)
def test_events_are_refused_together(hubspot: Running, changes: dict[str, Any]) -> None:
    """One bad one spoils them all."""
    good = event(uuid=UUID[:-1] + "2")
    status, answer, _ = hubspot.call("POST", "/events/v3/send/batch", {"inputs": [good, event(**changes)]})
    assert (status, answer["category"]) == (400, "VALIDATION_ERROR")
    assert hubspot.counts["events"] == 0


def test_token_window_and_day_are_kept(tmp_path: Path) -> None:
    """Each refusal says what it is."""
    options = ("--requests", "2", "--window-seconds", "3600", "--daily", "4")
    with running("hubspot", tmp_path, *options, headers=HEADERS) as sandbox:
        path = "/crm/v3/objects/contacts?limit=1"
        answers = [sandbox.call("GET", path) for _ in range(5)]
        assert [status for status, _, _ in answers] == [200, 200, 429, 429, 429]
        assert answers[0][2]["X-HubSpot-RateLimit-Remaining"] == "1"
        assert [answers[place][1]["policyName"] for place in (2, 4)] == ["TEN_SECONDLY_ROLLING", "DAILY"]
        assert sandbox.call("POST", "/events/v3/send/batch", {}, Authorization="Bearer wrong")[0] == 401


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    """Contacts, properties and what is unique are there again."""
    with running("hubspot", tmp_path, headers=HEADERS) as sandbox:
        sandbox.call("POST", "/crm/v3/properties/contacts", {"name": "shoe", "type": "number"})
        upsert(sandbox, entry("a@example.com", shoe="42"))
        before = sandbox.all("contacts")
    with running("hubspot", tmp_path, headers=HEADERS) as sandbox:
        assert sandbox.all("contacts") == before
        assert upsert(sandbox, entry("a@example.com", shoe="43"))[1]["results"][0]["new"] is False
