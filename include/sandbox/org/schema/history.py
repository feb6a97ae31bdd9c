"""Field history: one small object beside each object whose fields are tracked, with a row for each change."""

from __future__ import annotations

from include.sandbox.org.schema.field import Field, SObject, flag, pick, plain, readonly, reference

PREFIX = "017"  # all history objects share it, and one row of numbers
TRACKED: dict[str, tuple[str, ...]] = {
    "Account": ("Name", "Phone", "Website", "Industry", "Type", "ParentId", "OwnerId"),
    "Contact": ("FirstName", "LastName", "AccountId", "Email", "Phone", "Title", "OwnerId"),
    "Lead": ("FirstName", "LastName", "Company", "Email", "Phone", "Status", "Rating", "OwnerId"),
    "Opportunity": ("Name", "StageName", "Amount", "Probability", "CloseDate", "AccountId", "OwnerId"),
}
DATA_TYPES = {
    "reference": "EntityId", "picklist": "DynamicEnum", "currency": "Currency", "percent": "Percent",
    "date": "DateOnly", "datetime": "DateTime", "email": "Email", "phone": "PhoneNumber", "url": "Url",
    "double": "Double", "boolean": "Boolean", "textarea": "TextArea",
}  # fmt: skip


def history_name(name: str) -> str:
    """Return the name of the history object of a tracked object."""
    return "OpportunityFieldHistory" if name == "Opportunity" else f"{name}History"


def history_field(field: Field) -> str:
    """Return what the history calls a field: references go by the name of their relationship."""
    return field.relationship or field.name if field.type == "reference" else field.name


def history_type(field: Field) -> str:
    """Return the type that the history notes for a field."""
    return DATA_TYPES.get(field.type, "Text")


def _history(name: str) -> SObject:
    return SObject(
        name=history_name(name),
        label=f"{name} History",
        plural=f"{name} History",
        prefix=PREFIX,
        createable=False,
        deletable=False,
        fields=(
            readonly(plain("Id", f"{name} History ID", "id", 18, id_lookup=True, groupable=True)),
            readonly(flag("IsDeleted", "Deleted")),
            readonly(reference(f"{name}Id", f"{name} ID", name, relationship=name)),
            readonly(reference("CreatedById", "Created By ID", "User", relationship="CreatedBy")),
            readonly(plain("CreatedDate", "Created Date", "datetime", groupable=False)),
            readonly(pick("Field", "Changed Field", TRACKED[name], restricted=True)),
            readonly(pick("DataType", "Datatype", tuple(dict.fromkeys(("Text", *DATA_TYPES.values()))))),
            readonly(plain("OldValue", "Old Value", "anyType", 255, filterable=False, groupable=False)),
            readonly(plain("NewValue", "New Value", "anyType", 255, filterable=False, groupable=False)),
        ),
    )


HISTORIES = tuple(_history(name) for name in TRACKED)
