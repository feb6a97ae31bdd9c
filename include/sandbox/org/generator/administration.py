"""What an administrator set up: record types, profiles, roles, queues and groups, statuses; a handful of rows each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from include.sandbox.org.generator.parts import QUEUES, user_id
from include.sandbox.org.ids import make_id
from include.sandbox.org.schema.lead import STATUSES

Row = dict[str, Any]

RECORD_TYPES = (
    ("Account", "Customer"), ("Account", "Partner"), ("Opportunity", "New Business"), ("Opportunity", "Renewal"),
    ("Case", "Support"), ("Case", "Complaint"), ("Campaign", "Event or Mailing"),
)  # fmt: skip
PROFILES = ("System Administrator", "Standard User", "Marketing User", "Read Only", "Minimum Access - API Only")
ROLES = (("CEO", None), ("VP Sales", 1), ("Account Executive", 2), ("VP Marketing", 1), ("Customer Support", 1))
_QUEUES = ("Inbound Leads", "Event Leads", "Support Tier 1", "Support Tier 2")
_GROUPS = ("Sales DACH", "Marketing Team")


def administration(base: datetime) -> Mapping[str, list[Row]]:
    """Return the rows by object."""
    made = [("Queue", each) for each in _QUEUES] + [("Regular", each) for each in _GROUPS]
    groups = [
        {"Name": name, "DeveloperName": _developer_name(name), "Type": kind, "OwnerId": user_id(1)}
        for kind, name in made
    ]
    return {
        "RecordType": _rows("012", base, (
            {"Name": name, "DeveloperName": _developer_name(name), "SobjectType": kind, "IsActive": True}
            for kind, name in RECORD_TYPES
        )),
        "Profile": _rows("00e", base, ({"Name": each, "UserType": "Standard"} for each in PROFILES)),
        "UserRole": _rows("00E", base, (
            {"Name": name, "DeveloperName": _developer_name(name), "RollupDescription": name, "PortalType": "None",
             "ParentRoleId": make_id("00E", above) if above else None}
            for name, above in ROLES
        )),
        "Group": _rows("00G", base, groups),
        "GroupMember": _rows("011", base, (
            {"GroupId": make_id("00G", 1 + place % len(made)), "UserOrGroupId": user_id(2 + place)}
            for place in range(12)
        )),
        "QueueSobject": _rows("03g", base, (
            {"QueueId": make_id("00G", number), "SobjectType": name}
            for name, numbers in QUEUES.items() for number in numbers
        )),
        "LeadStatus": _rows("01J", base, (
            {"MasterLabel": each, "ApiName": each, "SortOrder": place, "IsDefault": place == 1,
             "IsConverted": "Closed - Converted" in each}
            for place, each in enumerate(STATUSES, start=1)
        )),
    }  # fmt: skip


def _rows(prefix: str, base: datetime, values: Iterable[Row]) -> list[Row]:
    rows = []
    for number, value in enumerate(values, start=1):
        stamp = base - timedelta(days=300 + number)
        audit = {
            "CreatedDate": stamp - timedelta(days=400), "CreatedById": user_id(1),
            "LastModifiedDate": stamp, "LastModifiedById": user_id(1), "SystemModstamp": stamp,
        }  # fmt: skip
        rows.append({"_n": number, "Id": make_id(prefix, number), **audit, **value})
    return rows


def _developer_name(name: str) -> str:
    return name.replace(" ", "_")
