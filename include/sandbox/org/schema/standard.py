"""Fields that every object has, and picklist values that several share."""

from __future__ import annotations

from include.sandbox.org.schema.field import Field, flag, plain, readonly, reference

LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
RATINGS = ("Hot", "Warm", "Cold")
SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.")
INDUSTRIES = (
    "Agriculture", "Apparel", "Banking", "Biotechnology", "Chemicals", "Communications", "Construction", "Consulting",
    "Education", "Electronics", "Energy", "Engineering", "Entertainment", "Environmental", "Finance",
    "Food & Beverage", "Government", "Healthcare", "Hospitality", "Insurance", "Machinery", "Manufacturing", "Media",
    "Not For Profit", "Recreation", "Retail", "Shipping", "Technology", "Telecommunications", "Transportation",
    "Utilities", "Other",
)  # fmt: skip
CLEAN_STATUSES = ("Matched", "Different", "Acknowledged", "NotFound", "Inactive", "Pending", "SelectMatch", "Skipped")
REGIONS = ("AMER", "EMEA", "APAC", "LATAM")
INTERESTS = ("Product News", "Events", "Training", "Beta Programme", "Case Studies")


def record_id(label: str) -> Field:
    """Return the Id field of an object."""
    return readonly(plain("Id", f"{label} ID", "id", 18, id_lookup=True, groupable=True))


def record_type() -> Field:
    """Return the reference to the record's type."""
    return reference("RecordTypeId", "Record Type ID", "RecordType")


def last_activity() -> Field:
    """Return the day of the last activity, which nothing keeps up here."""
    return readonly(plain("LastActivityDate", "Last Activity", "date"))


def deletion() -> Field:
    """Return the mark of a soft-deleted record."""
    return readonly(flag("IsDeleted", "Deleted"))


def merged_into(name: str) -> Field:
    """Return the reference of a merge loser to its winner."""
    return readonly(reference("MasterRecordId", "Master Record ID", name, relationship="MasterRecord"))


def owner(*parents: str) -> Field:
    """Return the owner; leads may also belong to a queue."""
    return reference("OwnerId", "Owner ID", *(parents or ("User",)), relationship="Owner")


def audit() -> tuple[Field, ...]:
    """Return the stamps that the platform keeps."""
    return (
        readonly(plain("CreatedDate", "Created Date", "datetime", groupable=False)),
        readonly(reference("CreatedById", "Created By ID", "User", relationship="CreatedBy")),
        readonly(plain("LastModifiedDate", "Last Modified Date", "datetime", groupable=False)),
        readonly(reference("LastModifiedById", "Last Modified By ID", "User", relationship="LastModifiedBy")),
        readonly(plain("SystemModstamp", "System Modstamp", "datetime", groupable=False)),
    )
