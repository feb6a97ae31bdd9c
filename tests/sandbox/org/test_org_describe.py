"""Describe: the keys, their order and the rules that real describes keep."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.org.conftest import RunningOrg, V

OBJECT_KEYS = [
    "actionOverrides", "activateable", "associateEntityType", "associateParentEntity", "childRelationships",
    "compactLayoutable", "createable", "custom", "customSetting", "deepCloneable", "defaultImplementation", "deletable",
    "deprecatedAndHidden", "extendedBy", "extendsInterfaces", "feedEnabled", "fields", "hasSubtypes", "implementedBy",
    "implementsInterfaces", "isInterface", "isSubtype", "keyPrefix", "label", "labelPlural", "layoutable",
    "listviewable", "lookupLayoutable", "mergeable", "mruEnabled", "name", "namedLayoutInfos", "networkScopeFieldName",
    "queryable", "recordTypeInfos", "replicateable", "retrieveable", "searchLayoutable", "searchable",
    "sobjectDescribeOption", "supportedScopes", "triggerable", "undeletable", "updateable", "urls",
]  # fmt: skip
FIELD_KEYS = [
    "aggregatable", "aiPredictionField", "autoNumber", "byteLength", "calculated", "calculatedFormula", "cascadeDelete",
    "caseSensitive", "compoundFieldName", "controllerName", "createable", "custom", "defaultValue",
    "defaultValueFormula", "defaultedOnCreate", "dependentPicklist", "deprecatedAndHidden", "digits",
    "displayLocationInDecimal", "encrypted", "externalId", "extraTypeInfo", "filterable", "filteredLookupInfo",
    "formulaTreatNullNumberAsZero", "groupable", "highScaleNumber", "htmlFormatted", "idLookup", "inlineHelpText",
    "label", "length", "mask", "maskType", "name", "nameField", "namePointing", "nillable", "permissionable",
    "picklistValues", "polymorphicForeignKey", "precision", "queryByDistance", "referenceTargetField", "referenceTo",
    "relationshipName", "relationshipOrder", "restrictedDelete", "restrictedPicklist", "scale", "searchPrefilterable",
    "soapType", "sortable", "type", "unique", "updateable", "writeRequiresMasterRead",
]  # fmt: skip
TYPES = {
    "id", "string", "textarea", "picklist", "multipicklist", "combobox", "reference", "boolean", "int", "double",
    "currency", "percent", "long", "date", "datetime", "time", "email", "phone", "url", "address", "location", "base64",
    "encryptedstring", "anyType", "complexvalue", "json", "datacategorygroupreference",
}  # fmt: skip


def described(org: RunningOrg, name: str, version: str = "63.0") -> dict[str, Any]:
    return dict(org.http.get(f"/services/data/v{version}/sobjects/{name}/describe").json())


def test_global_describe_lists_every_object_in_order(org: RunningOrg) -> None:
    """Objects stand in the order of their names, each with a prefix of its own and the URLs of the asked version."""
    body = org.http.get("/services/data/v52.0/sobjects/").json()
    assert list(body) == ["encoding", "maxBatchSize", "sobjects"]
    names = [each["name"] for each in body["sobjects"]]
    assert names == sorted(names)
    prefixes = [each["keyPrefix"] for each in body["sobjects"] if each["associateEntityType"] is None]
    assert len(set(prefixes)) == len(prefixes)
    account = next(each for each in body["sobjects"] if each["name"] == "Account")
    assert account == {
        "activateable": False, "associateEntityType": None, "associateParentEntity": None, "createable": True,
        "custom": False, "customSetting": False, "deepCloneable": False, "deletable": True,
        "deprecatedAndHidden": False, "feedEnabled": True, "hasSubtypes": False, "isInterface": False,
        "isSubtype": False, "keyPrefix": "001", "label": "Account", "labelPlural": "Accounts", "layoutable": True,
        "mergeable": True, "mruEnabled": True, "name": "Account", "queryable": True, "replicateable": True,
        "retrieveable": True, "searchable": True, "triggerable": True, "undeletable": True, "updateable": True,
        "urls": {
            "compactLayouts": "/services/data/v52.0/sobjects/Account/describe/compactLayouts",
            "rowTemplate": "/services/data/v52.0/sobjects/Account/{ID}",
            "approvalLayouts": "/services/data/v52.0/sobjects/Account/describe/approvalLayouts",
            "listviews": "/services/data/v52.0/sobjects/Account/listviews",
            "describe": "/services/data/v52.0/sobjects/Account/describe",
            "quickActions": "/services/data/v52.0/sobjects/Account/quickActions",
            "layouts": "/services/data/v52.0/sobjects/Account/describe/layouts",
            "sobject": "/services/data/v52.0/sobjects/Account",
        },
    }  # fmt: skip


def test_every_describe_has_all_keys_in_order(org: RunningOrg) -> None:
    """Every object and every field has its keys in the order of real describes, and only types that clients know."""
    for name in org.org.catalogue.objects:
        body = described(org, name)
        assert list(body) == OBJECT_KEYS, name
        for field in body["fields"]:
            assert list(field) == FIELD_KEYS, (name, field["name"])
            assert field["type"] in TYPES, (name, field["name"])


@pytest.mark.parametrize("version", ["31.0", "50.0", "67.0"])
def test_describe_speaks_the_version_of_its_path(org: RunningOrg, version: str) -> None:
    """URLs carry the asked version; pages of records stand on the instance itself."""
    urls = described(org, "Contact", version)["urls"]
    assert urls["describe"] == f"/services/data/v{version}/sobjects/Contact/describe"
    assert urls["uiDetailTemplate"] == f"{org.url}/{{ID}}"


@pytest.mark.parametrize(
    ("name", "field", "rules"),
    [
        ("Contact", "Id", {"type": "id", "soapType": "tns:ID", "idLookup": True, "nillable": False, "byteLength": 18,
                           "defaultedOnCreate": True}),
        ("Contact", "Name", {"nameField": True, "extraTypeInfo": "personname", "createable": False, "length": 121}),
        ("Contact", "LastName", {"compoundFieldName": "Name", "nillable": False, "byteLength": 240}),
        ("Contact", "Description", {"length": 32000, "filterable": False, "sortable": False, "groupable": False}),
        ("Contact", "MailingAddress", {"type": "address", "soapType": "urn:address", "queryByDistance": True,
                                       "sortable": False, "createable": False}),
        ("Contact", "MailingLatitude", {"compoundFieldName": "MailingAddress", "precision": 18, "scale": 15}),
        ("Contact", "SystemModstamp", {"defaultedOnCreate": True, "updateable": False, "nillable": False,
                                       "filterable": True, "groupable": False, "soapType": "xsd:dateTime"}),
        ("Contact", "OwnerId", {"referenceTo": ["User"], "nillable": False, "polymorphicForeignKey": False}),
        ("Contact", "AccountId", {"referenceTo": ["Account"], "relationshipName": "Account",
                                  "searchPrefilterable": True}),
        ("Contact", "Email", {"idLookup": True, "type": "email"}),
        ("Account", "NumberOfEmployees", {"type": "int", "digits": 8, "precision": 0, "soapType": "xsd:int"}),
        ("Task", "WhoId", {"referenceTo": ["Contact", "Lead"], "polymorphicForeignKey": True, "namePointing": True}),
        ("Lead", "OwnerId", {"referenceTo": ["Group", "User"], "polymorphicForeignKey": True}),
    ],
)  # fmt: skip
def test_fields_keep_the_rules_of_real_describes(org: RunningOrg, name: str, field: str, rules: dict[str, Any]) -> None:
    """What clients decide by is as in an org."""
    found = next(each for each in described(org, name)["fields"] if each["name"] == field)
    assert {key: found[key] for key in rules} == rules


def test_relationships_lead_both_ways(org: RunningOrg) -> None:
    """Each child relationship is a reference of a described object, and names are unique among an object's own."""
    objects = org.org.catalogue.objects
    for name in objects:
        links = described(org, name)["childRelationships"]
        named = [link["relationshipName"] for link in links if link["relationshipName"]]
        assert len(named) == len(set(named)), name
        for link in links:
            child = objects[link["childSObject"]].field(link["field"])
            assert child is not None, link
            assert name in child.parents, link


