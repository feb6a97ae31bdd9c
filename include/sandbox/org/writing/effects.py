"""What the platform does by itself when a record is written: values it fills in, and other records it touches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from include.sandbox.org.ids import number_of
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.schema.opportunity import STAGES
from include.sandbox.org.store.changes import Change, Changes
from include.sandbox.org.store.stage import Stage
from include.sandbox.org.writing.drafts import Draft
from include.sandbox.org.writing.lookups import old_values

if TYPE_CHECKING:
    from include.sandbox.org.org import Org

# Object -> (the field that decides, the value it must get, the field that then says when).
_REACHED = {
    "Task": ("Status", "Completed", "CompletedDateTime"),
    "Case": ("Status", "Closed", "ClosedDate"),
    "CampaignMember": ("Status", "Responded", "FirstRespondedDate"),
}
_ACTIVITIES = ("Task", "Event")


def complete(org: Org, target: SObject, drafts: Sequence[Draft], user_id: str, stamp: datetime) -> None:
    """Fill in what the platform fills in."""
    for draft in drafts:
        values = draft.values
        if draft.created:
            _complete_new(target, values, user_id, stamp)
        if target.name == "Opportunity" and "StageName" in values and "Probability" not in values:
            values["Probability"] = float(STAGES.get(str(values["StageName"]), (0, ""))[0])
        if target.name == "Event":
            _complete_event(values)
    if target.name in (*_ACTIVITIES, "Case"):
        _complete_accounts(org, target, drafts)


def _complete_new(target: SObject, values: dict[str, Any], user_id: str, stamp: datetime) -> None:
    if target.field("OwnerId"):
        values.setdefault("OwnerId", user_id)
    decides, reached, when = _REACHED.get(target.name, ("", "", ""))
    if when and values.get(decides) == reached:
        values[when] = stamp.date() if target.by_name[when.lower()].type == "date" else stamp
    if "LastModifiedDate" not in values and "CreatedDate" in values:
        values["LastModifiedDate"] = values["CreatedDate"]


def _complete_event(values: dict[str, Any]) -> None:
    """An event's start, its day and its length say the same in several fields."""
    start = values.get("StartDateTime") or values.get("ActivityDateTime")
    if start is None:
        return
    values["StartDateTime"] = values["ActivityDateTime"] = start
    values["ActivityDate"] = start.date()
    end, minutes = values.get("EndDateTime"), values.get("DurationInMinutes")
    if end is not None:
        values["DurationInMinutes"] = int((end - start).total_seconds() // 60)
    elif minutes is not None:
        values["EndDateTime"] = start + timedelta(minutes=minutes)


def _complete_accounts(org: Org, target: SObject, drafts: Sequence[Draft]) -> None:
    """Find the account that an activity or a case belongs to: that of its thing, or that of its person."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for draft in drafts:
        for value in _about(draft):
            parent, number = org.catalogue.of_id(value), number_of(value)
            if parent is not None and parent.field("AccountId") and number is not None:
                wanted[parent.name].add(number)
    found = {
        name: old_values(org, org.catalogue.objects[name], list(numbers), ["AccountId"])
        for name, numbers in wanted.items()
    }
    for draft in drafts:
        if target.name == "Case" and "AccountId" in draft.values:
            continue
        accounts = [_account_of(org, found, value) for value in _about(draft)]
        if accounts:
            draft.values["AccountId"] = next((each for each in accounts if each), None)


def _about(draft: Draft) -> list[str]:
    return [draft.values[name] for name in ("WhatId", "WhoId", "ContactId") if draft.values.get(name)]


def _account_of(org: Org, found: Mapping[str, dict[int, dict[str, Any]]], value: str) -> str | None:
    parent = org.catalogue.of_id(value)
    if parent is None or parent.name == "Account":
        return value if parent is not None else None
    account: str | None = found.get(parent.name, {}).get(number_of(value) or 0, {}).get("AccountId")
    return account


def expressions(stage: Stage, stamp: datetime) -> dict[str, str]:
    """Return the fields that a change sets by itself, as SQL over the old row `t` and its stage `s`."""
    now = f"TIMESTAMP '{stamp.isoformat(' ')}'"
    result = {}
    if stage.target.name == "Opportunity" and "StageName" in stage.names:
        moved = f't."StageName" IS DISTINCT FROM {stage.after("StageName")}'
        result["LastStageChangeDate"] = f'CASE WHEN {moved} THEN {now} ELSE t."LastStageChangeDate" END'
    decides, reached, when = _REACHED.get(stage.target.name, ("", "", ""))
    if decides in stage.names:
        kept = f"""CASE WHEN t."{decides}" = '{reached}' THEN t."{when}" ELSE {now} END"""
        result[when] = f"CASE WHEN {stage.after(decides)} = '{reached}' THEN {kept} END"
        if stage.target.name == "CampaignMember":
            result[when] = f't."{when}"' if reached != "Responded" else f'coalesce(t."{when}", ({result[when]})::DATE)'
    return result


def touch_others(org: Org, target: SObject, drafts: Sequence[Draft], change: Change) -> None:
    """Change the records that the platform changes along with written ones."""
    if target.name in _ACTIVITIES:
        _move_last_activity(org, target, [each.number for each in drafts if each.number is not None], change)
    role = org.catalogue.find("OpportunityContactRole")
    if target.name == "Opportunity" and role is not None:
        rows = [
            {"OpportunityId": each.id, "ContactId": each.values["ContactId"], "IsPrimary": True}
            for each in drafts
            if each.created and each.values.get("ContactId")
        ]
        changes_of(org).insert(role, rows, change)


def _move_last_activity(org: Org, target: SObject, numbers: Sequence[int], change: Change) -> None:
    """Note the day of closed tasks and of events at what they are about; LastModifiedDate stays."""
    deciding = ("Status",) if target.name == "Task" else ()
    rows = old_values(org, target, numbers, ["WhoId", "WhatId", "AccountId", "ActivityDate", *deciding])
    latest: dict[str, dict[int, date]] = defaultdict(dict)
    for row in rows.values():
        if row["ActivityDate"] is None or row.get("Status", "Completed") != "Completed":
            continue
        for value in {row["WhoId"], row["WhatId"], row["AccountId"]} - {None}:
            about, number = org.catalogue.of_id(value), number_of(value)
            if about is not None and number is not None and about.field("LastActivityDate"):
                known = latest[about.name].get(number)
                latest[about.name][number] = max(known or row["ActivityDate"], row["ActivityDate"])
    own = Change(user_id=change.user_id, late=change.late, system_only=True)
    for name, days in latest.items():
        about = org.catalogue.objects[name]
        before = old_values(org, about, list(days), ["LastActivityDate"])
        later = {
            number: day
            for number, day in days.items()
            if number in before and day > (before[number]["LastActivityDate"] or date.min)
        }
        changes_of(org).update_each(about, list(later), [{"LastActivityDate": day} for day in later.values()], own)


def changes_of(org: Org) -> Changes:
    """Return the writer of the org's store."""
    return Changes(org.database, org.catalogue, org.clock)
