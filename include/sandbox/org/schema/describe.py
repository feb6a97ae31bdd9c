"""Describe: the org's schema in the words of the REST API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.describe_field import describe_field
from include.sandbox.org.schema.field import SObject


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordType:
    """Hold one record type of an object."""

    id: str
    name: str
    developer_name: str
    active: bool = True
    master: bool = False


# An object's own recycling, feeds, search and layouts, where it differs from most objects.
_JUNCTIONS = frozenset({"CampaignMember", "OpportunityContactRole"})
_SETUP = frozenset(
    {"Attachment", "EntityDefinition", "EntityParticle", "FieldDefinition", "Group", "GroupMember", "LeadStatus",
     "Organization", "Profile", "QueueSobject", "RecordType", "UserRole"}
)  # fmt: skip
_DEEP_CLONED = frozenset({"Campaign", "Opportunity"})
_WITHOUT_FEED = frozenset({"Campaign", *_JUNCTIONS, *_SETUP})
_MASTER_TYPE = RecordType(id="012000000000000AAA", name="Master", developer_name="Master", master=True)


def summarise(each: SObject, version: str) -> dict[str, Any]:
    """Return an object as the global describe lists it."""
    setup = each.name in _SETUP
    associated = _associated(each.name)
    ordinary = not setup and associated is None
    undeletable = each.deletable and each.undeletable and each.field("IsDeleted") is not None
    custom = each.name.endswith("__c")
    return {
        "activateable": False,
        "associateEntityType": associated[0] if associated else None,
        "associateParentEntity": associated[1] if associated else None,
        "createable": each.createable,
        "custom": custom,
        "customSetting": False,
        "deepCloneable": each.name in _DEEP_CLONED,
        "deletable": each.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": ordinary and not custom and each.name not in _WITHOUT_FEED,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": each.prefix,
        "label": each.label,
        "labelPlural": each.plural,
        "layoutable": ordinary,
        "mergeable": each.mergeable,
        "mruEnabled": ordinary and each.name not in _JUNCTIONS,
        "name": each.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": ordinary and each.name not in _JUNCTIONS,
        "triggerable": ordinary,
        "undeletable": undeletable,
        "updateable": each.createable or each.name == "Organization",
        "urls": _urls(each, version, ordinary=ordinary),
    }


def _associated(name: str) -> tuple[str, str] | None:
    """Return what kind of companion an object is, and whose: a history, a share."""
    for ending, kind in (("History", "History"), ("Share", "Share")):
        parent = name.removesuffix(ending)
        if parent != name and (not parent.endswith("__") or name.endswith(f"__{ending}")):
            return kind, f"{parent}c" if parent.endswith("__") else parent.removesuffix("Field")
    return None


def _urls(each: SObject, version: str, *, ordinary: bool) -> dict[str, str]:
    base = f"/services/data/v{version}/sobjects/{each.name}"
    urls = {"rowTemplate": base + "/{ID}", "describe": f"{base}/describe", "sobject": base}
    if not ordinary:
        return urls
    laid_out = {
        "compactLayouts": f"{base}/describe/compactLayouts",
        "rowTemplate": urls["rowTemplate"],
        "approvalLayouts": f"{base}/describe/approvalLayouts",
        "listviews": f"{base}/listviews",
        "describe": urls["describe"],
        "quickActions": f"{base}/quickActions",
        "layouts": f"{base}/describe/layouts",
        "sobject": base,
    }
    if each.name in _JUNCTIONS:
        del laid_out["approvalLayouts"], laid_out["listviews"]
    return laid_out


def describe_object(
    each: SObject, catalogue: Catalogue, version: str, *, base_url: str = "", record_types: Sequence[RecordType] = ()
) -> dict[str, Any]:
    """Return the full describe of an object."""
    ordinary = summarise(each, version)
    described = ordinary | {
        "actionOverrides": [],
        "childRelationships": _child_relationships(each, catalogue),
        "compactLayoutable": ordinary["layoutable"],
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
        "recordTypeInfos": _record_types(each, version, record_types) if ordinary["layoutable"] else [],
        "searchLayoutable": ordinary["layoutable"],
        "sobjectDescribeOption": "FULL",
        "supportedScopes": _scopes(each) if ordinary["layoutable"] else [],
        "urls": _page_urls(each, base_url) | ordinary["urls"] if ordinary["layoutable"] else ordinary["urls"],
    }
    return dict(sorted(described.items()))


def _child_relationships(each: SObject, catalogue: Catalogue) -> list[dict[str, Any]]:
    return [
        {
            "cascadeDelete": link.cascade,
            "childSObject": link.object,
            "deprecatedAndHidden": False,
            "field": link.field,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": link.name,
            "restrictedDelete": False,
        }
        for link in sorted(each.children, key=lambda link: (link.object, link.field))
        if link.object in catalogue.objects
    ]


def _record_types(each: SObject, version: str, others: Sequence[RecordType]) -> list[dict[str, Any]]:
    """Return the record types of the object, the master last, as the user may choose them."""
    base = f"/services/data/v{version}/sobjects/{each.name}/describe/layouts"
    return [
        {
            "active": one.active,
            "available": one.active,
            "defaultRecordTypeMapping": one is ([each for each in others if each.active] or [_MASTER_TYPE])[0],
            "developerName": one.developer_name,
            "master": one.master,
            "name": one.name,
            "recordTypeId": one.id,
            "urls": {"layout": f"{base}/{one.id}"},
        }
        for one in (*others, _MASTER_TYPE)
    ]


def _scopes(each: SObject) -> list[dict[str, str]]:
    plural = each.plural.lower()
    scopes = [{"label": f"All {plural}", "name": "everything"}]
    if each.field("OwnerId") is not None:
        scopes += [{"label": f"My {plural}", "name": "mine"}, {"label": f"My team's {plural}", "name": "team"}]
    return scopes


def _page_urls(each: SObject, base_url: str) -> dict[str, str]:
    row = base_url + "/{ID}"
    return {"uiDetailTemplate": row, "uiEditTemplate": f"{row}/e", "uiNewRecord": f"{base_url}/{each.prefix}/e"}
