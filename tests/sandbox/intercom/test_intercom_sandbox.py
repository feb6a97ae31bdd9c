"""The local Intercom refuses what the real one refuses, and holds what it was told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.intercom.conftest import HEADERS
from tests.sandbox.running import Running, running

ADA = {"external_id": "u1", "email": "Ada@Example.com", "name": "Ada", "custom_attributes": {"employees": 3}}


def made(intercom: Running, **fields: Any) -> str:
    status, contact, _ = intercom.call("POST", "/contacts", fields)
    assert status == 200, contact
    return str(contact["id"])


def code(answer: tuple[int, Any, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["errors"][0]["code"]


def found(intercom: Running, *filters: Any, operator: str = "OR") -> list[str]:
    status, answer, _ = intercom.call(
        "POST", "/contacts/search", {"query": {"operator": operator, "value": list(filters)}}
    )
    assert status == 200, answer
    return [one["external_id"] for one in answer["data"]]


def where(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def test_a_contact_is_made_changed_and_shown(intercom: Running) -> None:
    """Addresses in lower case; a null empties; what isn't sent stays."""
    contact = made(intercom, **ADA)
    intercom.call("PUT", f"/contacts/{contact}", {"name": None, "custom_attributes": {"employees": None, "vip": True}})
    _, shown, _ = intercom.call("GET", f"/contacts/{contact}")
    assert (shown["email"], shown["name"], shown["custom_attributes"]) == ("ada@example.com", None, {"vip": True})
    _, same, _ = intercom.call("GET", "/contacts/find_by_external_id/u1")
    assert same["id"] == contact


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Authorization": "Bearer wrong"}, (401, "unauthorized")),
        ({"Authorization": ""}, (401, "unauthorized")),
        ({"Intercom-Version": "9.9"}, (400, "intercom_version_invalid")),
    ],
)
def test_token_and_version_are_checked(intercom: Running, headers: dict[str, str], expected: tuple[int, str]) -> None:
    """Before anything else."""
    assert code(intercom.call("GET", "/me", **headers)) == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"name": "Ada"}, "parameter_not_found"),
        ({"email": "nobody"}, "parameter_invalid"),
        ({"email": None, "external_id": "u"}, "parameter_invalid"),
        ({"email": "a@example.com", "signed_up_at": "2026-01-31T10:20:30Z"}, "type_mismatch"),
        ({"email": "a@example.com", "signed_up_at": 1_769_854_830_000}, "type_mismatch"),
        ({"email": "a@example.com", "unsubscribed_from_emails": "true"}, "type_mismatch"),
        ({"email": "a@example.com", "favourite": "x"}, "parameter_invalid"),
        ({"email": "a@example.com", "role": "admin"}, "parameter_invalid"),
        ({"external_id": "u", "email_verified": True}, "parameter_invalid"),
        ({"email": "a@example.com", "custom_attributes": {"unheard_of": 1}}, "parameter_invalid"),
        ({"email": "a@example.com", "custom_attributes": {"employees": "3"}}, "parameter_invalid"),
        ({"email": "a@example.com", "custom_attributes": {"vip": 1}}, "parameter_invalid"),
        ({"email": "a@example.com", "custom_attributes": {"title": "x" * 256}}, "parameter_invalid"),
        ({"email": "a@example.com", "custom_attributes": {"last_activity_at": "2026-01-31"}}, "parameter_invalid"),
    ],
)
def test_a_contact_is_refused_for_a_bad_value(intercom: Running, sent: dict[str, Any], expected: str) -> None:
    """And nothing is stored."""
    assert code(intercom.call("POST", "/contacts", sent)) == (400, expected)
    assert intercom.counts["contacts"] == 0


