"""Lead: a person who may become a contact."""

from __future__ import annotations

from include.sandbox.org.schema.field import (
    ChildLink,
    SObject,
    address,
    flag,
    long_text,
    number,
    pick,
    plain,
    readonly,
    reference,
    text,
)  # fmt: skip
from include.sandbox.org.schema.person import (
    clean_status,
    consent,
    email,
    external_key,
    lead_source,
    person_name,
    phones,
    photo,
)  # fmt: skip
from include.sandbox.org.schema.standard import (
    INDUSTRIES,
    RATINGS,
    audit,
    deletion,
    last_activity,
    merged_into,
    owner,
    record_id,
)  # fmt: skip

STATUSES = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")


LEAD = SObject(
    name="Lead",
    label="Lead",
    plural="Leads",
    prefix="00Q",
    mergeable=True,
    fields=(
        record_id("Lead"),
        deletion(),
        merged_into("Lead"),
        *person_name(),
        text("Title", "Title", 128),
        text("Company", "Company", 255, required=True),
        *address("", ""),
        *phones(("Phone", "Phone"), ("MobilePhone", "Mobile Phone"), ("Fax", "Fax")),
        email(),
        plain("Website", "Website", "url", 255),
        long_text("Description", "Description"),
        lead_source(),
        pick("Status", "Status", STATUSES, default=STATUSES[0]),
        pick("Industry", "Industry", INDUSTRIES),
        pick("Rating", "Rating", RATINGS),
        number("AnnualRevenue", "Annual Revenue", "currency"),
        number("NumberOfEmployees", "Employees", "int", 8),
        owner("Group", "User"),
        *consent(),
        readonly(flag("IsConverted", "Converted")),
        readonly(plain("ConvertedDate", "Converted Date", "date")),
        readonly(reference("ConvertedAccountId", "Converted Account ID", "Account", relationship="ConvertedAccount")),
        readonly(reference("ConvertedContactId", "Converted Contact ID", "Contact", relationship="ConvertedContact")),
        readonly(
            reference(
                "ConvertedOpportunityId", "Converted Opportunity ID", "Opportunity", relationship="ConvertedOpportunity"
            )
        ),
        flag("IsUnreadByOwner", "Unread By Owner", default=True),
        *audit(),
        last_activity(),
        photo(),
        clean_status(),
        external_key(),
        number("Score__c", "Score", "double", 5, 1),
        flag("Newsletter__c", "Newsletter"),
        plain("Last_Campaign_Touch__c", "Last Campaign Touch", "datetime", groupable=False),
    ),
    children=(
        ChildLink(object="LeadHistory", field="LeadId", name="Histories", cascade=True),
        ChildLink(object="Attachment", field="ParentId", name="Attachments", cascade=True),
        ChildLink(object="CampaignMember", field="LeadId", name="CampaignMembers", cascade=True),
        ChildLink(object="Event", field="WhoId", name="Events", cascade=True),
        ChildLink(object="Task", field="WhoId", name="Tasks", cascade=True),
    ),
)
