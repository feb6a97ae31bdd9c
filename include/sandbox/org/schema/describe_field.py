"""One field in the words of describe: all 57 keys."""

from __future__ import annotations

from typing import Any

from include.sandbox.org.schema.field import NUMBER_TYPES, TEXT_TYPES, Field

_SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "base64": "xsd:base64Binary",
    "address": "urn:address",
    "location": "urn:location",
    **dict.fromkeys(NUMBER_TYPES, "xsd:double"),
}
# The platform fills these in; the first five can never be empty.
_AUDIT = frozenset({"CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp"})
_FILLED_IN = _AUDIT | {"Id", "IsDeleted", "OwnerId"}
_NOT_AGGREGATED = frozenset({"boolean", "address", "location"})


def describe_field(each: Field) -> dict[str, Any]:
    """Return all 57 keys that describe gives a field, in its order."""
    compound = each.type in ("address", "location")
    number = each.type in NUMBER_TYPES
    nillable = is_nillable(each)
    many = len(each.parents) > 1
    return {
        "aggregatable": each.filterable and each.type not in _NOT_AGGREGATED,
        "aiPredictionField": False,
        "autoNumber": each.auto_number,
        "byteLength": _bytes(each),
        "calculated": each.formula_text is not None or each.summary,
        "calculatedFormula": each.formula_text,
        "cascadeDelete": each.master,
        "caseSensitive": each.case_sensitive,
        "compoundFieldName": each.compound,
        "controllerName": each.controller,
        "createable": each.createable,
        "custom": each.custom,
        "defaultValue": each.default if each.type in ("boolean", "picklist") else None,
        "defaultValueFormula": None,
        "defaultedOnCreate": _is_defaulted(each),
        "dependentPicklist": each.controller is not None,
        "deprecatedAndHidden": False,
        "digits": each.precision if each.type == "int" else 0,
        "displayLocationInDecimal": each.type == "location",
        "encrypted": each.mask is not None,
        "externalId": each.external_id,
        "extraTypeInfo": _extra(each),
        "filterable": each.filterable,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": each.groupable and each.filterable and not number and not compound,
        "highScaleNumber": False,
        "htmlFormatted": each.html,
        "idLookup": each.id_lookup,
        "inlineHelpText": each.help,
        "label": each.label,
        "length": each.length,
        "mask": "*" if each.mask is not None else None,
        "maskType": each.mask,
        "name": each.name,
        "nameField": each.name_field,
        "namePointing": many,
        "nillable": nillable,
        "permissionable": _is_permissionable(each, nillable=nillable),
        "picklistValues": _choices(each),
        "polymorphicForeignKey": many,
        "precision": each.precision if number else 0,
        "queryByDistance": compound,
        "referenceTargetField": None,
        "referenceTo": list(each.parents),
        "relationshipName": each.relationship,
        "relationshipOrder": 0 if each.master else None,
        "restrictedDelete": False,
        "restrictedPicklist": each.restricted,
        "scale": each.scale,
        "searchPrefilterable": each.type == "reference" and each.updateable and each.name != "OwnerId",
        "soapType": _SOAP_TYPES.get(each.type, "xsd:string"),
        "sortable": each.filterable and each.type != "multipicklist" and not compound,
        "type": each.type,
        "unique": each.unique,
        "updateable": each.updateable,
        "writeRequiresMasterRead": each.master,
    }


def is_nillable(each: Field) -> bool:
    """Say whether describe calls a field nillable."""
    if each.required or each.master or each.auto_number or each.type in ("boolean", "id") or each.default is not None:
        return False
    return each.name not in _FILLED_IN and not (each.name_field and each.extra_type == "personname")


def _bytes(each: Field) -> int:
    if each.is_id:
        return each.length
    return each.length * 3 if each.type in TEXT_TYPES or each.mask is not None else 0


def _is_defaulted(each: Field) -> bool:
    return each.name in _FILLED_IN or each.auto_number or each.default is not None


def _is_permissionable(each: Field, *, nillable: bool) -> bool:
    """Say whether field-level security can hide a field; the parts of a compound stand and fall with it."""
    if each.name in _FILLED_IN or each.required or each.master or each.name_field:
        return False
    if each.compound is not None:
        return False
    return each.custom or each.type == "address" or (nillable and each.updateable)


def _extra(each: Field) -> str | None:
    if each.extra_type is not None:
        return each.extra_type
    if each.compound == "Name":
        return "personname"
    if each.name == "PhotoUrl":
        return "imageurl"
    if each.type == "textarea":
        return "richtextarea" if each.html else "plaintextarea"
    return None


def _choices(each: Field) -> list[dict[str, Any]]:
    """Return the values that can be chosen, then those that only old records still have."""
    labels = dict(each.value_labels)
    return [
        {"active": active, "defaultValue": active and value == each.default, "label": labels.get(value, value),
         "validFor": None, "value": value}
        for values, active in ((each.picklist, True), (each.inactive, False))
        for value in values
    ]  # fmt: skip
