"""Collections, trees and upserts: many records in one call, each with a result of its own."""

from __future__ import annotations

from typing import Any

import pytest

from include.sandbox.org.ids import make_id
from tests.sandbox.org.conftest import RunningOrg, V

ROLLED_BACK = {
    "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "message": "Record rolled back because not all records were valid and the request was using AllOrNone header",
    "fields": [],
}
NO_NAME = {
    "statusCode": "REQUIRED_FIELD_MISSING",
    "message": "Required fields are missing: [LastName]",
    "fields": ["LastName"],
}


def _record(kind: str, **fields: Any) -> dict[str, Any]:
    return {"attributes": {"type": kind}, **fields}


def _post(org: RunningOrg, *records: dict[str, Any], all_or_none: bool = False) -> list[dict[str, Any]]:
    answer = org.http.post(f"{V}/composite/sobjects", json={"allOrNone": all_or_none, "records": list(records)})
    assert answer.status_code == 200, answer.text
    return list(answer.json())


def _count(org: RunningOrg, condition: str, kind: str = "Contact") -> int:
    return int(org.query(f"SELECT COUNT() FROM {kind} WHERE {condition}")["totalSize"])


def test_records_of_several_objects_are_created_in_one_call(org: RunningOrg) -> None:
    """200, results in the order of the records, one call of the allocation."""
    before = org.used()
    account, contact = _post(org, _record("Account", Name="Many Ltd"), _record("contact", LastName="Many"))
    assert account == {"id": account["id"], "success": True, "errors": []}
    assert (account["id"][:3], contact["id"][:3]) == ("001", "003")
    assert org.used() == before + 1


def test_a_bad_record_leaves_the_others_alone(org: RunningOrg) -> None:
    """Its result has no id, and says statusCode where single records say errorCode."""
    bad, good = _post(org, _record("Contact", FirstName="x"), _record("Contact", LastName="Beside"))
    assert bad == {"success": False, "errors": [NO_NAME]}
    assert good["success"]
    assert _count(org, "LastName = 'Beside'") == 1


def test_all_or_none_writes_nothing_if_one_record_is_bad(org: RunningOrg) -> None:
    """Still 200; the good ones say that they were rolled back, whatever their object."""
    rows = (_record("Account", Name="None Ltd"), _record("Contact", FirstName="x"), _record("Contact", LastName="None"))
    account, bad, good = _post(org, *rows, all_or_none=True)
    assert account == good == {"success": False, "errors": [ROLLED_BACK]}
    assert bad == {"success": False, "errors": [NO_NAME]}
    assert (_count(org, "Name = 'None Ltd'", "Account"), _count(org, "LastName = 'None'")) == (0, 0)


def test_records_are_changed_by_id(org: RunningOrg) -> None:
    """`id` or `Id`; each wrong one says what is wrong with it."""
    (made,) = _post(org, _record("Contact", LastName="Before"))
    wrong = make_id("001", 1)
    rows = [
        _record("Contact", id=made["id"], LastName="After"), _record("Contact", Id=wrong, LastName="x"),
        _record("Contact", LastName="x"), _record("Contact", Id=make_id("003", 99_999_999), LastName="x"),
    ]  # fmt: skip
    results = org.http.patch(f"{V}/composite/sobjects", json={"records": rows}).json()
    errors = [
        ("MALFORMED_ID", f"Contact ID: id value of incorrect type: {wrong}", ["Id"]),
        ("MISSING_ARGUMENT", "Id not specified in an update call", []),
        ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []),
    ]
    assert results[0] == {"id": made["id"], "success": True, "errors": []}
    assert results[1:] == [
        {"success": False, "errors": [{"statusCode": code, "message": message, "fields": fields}]}
        for code, message, fields in errors
    ]


def test_a_rolled_back_change_shows_its_id(org: RunningOrg) -> None:
    """As the guide has it: the Id is there, success is false."""
    (made,) = _post(org, _record("Contact", LastName="Stays"))
    rows = [_record("Contact", id=made["id"], LastName="Goes"), _record("Contact", id=made["id"], Email="no")]
    results = org.http.patch(f"{V}/composite/sobjects", json={"allOrNone": True, "records": rows}).json()
    assert results[0] == {"id": made["id"], "success": False, "errors": [ROLLED_BACK]}
    assert results[1]["errors"][0]["statusCode"] == "INVALID_EMAIL_ADDRESS"
    assert _count(org, f"Id = '{made['id']}' AND LastName = 'Stays'") == 1


def test_records_are_upserted_by_external_id(org: RunningOrg) -> None:
    """`created` tells which; a key that stands twice is refused both times."""
    _post(org, _record("Contact", LastName="Old", External_Key__c="up-1"))
    rows = [
        _record("Contact", External_Key__c="UP-1", LastName="Changed"),
        _record("Contact", External_Key__c="up-2", LastName="Fresh"),
        _record("Contact", External_Key__c="up-3", LastName="Twice"),
        _record("Contact", External_Key__c="up-3", LastName="Twice"),
        _record("Contact", LastName="Keyless"),
    ]
    url = f"{V}/composite/sobjects/Contact/External_Key__c"
    changed, fresh, *bad = org.http.patch(url, json={"records": rows}).json()
    assert (changed["created"], fresh["created"]) == (False, True)
    doubled = {
        "statusCode": "DUPLICATE_VALUE", "message": "Duplicate external id specified: up-3",
        "fields": ["External_Key__c"],
    }  # fmt: skip
    missing = {
        "statusCode": "MISSING_ARGUMENT", "message": "External_Key__c not specified", "fields": ["External_Key__c"]
    }  # fmt: skip
    assert [each["errors"] for each in bad] == [[doubled], [doubled], [missing]]
    assert _count(org, "LastName = 'Changed' AND External_Key__c = 'up-1'") == 1


