"""The objects beside accounts and people: fields of every type, owners who are queues, roll-ups, files."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.org.conftest import RunningOrg, V

NEW = (
    "Attachment", "Campaign", "CampaignMember", "Case", "Event", "Everything__c", "Everything_Detail__c", "Group",
    "GroupMember", "LeadStatus", "OpportunityContactRole", "Profile", "QueueSobject", "RecordType", "Subscription__c",
    "UserRole",
)  # fmt: skip
COMPOUND = ("address", "location")


@pytest.fixture(scope="module")
def org(start_org: Callable[..., RunningOrg]) -> RunningOrg:
    """Return an org whose records with every type have had all odd values."""
    return start_org(contacts=1500, seed=3)


def _describe(org: RunningOrg, name: str) -> dict[str, Any]:
    answer = org.http.get(f"{V}/sobjects/{name}/describe")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _bulk_rows(org: RunningOrg, soql: str) -> list[dict[str, str]]:
    text = org.http.get(f"{V}/jobs/query/{org.bulk(soql)}/results").content.decode()
    csv.field_size_limit(1 << 20)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _made(org: RunningOrg, name: str, **values: Any) -> str:
    answer = org.http.post(f"{V}/sobjects/{name}", json=values)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.mark.parametrize("name", NEW)
def test_an_object_describes_itself_and_gives_every_field_of_its_records(org: RunningOrg, name: str) -> None:
    """What describe lists can be selected, and every child relationship can be queried."""
    described = _describe(org, name)
    fields = [each["name"] for each in described["fields"]]
    found = org.query(f"SELECT {', '.join(fields)} FROM {name} LIMIT 3")["records"]
    assert found
    assert all(list(each) == ["attributes", *fields] for each in found)
    assert all(len(each) == 57 for each in described["fields"])
    for link in described["childRelationships"]:
        if link["relationshipName"]:
            org.query(f"SELECT Id, (SELECT Id FROM {link['relationshipName']} LIMIT 1) FROM {name} LIMIT 2")


@pytest.mark.parametrize("name", NEW)
def test_every_parent_can_be_reached(org: RunningOrg, name: str) -> None:
    """Through its relationship name, polymorphic or not."""
    for each in _describe(org, name)["fields"]:
        if each["relationshipName"] and each["referenceTo"] not in (["BusinessProcess"],):
            org.query(f"SELECT Id, {each['relationshipName']}.Id FROM {name} LIMIT 2")


def test_there_is_a_field_of_every_type(org: RunningOrg) -> None:
    """All that describe can say of a field's type, but for those that only the platform's own objects have."""
    types = {each["type"] for name in (*NEW, "Task") for each in _describe(org, name)["fields"]}
    assert types == {
        "id", "string", "textarea", "picklist", "multipicklist", "combobox", "reference", "boolean", "int", "double",
        "currency", "percent", "date", "datetime", "time", "email", "phone", "url", "address", "location", "base64",
        "encryptedstring",
    }  # fmt: skip
    formulas = {each["type"] for each in _describe(org, "Everything__c")["fields"] if each["calculatedFormula"]}
    assert formulas == {"string", "double", "currency", "percent", "date", "datetime", "time", "boolean"}


def test_bulk_and_rest_give_the_same_values_of_every_type(org: RunningOrg) -> None:
    """Text by text, but for the notation of moments and the words for true and nothing."""
    described = _describe(org, "Everything__c")["fields"]
    fields = [each["name"] for each in described if each["type"] not in COMPOUND]
    numbers = {each["name"] for each in described if each["soapType"] in ("xsd:double", "xsd:int")}
    soql = f"SELECT {', '.join(fields)} FROM Everything__c"
    by_rest = {each["Id"]: each for each in org.query(soql)["records"]}
    by_bulk = _bulk_rows(org, soql)
    assert len(by_bulk) == len(by_rest) == 60
    for row in by_bulk:
        for name in fields:
            value, cell = by_rest[row["Id"]][name], row[name]
            if name in numbers and value is not None:
                assert float(cell) == value, (name, row["Id"])
            else:
                assert cell == _as_text(value), (name, row["Id"])


def _as_text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    return re.sub(r"\+0000$", "Z", value)


def test_odd_values_survive(org: RunningOrg) -> None:
    """The longest text, texts that mean nothing, the first and the last moment, eighteen digits."""
    found = org.query("SELECT Text__c, Long_Text__c, Moment__c, Time__c, Whole__c, Fraction__c FROM Everything__c")
    values = {name: {each[name] for each in found["records"]} for name in found["records"][0] if name != "attributes"}
    assert {
        "Null",
        "NA",
        "#N/A",
        "e\u0301 decomposed",
        "𝒳 beyond the plane",
        "\U0001f469\u200d\U0001f469\u200d\U0001f467 family",
        None,
    } <= values["Text__c"]
    assert max(len(each or "") for each in values["Long_Text__c"]) == 131_072
    assert {"1700-01-01T00:00:00.000+0000", "4000-12-31T00:00:00.000+0000"} <= values["Moment__c"]
    assert {"00:00:00.000Z", "23:59:59.999Z", "12:00:00.001Z"} <= values["Time__c"]
    assert {-999_999_999_999_999_999.0, 123_456_789_012_345_678.0, 9_007_199_254_740_993.0} <= values["Whole__c"]
    assert {0.30000000000000004, -1e-17, 0.12345678901234567} <= values["Fraction__c"]


def test_places_are_compounds_of_their_parts(org: RunningOrg) -> None:
    """A custom address knows the country's name by its code; without any part it is nothing."""
    found = org.query(
        "SELECT Place__c, Place__Latitude__s, Address__c, Address__CountryCode__s FROM Everything__c ORDER BY Name"
    )["records"]
    empty = [each for each in found if each["Place__Latitude__s"] is None]
    assert empty
    assert all(each["Place__c"] is None and each["Address__c"] is None for each in empty)
    full = [each for each in found if each["Address__CountryCode__s"] == "DE"]
    assert full
    for each in full:
        assert list(each["Place__c"]) == ["latitude", "longitude"]
        assert each["Place__c"]["latitude"] == each["Place__Latitude__s"]
        assert list(each["Address__c"]) == [
            "city", "country", "countryCode", "geocodeAccuracy", "latitude", "longitude", "postalCode", "state",
            "stateCode", "street",
        ]  # fmt: skip
        assert (each["Address__c"]["country"], each["Address__c"]["countryCode"]) == ("Germany", "DE")


