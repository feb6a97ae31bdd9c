"""Convert leads: each becomes a contact of an account, and perhaps a deal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from include.sandbox.org.ids import canonical, number_of
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.store.changes import Change
from include.sandbox.org.writing import bin as recycle_bin
from include.sandbox.org.writing.checks import state_refusal
from include.sandbox.org.writing.effects import changes_of
from include.sandbox.org.writing.lookups import old_values, states
from include.sandbox.org.writing.results import LeadConvert, LeadConvertResult, SaveResult, Writer
from include.sandbox.org.writing.saving import insert_records, update_records

if TYPE_CHECKING:
    from include.sandbox.org.org import Org

CONVERTED_STATUSES = ("Closed - Converted",)  # where no LeadStatus tells them
_LONGEST_NAME = 80
_FIRST_STAGE = "Prospecting"
# What the platform maps: field of the lead -> field of the account, the contact, the deal.
_ACCOUNT = {
    "Company": "Name", "Phone": "Phone", "Fax": "Fax", "Website": "Website", "Industry": "Industry",
    "Rating": "Rating", "AnnualRevenue": "AnnualRevenue", "NumberOfEmployees": "NumberOfEmployees",
    "LeadSource": "AccountSource",
}  # fmt: skip
_CONTACT = {
    "LastName": "LastName", "FirstName": "FirstName", "Salutation": "Salutation", "Title": "Title", "Phone": "Phone",
    "MobilePhone": "MobilePhone", "Fax": "Fax", "Email": "Email", "LeadSource": "LeadSource",
    "Description": "Description", "HasOptedOutOfEmail": "HasOptedOutOfEmail", "DoNotCall": "DoNotCall",
}  # fmt: skip
_ADDRESS = ("Street", "City", "State", "PostalCode", "Country", "Latitude", "Longitude", "GeocodeAccuracy")


class _RefusedError(Exception):
    def __init__(self, *refusals: Refusal) -> None:
        super().__init__()
        self.refusals = refusals


def convert_leads(org: Org, requests: Sequence[LeadConvert], writer: Writer) -> list[LeadConvertResult]:
    """Convert leads, each with a result of its own and in a transaction of its own."""
    recycle_bin.purge(org)
    return [_convert(org, each, writer) for each in requests]


def _convert(org: Org, asked: LeadConvert, writer: Writer) -> LeadConvertResult:
    try:
        with org.database.write():
            return _converted(org, asked, writer)
    except _RefusedError as refused:
        return LeadConvertResult(lead_id=canonical(asked.lead_id), errors=refused.refusals)
    except Refusal as refusal:  # somebody else holds an activity of the lead
        return LeadConvertResult(lead_id=canonical(asked.lead_id), errors=(refusal,))


def _converted(org: Org, asked: LeadConvert, writer: Writer) -> LeadConvertResult:
    lead_id, lead = _lead(org, asked)
    _check_request(org, asked, lead)
    owner = asked.owner_id or str(lead["OwnerId"])
    account = _account(org, asked, lead, owner, writer)
    contact = _contact(org, asked, lead, owner, account, writer)
    deal = _deal(org, asked, lead, owner, account, contact, writer)
    _move_activities(org, lead_id, contact, deal or account, writer)
    changes = changes_of(org)
    values = {
        "IsConverted": True, "ConvertedDate": changes.stamp().date(), "ConvertedAccountId": account,
        "ConvertedContactId": contact, "ConvertedOpportunityId": deal, "Status": asked.converted_status,
        "IsUnreadByOwner": False,
    }  # fmt: skip
    target = org.catalogue.objects["Lead"]
    changes.update(target, [lead_id], values, Change(user_id=writer.user_id, late=writer.late))
    with org.database.write() as cursor:
        changes.history.note_event(
            cursor, target, [lead_id], "leadConverted", user_id=writer.user_id, stamp=changes.stamp()
        )
    return LeadConvertResult(lead_id=lead_id, account_id=account, contact_id=contact, opportunity_id=deal)


def _lead(org: Org, asked: LeadConvert) -> tuple[str, dict[str, Any]]:
    """Return the lead and its values, or refuse: malformed, unknown, deleted, locked, converted already."""
    target = org.catalogue.objects["Lead"]
    record_id = canonical(asked.lead_id)
    number = number_of(asked.lead_id) if record_id else None
    if record_id is None or record_id[:3] != target.prefix:
        raise _RefusedError(Refusal(400, "MALFORMED_ID", f"malformed id {asked.lead_id}", []))
    found = states(org, target, [number] if number is not None else [], "IsConverted")
    state = found.get(number) if number is not None else None
    refusal = state_refusal(state)
    if refusal is not None:
        raise _RefusedError(refusal)
    if state is not None and state.marks[0]:
        raise _RefusedError(Refusal(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", []))
    names = [each.name for each in target.columns]
    return record_id, old_values(org, target, [number or 0], names)[number or 0]


def _check_request(org: Org, asked: LeadConvert, lead: Mapping[str, Any]) -> None:
    if asked.converted_status not in _statuses(org):
        message = f"invalid convertedStatus: {asked.converted_status}"
        raise _RefusedError(Refusal(400, "INVALID_STATUS", message, []))
    if asked.contact_id and not asked.account_id:
        message = "accountId must be specified when contactId is specified"
        raise _RefusedError(Refusal(400, "REQUIRED_FIELD_MISSING", message, []))
    if asked.overwrite_lead_source and not asked.contact_id:
        message = "contactId must be specified when overwriteLeadSource is true"
        raise _RefusedError(Refusal(400, "REQUIRED_FIELD_MISSING", message, []))
    if asked.opportunity_id and (asked.opportunity_name or asked.do_not_create_opportunity):
        message = "opportunityId can't be combined with opportunityName or doNotCreateOpportunity"
        raise _RefusedError(Refusal(400, "INVALID_INPUT_COMBINATION", message, []))
    if asked.opportunity_name and asked.do_not_create_opportunity:
        message = "opportunityName must be null when doNotCreateOpportunity is true"
        raise _RefusedError(Refusal(400, "INVALID_INPUT_COMBINATION", message, []))
    if len(asked.opportunity_name or "") > _LONGEST_NAME:
        message = f"Opportunity Name: data value too large: {asked.opportunity_name} (max length={_LONGEST_NAME})"
        raise _RefusedError(Refusal(400, "STRING_TOO_LONG", message, []))
    if not asked.owner_id and not str(lead["OwnerId"]).startswith("005"):
        message = "Converted objects can only be owned by users.  If the lead is not owned by a user, you must specify"
        raise _RefusedError(
            Refusal(400, "INVALID_CROSS_REFERENCE_KEY", f"{message} a user for the Owner field.", [])
        )  # fmt: skip


def _statuses(org: Org) -> tuple[str, ...]:
    """Return the statuses that a converted lead can have."""
    told = org.catalogue.find("LeadStatus")
    rows = org.database.rows(f'SELECT "ApiName" FROM "{told.name}" WHERE "IsConverted"') if told else []
    return tuple(row[0] for row in rows) or CONVERTED_STATUSES


def _account(org: Org, asked: LeadConvert, lead: Mapping[str, Any], owner: str, writer: Writer) -> str:
    target = org.catalogue.objects["Account"]
    values = _mapped(lead, _ACCOUNT) | {f"Billing{part}": lead[part] for part in _ADDRESS}
    if asked.account_id:
        return _fill(org, target, asked.account_id, values, writer)
    return _made(insert_records(org, target, [_written(values) | {"OwnerId": owner}], writer))


def _contact(
    org: Org, asked: LeadConvert, lead: Mapping[str, Any], owner: str, account: str, writer: Writer
) -> str:  # fmt: skip
    target = org.catalogue.objects["Contact"]
    values = _mapped(lead, _CONTACT) | {f"Mailing{part}": lead[part] for part in _ADDRESS}
    if not asked.contact_id:
        made = _written(values) | {"AccountId": account, "OwnerId": owner}
        return _made(insert_records(org, target, [made], writer))
    number = number_of(asked.contact_id) or 0
    row = old_values(org, target, [number], ["AccountId"]).get(number)
    if row is not None and row["AccountId"] != account:
        message = "The contact must be associated with the specified account"
        raise _RefusedError(Refusal(400, "INVALID_CROSS_REFERENCE_KEY", message, []))
    forced = {"LeadSource": lead["LeadSource"]} if asked.overwrite_lead_source else {}
    return _fill(org, target, asked.contact_id, values, writer, forced)


def _deal(
    org: Org, asked: LeadConvert, lead: Mapping[str, Any], owner: str, account: str, contact: str, writer: Writer
) -> str | None:  # fmt: skip
    target = org.catalogue.objects["Opportunity"]
    if asked.opportunity_id:
        return _fill(org, target, asked.opportunity_id, {"AccountId": account}, writer)
    if asked.do_not_create_opportunity:
        return None
    today = org.clock.now().date()
    last_of_quarter = today.replace(month=(today.month - 1) // 3 * 3 + 3, day=1) + timedelta(days=31)
    values = {
        "Name": asked.opportunity_name or str(lead["Company"])[:_LONGEST_NAME], "AccountId": account,
        "StageName": _FIRST_STAGE, "CloseDate": last_of_quarter.replace(day=1) - timedelta(days=1),
        "LeadSource": lead["LeadSource"], "OwnerId": owner, "ContactId": contact,
    }  # fmt: skip
    return _made(insert_records(org, target, [_written(values)], writer))


def _mapped(lead: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    return {theirs: lead.get(ours) for ours, theirs in mapping.items()}


def _written(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _fill(
    org: Org, target: SObject, record_id: str, values: Mapping[str, Any], writer: Writer,
    forced: Mapping[str, Any] | None = None,
) -> str:  # fmt: skip
    """Write values into the empty fields of a record that is there already."""
    number = number_of(record_id)
    names = [name for name in values if target.field(name)]
    rows = old_values(org, target, [number], names) if number is not None else {}
    before = rows.get(number or 0, {})
    empty = {name: values[name] for name in names if before.get(name) is None and values[name] is not None}
    row = {**empty, **(forced or {}), "Id": record_id}
    return _made(update_records(org, target, [row], writer))


def _made(results: Sequence[SaveResult]) -> str:
    if not results[0].success:
        raise _RefusedError(*results[0].errors)
    return str(results[0].id)


def _move_activities(org: Org, lead: str, contact: str, about: str, writer: Writer) -> None:
    """Give the lead's activities to the contact and the deal, its campaigns to the contact too."""
    changes = changes_of(org)
    system = Change(user_id=writer.user_id, late=writer.late, system_only=True)
    for name in ("Task", "Event"):
        target = org.catalogue.find(name)
        if target is not None:
            ids = changes.children(target, "WhoId", [lead])
            changes.update(target, ids, {"WhoId": contact, "WhatId": about}, system)
    member = org.catalogue.find("CampaignMember")
    if member is not None:
        changes.update(member, changes.children(member, "LeadId", [lead]), {"ContactId": contact}, system)
