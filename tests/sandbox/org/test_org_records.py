"""Single records: read, create, change, delete, and what is refused."""

from __future__ import annotations

import time
from typing import Any

import pytest

from include.sandbox.org.ids import make_id
from tests.sandbox.org.conftest import RunningOrg, V

NO_ACCOUNT = make_id("001", 99_999_999)


def _create(org: RunningOrg, name: str = "Contact", **fields: Any) -> str:
    answer = org.http.post(f"{V}/sobjects/{name}", json=fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_created_record_can_be_read(org: RunningOrg) -> None:
    """201, Location, and the values as written; the platform fills in owner and stamps."""
    answer = org.http.post(f"{V}/sobjects/Contact/", json={"LastName": " Weiß ", "Email": "w@example.com", "Title": ""})
    assert answer.status_code == 201
    made = answer.json()
    assert made == {"id": made["id"], "success": True, "errors": []}
    assert answer.headers["Location"] == f"{V}/sobjects/Contact/{made['id']}"
    record = org.http.get(answer.headers["Location"]).json()
    assert (record["LastName"], record["Name"], record["Title"]) == ("Weiß", "Weiß", None)
    assert record["CreatedDate"] == record["LastModifiedDate"] == record["SystemModstamp"]
    assert record["OwnerId"] == record["CreatedById"]
    assert record["MailingAddress"] is None


def test_some_fields_can_be_asked_for(org: RunningOrg) -> None:
    """Id comes along; a 15-character Id will do."""
    made = _create(org, LastName="Few")
    record = org.http.get(f"{V}/sobjects/contact/{made[:15]}", params={"fields": "LastName,id"}).json()
    assert {name for name in record if name != "attributes"} == {"Id", "LastName"}


def test_a_change_moves_the_stamps(org: RunningOrg) -> None:
    """204; SystemModstamp and LastModifiedDate are those of the change."""
    made = _create(org, LastName="Before")
    first = org.http.get(f"{V}/sobjects/Contact/{made}").json()
    time.sleep(1.1)
    assert org.http.patch(f"{V}/sobjects/Contact/{made}", json={"LastName": "After"}).status_code == 204
    after = org.http.get(f"{V}/sobjects/Contact/{made}").json()
    assert (after["LastName"], after["CreatedDate"]) == ("After", first["CreatedDate"])
    assert after["SystemModstamp"] == after["LastModifiedDate"] > first["SystemModstamp"]


def test_a_deleted_record_says_so(org: RunningOrg) -> None:
    """204, then 404 ENTITY_IS_DELETED for every verb."""
    made = _create(org, LastName="Gone")
    url = f"{V}/sobjects/Contact/{made}"
    assert org.http.delete(url).status_code == 204
    for answer in (org.http.get(url), org.http.patch(url, json={"Title": "x"}), org.http.delete(url)):
        assert answer.status_code == 404
        assert answer.json() == [{"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}]


def test_deleting_an_account_takes_its_contacts_along(org: RunningOrg) -> None:
    """Contacts and opportunities of it are in the recycle bin too."""
    account = _create(org, "Account", Name="Parent")
    contact = _create(org, LastName="Child", AccountId=account)
    org.http.delete(f"{V}/sobjects/Account/{account}")
    assert org.http.get(f"{V}/sobjects/Contact/{contact}").json()[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_a_stage_brings_its_probability(org: RunningOrg) -> None:
    """Unless one is given."""
    made = _create(org, "Opportunity", Name="Deal", StageName="Negotiation/Review", CloseDate="2030-01-31", Amount=200)
    record = org.http.get(f"{V}/sobjects/Opportunity/{made}").json()
    assert (record["Probability"], record["ExpectedRevenue"], record["IsClosed"]) == (90.0, 180.0, False)
    org.http.patch(f"{V}/sobjects/Opportunity/{made}", json={"StageName": "Closed Won"})
    record = org.http.get(f"{V}/sobjects/Opportunity/{made}").json()
    assert (record["Probability"], record["IsClosed"], record["IsWon"]) == (100.0, True, True)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (
            {"FirstName": "x"},
            {
                "message": "Required fields are missing: [LastName]", "errorCode": "REQUIRED_FIELD_MISSING",
                "fields": ["LastName"],
            },
        ),
        (
            {"LastName": "x", "Email": "not an address"},
            {
                "message": "Email: invalid email address: not an address", "errorCode": "INVALID_EMAIL_ADDRESS",
                "fields": ["Email"],
            },
        ),
        (
            {"LastName": "x", "FirstName": "y" * 41},
            {
                "message": f"First Name: data value too large: {'y' * 41} (max length=40)",
                "errorCode": "STRING_TOO_LONG", "fields": ["FirstName"],
            },
        ),
        (
            {"LastName": "x", "AccountId": "003xx"},
            {
                "message": "Account ID: id value of incorrect type: 003xx", "errorCode": "MALFORMED_ID",
                "fields": ["AccountId"],
            },
        ),
        (
            {"LastName": "x", "AccountId": NO_ACCOUNT},
            {"message": "invalid cross reference id", "errorCode": "INVALID_CROSS_REFERENCE_KEY", "fields": []},
        ),
        (
            {"LastName": "x", "Tier__c": "Lead"},
            {
                "message": "Tier: bad value for restricted picklist field: Lead",
                "errorCode": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "fields": ["Tier__c"],
            },
        ),
        (
            {"LastName": "x", "Nope": 1},
            {"message": "No such column 'Nope' on sobject of type Contact", "errorCode": "INVALID_FIELD"},
        ),
        (
            {"LastName": "x", "CreatedDate": "2020-01-01T00:00:00Z"},
            {
                "message": "Unable to create/update fields: CreatedDate. Please check the security settings of this "
                "field and verify that it is read/write for your profile or permission set.",
                "errorCode": "INVALID_FIELD_FOR_INSERT_UPDATE", "fields": ["CreatedDate"],
            },
        ),
    ],
)  # fmt: skip
def test_a_wrong_record_is_refused_whole(org: RunningOrg, fields: dict[str, Any], error: dict[str, Any]) -> None:
    """400 with one error, its fields if there are any."""
    answer = org.http.post(f"{V}/sobjects/Contact", json=fields)
    assert (answer.status_code, answer.json()) == (400, [error])


def test_an_external_id_is_unique(org: RunningOrg) -> None:
    """Whatever its case."""
    made = _create(org, LastName="One", External_Key__c="only-one")
    answer = org.http.post(f"{V}/sobjects/Contact", json={"LastName": "Two", "External_Key__c": "ONLY-ONE"})
    message = f"duplicate value found: External_Key__c duplicates value on record with id: {made[:15]}"
    assert answer.json() == [{"message": message, "errorCode": "DUPLICATE_VALUE", "fields": []}]


@pytest.mark.parametrize("record_id", [make_id("003", 99_999_999), make_id("001", 1), "003000000000001AAA"])
def test_an_unknown_record_is_not_found(org: RunningOrg, record_id: str) -> None:
    """No such number, another object's prefix, another org's Id."""
    answer = org.http.get(f"{V}/sobjects/Contact/{record_id}")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")


def test_a_converted_lead_cannot_be_changed(org: RunningOrg) -> None:
    """It is read-only."""
    (lead,) = org.query("SELECT Id FROM Lead WHERE IsConverted = true LIMIT 1")["records"]
    answer = org.http.patch(f"{V}/sobjects/Lead/{lead['Id']}", json={"Title": "x"})
    assert answer.json()[0]["errorCode"] == "CANNOT_UPDATE_CONVERTED_LEAD"


def test_a_verb_that_is_not_there_is_refused(org: RunningOrg) -> None:
    """405 names the verbs that are."""
    answer = org.http.put(f"{V}/sobjects/Contact/{make_id('003', 1)}", json={})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (405, "METHOD_NOT_ALLOWED")


def test_a_body_that_is_no_json_is_refused(org: RunningOrg) -> None:
    """JSON_PARSER_ERROR."""
    answer = org.http.post(f"{V}/sobjects/Contact", content=b"{not json")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
