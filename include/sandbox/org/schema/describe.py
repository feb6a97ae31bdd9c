"""Describe: the org's schema in the words of the REST API."""

from __future__ import annotations

from typing import Any

from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.field import NUMBER_TYPES, TEXT_TYPES, Field, SObject

_SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "address": "urn:address",
    **dict.fromkeys(NUMBER_TYPES, "xsd:double"),
}


def describe_field(each: Field) -> dict[str, Any]:
    """Return all 57 keys that describe gives a field."""
    text_like = each.type in TEXT_TYPES or each.is_id
    compound = each.type == "address"
    number = each.type in NUMBER_TYPES
    nillable = not (each.required or each.type in ("boolean", "id") or each.default is not None)
    return {
        "aggregatable": each.filterable and each.type not in ("boolean", "address"),
        "aiPredictionField": False,
        "autoNumber": False,
        "byteLength": each.length if each.is_id else each.length * 3,
        "calculated": each.formula_text is not None,
        "calculatedFormula": each.formula_text,
        "cascadeDelete": False,
        "caseSensitive": False,
        "compoundFieldName": each.compound,
        "controllerName": None,
        "createable": each.createable,
        "custom": each.custom,
        "defaultValue": each.default if each.type == "boolean" else None,
        "defaultValueFormula": None,
        "defaultedOnCreate": not each.createable or each.default is not None or each.name == "OwnerId",
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": each.precision if each.type == "int" else 0,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": each.external_id,
        "extraTypeInfo": each.extra_type or ("plaintextarea" if each.type == "textarea" else None),
        "filterable": each.filterable,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": each.groupable and each.filterable and not number and not compound,
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": each.id_lookup,
        "inlineHelpText": each.help,
        "label": each.label,
        "length": each.length,
        "mask": None,
        "maskType": None,
        "name": each.name,
        "nameField": each.name_field,
        "namePointing": len(each.parents) > 1,
        "nillable": nillable,
        "permissionable": each.custom or (nillable and each.updateable),
        "picklistValues": [_choice(value, each) for value in each.picklist],
        "polymorphicForeignKey": len(each.parents) > 1,
        "precision": each.precision if number else 0,
        "queryByDistance": compound,
        "referenceTargetField": None,
        "referenceTo": list(each.parents),
        "relationshipName": each.relationship,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": each.restricted,
        "scale": each.scale,
        "searchPrefilterable": each.type == "reference",
        "soapType": _SOAP_TYPES.get(each.type, "xsd:string"),
        "sortable": each.filterable and each.type not in ("multipicklist",),
        "type": each.type,
        "unique": each.unique,
        "updateable": each.updateable,
        "writeRequiresMasterRead": False,
    } | ({} if text_like else {"byteLength": 0})


def _choice(value: str, each: Field) -> dict[str, Any]:
    return {"active": True, "defaultValue": value == each.default, "label": value, "validFor": None, "value": value}


def summarise(each: SObject, version: str) -> dict[str, Any]:
    """Return an object as the global describe lists it."""
    base = f"/services/data/v{version}/sobjects/{each.name}"
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": each.createable,
        "custom": each.name.endswith("__c"),
        "customSetting": False,
        "deepCloneable": False,
        "deletable": each.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": each.deletable,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": each.prefix,
        "label": each.label,
        "labelPlural": each.plural,
        "layoutable": each.createable,
        "mergeable": each.mergeable,
        "mruEnabled": each.createable,
        "name": each.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": True,
        "triggerable": each.createable,
        "undeletable": each.deletable,
        "updateable": True,
        "urls": {
            "compactLayouts": f"{base}/describe/compactLayouts",
            "rowTemplate": base + "/{ID}",
            "approvalLayouts": f"{base}/describe/approvalLayouts",
            "describe": f"{base}/describe",
            "layouts": f"{base}/describe/layouts",
            "sobject": base,
        },
    }


def describe_object(each: SObject, catalogue: Catalogue, version: str) -> dict[str, Any]:
    """Return the full describe of an object."""
    links = [link for link in each.children if link.object in catalogue.objects]
    described = summarise(each, version) | {
        "actionOverrides": [],
        "childRelationships": [
            {
                "cascadeDelete": each.name == "Account" and link.name is not None,
                "childSObject": link.object,
                "deprecatedAndHidden": False,
                "field": link.field,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": link.name,
                "restrictedDelete": False,
            }
            for link in links
        ],
        "compactLayoutable": True,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [describe_field(each_field) for each_field in each.fields],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [_master_record_type(each, version)],
        "searchLayoutable": True,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {each.plural}", "name": "everything"}],
    }
    return dict(sorted(described.items()))


def _master_record_type(each: SObject, version: str) -> dict[str, Any]:
    record_type = "012000000000000AAA"
    layout = f"/services/data/v{version}/sobjects/{each.name}/describe/layouts/{record_type}"
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": record_type,
        "urls": {"layout": layout},
    }
