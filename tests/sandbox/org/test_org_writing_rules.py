"""What a record must be to be written: types, sizes, references, owners, and the rules one can switch on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from include.sandbox.org.ids import make_id
from tests.sandbox.org.conftest import RunningOrg, V

DEAL = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2030-01-31"}


@pytest.fixture
def rules(org: RunningOrg) -> Iterator[RunningOrg]:
    """Yield the org, and switch all rules off afterwards."""
    yield org
    org.command("rules", duplicates="off", validation=False, audit_fields=False)


def _post(org: RunningOrg, kind: str, **fields: Any) -> Any:
    return org.http.post(f"{V}/sobjects/{kind}", json=fields)


def _made(org: RunningOrg, kind: str, **fields: Any) -> str:
    answer = _post(org, kind, **fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.mark.parametrize(
    ("kind", "fields", "code", "message", "named"),
    [
        (
            "Contact", {"LastName": "x", "Score__c": 12345}, "NUMBER_OUTSIDE_VALID_RANGE",
            "Score: value outside of valid range on numeric field: 12345.0", ["Score__c"],
        ),
        (
            "Account", {"Name": "x", "NumberOfEmployees": 100_000_000}, "NUMBER_OUTSIDE_VALID_RANGE",
            "Employees: value outside of valid range on numeric field: 100000000", ["NumberOfEmployees"],
        ),
        (
            "Contact", {"LastName": "x", "Id": make_id("003", 1)}, "INVALID_FIELD_FOR_INSERT_UPDATE",
            "cannot specify Id in an insert call", ["Id"],
        ),
        (
            "Contact", {"LastName": "x", "AccountId": make_id("003", 1)}, "FIELD_INTEGRITY_EXCEPTION",
            f"Account ID: id value of incorrect type: {make_id('003', 1)}", ["AccountId"],
        ),
        (
            "Opportunity", {**DEAL, "CloseDate": None}, "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [CloseDate]", ["CloseDate"],
        ),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused(
    org: RunningOrg, kind: str, fields: dict[str, Any], code: str, message: str, named: list[str]
) -> None:
    """400 with Salesforce's code and words."""
    answer = _post(org, kind, **fields)
    assert (answer.status_code, answer.json()) == (400, [{"message": message, "errorCode": code, "fields": named}])


@pytest.mark.parametrize(
    "fields", [{"CloseDate": "soon"}, {"Amount": "much"}, {"Amount": True}, {"IsPrivate": "perhaps"}, {"Name": ["x"]}]
)
def test_a_value_of_the_wrong_type_is_a_parser_error(org: RunningOrg, fields: dict[str, Any]) -> None:
    """400 JSON_PARSER_ERROR."""
    answer = _post(org, "Opportunity", **{**DEAL, **fields})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_values_are_kept_as_salesforce_keeps_them(org: RunningOrg) -> None:
    """Numbers as text are numbers, places beyond the field's are rounded, blanks are cut, empty texts are null."""
    made = _made(org, "Opportunity", **{**DEAL, "Name": " D "}, Amount="12.345", NextStep="")
    row = org.http.get(f"{V}/sobjects/Opportunity/{made}").json()
    assert (row["Name"], row["Amount"], row["NextStep"]) == ("D", 12.35, None)


