"""The platform's smaller endpoints and the sandbox's own."""

from __future__ import annotations

from typing import Any

import pytest
import urllib3

from tests.sandbox.insider_one.running import Sandbox

ADA = {"identifiers": {"uuid": "a1", "email": "a@example.com"}, "attributes": {"name": "Ada", "city": "Rome"}}


def test_attribute_delete_clears_whole_and_partial(sandbox: Sandbox) -> None:
    """It takes whole attributes away and single values out of lists."""
    sandbox.upsert(ADA | {"attributes": {"city": "Rome", "age": 3, "custom": {"tier": "Gold", "likes": ["a", "b"]}}})
    order = {
        "identifiers": {"uuid": "a1"},
        "whole": ["city"],
        "custom": {"whole": ["tier"], "partial": {"likes": ["a"]}},
    }
    status, answer = sandbox.call("/api/user/v1/attribute/delete", {"users": [order]})
    assert (status, answer) == (200, {"data": {"successful": {"count": 1}, "fail": {}}})
    assert sandbox.get("/sandbox/profile?uuid=a1")["attributes"] == {"age": 3, "custom": {"likes": ["b"]}}


def test_identity_changes_an_identifier(sandbox: Sandbox) -> None:
    """Afterwards the new one leads to the profile and the old one to nobody."""
    sandbox.upsert(ADA)
    order = {"old_identifier": {"email": "a@example.com"}, "new_identifier": {"email": "b@example.com"}}
    assert sandbox.call("/api/user/v1/identity", order, "PATCH") == (200, {})
    assert sandbox.get("/sandbox/profile?email=b@example.com")["identifiers"]["uuid"] == "a1"
    assert "error" in sandbox.get("/sandbox/profile?email=a@example.com")


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ({"email": "a@example.com"}, {"email": "a@example.com"}, "identifier values are the same: bad request"),
        (
            {"email": "a@example.com", "uuid": "a1"},
            {"email": "b@example.com"},
            "there must be exactly 1 entry for both new and old identifiers: bad request",
        ),
        (
            {"email": "a@example.com"},
            {"email": "c@example.com"},
            "new identifier already has a user assigned to it: bad request",
        ),
        ({"nick": "a"}, {"nick": "b"}, "no valid identifier: bad request"),
    ],
)
def test_identity_refuses_with_its_own_texts(
    sandbox: Sandbox, old: dict[str, str], new: dict[str, str], text: str
) -> None:
    """Each reason has its text."""
    sandbox.upsert(ADA, {"identifiers": {"email": "c@example.com"}, "attributes": {"name": "Cleo"}})
    order = {"old_identifier": old, "new_identifier": new}
    assert sandbox.call("/api/user/v1/identity", order, "PATCH") == (400, {"error": text})


def test_the_sole_identifier_stays(sandbox: Sandbox) -> None:
    """DELETE identity takes one of two, never the last."""
    sandbox.upsert(ADA)
    assert sandbox.call("/api/user/v1/identity", {"identifiers": {"email": "a@example.com"}}, "DELETE")[0] == 200
    assert sandbox.call("/api/user/v1/identity", {"identifiers": {"uuid": "a1"}}, "DELETE")[0] == 400


def test_a_profile_is_read_and_erased(sandbox: Sandbox) -> None:
    """Custom names are read with c_, the consent as gdpr; after erasure there is nobody."""
    attributes = {"name": "Ada", "gdpr_optin": True, "custom": {"tier": "Gold"}}
    sandbox.upsert(ADA | {"attributes": attributes})
    who = {"identifiers": {"uuid": "a1"}}
    status, answer = sandbox.call("/api/user/v1/profile", who | {"attributes": ["*"]})
    assert status == 200
    assert answer["data"]["attributes"] == {"name": "Ada", "gdpr": True, "c_tier": "Gold"}
    assert sandbox.call("/api/user/v1/delete", who) == (200, {})
    nobody = {"error": "no such user for these identifiers: no data"}
    assert sandbox.call("/api/user/v1/profile", who) == (404, nobody)


def test_columns_name_standard_and_custom_attributes(sandbox: Sandbox) -> None:
    """The answer is a list of keys with their display names."""
    sandbox.upsert(ADA | {"attributes": {"custom": {"tier": "Gold"}}})
    status, answer = sandbox.call("/api/user/v3/metadata/columns", {"table": "contacts"})
    assert status == 200
    assert {"key": "c_tier", "display_name": "tier"} in answer
    assert "email_optin" in [column["key"] for column in answer]