def test_nobody_is_there_twice(intercom: Running) -> None:
    """By external id or by address; the answer names who is there, archived or not, or all of them."""
    contact = made(intercom, **ADA)
    for twin in ({"external_id": "u1"}, {"email": "ADA@example.com"}):
        status, answer, _ = intercom.call("POST", "/contacts", twin)
        assert status == 409
        assert answer["errors"][0]["message"].endswith(f"id={contact}")
    other = made(intercom, external_id="u2", email="b@example.com")
    assert intercom.call("PUT", f"/contacts/{other}", {"email": "ada@example.com"})[0] == 409
    _, answer, _ = intercom.call("POST", "/contacts", {"external_id": "u2", "email": "ada@example.com"})
    assert answer["errors"][0]["message"].startswith("Multiple")
    intercom.call("POST", f"/contacts/{contact}/archive")
    _, answer, _ = intercom.call("POST", "/contacts", {"external_id": "u1"})
    assert answer["errors"][0]["message"].startswith("An archived contact")


def test_a_merged_lead_leads_to_its_user(intercom: Running) -> None:
    """By id and by external id, with a link; a search finds the user only."""
    lead = made(intercom, role="lead", external_id="u1", email="l@example.com")
    user = made(intercom, external_id="u2", email="u@example.com")
    assert code(intercom.call("POST", "/contacts/merge", {"from": user, "into": lead})) == (400, "invalid_merge")
    intercom.call("POST", "/contacts/merge", {"from": lead, "into": user})
    for path in (f"/contacts/{lead}", "/contacts/find_by_external_id/u1"):
        status, _, headers = intercom.call("GET", path)
        assert (status, headers["Link"]) == (410, f'</contacts/{user}>; rel="canonical"')
    assert found(intercom, where("external_id", "=", "u1"), where("external_id", "=", "u2")) == ["u2"]


def test_filters_find_contacts(intercom: Running) -> None:
    """Groups in groups, texts, numbers and custom attributes; archived contacts are not found."""
    for number in range(5):
        made(
            intercom, external_id=f"u{number}", email=f"p{number}@example.com", custom_attributes={"employees": number}
        )
    assert found(intercom, where("email", "=", "P1@example.com"), where("external_id", "IN", ["u3"])) == ["u1", "u3"]
    assert found(intercom, where("custom_attributes.employees", ">", 2)) == ["u3", "u4"]
    either = {"operator": "OR", "value": [where("email", "^", "p1"), where("email", "^", "p2")]}
    assert found(intercom, either, {"operator": "OR", "value": [where("email", "^", "p2")]}, operator="AND") == ["u2"]


@pytest.mark.parametrize(
    "query",
    [
        {"operator": "OR", "value": [where("email", "=", str(number)) for number in range(16)]},
        {"operator": "OR", "value": []},
        {
            "operator": "OR",
            "value": [{"operator": "OR", "value": [{"operator": "OR", "value": [where("id", "=", "1")]}]}],
        },
        where("favourite", "=", "x"),
        where("created_at", ">=", 1),
        where("email", "like", "x"),
        where("email", "=", 3),
    ],
)
def test_a_query_that_is_too_much_is_refused(intercom: Running, query: dict[str, Any]) -> None:
    """Sixteen filters, three levels, unknown fields and operators."""
    assert code(intercom.call("POST", "/contacts/search", {"query": query})) == (400, "parameter_invalid")


def test_a_search_comes_in_pages(intercom: Running) -> None:
    """With a cursor, until there is no next one."""
    for number in range(5):
        made(intercom, external_id=f"u{number}")
    query, seen, after = where("external_id", "^", "u"), [], None
    for _ in range(3):
        paging = {"per_page": 2} | ({"starting_after": after} if after else {})
        _, answer, _ = intercom.call("POST", "/contacts/search", {"query": query, "pagination": paging})
        seen += [one["external_id"] for one in answer["data"]]
        after = answer["pages"].get("next", {}).get("starting_after")
    assert seen == [f"u{number}" for number in range(5)]
    assert after is None


def test_a_new_contact_is_unknown_to_searches_for_a_while(intercom: Running) -> None:
    """Asking for it directly shows it."""
    intercom.post("/sandbox/search_delay", {"seconds": 3600})
    made(intercom, **ADA)
    assert found(intercom, where("external_id", "=", "u1")) == []
    assert intercom.call("GET", "/contacts/find_by_external_id/u1")[0] == 200


