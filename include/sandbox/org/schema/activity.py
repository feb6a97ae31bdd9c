"""Task and Event: something to do, to attend, or done, about a person or a thing."""

from __future__ import annotations

from include.sandbox.org.schema.field import (
    Field,
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
from include.sandbox.org.schema.standard import audit, deletion, owner, record_id

STATUSES = ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")
SUBTYPES = ("Task", "Email", "LinkedIn", "ListEmail", "Cadence", "Call")
CALL_TYPES = ("Internal", "Inbound", "Outbound")
EVENT_TYPES = ("Call", "Email", "Meeting", "Other")
EVENT_SUBJECTS = ("Call", "Email", "Meeting", "Send Letter/Quote", "Other")
SHOW_AS = ("Busy", "OutOfOffice", "Free")
RELATED = ("Account", "Campaign", "Case", "Everything__c", "Opportunity", "Subscription__c")


def _about() -> tuple[Field, ...]:
    """Return the person and the thing that an activity is about."""
    return (
        reference("WhoId", "Name ID", "Contact", "Lead", relationship="Who"),
        reference("WhatId", "Related To ID", *RELATED, relationship="What"),
    )


def _reminder() -> tuple[Field, ...]:
    return (
        plain("ReminderDateTime", "Reminder Date/Time", "datetime", groupable=False),
        flag("IsReminderSet", "Reminder Set"),
    )


TASK = SObject(
    name="Task",
    label="Task",
    plural="Tasks",
    prefix="00T",
    fields=(
        record_id("Activity"),
        *_about(),
        plain("Subject", "Subject", "combobox", 255, picklist=("Call", "Send Letter", "Send Quote", "Other")),
        plain("ActivityDate", "Due Date Only", "date"),
        pick("Status", "Status", STATUSES, default=STATUSES[0]),
        pick("Priority", "Priority", ("High", "Normal", "Low"), default="Normal"),
        readonly(flag("IsHighPriority", "High Priority", formula="({t}.\"Priority\" = 'High')")),
        owner("Group", "User"),
        long_text("Description", "Description"),
        deletion(),
        readonly(reference("AccountId", "Account ID", "Account")),
        readonly(flag("IsClosed", "Closed", formula="({t}.\"Status\" = 'Completed')")),
        readonly(plain("CompletedDateTime", "Completed Date", "datetime", groupable=False)),
        *audit(),
        readonly(flag("IsArchived", "Archived")),
        number("CallDurationInSeconds", "Call Duration", "int", 8),
        pick("CallType", "Call Type", CALL_TYPES),
        text("CallDisposition", "Call Result", 255),
        *_reminder(),
        pick("TaskSubtype", "Task Subtype", SUBTYPES, restricted=True, default="Task"),
        flag("IsRecurrence", "Create Recurring Series of Tasks"),
    ),
)

EVENT = SObject(
    name="Event",
    label="Event",
    plural="Events",
    prefix="00U",
    fields=(
        record_id("Activity"),
        *_about(),
        plain("Subject", "Subject", "combobox", 255, picklist=EVENT_SUBJECTS),
        plain("Location", "Location", "string", 255),
        flag("IsAllDayEvent", "All-Day Event"),
        plain("ActivityDateTime", "Due Date Time", "datetime", groupable=False),
        plain("ActivityDate", "Due Date Only", "date"),
        number("DurationInMinutes", "Duration", "int", 8),
        plain("StartDateTime", "Start Date Time", "datetime", groupable=False),
        plain("EndDateTime", "End Date Time", "datetime", groupable=False),
        readonly(plain("EndDate", "End Date", "date", formula='({t}."EndDateTime"::DATE)')),
        long_text("Description", "Description"),
        readonly(reference("AccountId", "Account ID", "Account")),
        owner("Calendar", "User"),
        pick("Type", "Type", EVENT_TYPES),
        flag("IsPrivate", "Private"),
        pick("ShowAs", "Show Time As", SHOW_AS, restricted=True, default="Busy"),
        deletion(),
        readonly(flag("IsChild", "Is Child")),
        readonly(flag("IsGroupEvent", "Is Group Event")),
        readonly(flag("IsArchived", "Archived")),
        flag("IsRecurrence", "Create Recurring Series of Events"),
        pick("EventSubtype", "Event Subtype", ("Event",), restricted=True, default="Event", updateable=False),
        *audit(),
        *_reminder(),
    ),
)