def test_an_upsert_by_a_null_id_creates(org: RunningOrg) -> None:
    """What loaders send when they have no external Id."""
    url = f"{V}/composite/sobjects/Contact/Id"
    (made,) = org.http.patch(url, json={"records": [_record("Contact", Id=None, LastName="By Null")]}).json()
    assert made == {"id": made["id"], "success": True, "errors": [], "created": True}


def test_records_of_several_objects_are_deleted_in_one_call(org: RunningOrg) -> None:
    """A malformed Id and one that is deleted already each say so."""
    account, contact = _post(org, _record("Account", Name="Away Ltd"), _record("Contact", LastName="Away"))
    ids = [account["id"], contact["id"], "001RM000003oLrB000", contact["id"]]
    results = org.http.delete(f"{V}/composite/sobjects", params={"ids": ",".join(ids)}).json()
    malformed = {"statusCode": "MALFORMED_ID", "message": "malformed id 001RM000003oLrB000", "fields": []}
    gone = {"statusCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []}
    assert [each["errors"] for each in results] == [[], [], [malformed], [gone]]


def test_records_are_read_by_their_ids(org: RunningOrg) -> None:
    """In the order asked for, null for what isn't there; as GET and as POST."""
    one, two = (each["id"] for each in _post(org, _record("Account", Name="A 1"), _record("Account", Name="A 2")))
    none = make_id("001", 99_999_999)
    url = f"{V}/composite/sobjects/Account"
    by_post = org.http.post(url, json={"ids": [two, none, one], "fields": ["id", "name"]})
    expected = [
        {"attributes": {"type": "Account", "url": f"{V}/sobjects/Account/{each}"}, "Id": each, "Name": name}
        for each, name in ((two, "A 2"), (one, "A 1"))
    ]
    assert by_post.json() == [expected[0], None, expected[1]]
    by_get = org.http.get(url, params={"ids": f"{two},{none},{one}", "fields": "id,name"})
    assert by_get.json() == by_post.json()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"records": [_record("Contact", LastName="x")] * 201}, "EXCEEDED_ID_LIMIT"),
        ({"records": [{"LastName": "x"}]}, "INVALID_INPUT"),
        ({"records": []}, "INVALID_INPUT"),
        ({"records": [_record("Nope", Name="x")]}, "INVALID_TYPE"),
    ],
)
def test_a_malformed_collection_is_refused_as_a_whole(org: RunningOrg, body: dict[str, Any], code: str) -> None:
    """400 with the error array of single records."""
    answer = org.http.post(f"{V}/composite/sobjects", json=body)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_a_tree_of_records_is_created(org: RunningOrg) -> None:
    """201; parents come before their children in the answer, and are their parents."""
    leaf = {"attributes": {"type": "Contact", "referenceId": "ref2"}, "lastname": "Leaf"}
    tree = {
        "records": [
            {
                "attributes": {"type": "Account", "referenceId": "ref1"}, "name": "Tree Ltd",
                "Contacts": {"records": [leaf]},
            },
            {"attributes": {"type": "Account", "referenceId": "ref4"}, "name": "Bush Ltd", "numberOfEmployees": "100"},
        ]
    }  # fmt: skip
    before = org.used()
    answer = org.http.post(f"{V}/composite/tree/Account/", json=tree)
    made = answer.json()
    assert (answer.status_code, made["hasErrors"]) == (201, False)
    assert [each["referenceId"] for each in made["results"]] == ["ref1", "ref4", "ref2"]
    (row,) = org.query("SELECT AccountId FROM Contact WHERE LastName = 'Leaf'")["records"]
    assert row["AccountId"] == made["results"][0]["id"]
    assert org.used() == before + 2  # the query is the other one


def test_a_tree_with_a_bad_record_grows_not_at_all(org: RunningOrg) -> None:
    """400 names the record that failed and what is wrong with it."""
    bad = {"attributes": {"type": "Contact", "referenceId": "ref2"}, "lastname": "Twig", "email": "123"}
    root = {"attributes": {"type": "Account", "referenceId": "ref1"}, "name": "Stump", "Contacts": {"records": [bad]}}
    answer = org.http.post(f"{V}/composite/tree/Account", json={"records": [root]})
    error = {
        "statusCode": "INVALID_EMAIL_ADDRESS", "message": "Email: invalid email address: 123", "fields": ["Email"]
    }  # fmt: skip
    expected = {"hasErrors": True, "results": [{"referenceId": "ref2", "errors": [error]}]}
    assert (answer.status_code, answer.json()) == (400, expected)
    assert _count(org, "Name = 'Stump'", "Account") == 0


def test_a_graph_succeeds_or_fails_as_a_whole(org: RunningOrg) -> None:
    """The other graphs of the request don't care."""

    def graph(name: str, **contact: Any) -> dict[str, Any]:
        account = {"url": f"{V}/sobjects/Account", "method": "POST", "referenceId": "a", "body": {"Name": name}}
        body = {"AccountId": "@{a.id}", **contact}
        child = {"url": f"{V}/sobjects/Contact", "method": "POST", "referenceId": "c", "body": body}
        return {"graphId": name, "compositeRequest": [account, child]}

    answer = org.http.post(f"{V}/composite/graph", json={"graphs": [graph("G1", LastName="In"), graph("G2")]})
    first, second = answer.json()["graphs"]
    assert (first["graphId"], first["isSuccessful"], second["isSuccessful"]) == ("G1", True, False)
    assert [each["httpStatusCode"] for each in second["graphResponse"]["compositeResponse"]] == [400, 400]
    assert (_count(org, "Name = 'G1'", "Account"), _count(org, "Name = 'G2'", "Account")) == (1, 0)
