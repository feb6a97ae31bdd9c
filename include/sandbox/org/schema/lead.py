"""Lead: a person who may become a contact."""

from __future__ import annotations

from include.sandbox.org.schema.contact import FULL_NAME
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
from include.sandbox.org.schema.standard import (
    CLEAN_STATUSES,
    INDUSTRIES,
    LEAD_SOURCES,
    RATINGS,
    SALUTATIONS,
    audit,
    deletion,
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
        text("LastName", "Last Name", 80, required=True, compound="Name"),
        text("FirstName", "First Name", 40, compound="Name"),
        pick("Salutation", "Salutation", SALUTATIONS, compound="Name"),
        readonly(text("Name", "Full Name", 121, name_field=True, extra_type="personname", formula=FULL_NAME)),
        text("Title", "Title", 128),
        text("Company", "Company", 255, required=True),
        *address("", ""),
        plain("Phone", "Phone", "phone", 40),
        plain("MobilePhone", "Mobile Phone", "phone", 40),
        plain("Fax", "Fax", "phone", 40),
        plain("Email", "Email", "email", 80, id_lookup=True),
        plain("Website", "Website", "url", 255),
        long_text("Description", "Description"),
        pick("LeadSource", "Lead Source", LEAD_SOURCES),
        pick("Status", "Status", STATUSES, default=STATUSES[0]),
        pick("Industry", "Industry", INDUSTRIES),
        pick("Rating", "Rating", RATINGS),
        number("AnnualRevenue", "Annual Revenue", "currency"),
        number("NumberOfEmployees", "Employees", "int", 8),
        owner("Group", "User"),
        flag("HasOptedOutOfEmail", "Email Opt Out"),
        flag("DoNotCall", "Do Not Call"),
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
        readonly(plain("LastActivityDate", "Last Activity", "date")),
        readonly(plain("PhotoUrl", "Photo URL", "url", 255, formula="'/services/images/photo/' || {t}.\"Id\"")),
        pick("CleanStatus", "Clean Status", CLEAN_STATUSES, restricted=True),
        text("External_Key__c", "External Key", 40, unique=True, external_id=True, id_lookup=True),
        number("Score__c", "Score", "double", 5, 1),
        flag("Newsletter__c", "Newsletter"),
        plain("Last_Campaign_Touch__c", "Last Campaign Touch", "datetime", groupable=False),
    ),
    children=(ChildLink(object="Task", field="WhoId", name="Tasks"),),
)
