"""Case: what a customer complains of or asks."""

from __future__ import annotations

from include.sandbox.org.schema.custom import auto_number
from include.sandbox.org.schema.field import (
    ChildLink,
    SObject,
    flag,
    long_text,
    pick,
    plain,
    readonly,
    reference,
    text,
)  # fmt: skip
from include.sandbox.org.schema.person import external_key
from include.sandbox.org.schema.standard import audit, deletion, merged_into, owner, record_id, record_type

STATUSES = ("New", "Working", "Escalated", "Closed")
ORIGINS = ("Phone", "Email", "Web")
REASONS = ("Installation", "Equipment Complexity", "Performance", "Breakdown", "Equipment Design", "Feedback", "Other")
TYPES = ("Mechanical", "Electrical", "Electronic", "Structural", "Other")

CASE = SObject(
    name="Case",
    label="Case",
    plural="Cases",
    prefix="500",
    mergeable=True,
    fields=(
        record_id("Case"),
        deletion(),
        merged_into("Case"),
        auto_number(
            "CaseNumber", "Case Number", "lpad(({t}._n + 1000)::VARCHAR, 8, '0')", name_field=True, id_lookup=True
        ),
        reference("ContactId", "Contact ID", "Contact"),
        reference("AccountId", "Account ID", "Account"),
        reference("ParentId", "Parent Case ID", "Case"),
        text("SuppliedName", "Name", 80),
        plain("SuppliedEmail", "Email Address", "email", 80),
        text("SuppliedPhone", "Phone", 40),
        text("SuppliedCompany", "Company", 80),
        pick("Type", "Case Type", TYPES),
        record_type(),
        pick("Status", "Status", STATUSES, default=STATUSES[0]),
        pick("Reason", "Case Reason", REASONS),
        pick("Origin", "Case Origin", ORIGINS),
        text("Subject", "Subject", 255),
        pick("Priority", "Priority", ("High", "Medium", "Low"), default="Medium"),
        long_text("Description", "Description"),
        readonly(flag("IsClosed", "Closed", formula="({t}.\"Status\" = 'Closed')")),
        readonly(plain("ClosedDate", "Closed Date", "datetime", groupable=False)),
        flag("IsEscalated", "Escalated"),
        owner("Group", "User"),
        *audit(),
        external_key(),
    ),
    children=(
        ChildLink(object="Attachment", field="ParentId", name="Attachments", cascade=True),
        ChildLink(object="Case", field="ParentId", name="Cases"),
        ChildLink(object="Event", field="WhatId", name="Events", cascade=True),
        ChildLink(object="Task", field="WhatId", name="Tasks", cascade=True),
    ),
)  # fmt: skip
