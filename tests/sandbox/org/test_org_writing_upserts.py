"""Single records by external Id: create, change, delete; parents by their external Ids."""

from __future__ import annotations

import pytest

from tests.sandbox.org.conftest import RunningOrg, V

KEY = f"{V}/sobjects/Contact/External_Key__c"


def test_an_upsert_creates_once_and_then_changes(org: RunningOrg) -> None:
    """201 with Location, then 200; both say whether they created."""
    first = org.http.patch(f"{KEY}/u-1", json={"LastName": "New"})
    made = first.json()
    assert (first.status_code, made) == (201, {"id": made["id"], "success": True, "errors": [], "created": True})
    assert first.headers["Location"] == f"{V}/sobjects/Contact/{made['id']}"
    second = org.http.patch(f"{KEY}/U-1", json={"LastName": "Same"})
    assert (second.status_code, second.json()) == (200, {**made, "created": False})
    record = org.http.get(f"{V}/sobjects/Contact/{made['id']}").json()
    assert (record["LastName"], record["External_Key__c"]) == ("Same", "u-1")


def test_an_upsert_of_an_old_version_says_less(org: RunningOrg) -> None:
    """Up to 45.0 there is no `created`, and a change answers 204 with nothing."""
    url = "/services/data/v45.0/sobjects/Contact/External_Key__c/u-45"
    first = org.http.patch(url, json={"LastName": "New"})
    assert (first.status_code, sorted(first.json())) == (201, ["errors", "id", "success"])
    second = org.http.patch(url, json={"LastName": "Same"})
    assert (second.status_code, second.content) == (204, b"")


def test_update_only_creates_nothing(org: RunningOrg) -> None:
    """404 where nothing has that key."""
    answer = org.http.patch(f"{KEY}/u-none", params={"updateOnly": "true"}, json={"LastName": "x"})
    expected = [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]
    assert (answer.status_code, answer.json()) == (404, expected)


def test_a_field_that_is_no_key_is_refused(org: RunningOrg) -> None:
    """404 names it."""
    answer = org.http.patch(f"{V}/sobjects/Contact/Title/x", json={"LastName": "x"})
    message = "Provided external ID field does not exist or is not accessible: Title"
    assert (answer.status_code, answer.json()) == (404, [{"message": message, "errorCode": "NOT_FOUND"}])


@pytest.mark.parametrize("name", ["Id", "External_Key__c"])
def test_the_body_must_not_repeat_the_path(org: RunningOrg, name: str) -> None:
    """400 INVALID_FIELD."""
    answer = org.http.patch(f"{KEY}/u-2", json={"LastName": "x", name: "u-2"})
    message = f"The {name} field should not be specified in the sobject data."
    assert (answer.status_code, answer.json()) == (400, [{"message": message, "errorCode": "INVALID_FIELD"}])


def test_a_key_of_several_records_is_answered_with_their_urls(org: RunningOrg) -> None:
    """300: e-mail addresses are keys too, but not unique; nothing is written."""
    urls = []
    for name in ("One", "Two"):
        made = org.http.post(f"{V}/sobjects/Contact", json={"LastName": name, "Email": "both@example.com"}).json()
        urls.append(f"{V}/sobjects/Contact/{made['id']}")
    for answer in (
        org.http.patch(f"{V}/sobjects/Contact/Email/both@example.com", json={"Title": "x"}),
        org.http.delete(f"{V}/sobjects/Contact/Email/both@example.com"),
    ):
        assert (answer.status_code, answer.json()) == (300, urls)


def test_a_record_is_deleted_by_its_key(org: RunningOrg) -> None:
    """204, then 404."""
    org.http.patch(f"{KEY}/u-del", json={"LastName": "x"})
    assert org.http.delete(f"{KEY}/u-del").status_code == 204
    assert org.http.delete(f"{KEY}/u-del").status_code == 404


def test_a_post_can_stand_for_a_patch(org: RunningOrg) -> None:
    """For clients that have no PATCH; and a POST to the Id field creates."""
    answer = org.http.post(f"{KEY}/u-post", params={"_HttpMethod": "PATCH"}, json={"LastName": "x"})
    assert answer.status_code == 201
    made = org.http.post(f"{V}/sobjects/Contact/Id", json={"LastName": "y"})
    assert (made.status_code, made.json()["created"]) == (201, True)


def test_a_parent_can_be_named_by_its_key(org: RunningOrg) -> None:
    """`Account: {External_Key__c: x}`; an unknown key is an error."""
    account = org.http.post(f"{V}/sobjects/Account", json={"Name": "P", "External_Key__c": "Par-1"}).json()["id"]
    body = {"LastName": "Child", "Account": {"External_Key__c": "par-1"}}
    made = org.http.post(f"{V}/sobjects/Contact", json=body).json()["id"]
    assert org.http.get(f"{V}/sobjects/Contact/{made}").json()["AccountId"] == account
    body["Account"] = {"External_Key__c": "Nope"}
    message = "Foreign key external ID: nope not found for field External_Key__c in entity Account"
    answer = org.http.post(f"{V}/sobjects/Contact", json=body)
    expected = [{"message": message, "errorCode": "INVALID_FIELD", "fields": []}]
    assert (answer.status_code, answer.json()) == (400, expected)