def test_record_types_of_an_object_are_told(org: RunningOrg) -> None:
    """Record types stand with their Ids, the master among them; exactly one is the user's default."""
    types = described(org, "Opportunity")["recordTypeInfos"]
    own = org.query("SELECT Id FROM RecordType WHERE SobjectType = 'Opportunity'")["records"]
    assert [each["recordTypeId"] for each in types] == [*(each["Id"] for each in own), "012000000000000AAA"]
    assert [each["master"] for each in types].count(True) == 1
    assert [each["defaultRecordTypeMapping"] for each in types].count(True) == 1
    assert described(org, "Lead")["recordTypeInfos"][-1]["name"] == "Master"


def test_unknown_object_has_no_describe(org: RunningOrg) -> None:
    """An object that isn't there is a resource that isn't there."""
    answer = org.http.get(f"{V}/sobjects/Nothing/describe")
    assert answer.status_code == 404
    assert answer.json() == [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]


def test_definitions_can_be_queried(org: RunningOrg) -> None:
    """EntityDefinition and its fields tell of every object, by the API and by the Tooling API alike."""
    soql = "SELECT QualifiedApiName, Label, KeyPrefix FROM EntityDefinition WHERE IsQueryable = true ORDER BY DurableId"
    plain, tooling = (org.http.get(f"{V}/{way}", params={"q": soql}).json() for way in ("query", "tooling/query"))
    assert plain == tooling
    assert {each["QualifiedApiName"] for each in plain["records"]} == set(org.org.catalogue.objects)
    contact = org.query(
        "SELECT QualifiedApiName, DataType, EntityDefinition.Label FROM FieldDefinition "
        "WHERE EntityDefinition.QualifiedApiName = 'Contact' AND EntityDefinitionId = 'Contact' ORDER BY DurableId"
    )["records"]
    fields = described(org, "Contact")["fields"]
    assert sorted(each["QualifiedApiName"] for each in contact) == sorted(each["name"] for each in fields)
    types = {each["QualifiedApiName"]: each["DataType"] for each in contact}
    assert (types["LastName"], types["AccountId"], types["Birthdate"]) == ("Text(80)", "Lookup(Account)", "Date")
    assert contact[0]["EntityDefinition"]["Label"] == "Contact"


def test_definitions_follow_changes(org: RunningOrg) -> None:
    """A field that was just added is among the definitions."""
    order = {"change": "add_field", "object": "Lead", "name": "Hue__c", "type": "picklist", "values": ["Red"]}
    assert org.http.post("/sandbox/metadata", json=order).status_code == 200
    soql = "SELECT DataType FROM EntityParticle WHERE EntityDefinitionId = 'Lead' AND QualifiedApiName = 'Hue__c'"
    assert [each["DataType"] for each in org.query(soql)["records"]] == ["Picklist"]
    org.http.post("/sandbox/metadata", json={"change": "restore"})
    assert org.query(soql)["records"] == []