def test_a_reference_to_a_deleted_record_is_refused(org: RunningOrg) -> None:
    """400 ENTITY_IS_DELETED."""
    account = _made(org, "Account", Name="Gone")
    org.http.delete(f"{V}/sobjects/Account/{account}")
    answer = _post(org, "Contact", LastName="x", AccountId=account)
    expected = [{"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}]
    assert (answer.status_code, answer.json()) == (400, expected)


def test_an_inactive_user_can_own_nothing_new(org: RunningOrg) -> None:
    """400 INACTIVE_OWNER_OR_USER names the user."""
    (user,) = org.query("SELECT Id FROM User WHERE IsActive = false LIMIT 1")["records"]
    message = f"operation performed with inactive user [{user['Id']}] as owner of contact"
    answer = _post(org, "Contact", LastName="x", OwnerId=user["Id"])
    expected = [{"message": message, "errorCode": "INACTIVE_OWNER_OR_USER", "fields": []}]
    assert (answer.status_code, answer.json()) == (400, expected)


def test_a_queue_can_own_a_lead(org: RunningOrg) -> None:
    """But not a contact."""
    (queue,) = org.query("SELECT Id FROM Group WHERE Type = 'Queue' LIMIT 1")["records"]
    assert _post(org, "Lead", LastName="x", Company="y", OwnerId=queue["Id"]).status_code == 201
    assert _post(org, "Contact", LastName="x", OwnerId=queue["Id"]).json()[0]["fields"] == ["OwnerId"]


def test_users_cannot_be_deleted(org: RunningOrg) -> None:
    """400; the user stays."""
    (user,) = org.query("SELECT Id FROM User LIMIT 1")["records"]
    answer = org.http.delete(f"{V}/sobjects/User/{user['Id']}")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INSUFFICIENT_ACCESS_OR_READONLY")


def test_a_record_with_a_slow_commit_is_locked(org: RunningOrg) -> None:
    """400 UNABLE_TO_LOCK_ROW until the commit can be seen; the other records of a collection are written."""
    held, free = (_made(org, "Contact", LastName=each) for each in ("Held", "Free"))
    org.command("touch", object="Contact", ids=[held], visible_after_seconds=600)
    rows = [{"attributes": {"type": "Contact"}, "id": each, "Title": "x"} for each in (held, free)]
    first, second = org.http.patch(f"{V}/composite/sobjects", json={"records": rows}).json()
    message = f"unable to obtain exclusive access to this record or 1 records: {held}"
    assert first["errors"] == [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": message, "fields": []}]
    assert second["success"]
    assert org.http.delete(f"{V}/sobjects/Contact/{held}").json()[0]["errorCode"] == "UNABLE_TO_LOCK_ROW"


def test_a_duplicate_rule_shows_what_it_found(rules: RunningOrg) -> None:
    """400 DUPLICATES_DETECTED with the records it would double; e-mail addresses compare without regard to case."""
    first = _made(rules, "Contact", LastName="One", Email="same@example.com")
    rules.command("rules", duplicates="alert")
    answer = _post(rules, "Contact", LastName="Two", Email="Same@Example.com")
    record = {"attributes": {"type": "Contact", "url": f"{V}/sobjects/Contact/{first}"}, "Id": first}
    match = {"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0, "record": record}
    expected = {
        "duplicateResult": {
            "allowSave": True,
            "duplicateRule": "Standard_Contact_Duplicate_Rule",
            "duplicateRuleEntityType": "Contact",
            "errorMessage": "Use one of these records?",
            "matchResults": [
                {
                    "entityType": "Contact", "errors": [], "matchEngine": "ExactMatchEngine", "matchRecords": [match],
                    "rule": "Standard_Contact_Match_Rule_v1_0", "size": 1, "success": True,
                }
            ],
        },
        "errorCode": "DUPLICATES_DETECTED",
        "message": "Use one of these records?",
    }  # fmt: skip
    assert (answer.status_code, answer.json()) == (400, [expected])


def test_an_alert_can_be_passed_and_a_block_cannot(rules: RunningOrg) -> None:
    """The header says allowSave=true."""
    body = {"LastName": "Twin", "Company": "x", "Email": "twin@example.com"}
    _made(rules, "Lead", **body)
    header = {"Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=false"}
    rules.command("rules", duplicates="alert")
    assert rules.http.post(f"{V}/sobjects/Lead", json=body, headers=header).status_code == 201
    rules.command("rules", duplicates="block")
    refused = rules.http.post(f"{V}/sobjects/Lead", json=body, headers=header).json()[0]
    assert refused["duplicateResult"]["allowSave"] is False


def test_a_validation_rule_has_words_of_its_own(rules: RunningOrg) -> None:
    """400 FIELD_CUSTOM_VALIDATION_EXCEPTION; a change is judged together with what the record has already."""
    made = _made(rules, "Opportunity", **DEAL)
    rules.command("rules", validation=True)
    answer = rules.http.patch(f"{V}/sobjects/Opportunity/{made}", json={"StageName": "Closed Won"})
    error = {
        "message": "A deal that is won needs an amount.", "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "fields": ["Amount"],
    }  # fmt: skip
    assert (answer.status_code, answer.json()) == (400, [error])
    body = {"StageName": "Closed Won", "Amount": 1}
    assert rules.http.patch(f"{V}/sobjects/Opportunity/{made}", json=body).status_code == 204


def test_a_converted_lead_stays_as_it_is(org: RunningOrg) -> None:
    """400 CANNOT_UPDATE_CONVERTED_LEAD."""
    (lead,) = org.query("SELECT Id FROM Lead WHERE IsConverted = true LIMIT 1")["records"]
    answer = org.http.patch(f"{V}/sobjects/Lead/{lead['Id']}", json={"Title": "x"})
    expected = [
        {"message": "cannot reference converted lead", "errorCode": "CANNOT_UPDATE_CONVERTED_LEAD", "fields": []}
    ]
    assert (answer.status_code, answer.json()) == (400, expected)


def test_nothing_stands_above_itself(org: RunningOrg) -> None:
    """400 CIRCULAR_DEPENDENCY, however long the way round."""
    top = _made(org, "Account", Name="Top")
    middle = _made(org, "Account", Name="Middle", ParentId=top)
    bottom = _made(org, "Account", Name="Bottom", ParentId=middle)
    error = {
        "message": "attempt to violate hierarchy constraints", "errorCode": "CIRCULAR_DEPENDENCY",
        "fields": ["ParentId"],
    }  # fmt: skip
    for parent in (top, middle, bottom):
        answer = org.http.patch(f"{V}/sobjects/Account/{top}", json={"ParentId": parent})
        assert (answer.status_code, answer.json()) == (400, [error])
    assert org.http.patch(f"{V}/sobjects/Account/{bottom}", json={"ParentId": top}).status_code == 204


def test_nobody_is_twice_in_a_campaign(org: RunningOrg) -> None:
    """400 DUPLICATE_VALUE."""
    campaign, lead = _made(org, "Campaign", Name="C"), _made(org, "Lead", LastName="x", Company="y")
    assert _post(org, "CampaignMember", CampaignId=campaign, LeadId=lead).status_code == 201
    answer = _post(org, "CampaignMember", CampaignId=campaign, LeadId=lead)
    expected = [{"message": "Already a campaign member.", "errorCode": "DUPLICATE_VALUE", "fields": []}]
    assert (answer.status_code, answer.json()) == (400, expected)