def test_every_type_can_be_written_and_read_again(org: RunningOrg) -> None:
    """By REST; what is encrypted comes back masked."""
    values = {
        "Text__c": "ﷺ, \"q\"", "External_Id__c": "Mine", "Text_Area__c": "a\r\nb", "Long_Text__c": "x" * 131_072,
        "Rich_Text__c": "<p>ü</p>", "Choice__c": "N/A", "Several__c": "One;Three", "Email__c": "a@example.com",
        "Phone__c": "+49 151 1", "Website__c": "https://example.com", "Flag__c": True, "Whole__c": 123456789012345.0,
        "Fraction__c": 0.1, "Money__c": -0.01, "Share__c": 12.5, "Date__c": "2024-02-29",
        "Moment__c": "2024-02-29T23:59:59.000+0000", "Time__c": "10:30:00.000Z", "Place__Latitude__s": 48.1,
        "Place__Longitude__s": -0.5,
    }  # fmt: skip
    own = _made(org, "Everything__c", Name="Written", Secret__c="1234567890", **values)
    read = org.http.get(f"{V}/sobjects/Everything__c/{own}").json()
    assert {name: read[name] for name in values} == values
    assert read["Secret__c"] == "******7890"
    assert read["Place__c"] == {"latitude": 48.1, "longitude": -0.5}
    assert read["On__c"] is True
    assert re.fullmatch(r"E-\d{4}-\d+", read["Number__c"])


def test_keys_that_differ_by_case_alone_are_two_keys(org: RunningOrg) -> None:
    """Where the field says so; everywhere else text is compared without regard to case."""
    one = org.query("SELECT External_Id__c FROM Everything__c WHERE External_Id__c = 'KeyA1'")["records"]
    other = org.query("SELECT External_Id__c FROM Everything__c WHERE External_Id__c = 'Keya1'")["records"]
    assert [each["External_Id__c"] for each in (*one, *other)] == ["KeyA1", "Keya1"]


def test_roll_ups_follow_their_children_without_a_new_stamp(org: RunningOrg) -> None:
    """Count and sum move with a child that comes or goes; SystemModstamp of the account stays."""
    fields = "SELECT Id, Subscriptions__c, Subscribed_Amount__c, SystemModstamp FROM Account"
    before = org.query(f"{fields} WHERE Subscriptions__c > 1 LIMIT 1")["records"][0]
    summed = org.query(f"SELECT COUNT(Id) n, SUM(Amount__c) s FROM Subscription__c WHERE Account__c = '{before['Id']}'")
    assert summed["records"][0]["n"] == before["Subscriptions__c"]
    assert summed["records"][0]["s"] == pytest.approx(before["Subscribed_Amount__c"])
    child = _made(org, "Subscription__c", Account__c=before["Id"], Amount__c=10.5)
    grown = org.query(f"{fields} WHERE Id = '{before['Id']}'")["records"][0]
    assert grown["Subscriptions__c"] == before["Subscriptions__c"] + 1
    assert grown["Subscribed_Amount__c"] == pytest.approx(before["Subscribed_Amount__c"] + 10.5)
    org.http.delete(f"{V}/sobjects/Subscription__c/{child}")
    assert org.query(f"{fields} WHERE Id = '{before['Id']}'")["records"] == [before]


def test_a_detail_goes_with_its_master_and_is_numbered_by_the_org(org: RunningOrg) -> None:
    """Its name can't be given."""
    account = _made(org, "Account", Name="Master of one")
    child = _made(org, "Subscription__c", Account__c=account)
    read = org.http.get(f"{V}/sobjects/Subscription__c/{child}").json()
    assert re.fullmatch(r"SUB-\d{7}", read["Name"])
    refused = org.http.patch(f"{V}/sobjects/Subscription__c/{child}", json={"Name": "mine"})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert org.http.delete(f"{V}/sobjects/Account/{account}").status_code == 204
    assert org.http.get(f"{V}/sobjects/Subscription__c/{child}").status_code == 404


