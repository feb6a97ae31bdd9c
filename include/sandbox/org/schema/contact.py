"""Contact: a person at a company."""

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
from include.sandbox.org.schema.standard import (
    CLEAN_STATUSES,
    INTERESTS,
    LEAD_SOURCES,
    SALUTATIONS,
    audit,
    deletion,
    merged_into,
    owner,
    record_id,
)  # fmt: skip

FULL_NAME = 'concat_ws(\' \', {t}."FirstName", {t}."LastName")'

CONTACT = SObject(
    name="Contact",
    label="Contact",
    plural="Contacts",
    prefix="003",
    mergeable=True,
    fields=(
        record_id("Contact"),
        deletion(),
        merged_into("Contact"),
        reference("AccountId", "Account ID", "Account"),
        text("LastName", "Last Name", 80, required=True, compound="Name"),
        text("FirstName", "First Name", 40, compound="Name"),
        pick("Salutation", "Salutation", SALUTATIONS, compound="Name"),
        readonly(text("Name", "Full Name", 121, name_field=True, extra_type="personname", formula=FULL_NAME)),
        *address("Other", "Other"),
        *address("Mailing", "Mailing"),
        plain("Phone", "Business Phone", "phone", 40),
        plain("Fax", "Business Fax", "phone", 40),
        plain("MobilePhone", "Mobile Phone", "phone", 40),
        plain("HomePhone", "Home Phone", "phone", 40),
        plain("OtherPhone", "Other Phone", "phone", 40),
        plain("AssistantPhone", "Asst. Phone", "phone", 40),
        reference("ReportsToId", "Reports To ID", "Contact", relationship="ReportsTo"),
        plain("Email", "Email", "email", 80, id_lookup=True),
        text("Title", "Title", 128),
        text("Department", "Department", 80),
        text("AssistantName", "Assistant's Name", 40),
        pick("LeadSource", "Lead Source", LEAD_SOURCES),
        plain("Birthdate", "Birthdate", "date"),
        long_text("Description", "Contact Description"),
        owner(),
        flag("HasOptedOutOfEmail", "Email Opt Out"),
        flag("DoNotCall", "Do Not Call"),
        *audit(),
        readonly(plain("LastActivityDate", "Last Activity", "date")),
        readonly(text("EmailBouncedReason", "Email Bounced Reason", 255)),
        readonly(plain("EmailBouncedDate", "Email Bounced Date", "datetime", groupable=False)),
        readonly(flag("IsEmailBounced", "Is Email Bounced", formula='({t}."EmailBouncedDate" IS NOT NULL)')),
        readonly(plain("PhotoUrl", "Photo URL", "url", 255, formula="'/services/images/photo/' || {t}.\"Id\"")),
        pick("CleanStatus", "Clean Status", CLEAN_STATUSES, restricted=True),
        text("External_Key__c", "External Key", 40, unique=True, external_id=True, id_lookup=True),
        flag("Newsletter__c", "Newsletter"),
        number("Score__c", "Score", "double", 5, 1),
        number("Lifetime_Value__c", "Lifetime Value", "currency", 18, 2),
        pick("Tier__c", "Tier", ("Gold", "Silver", "Bronze"), restricted=True),
        plain("Interests__c", "Interests", "multipicklist", 4099, picklist=INTERESTS, groupable=False),
        plain("First_Contact__c", "First Contact", "date"),
        plain("Last_Survey__c", "Last Survey", "datetime", groupable=False),
        long_text("Notes__c", "Notes", 32768),
        readonly(
            text(
                "Greeting__c",
                "Greeting",
                1300,
                formula="concat_ws(' ', 'Hello', {t}.\"Salutation\", {t}.\"LastName\")",
                formula_text="'Hello ' & TEXT(Salutation) & ' ' & LastName",
            )
        ),  # fmt: skip
    ),
    children=(
        ChildLink(object="Contact", field="ReportsToId", name=None),
        ChildLink(object="Task", field="WhoId", name="Tasks"),
    ),
)
