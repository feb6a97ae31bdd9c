"""Task: something to do, or done, about a person or a thing."""

from __future__ import annotations

from include.sandbox.org.schema.field import SObject, flag, long_text, number, pick, plain, readonly, reference
from include.sandbox.org.schema.standard import audit, deletion, owner, record_id

STATUSES = ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")
SUBTYPES = ("Task", "Email", "LinkedIn", "ListEmail", "Cadence", "Call")

TASK = SObject(
    name="Task",
    label="Task",
    plural="Tasks",
    prefix="00T",
    fields=(
        record_id("Activity"),
        reference("WhoId", "Name ID", "Contact", "Lead", relationship="Who"),
        reference("WhatId", "Related To ID", "Account", "Opportunity", relationship="What"),
        plain("Subject", "Subject", "combobox", 255, picklist=("Call", "Send Letter", "Send Quote", "Other")),
        plain("ActivityDate", "Due Date Only", "date"),
        pick("Status", "Status", STATUSES, default=STATUSES[0]),
        pick("Priority", "Priority", ("High", "Normal", "Low"), default="Normal"),
        readonly(flag("IsHighPriority", "High Priority", formula="({t}.\"Priority\" = 'High')")),
        owner(),
        long_text("Description", "Description"),
        deletion(),
        readonly(reference("AccountId", "Account ID", "Account")),
        readonly(flag("IsClosed", "Closed", formula="({t}.\"Status\" = 'Completed')")),
        readonly(plain("CompletedDateTime", "Completed Date", "datetime", groupable=False)),
        *audit(),
        readonly(flag("IsArchived", "Archived")),
        number("CallDurationInSeconds", "Call Duration", "int", 8),
        pick("CallType", "Call Type", ("Internal", "Inbound", "Outbound")),
        pick("TaskSubtype", "Task Subtype", SUBTYPES, restricted=True, default="Task"),
        flag("IsRecurrence", "Create Recurring Series of Tasks"),
    ),
)
