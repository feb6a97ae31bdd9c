"""Records as readers ask for them one by one: by Id, by external Id, along relationships, and only if they changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.org.conftest import RunningOrg, V

NOT_FOUND = [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]


@pytest.fixture(scope="module")
def contact(org: RunningOrg) -> dict[str, Any]:
    """Return a contact that has an account and an external key."""
    (account,) = org.command("create", object="Account", records=[{"Name": "Above"}])["ids"]
    record = {"LastName": "Read", "FirstName": "Me", "AccountId": account, "External_Key__c": "K/1 ö"}
    (made,) = org.command("create", object="Contact", records=[record])["ids"]
    return {**record, "Id": made}


def _get(org: RunningOrg, path: str, **headers: str) -> Any:
    return org.http.get(f"{V}/sobjects/{path}", headers=headers)


def test_a_record_has_all_its_fields(org: RunningOrg, contact: dict[str, Any]) -> None:
    """In the order of describe, behind its attributes."""
    body = _get(org, f"Contact/{contact['Id']}").json()
    described = [each["name"] for each in _get(org, "Contact/describe").json()["fields"]]
    assert list(body) == ["attributes", *described]
    assert body["attributes"] == {"type": "Contact", "url": f"{V}/sobjects/Contact/{contact['Id']}"}


def test_some_fields_come_with_the_id(org: RunningOrg, contact: dict[str, Any]) -> None:
    """Names in any spelling of case, the Id last unless it was asked for."""
    body = _get(org, f"Contact/{contact['Id'][:15]}?fields=lastname,LASTNAME,FirstName").json()
    assert list(body) == ["attributes", "LastName", "FirstName", "Id"]


def test_an_unknown_field_is_refused(org: RunningOrg, contact: dict[str, Any]) -> None:
    """The words differ from those of a query."""
    answer = _get(org, f"Contact/{contact['Id']}?fields=Name,Foo")
    expected = [{"message": "No such column 'Foo' on sobject of type Contact", "errorCode": "INVALID_FIELD"}]
    assert (answer.status_code, answer.json()) == (400, expected)


def test_an_external_id_leads_to_its_record(org: RunningOrg, contact: dict[str, Any]) -> None:
    """Also with characters that stand for something else in an address, and in another spelling of case."""
    body = _get(org, "Contact/External_Key__c/k%2F1%20%C3%B6?fields=Id").json()
    assert body["Id"] == contact["Id"]
    assert _get(org, "Contact/External_Key__c/nothing").json() == NOT_FOUND
    answer = _get(org, "Contact/LastName/Read")
    message = "Provided external ID field does not exist or is not accessible: LastName"
    assert (answer.status_code, answer.json()) == (404, [{"message": message, "errorCode": "NOT_FOUND"}])


def test_an_ambiguous_value_is_answered_with_paths(org: RunningOrg) -> None:
    """Two contacts share an address that may be used to find one."""
    twins = [{"LastName": "Twin", "Email": "twin@example.com"}] * 2
    ids = org.command("create", object="Contact", records=twins)["ids"]
    answer = _get(org, "Contact/Email/twin@example.com")
    assert (answer.status_code, answer.json()) == (300, [f"{V}/sobjects/Contact/{each}" for each in ids])


def test_relationships_can_be_followed(org: RunningOrg, contact: dict[str, Any]) -> None:
    """To a parent, to a parent's parent, to children; an empty relationship to one record is not found."""
    assert _get(org, f"Contact/{contact['Id']}/Account?fields=Name").json()["Name"] == "Above"
    assert _get(org, f"Contact/{contact['Id']}/Account/Owner?fields=Name").json()["Name"] == "Integration User"
    children = _get(org, f"Account/{contact['AccountId']}/Contacts?fields=LastName").json()
    assert (children["totalSize"], children["done"], children["records"][0]["LastName"]) == (1, True, "Read")
    assert _get(org, f"Account/{contact['AccountId']}/Opportunities").json()["records"] == []
    for nowhere in ("ReportsTo", "Nope", "Account/Nope", "Account/Parent"):
        answer = _get(org, f"Contact/{contact['Id']}/{nowhere}")
        assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


def test_an_unchanged_record_is_not_sent_again(org: RunningOrg, contact: dict[str, Any]) -> None:
    """By time for every object, by its tag for accounts."""
    first = _get(org, f"Contact/{contact['Id']}")
    modified = first.headers["Last-Modified"]
    again = _get(org, f"Contact/{contact['Id']}", **{"If-Modified-Since": modified})
    assert (again.status_code, again.content) == (304, b"")
    old = "Mon, 30 Nov 2020 08:34:54 GMT"
    assert _get(org, f"Contact/{contact['Id']}", **{"If-Modified-Since": old}).status_code == 200
    assert _get(org, f"Contact/{contact['Id']}", **{"If-Unmodified-Since": old}).status_code == 412
    account = f"Account/{contact['AccountId']}"
    tag = _get(org, account).headers["ETag"]
    assert _get(org, account, **{"If-None-Match": f'"x", {tag}'}).status_code == 304
    assert _get(org, account, **{"If-Match": tag}).status_code == 200
    assert _get(org, account, **{"If-Match": '"x"'}).status_code == 412


