"""What people have in common, whether they are contacts or leads."""

from __future__ import annotations

from include.sandbox.org.schema.field import Field, flag, pick, plain, readonly, text
from include.sandbox.org.schema.standard import CLEAN_STATUSES, LEAD_SOURCES, SALUTATIONS

FULL_NAME = 'concat_ws(\' \', {t}."FirstName", {t}."LastName")'


def person_name() -> tuple[Field, ...]:
    """Return the parts of a name and the name over them."""
    return (
        text("LastName", "Last Name", 80, required=True, compound="Name"),
        text("FirstName", "First Name", 40, compound="Name"),
        pick("Salutation", "Salutation", SALUTATIONS, compound="Name"),
        full_name(),
    )


def full_name() -> Field:
    """Return the name over first and last name."""
    return readonly(text("Name", "Full Name", 121, name_field=True, extra_type="personname", formula=FULL_NAME))


def phones(*names: tuple[str, str]) -> tuple[Field, ...]:
    """Return telephone fields by name and label."""
    return tuple(plain(name, label, "phone", 40) for name, label in names)


def email() -> Field:
    """Return the address that people are found by."""
    return plain("Email", "Email", "email", 80, id_lookup=True)


def lead_source() -> Field:
    """Return where the person came from."""
    return pick("LeadSource", "Lead Source", LEAD_SOURCES)


def consent() -> tuple[Field, ...]:
    """Return what the person does not want."""
    return (flag("HasOptedOutOfEmail", "Email Opt Out"), flag("DoNotCall", "Do Not Call"))


def photo() -> Field:
    """Return the address of a picture."""
    return readonly(plain("PhotoUrl", "Photo URL", "url", 255, formula="'/services/images/photo/' || {t}.\"Id\""))


def clean_status() -> Field:
    """Return what data cleaning said of the record."""
    return pick("CleanStatus", "Clean Status", CLEAN_STATUSES, restricted=True)


def external_key() -> Field:
    """Return the key of the record in another system."""
    return text("External_Key__c", "External Key", 40, unique=True, external_id=True, id_lookup=True)
