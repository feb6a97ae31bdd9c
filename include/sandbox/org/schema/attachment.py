"""Attachment: a file on a record, read as bytes from a place of its own."""

from __future__ import annotations

from include.sandbox.org.schema.field import SObject, flag, number, plain, readonly, reference, text
from include.sandbox.org.schema.standard import audit, deletion, owner, record_id

PARENTS = ("Account", "Campaign", "Case", "Contact", "Event", "Everything__c", "Lead", "Opportunity", "Task")

ATTACHMENT = SObject(
    name="Attachment",
    label="Attachment",
    plural="Attachments",
    prefix="00P",
    fields=(
        record_id("Attachment"),
        deletion(),
        reference("ParentId", "Parent ID", *PARENTS, required=True, updateable=False),
        text("Name", "File Name", 255, required=True, name_field=True),
        flag("IsPrivate", "Private"),
        text("ContentType", "Content Type", 120),
        readonly(number("BodyLength", "Body Length", "int", 9, formula='octet_length(from_base64({t}."Body"))')),
        plain("Body", "Body", "base64", required=True, filterable=False, groupable=False),
        owner(),
        *audit(),
        text("Description", "Description", 500),
    ),
)
