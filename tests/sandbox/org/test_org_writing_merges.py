"""Merges, conversions of leads, and the history that they leave."""

from __future__ import annotations

from typing import Any

import pytest

from include.sandbox.org.ids import make_id
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.writing import (
    LeadConvert,
    LeadConvertResult,
    MergeResult,
    Writer,
    convert_leads,
    delete_records,
    empty_recycle_bin,
    merge_records,
    undelete_records,
)
from tests.sandbox.org.conftest import RunningOrg, V

STATUS = "Closed - Converted"


@pytest.fixture(scope="module")
def writer(org: RunningOrg) -> Writer:
    """Yield somebody who may write."""
    (user,) = org.query("SELECT Id FROM User WHERE IsActive = true ORDER BY Id LIMIT 1")["records"]
    return Writer(user_id=user["Id"])


def _make(org: RunningOrg, kind: str, **fields: Any) -> str:
    answer = org.http.post(f"{V}/sobjects/{kind}", json=fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _get(org: RunningOrg, kind: str, record_id: str | None) -> dict[str, Any]:
    (row,) = org.query(f"SELECT FIELDS(ALL) FROM {kind} WHERE Id = '{record_id}' LIMIT 1", deleted=True)["records"]
    return dict(row)


def _merge(org: RunningOrg, writer: Writer, kind: str, master: dict[str, Any], *losers: str) -> MergeResult:
    return merge_records(org.org, org.org.catalogue.objects[kind], master, losers, writer)


def _told(errors: tuple[Refusal, ...]) -> list[tuple[str, str]]:
    return [(each.code, each.message) for each in errors]


def test_a_merged_account_takes_over_all_that_hung_below_the_losers(org: RunningOrg, writer: Writer) -> None:
    """Contacts, deals, cases, activities and child accounts; what was moved is told."""
    master, one, two = (_make(org, "Account", Name=each) for each in ("Master", "One", "Two"))
    contact = _make(org, "Contact", LastName="C", AccountId=one)
    below = {
        _make(org, "Opportunity", Name="D", StageName="Prospecting", CloseDate="2030-01-31", AccountId=two),
        _make(org, "Case", Subject="S", AccountId=one),
        _make(org, "Task", Subject="T", WhatId=two),
        _make(org, "Account", Name="Daughter", ParentId=one),
        contact,
    }
    result = _merge(org, writer, "Account", {"Id": master, "Phone": "1"}, one, two)
    assert (result.id, result.merged_ids, result.errors) == (master, (one, two), ())
    assert set(result.updated_related_ids) == below
    assert _get(org, "Contact", contact)["AccountId"] == master
    assert _get(org, "Account", master)["Phone"] == "1"
    for loser in (one, two):
        row = _get(org, "Account", loser)
        assert (row["IsDeleted"], row["MasterRecordId"]) == (True, master)


def test_a_merged_person_is_once_in_a_campaign(org: RunningOrg, writer: Writer) -> None:
    """Of two memberships in one campaign the loser's is deleted."""
    master, loser = (_make(org, "Contact", LastName=each) for each in ("Master", "Loser"))
    both, other = (_make(org, "Campaign", Name=each) for each in ("Both", "Other"))
    for person, campaign in ((master, both), (loser, both), (loser, other)):
        _make(org, "CampaignMember", CampaignId=campaign, ContactId=person)
    assert _merge(org, writer, "Contact", {"Id": master}, loser).success
    rows = org.query(f"SELECT CampaignId FROM CampaignMember WHERE ContactId = '{master}' ORDER BY Id")["records"]
    assert [row["CampaignId"] for row in rows] == [both, other]


def test_a_loser_can_be_taken_back(org: RunningOrg, writer: Writer) -> None:
    """Its children stay with the master."""
    master, loser = (_make(org, "Contact", LastName=each) for each in ("Master", "Loser"))
    task = _make(org, "Task", Subject="T", WhoId=loser)
    _merge(org, writer, "Contact", {"Id": master}, loser)
    (result,) = undelete_records(org.org, [loser], writer)
    row = _get(org, "Contact", loser)
    assert (result.success, row["IsDeleted"], row["MasterRecordId"]) == (True, False, None)
    assert _get(org, "Task", task)["WhoId"] == master


def test_a_wrong_merge_changes_nothing(org: RunningOrg, writer: Writer) -> None:
    """Each says why."""
    above = _make(org, "Account", Name="Above")
    below = _make(org, "Account", Name="Below", ParentId=above)
    gone = _make(org, "Account", Name="Gone")
    org.http.delete(f"{V}/sobjects/Account/{gone}")
    none = make_id("001", 99_999_999)
    wrong = [
        (({"Id": below}, above), ("CIRCULAR_DEPENDENCY", "attempt to violate hierarchy constraints")),
        (({"Id": above}, gone), ("ENTITY_IS_DELETED", "entity is deleted")),
        (({"Id": above}, none), ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")),
        (({"Id": above}, above), ("MERGE_FAILED", "A record can't be merged with itself")),
        (({"Id": above, "Region__c": "Mars"}, below), (
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Region: bad value for restricted picklist field: Mars"
        )),
    ]  # fmt: skip
    for (master, loser), error in wrong:
        assert _told(_merge(org, writer, "Account", master, loser).errors) == [error]
    assert _get(org, "Account", above)["IsDeleted"] is False
    assert _get(org, "Account", below)["IsDeleted"] is False


def _convert(org: RunningOrg, writer: Writer, lead: str, **more: Any) -> LeadConvertResult:
    asked = {"converted_status": STATUS, **more}
    (result,) = convert_leads(org.org, [LeadConvert(lead_id=lead, **asked)], writer)
    return result


def test_a_converted_lead_becomes_an_account_a_contact_and_a_deal(org: RunningOrg, writer: Writer) -> None:
    """The lead tells what became of it, and stays readable."""
    lead = _make(
        org, "Lead", FirstName="Ada", LastName="L", Company="Engines", Email="a@example.com", City="Oslo",
        LeadSource="Web",
    )  # fmt: skip
    result = _convert(org, writer, lead)
    assert (result.success, result.lead_id) == (True, lead)
    account = _get(org, "Account", result.account_id)
    assert (account["Name"], account["BillingCity"], account["AccountSource"]) == ("Engines", "Oslo", "Web")
    contact = _get(org, "Contact", result.contact_id)
    assert (contact["Name"], contact["Email"], contact["AccountId"]) == ("Ada L", "a@example.com", account["Id"])
    deal = _get(org, "Opportunity", result.opportunity_id)
    assert (deal["Name"], deal["StageName"], deal["AccountId"]) == ("Engines", "Prospecting", account["Id"])
    row = _get(org, "Lead", lead)
    told = [row[f"Converted{each}Id"] for each in ("Account", "Contact", "Opportunity")]
    assert told == [result.account_id, result.contact_id, result.opportunity_id]
    assert (row["IsConverted"], row["Status"], row["IsDeleted"]) == (True, STATUS, False)
    assert row["ConvertedDate"] == row["SystemModstamp"][:10]


def test_a_lead_can_be_converted_into_what_is_there(org: RunningOrg, writer: Writer) -> None:
    """Only empty fields are filled, the lead source only on demand; no deal if none is wanted."""
    account = _make(org, "Account", Name="There", Phone="1")
    contact = _make(org, "Contact", LastName="Already", AccountId=account, LeadSource="Other")
    lead = _make(org, "Lead", LastName="L", Company="New", Phone="2", Title="T", LeadSource="Web")
    result = _convert(
        org, writer, lead, account_id=account, contact_id=contact, do_not_create_opportunity=True,
        overwrite_lead_source=True,
    )  # fmt: skip
    assert (result.account_id, result.contact_id, result.opportunity_id) == (account, contact, None)
    assert (_get(org, "Account", account)["Name"], _get(org, "Account", account)["Phone"]) == ("There", "1")
    row = _get(org, "Contact", contact)
    assert [row[each] for each in ("LastName", "Title", "Phone", "LeadSource")] == ["Already", "T", "2", "Web"]


def test_a_lead_that_cannot_be_converted_says_why(org: RunningOrg, writer: Writer) -> None:
    """And nothing was made of it."""
    lead = _make(org, "Lead", LastName="Unwilling", Company="Unwilling Ltd")
    (queue,) = org.query("SELECT Id FROM Group WHERE Type = 'Queue' LIMIT 1")["records"]
    queued = _make(org, "Lead", LastName="Queued", Company="x", OwnerId=queue["Id"])
    (done,) = org.query("SELECT Id FROM Lead WHERE IsConverted = true LIMIT 1")["records"]
    codes = [
        _convert(org, writer, lead, converted_status="Working - Contacted").errors[0].code,
        _convert(org, writer, lead, contact_id=make_id("003", 1)).errors[0].code,
        _convert(org, writer, lead, opportunity_name="x", do_not_create_opportunity=True).errors[0].code,
        _convert(org, writer, lead, account_id=make_id("001", 99_999_999)).errors[0].code,
        _convert(org, writer, queued).errors[0].code,
        _convert(org, writer, done["Id"]).errors[0].code,
    ]
    assert codes == [
        "INVALID_STATUS", "REQUIRED_FIELD_MISSING", "INVALID_INPUT_COMBINATION", "INVALID_CROSS_REFERENCE_KEY",
        "INVALID_CROSS_REFERENCE_KEY", "CANNOT_UPDATE_CONVERTED_LEAD",
    ]  # fmt: skip
    assert org.query("SELECT COUNT() FROM Account WHERE Name = 'Unwilling Ltd'")["totalSize"] == 0


def test_tracked_fields_have_a_history(org: RunningOrg) -> None:
    """Who changed what from what to what; other fields and unchanged values leave none."""
    made = _make(org, "Contact", LastName="Tracked", Title="Old", Department="A")
    org.http.patch(f"{V}/sobjects/Contact/{made}", json={"Title": "New", "Department": "B", "LastName": "Tracked"})
    soql = f"SELECT Field, OldValue, NewValue, DataType FROM ContactHistory WHERE ContactId = '{made}' ORDER BY Id"
    rows = [[row[each] for each in ("Field", "OldValue", "NewValue", "DataType")] for row in org.query(soql)["records"]]
    assert rows == [["created", None, None, "Text"], ["Title", "Old", "New", "Text"]]
    others = org.query("SELECT COUNT() FROM OpportunityFieldHistory")["totalSize"]
    org.http.delete(f"{V}/sobjects/Contact/{made}")
    assert org.query(soql)["totalSize"] == 0
    assert org.query("SELECT COUNT() FROM OpportunityFieldHistory")["totalSize"] == others


def test_a_record_out_of_the_bin_does_not_come_back(org: RunningOrg, writer: Writer) -> None:
    """queryAll knows it for another day."""
    made = _make(org, "Contact", LastName="Emptied")
    assert _told(undelete_records(org.org, [made], writer)[0].errors) == [
        ("UNDELETE_FAILED", "Entity is not in the recycle bin")
    ]
    delete_records(org.org, [made], writer)
    assert empty_recycle_bin(org.org, [made], writer)[0].success
    assert undelete_records(org.org, [made], writer)[0].errors[0].code == "UNDELETE_FAILED"
    assert _get(org, "Contact", made)["IsDeleted"] is True