def test_formulas_over_parents_move_without_a_new_stamp(org: RunningOrg) -> None:
    """The region of a subscription is its account's."""
    fields = "SELECT Id, Account__c, Region__c, Account__r.Region__c, SystemModstamp FROM Subscription__c"
    before = org.query(f"{fields} WHERE Account__r.Region__c = 'EMEA' LIMIT 1")["records"][0]
    assert before["Region__c"] == "EMEA"
    changed = org.http.patch(f"{V}/sobjects/Account/{before['Account__c']}", json={"Region__c": "APAC"})
    assert changed.status_code == 204
    after = org.query(f"{fields} WHERE Id = '{before['Id']}'")["records"][0]
    assert (after["Region__c"], after["SystemModstamp"]) == ("APAC", before["SystemModstamp"])


def test_queues_own_leads_and_cases(org: RunningOrg) -> None:
    """The owner's type tells; a queue says whose records it may own."""
    for name in ("Lead", "Case"):
        owned = org.query(f"SELECT OwnerId, Owner.Type, Owner.Name FROM {name} WHERE Owner.Type = 'Group' LIMIT 20")
        queues = {each["OwnerId"] for each in owned["records"]}
        assert queues
        allowed = org.query(f"SELECT QueueId FROM QueueSobject WHERE SobjectType = '{name}' AND Queue.Type = 'Queue'")
        assert queues <= {each["QueueId"] for each in allowed["records"]}


def test_archived_activities_are_read_by_query_all_alone(org: RunningOrg) -> None:
    """Finished more than a year ago."""
    for name in ("Task", "Event"):
        soql = f"SELECT COUNT() FROM {name} WHERE IsArchived = true"
        assert org.query(soql)["totalSize"] == 0
        assert org.query(soql, deleted=True)["totalSize"] > 0
    assert (
        org.query("SELECT COUNT() FROM Task WHERE IsArchived = true AND IsClosed = false", deleted=True)["totalSize"]
        == 0
    )


def test_records_have_types_and_users_have_profiles_and_roles(org: RunningOrg) -> None:
    """And leads know which status means that they were converted."""
    types = org.query("SELECT RecordType.DeveloperName t, COUNT(Id) n FROM Case GROUP BY RecordType.DeveloperName")
    assert {each["t"] for each in types["records"]} == {"Support", "Complaint"}
    people = org.query("SELECT Profile.Name, UserRole.Name FROM User WHERE Id != null LIMIT 5")["records"]
    assert all(each["Profile"]["Name"] for each in people)
    converted = org.query("SELECT Id, MasterLabel FROM LeadStatus WHERE IsConverted = true")["records"]
    assert [each["MasterLabel"] for each in converted] == ["Closed - Converted"]


def test_campaigns_count_their_members(org: RunningOrg) -> None:
    """Contacts and leads apart, and those who answered; nobody is in one campaign twice."""
    found = org.query("SELECT Id, NumberOfContacts, NumberOfLeads, NumberOfResponses FROM Campaign LIMIT 1")
    shown = found["records"][0]
    fields = "ContactId, LeadId, LeadOrContactId, HasResponded"
    members = org.query(f"SELECT {fields} FROM CampaignMember WHERE CampaignId = '{shown['Id']}'")["records"]
    assert shown["NumberOfContacts"] == sum(1 for each in members if each["ContactId"])
    assert shown["NumberOfLeads"] == sum(1 for each in members if each["LeadId"])
    assert shown["NumberOfResponses"] == sum(1 for each in members if each["HasResponded"])
    assert len({each["LeadOrContactId"] for each in members}) == len(members)


def test_a_file_is_read_from_a_place_of_its_own(org: RunningOrg) -> None:
    """The record shows where; Bulk refuses to read it."""
    found = org.query("SELECT Id, Body, BodyLength FROM Attachment LIMIT 1")["records"][0]
    assert found["Body"] == f"{V}/sobjects/Attachment/{found['Id']}/Body"
    content = org.http.get(found["Body"]).content
    assert content.startswith(b"File ")
    assert len(content) == found["BodyLength"]
    own = _made(org, "Attachment", ParentId=_made(org, "Account", Name="With file"), Name="a.bin",
                Body=base64.b64encode(bytes(range(256))).decode())  # fmt: skip
    assert org.http.get(f"{V}/sobjects/Attachment/{own}/Body").content == bytes(range(256))


def test_each_deal_has_at_most_one_primary_contact(org: RunningOrg) -> None:
    """And several roles."""
    primary = org.query(
        "SELECT OpportunityId, COUNT(Id) n FROM OpportunityContactRole WHERE IsPrimary = true GROUP BY OpportunityId"
    )["records"]
    assert primary
    assert all(each["n"] == 1 for each in primary)