@pytest.mark.parametrize("after_store", [False, True])
def test_a_fault_answers_wrongly_before_or_after_storing(sandbox: Sandbox, after_store: bool) -> None:
    """The order says whether the request was carried out; the next request is answered truly."""
    sandbox.fault(status=500, after_store=after_store)
    assert sandbox.upsert(ADA)[0] == 500
    assert sandbox.counts["profiles"] == int(after_store)
    assert sandbox.upsert(ADA)[0] == 200


def test_a_dropped_answer_is_no_answer(sandbox: Sandbox) -> None:
    """The connection breaks off after the request was carried out."""
    sandbox.fault(drop_answer=True, after_store=True)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        sandbox.upsert(ADA)
    assert sandbox.counts["profiles"] == 1
    assert sandbox.get("/sandbox/requests")["requests"][0]["status"] == 0


@pytest.mark.parametrize(("wish", "taken"), [({"reject_all": True}, 0), ({"reject_indexes": [1]}, 1)])
def test_a_fault_refuses_users(sandbox: Sandbox, wish: dict[str, Any], taken: int) -> None:
    """With HTTP 200, as the platform does."""
    sandbox.fault(**wish)
    status, answer = sandbox.upsert(ADA, ADA)
    assert (status, answer["data"]["fail"]["count"]) == (200, 2 - taken)


def test_a_fault_waits_for_its_turn(sandbox: Sandbox) -> None:
    """`skip` lets requests pass first, `times` repeats it."""
    sandbox.fault(status=503, skip=1, times=2)
    http, url = sandbox.http, f"{sandbox.url}/api/user/v1/upsert"
    assert [http.request("POST", url, body=b"{}").status for _ in range(4)] == [400, 503, 503, 400]


def test_an_unknown_wish_is_refused(sandbox: Sandbox) -> None:
    """A typing error in a test must not pass as no fault."""
    assert "unknown: sttus" in sandbox.post("/sandbox/faults", {"sttus": 500})["error"]
    assert sandbox.get("/sandbox/faults") == {"faults": []}


def test_the_request_log_holds_nothing_of_a_person(sandbox: Sandbox) -> None:
    """Counts, sizes and flags only."""
    sandbox.upsert(ADA)
    assert "example.com" not in str(sandbox.get("/sandbox/requests"))


def test_pages_go_through_all_profiles(sandbox: Sandbox) -> None:
    """Limit and offset are those of the order of creation."""
    sandbox.upsert(*({"identifiers": {"uuid": f"u{n}"}, "attributes": {"age": n}} for n in range(5)))
    page = sandbox.get("/sandbox/profiles?limit=2&offset=3")["profiles"]
    assert [profile["attributes"]["age"] for profile in page] == [3, 4]


@pytest.mark.parametrize(
    "user",
    [
        {"whole": ["city"]},
        {"identifiers": {"uuid": "a1"}},
        {"identifiers": {"uuid": "a1"}, "whole": "city"},
        {"identifiers": {"uuid": "a1"}, "whole": ["email"]},
        {"identifiers": {"uuid": 1}, "whole": ["city"]},
    ],
)
def test_attribute_delete_refuses_what_it_cannot_do(sandbox: Sandbox, user: dict[str, Any]) -> None:
    """One user; the other one's attribute goes."""
    sandbox.upsert(ADA)
    status, answer = sandbox.call(
        "/api/user/v1/attribute/delete", {"users": [user, {"identifiers": {"uuid": "a1"}, "whole": ["name"]}]}
    )
    assert status == 200
    assert (answer["data"]["successful"], answer["data"]["fail"]["count"]) == ({"count": 1}, 1)
    assert all(key.startswith("users.0.") for key in answer["data"]["fail"]["errors"])
    assert sandbox.get("/sandbox/profile?uuid=a1")["attributes"] == {"city": "Rome"}


def test_attribute_delete_takes_a_thousand_users(sandbox: Sandbox) -> None:
    """And not one more."""
    users = [{"identifiers": {"uuid": str(number)}, "whole": ["city"]} for number in range(1_001)]
    assert sandbox.call("/api/user/v1/attribute/delete", {"users": users})[0] == 400
    assert sandbox.call("/api/user/v1/attribute/delete", {"users": users[1:]})[0] == 200