def test_what_was_viewed_is_remembered(org: RunningOrg, contact: dict[str, Any]) -> None:
    """FOR VIEW puts records in front of the recent items."""
    org.query(f"SELECT Id FROM Contact WHERE Id = '{contact['Id']}' FOR VIEW")
    (item,) = org.http.get(f"{V}/recent", params={"limit": "1"}).json()
    assert (item["Id"], item["Name"], item["attributes"]["type"]) == (contact["Id"], "Me Read", "Contact")
    assert _get(org, "Contact").json()["recentItems"] == [item]


def test_counts_leave_deleted_records_out(org: RunningOrg) -> None:
    """Unknown names are dropped, and without names every object is counted."""
    before = org.http.get(f"{V}/limits/recordCount?sObjects=Opportunity,Nope").json()["sObjects"]
    org.command("delete", object="Opportunity", n=1)
    after = org.http.get(f"{V}/limits/recordCount?sObjects=Opportunity").json()["sObjects"]
    assert after == [{"count": before[0]["count"] - 1, "name": "Opportunity"}]
    assert len(org.http.get(f"{V}/limits/recordCount?sObjects").json()["sObjects"]) > 5


@pytest.mark.parametrize(("size", "status", "reason"), [
    (16_500, 414, "URI Too Long"), (16_300, 431, "Request Header Fields Too Large")])  # fmt: skip
def test_an_address_may_not_be_too_long(org: RunningOrg, size: int, status: int, reason: str) -> None:
    """It is the server before the API that answers."""
    answer = org.http.get(f"{V}/query?q={'x' * size}")
    expected = f"<h1>Bad Message {status}</h1><pre>reason: {reason}</pre>"
    assert (answer.status_code, answer.text) == (status, expected)


@pytest.mark.parametrize(
    ("sosl", "found"),
    [
        ("FIND {search me}", ["Searchable Mé"]),
        ("FIND {searchable*} IN NAME FIELDS RETURNING Contact(Id, Name)", ["Searchable Mé"]),
        ("find {found@example.com} in email fields returning Contact(Name), Account", ["Searchable Mé"]),
        ("FIND {\\+49 30} IN PHONE FIELDS RETURNING Contact(Name WHERE LastName LIKE 'm%' ORDER BY Name LIMIT 3)",
         ["Searchable Mé"]),
        ("FIND {searchable} RETURNING Contact(Name WHERE LastName = 'x' OR LastName = 'y')", []),
    ],
)  # fmt: skip
def test_a_search_finds_records(org: RunningOrg, sosl: str, found: list[str]) -> None:
    """By name, mail address or phone, over one object or all."""
    if not org.query("SELECT Id FROM Contact WHERE FirstName = 'Searchable'")["records"]:
        record = {"FirstName": "Searchable", "LastName": "Mé", "Email": "found@example.com", "Phone": "+49 30 1",
                  "Title": "search me"}  # fmt: skip
        org.command("create", object="Contact", records=[record])
    answer = org.http.get(f"{V}/search", params={"q": sosl})
    assert answer.status_code == 200, answer.text
    ids = [each["attributes"]["url"].rpartition("/")[2] for each in answer.json()["searchRecords"]]
    names = [org.http.get(f"{V}/sobjects/Contact/{each}?fields=Name").json()["Name"] for each in ids]
    assert names == found


def test_a_search_takes_parameters(org: RunningOrg) -> None:
    """In the address, or in a body that knows more."""
    org.command("create", object="Account", records=[{"Name": "Parameter Ltd"}, {"Name": "Parameter Inc"}])
    params = {"q": "parameter", "sobject": "Account", "Account.fields": "id,name", "Account.limit": "1"}
    (one,) = org.http.get(f"{V}/parameterizedSearch", params=params).json()["searchRecords"]
    assert one["Name"] == "Parameter Ltd"
    asked = {"q": "parameter", "fields": ["Name"], "sobjects": [{"name": "Account", "orderBy": "Name"}], "in": "NAME"}
    found = org.http.post(f"{V}/parameterizedSearch", json=asked).json()["searchRecords"]
    assert [each["Name"] for each in found] == ["Parameter Inc", "Parameter Ltd"]


@pytest.mark.parametrize(
    ("sosl", "message"),
    [
        ("SELECT Id FROM Contact", "No search term found. The search term must be enclosed in braces."),
        ("FIND {x}", "search term must be longer than one character: x"),
    ],
)
def test_a_search_without_a_term_is_refused(org: RunningOrg, sosl: str, message: str) -> None:
    """One character is none."""
    answer = org.http.get(f"{V}/search", params={"q": sosl})
    assert (answer.status_code, answer.json()) == (400, [{"message": message, "errorCode": "MALFORMED_SEARCH"}])
