"""Describe: the org's schema in the words of the REST API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.describe_field import describe_field
from include.sandbox.org.schema.field import SObject

_MASTER_TYPE = ("012000000000000AAA", "Master", "Master", True)
_JUNCTIONS = frozenset({"CampaignMember", "OpportunityContactRole"})
_NO_LAYOUT = frozenset({"Group", "Organization", "RecordType"})


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
