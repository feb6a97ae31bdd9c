"""Subscription__c: a custom object as they usually look, owned by an account and summed up there."""

from __future__ import annotations

from include.sandbox.org.schema.custom import auto_number, formula, lookup, master
from include.sandbox.org.schema.field import ChildLink, SObject, flag, number, pick, plain, text
from include.sandbox.org.schema.person import external_key
from include.sandbox.org.schema.standard import audit, deletion, last_activity, record_id
from include.sandbox.org.store.tables import FOREVER

PLANS = ("Basic", "Plus", "Enterprise")
STATUSES = ("Active", "Paused", "Cancelled")
_REGION = f'(SELECT a."Region__c" FROM "Account" a WHERE a."Id" = {{t}}."Account__c" AND a._until = {FOREVER})'

SUBSCRIPTION = SObject(
    name="Subscription__c",
    label="Subscription",
    plural="Subscriptions",
    prefix="a00",
    fields=(
        record_id("Record"),
        deletion(),
        auto_number("Name", "Subscription Number", "'SUB-' || lpad({t}._n::VARCHAR, 7, '0')", name_field=True,
                    id_lookup=True),
        *audit(),
        last_activity(),
        master("Account__c", "Account", "Account"),
        lookup("Contact__c", "Contact", "Contact"),
        pick("Plan__c", "Plan", PLANS, restricted=True),
        pick("Status__c", "Status", STATUSES, restricted=True, default="Active"),
        number("Amount__c", "Amount", "currency", 16, 2),
        number("Seats__c", "Seats", "double", 6, 0),
        plain("Start_Date__c", "Start Date", "date"),
        plain("End_Date__c", "End Date", "date"),
        flag("Auto_Renew__c", "Auto Renew"),
        text("Cancel_Reason__c", "Cancel Reason", 255),
        formula(
            "Amount_per_Seat__c", "Amount per Seat", "currency",
            'round({t}."Amount__c" / nullif({t}."Seats__c", 0), 2)', "Amount__c / Seats__c", precision=18, scale=2,
        ),
        formula(
            "Days_Left__c", "Days Left", "double", '({t}."End_Date__c" - current_date)::DOUBLE',
            "End_Date__c - TODAY()", precision=18, scale=0,
        ),
        formula("Region__c", "Region", "string", _REGION, "TEXT(Account__r.Region__c)", length=1300),
        external_key(),
    ),
    children=(
        ChildLink(object="Event", field="WhatId", name="Events", cascade=True),
        ChildLink(object="Task", field="WhatId", name="Tasks", cascade=True),
    ),
)  # fmt: skip
