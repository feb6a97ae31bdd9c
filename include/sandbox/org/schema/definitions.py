"""The objects that describe objects: what EntityDefinition and FieldDefinition show of the catalogue.

Their records are made anew with every change of metadata; `columns_of` gives them column by column, so that a thousand
of them are one statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.sandbox.org.schema.describe_field import describe_field
from include.sandbox.org.schema.field import ChildLink, Field, SObject, flag, number, plain, readonly, text

_TYPE_WORDS = {
    "string": "Text({length})", "textarea": "Text Area({length})", "boolean": "Checkbox",
    "int": "Number({precision}, 0)",
    "double": "Number({whole}, {scale})", "currency": "Currency({whole}, {scale})",
    "percent": "Percent({whole}, {scale})",
    "date": "Date", "datetime": "Date/Time", "email": "Email", "phone": "Phone", "url": "URL({length})",
    "picklist": "Picklist", "multipicklist": "Picklist (Multi-Select)", "address": "Address", "id": "Lookup()",
    "location": "Geolocation", "time": "Time", "combobox": "Picklist", "base64": "Base64",
}  # fmt: skip


def _words(*names: str) -> tuple[Field, ...]:
    return tuple(readonly(text(name, name, 255)) for name in names)


def _flags(*names: str) -> tuple[Field, ...]:
    return tuple(readonly(flag(name, name)) for name in names)


def _sizes(*names: str) -> tuple[Field, ...]:
    return tuple(readonly(number(name, name, "int", 9)) for name in names)


def _entity() -> Field:
    """Return the name of the object that a field belongs to, and the relationship to it."""
    return readonly(
        Field(name="EntityDefinitionId", label="Entity Definition ID", type="string", length=255,
              parents=("EntityDefinition",), relationship="EntityDefinition")
    )  # fmt: skip


_FIELD_FIELDS = (
    *_words("DurableId", "QualifiedApiName", "DeveloperName", "Label", "MasterLabel", "DataType", "NamespacePrefix",
            "RelationshipName", "ReferenceTo", "ValueTypeId", "ExtraTypeInfo"),
    _entity(),
    *_sizes("Length", "Precision", "Scale"),
    *_flags("IsCalculated", "IsCompound", "IsIndexed", "IsNillable", "IsNameField", "IsPolymorphicForeignKey",
            "IsApiFilterable", "IsApiGroupable", "IsApiSortable", "IsCompactLayoutable", "IsFieldHistoryTracked"),
    readonly(plain("LastModifiedDate", "Last Modified Date", "datetime", groupable=False)),
)  # fmt: skip
ENTITY_DEFINITION = SObject(
    name="EntityDefinition",
    label="Entity Definition",
    plural="Entity Definitions",
    prefix="4ie",
    createable=False,
    deletable=False,
    fields=(
        readonly(text("Id", "Entity Definition ID", 255)),
        *_words("DurableId", "QualifiedApiName", "DeveloperName", "Label", "MasterLabel", "PluralLabel", "KeyPrefix",
                "NamespacePrefix", "HelpSettingPageName", "InternalSharingModel", "ExternalSharingModel"),
        *_flags("IsCustomSetting", "IsCustomizable", "IsApexTriggerable", "IsQueryable", "IsReplicateable",
                "IsRetrieveable", "IsSearchable", "IsTriggerable", "IsWorkflowEnabled", "IsLayoutable",
                "IsCompactLayoutable",
                "IsDeprecatedAndHidden", "IsEverCreatable", "IsEverUpdatable", "IsEverDeletable", "IsFeedEnabled"),
        readonly(plain("LastModifiedDate", "Last Modified Date", "datetime", groupable=False)),
    ),
    children=(
        ChildLink(object="FieldDefinition", field="EntityDefinitionId", name="Fields"),
        ChildLink(object="EntityParticle", field="EntityDefinitionId", name="Particles"),
    ),
)  # fmt: skip
FIELD_DEFINITION = SObject(
    name="FieldDefinition", label="Field Definition", plural="Field Definitions", prefix="4fd", createable=False,
    deletable=False, fields=(readonly(text("Id", "Field Definition ID", 255)), *_FIELD_FIELDS),
)  # fmt: skip
ENTITY_PARTICLE = SObject(
    name="EntityParticle", label="Entity Particle", plural="Entity Particles", prefix="4ep", createable=False,
    deletable=False,
    fields=(
        readonly(text("Id", "Entity Particle ID", 255)), *_words("Name", "FieldDefinitionId"), *_FIELD_FIELDS,
        *_sizes("ByteLength", "Digits"),
        *_flags("IsAutonumber", "IsCaseSensitive", "IsCreatable", "IsUpdatable", "IsUnique", "IsIdLookup",
                "IsDefaultedOnCreate", "IsDependentPicklist", "IsEncrypted", "IsPermissionable"),
    ),
)  # fmt: skip
DEFINITIONS = (ENTITY_DEFINITION, FIELD_DEFINITION, ENTITY_PARTICLE)


def rows_of(objects: Mapping[str, SObject], changed: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the records of the three objects, as values by field name."""
    entities = [_entity_row(each, changed.get(each.name)) for each in objects.values()]
    fields = [_field_row(each, one, changed.get(each.name)) for each in objects.values() for one in each.fields]
    return {"EntityDefinition": entities, "FieldDefinition": fields, "EntityParticle": fields}


