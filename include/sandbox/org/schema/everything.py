"""Everything__c: a custom object with a field of every type, so that none is met in production first; its details."""

from __future__ import annotations

from include.sandbox.org.schema.custom import auto_number, custom_address, formula, location, lookup, master, roll_up
from include.sandbox.org.schema.field import ChildLink, Field, SObject, flag, long_text, number, pick, plain, text
from include.sandbox.org.schema.places import COUNTRIES
from include.sandbox.org.schema.standard import audit, deletion, last_activity, owner, record_id

CHOICES = ("Red", "Green", "Blue", "N/A")
SEVERAL = ("One", "Two", "Three", "Four, not five")

_TYPED = (
    text("Text__c", "Text", 255),
    text("External_Id__c", "External Id", 40, unique=True, external_id=True, id_lookup=True, case_sensitive=True),
    text("Unique_Text__c", "Unique Text", 80, unique=True),
    number("External_Number__c", "External Number", "double", 18, 0, external_id=True, unique=True, id_lookup=True),
    plain("Text_Area__c", "Text Area", "textarea", 255),
    long_text("Long_Text__c", "Long Text", 131_072),
    long_text("Rich_Text__c", "Rich Text", 131_072, html=True, extra_type="richtextarea"),
    plain("Secret__c", "Secret", "encryptedstring", 175, filterable=False, groupable=False, mask="lastFour"),
    pick("Choice__c", "Choice", CHOICES, restricted=True),
    pick("Open_Choice__c", "Open Choice", CHOICES, default="Red"),
    plain("Several__c", "Several", "multipicklist", 4099, picklist=SEVERAL, groupable=False),
    plain("Email__c", "Email", "email", 80),
    plain("Phone__c", "Phone", "phone", 40),
    plain("Website__c", "Website", "url", 255),
    flag("Flag__c", "Flag"),
    flag("On__c", "On", default=True),
    number("Whole__c", "Whole", "double", 18, 0),
    number("Fraction__c", "Fraction", "double", 18, 17),
    number("Money__c", "Money", "currency", 18, 2),
    number("Share__c", "Share", "percent", 18, 4),
    plain("Date__c", "Date", "date"),
    plain("Moment__c", "Moment", "datetime", groupable=False),
    plain("Time__c", "Time", "time", groupable=False),
    lookup("Lookup__c", "Lookup", "Account"),
    lookup("User__c", "User", "User"),
    lookup("Parent__c", "Parent", "Everything__c"),
    *location("Place__c", "Place"),
    *custom_address("Address__c", "Address", tuple(COUNTRIES)),
)

_FORMULAS: tuple[Field, ...] = (
    formula("Text_Formula__c", "Text Formula", "string", "('<' || {t}.\"Text__c\" || '>')",
            "'<' & Text__c & '>'", length=1300),
    formula("Number_Formula__c", "Number Formula", "double", '({t}."Whole__c" * 2)', "Whole__c * 2",
            precision=18, scale=0),
    formula("Currency_Formula__c", "Currency Formula", "currency", 'round({t}."Money__c" * 1.19, 2)',
            "Money__c * 1.19", precision=18, scale=2),
    formula("Percent_Formula__c", "Percent Formula", "percent", '({t}."Share__c" / 2)', "Share__c / 2",
            precision=18, scale=4),
    formula("Date_Formula__c", "Date Formula", "date", '({t}."Date__c" + 30)', "Date__c + 30"),
    formula("Moment_Formula__c", "Moment Formula", "datetime", "({t}.\"Moment__c\" + INTERVAL 1 HOUR)",
            "Moment__c + 1/24", groupable=False),
    formula("Time_Formula__c", "Time Formula", "time", "({t}.\"Time__c\" + INTERVAL 30 MINUTE)",
            "Time__c + 1800000", groupable=False),
    formula("Flag_Formula__c", "Flag Formula", "boolean", 'coalesce({t}."Money__c" > 1000, FALSE)',
            "Money__c > 1000", default=False),
)  # fmt: skip

EVERYTHING = SObject(
    name="Everything__c",
    label="Everything",
    plural="Everything",
    prefix="a01",
    fields=(
        record_id("Record"),
        owner("Group", "User"),
        deletion(),
        text("Name", "Everything Name", 80, name_field=True),
        *audit(),
        last_activity(),
        auto_number("Number__c", "Number", "'E-' || strftime({t}.\"CreatedDate\", '%Y') || '-' || {t}._n"),
        *_TYPED,
        *_FORMULAS,
        roll_up("Details__c", "Details", "count(*)", "Everything_Detail__c", "Everything__c"),
        roll_up(
            "Detail_Amount__c", "Detail Amount", 'sum(c."Amount__c")', "Everything_Detail__c", "Everything__c",
            kind="currency", scale=2,
        ),
        roll_up(
            "Last_Detail__c", "Last Detail", 'max(c."Date__c")', "Everything_Detail__c", "Everything__c", kind="date"
        ),
    ),
    children=(
        ChildLink(object="Attachment", field="ParentId", name="Attachments", cascade=True),
        ChildLink(object="Event", field="WhatId", name="Events", cascade=True),
        ChildLink(object="Everything__c", field="Parent__c", name="Children__r"),
        ChildLink(object="Everything_Detail__c", field="Everything__c", name="Details__r", cascade=True),
        ChildLink(object="Task", field="WhatId", name="Tasks", cascade=True),
    ),
)  # fmt: skip

DETAIL = SObject(
    name="Everything_Detail__c",
    label="Everything Detail",
    plural="Everything Details",
    prefix="a02",
    fields=(
        record_id("Record"),
        deletion(),
        auto_number("Name", "Detail Number", "'D' || {t}._n", name_field=True, id_lookup=True),
        *audit(),
        master("Everything__c", "Everything", "Everything__c"),
        number("Amount__c", "Amount", "currency", 16, 2),
        plain("Date__c", "Date", "date"),
    ),
)
