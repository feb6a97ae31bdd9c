"""Account: a company."""

from __future__ import annotations

from include.sandbox.org.schema.custom import roll_up
from include.sandbox.org.schema.field import (
    ChildLink,
    SObject,
    address,
    flag,
    long_text,
    number,
    pick,
    plain,
    reference,
    text,
)  # fmt: skip
from include.sandbox.org.schema.person import clean_status, external_key, phones, photo
from include.sandbox.org.schema.standard import (
    INDUSTRIES,
    LEAD_SOURCES,
    RATINGS,
    REGIONS,
    audit,
    deletion,
    last_activity,
    merged_into,
    owner,
    record_id,
    record_type,
)  # fmt: skip

TYPES = (
    "Prospect", "Customer - Direct", "Customer - Channel", "Channel Partner / Reseller", "Installation Partner",
    "Technology Partner", "Other",
)  # fmt: skip

ACCOUNT = SObject(
    name="Account",
    label="Account",
    plural="Accounts",
    prefix="001",
    mergeable=True,
    fields=(
        record_id("Account"),
        deletion(),
        merged_into("Account"),
        text("Name", "Account Name", 255, required=True, name_field=True),
        pick("Type", "Account Type", TYPES),
        reference("ParentId", "Parent Account ID", "Account"),
        *address("Billing", "Billing"),
        *address("Shipping", "Shipping"),
        *phones(("Phone", "Account Phone"), ("Fax", "Account Fax")),
        text("AccountNumber", "Account Number", 40),
        plain("Website", "Website", "url", 255),
        photo(),
        text("Sic", "SIC Code", 20),
        pick("Industry", "Industry", INDUSTRIES),
        number("AnnualRevenue", "Annual Revenue", "currency"),
        number("NumberOfEmployees", "Employees", "int", 8),
        pick("Ownership", "Ownership", ("Public", "Private", "Subsidiary", "Other")),
        text("TickerSymbol", "Ticker Symbol", 20),
        long_text("Description", "Account Description"),
        pick("Rating", "Account Rating", RATINGS),
        text("Site", "Account Site", 80),
        record_type(),
        owner(),
        *audit(),
        last_activity(),
        pick("AccountSource", "Account Source", LEAD_SOURCES),
        text("DunsNumber", "D-U-N-S Number", 9),
        text("NaicsCode", "NAICS Code", 8),
        text("YearStarted", "Year Started", 4),
        clean_status(),
        external_key(),
        pick("Region__c", "Region", REGIONS, restricted=True),
        flag("Strategic__c", "Strategic"),
        number("Credit_Limit__c", "Credit Limit", "currency", 18, 2),
        plain("Renewal_Date__c", "Renewal Date", "date"),
        roll_up("Subscriptions__c", "Subscriptions", "count(*)", "Subscription__c", "Account__c"),
        roll_up(
            "Subscribed_Amount__c", "Subscribed Amount", 'sum(c."Amount__c")', "Subscription__c", "Account__c",
            kind="currency", scale=2,
        ),
    ),
    children=(
        ChildLink(object="AccountHistory", field="AccountId", name="Histories", cascade=True),
        ChildLink(object="Account", field="ParentId", name="ChildAccounts"),
        ChildLink(object="Attachment", field="ParentId", name="Attachments", cascade=True),
        ChildLink(object="Case", field="AccountId", name="Cases"),
        ChildLink(object="Contact", field="AccountId", name="Contacts", cascade=True),
        ChildLink(object="Event", field="WhatId", name="Events", cascade=True),
        ChildLink(object="Everything__c", field="Lookup__c", name="Everything__r"),
        ChildLink(object="Opportunity", field="AccountId", name="Opportunities", cascade=True),
        ChildLink(object="Subscription__c", field="Account__c", name="Subscriptions__r", cascade=True),
        ChildLink(object="Task", field="WhatId", name="Tasks", cascade=True),
    ),
)  # fmt: skip