def test_an_event_is_known_by_contact_name_and_second(intercom: Running) -> None:
    """Ten keys of its metadata are kept; a repeat is taken and counted."""
    contact = made(intercom, **ADA)
    sent = {"event_name": "won", "created_at": 1_769_854_830, "id": contact}
    metadata = {f"k{number:02}": number for number in range(12)}
    for more in ({"metadata": metadata}, {}, {"created_at": 1_769_854_831}, {"event_name": "lost"}):
        assert intercom.call("POST", "/events", sent | more)[:2] == (202, None)
    events = intercom.all("events")
    assert [(one["event_name"], one["repeats"]) for one in events] == [("won", 1), ("won", 0), ("lost", 0)]
    assert len(events[0]["metadata"]) == 10


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"event_name": ""}, (400, "parameter_not_found")),
        ({"created_at": 1_769_854_830_000}, (400, "parameter_invalid")),
        ({"created_at": "2026-01-31"}, (400, "parameter_invalid")),
        ({"id": None}, (400, "parameter_not_found")),
        ({"id": "nobody"}, (404, "not_found")),
        ({"metadata": {"a": {"b": 1}}}, (400, "parameter_invalid")),
    ],
)
def test_an_event_is_refused(intercom: Running, changes: dict[str, Any], expected: tuple[int, str]) -> None:
    """Without name, second or contact, or with nested metadata."""
    contact = made(intercom, **ADA)
    sent = {"event_name": "won", "created_at": 1_769_854_830, "id": contact} | changes
    assert code(intercom.call("POST", "/events", sent)) == expected


def test_a_window_takes_so_many_and_says_so(tmp_path: Path) -> None:
    """Every answer has the headers; what is too much is refused."""
    with running("intercom", tmp_path, "--requests", "3", "--window-seconds", "3600", headers=HEADERS) as sandbox:
        answers = [sandbox.call("GET", "/me") for _ in range(4)]
        assert [headers["X-RateLimit-Remaining"] for _, _, headers in answers] == ["2", "1", "0", "0"]
        assert [status for status, _, _ in answers] == [200, 200, 200, 429]
        assert code(answers[3]) == (429, "rate_limit_exceeded")


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    """Contacts, events and attributes are there again."""
    with running("intercom", tmp_path, headers=HEADERS) as sandbox:
        sandbox.call("POST", "/data_attributes", {"name": "shoe", "model": "contact", "data_type": "integer"})
        contact = made(sandbox, email="a@example.com", custom_attributes={"shoe": 42})
        sandbox.call("POST", "/events", {"event_name": "won", "created_at": 1, "id": contact})
        before = (sandbox.all("contacts"), sandbox.all("events"))
    with running("intercom", tmp_path, headers=HEADERS) as sandbox:
        assert (sandbox.all("contacts"), sandbox.all("events")) == before
        assert made(sandbox, email="b@example.com", custom_attributes={"shoe": 43}) != contact


def test_faults_hit_as_ordered(intercom: Running) -> None:
    """By method and path, a share of requests, or always the same records."""
    intercom.fault(method="PUT", path="/contacts/", status=503)
    contact = made(intercom, **ADA)
    assert intercom.call("PUT", f"/contacts/{contact}", {"name": "B"})[0] == 503
    assert intercom.call("PUT", f"/contacts/{contact}", {"name": "B"})[0] == 200
    intercom.fault(share=0.5, status=500, times=1_000)
    statuses = [intercom.call("GET", "/me")[0] for _ in range(200)]
    assert 60 < statuses.count(500) < 140
    intercom.http.request("DELETE", intercom.url + "/sandbox/faults")
    intercom.fault(reject_share=0.3)
    first, again = (
        [intercom.call("POST", "/contacts", {"external_id": f"x{number}"})[0] for number in range(100)]
        for _ in range(2)
    )
    assert 10 < first.count(400) < 50
    assert [status == 400 for status in first] == [status == 400 for status in again]