def _entity_row(each: SObject, changed: Any) -> dict[str, Any]:
    custom = each.name.endswith("__c")
    return {
        "Id": each.name, "DurableId": each.name, "QualifiedApiName": each.name,
        "DeveloperName": each.name.removesuffix("__c"), "Label": each.label, "MasterLabel": each.label,
        "PluralLabel": each.plural, "KeyPrefix": each.prefix, "InternalSharingModel": "ReadWrite",
        "ExternalSharingModel": "Private", "IsCustomizable": custom or each.createable,
        "IsApexTriggerable": each.createable,
        "IsTriggerable": each.createable, "IsQueryable": True, "IsReplicateable": True, "IsRetrieveable": True,
        "IsSearchable": each.createable, "IsWorkflowEnabled": each.createable, "IsLayoutable": each.createable,
        "IsCompactLayoutable": each.createable, "IsEverCreatable": each.createable, "IsEverUpdatable": each.createable,
        "IsEverDeletable": each.deletable, "IsFeedEnabled": each.createable, "LastModifiedDate": changed,
    }  # fmt: skip


def _field_row(target: SObject, each: Field, changed: Any) -> dict[str, Any]:
    told = describe_field(each)
    durable = f"{target.name}.{each.name}"
    return {
        "Id": durable, "DurableId": durable, "FieldDefinitionId": durable, "Name": each.name,
        "QualifiedApiName": each.name, "DeveloperName": each.name.removesuffix("__c"), "Label": each.label,
        "MasterLabel": each.label, "DataType": _type_words(each), "RelationshipName": each.relationship,
        "ReferenceTo": ",".join(each.parents) or None, "ValueTypeId": each.type, "ExtraTypeInfo": told["extraTypeInfo"],
        "EntityDefinitionId": target.name, "Length": each.length, "Precision": told["precision"], "Scale": each.scale,
        "ByteLength": told["byteLength"], "Digits": told["digits"], "IsCalculated": told["calculated"],
        "IsCompound": each.type in ("address", "location"), "IsIndexed": each.is_id or each.external_id or each.unique,
        "IsNillable": told["nillable"], "IsNameField": each.name_field, "IsApiFilterable": told["filterable"],
        "IsPolymorphicForeignKey": told["polymorphicForeignKey"], "IsApiGroupable": told["groupable"],
        "IsApiSortable": told["sortable"], "IsCompactLayoutable": True, "IsFieldHistoryTracked": False,
        "IsAutonumber": told["autoNumber"], "IsCaseSensitive": told["caseSensitive"], "IsCreatable": each.createable,
        "IsUpdatable": each.updateable, "IsUnique": each.unique, "IsIdLookup": each.id_lookup,
        "IsDefaultedOnCreate": told["defaultedOnCreate"], "IsDependentPicklist": told["dependentPicklist"],
        "IsEncrypted": told["encrypted"], "IsPermissionable": told["permissionable"], "LastModifiedDate": changed,
    }  # fmt: skip


def _type_words(each: Field) -> str:
    """Return a type as the setup pages word it."""
    if each.type == "reference":
        return f"{'Master-Detail' if each.master else 'Lookup'}({','.join(each.parents)})"
    if each.formula_text is not None:
        return "Formula"
    if each.auto_number:
        return "Auto Number"
    words = (
        "Long Text Area({length})" if each.type == "textarea" and not each.filterable else _TYPE_WORDS.get(each.type)
    )
    whole = each.precision - each.scale
    return (words or each.type).format(length=each.length, precision=each.precision, scale=each.scale, whole=whole)
