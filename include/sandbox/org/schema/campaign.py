"""Campaign and CampaignMember: what marketing does, and whom it reaches."""

from __future__ import annotations

from include.sandbox.org.schema.custom import roll_up
from include.sandbox.org.schema.field import (
    ChildLink,
    SObject,
    flag,
    long_text,
    number,
    pick,
    plain,
    readonly,
    reference,
    text,
)  # fmt: skip
from include.sandbox.org.schema.standard import audit, deletion, last_activity, owner, record_id, record_type

TYPES = (
    "Conference", "Webinar", "Trade Show", "Public Relations", "Partners", "Referral Program", "Advertisement",
    "Banner Ads", "Direct Mail", "Email", "Telemarketing", "Other",
)  # fmt: skip
STATUSES = ("Planned", "In Progress", "Completed", "Aborted")
MEMBER_STATUSES = ("Sent", "Responded")
_KIND = "CASE WHEN {t}.\"LeadId\" IS NULL THEN 'Contact' ELSE 'Lead' END"

CAMPAIGN = SObject(
    name="Campaign",
    label="Campaign",
    plural="Campaigns",
    prefix="701",
    fields=(
        record_id("Campaign"),
        deletion(),
        text("Name", "Name", 80, required=True, name_field=True),
        reference("ParentId", "Parent Campaign ID", "Campaign"),
        pick("Type", "Type", TYPES),
        record_type(),
        pick("Status", "Status", STATUSES, default=STATUSES[0]),
        plain("StartDate", "Start Date", "date"),
        plain("EndDate", "End Date", "date"),
        number("ExpectedRevenue", "Expected Revenue", "currency"),
        number("BudgetedCost", "Budgeted Cost", "currency"),
        number("ActualCost", "Actual Cost", "currency"),
        number("ExpectedResponse", "Expected Response (%)", "percent", 10, 2),
        number("NumberSent", "Num Sent", "double", 18, 0),
        flag("IsActive", "Active"),
        long_text("Description", "Description"),
        roll_up(
            "NumberOfLeads", "Leads in Campaign", "count(*)", "CampaignMember", "CampaignId", kind="int", precision=8,
            where='c."LeadId" IS NOT NULL',
        ),
        roll_up(
            "NumberOfContacts", "Contacts in Campaign", "count(*)", "CampaignMember", "CampaignId", kind="int",
            precision=8, where='c."ContactId" IS NOT NULL',
        ),
        roll_up(
            "NumberOfResponses", "Responses in Campaign", "count(*)", "CampaignMember", "CampaignId", kind="int",
            precision=8, where="c.\"Status\" = 'Responded'",
        ),
        owner(),
        *audit(),
        last_activity(),
    ),
    children=(
        ChildLink(object="Attachment", field="ParentId", name="Attachments", cascade=True),
        ChildLink(object="Campaign", field="ParentId", name="ChildCampaigns"),
        ChildLink(object="CampaignMember", field="CampaignId", name="CampaignMembers", cascade=True),
        ChildLink(object="Event", field="WhatId", name="Events", cascade=True),
        ChildLink(object="Opportunity", field="CampaignId", name="Opportunities"),
        ChildLink(object="Task", field="WhatId", name="Tasks", cascade=True),
    ),
)  # fmt: skip

CAMPAIGN_MEMBER = SObject(
    name="CampaignMember",
    label="Campaign Member",
    plural="Campaign Members",
    prefix="00v",
    fields=(
        record_id("Campaign Member"),
        deletion(),
        reference("CampaignId", "Campaign ID", "Campaign", required=True, updateable=False),
        reference("LeadId", "Lead ID", "Lead", updateable=False),
        reference("ContactId", "Contact ID", "Contact", updateable=False),
        pick("Status", "Status", MEMBER_STATUSES),
        readonly(flag("HasResponded", "Responded", formula="coalesce({t}.\"Status\" = 'Responded', FALSE)")),
        *audit(),
        readonly(plain("FirstRespondedDate", "First Responded Date", "date")),
        readonly(
            reference(
                "LeadOrContactId", "Related Record ID", "Contact", "Lead", relationship="LeadOrContact",
                formula='coalesce({t}."LeadId", {t}."ContactId")',
            )
        ),
        readonly(text("Type", "Related Record Type", 40, formula=_KIND)),
    ),
)  # fmt: skip
