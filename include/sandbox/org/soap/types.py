"""The types of the Partner API that the org serves: what is written goes by this table, and so does the WSDL.

A member is `name type`, with `?` for one that may be absent, `~` for one that may be nil, `*` for any number.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Describe one member of a type."""

    name: str
    type: str
    many: bool
    optional: bool
    nillable: bool


def _members(text: str) -> tuple[Member, ...]:
    found = []
    for each in text.split(","):
        name, _, kind = each.strip().partition(" ")
        plain = kind.rstrip("?~*")
        marks = kind[len(plain) :]
        found.append(
            Member(
                name=name, type=plain, many="*" in marks, optional="*" in marks or "?" in marks, nillable="~" in marks
            )
        )
    return tuple(found)


TYPES: dict[str, tuple[Member, ...]] = {
    name: _members(members)
    for name, members in {
        "LimitInfo": "current int, limit int, type string",
        "LoginResult": (
            "metadataServerUrl string~, passwordExpired boolean, sandbox boolean, serverUrl string~,"
            " sessionId string~, userId ID~, userInfo GetUserInfoResult?"
        ),
        "GetUserInfoResult": (
            "accessibilityMode boolean, chatterExternal boolean, currencySymbol string~,"
            " orgAttachmentFileSizeLimit int, orgDefaultCurrencyIsoCode string~, orgDefaultCurrencyLocale string~,"
            " orgDisallowHtmlAttachments boolean, orgHasPersonAccounts boolean, organizationId ID,"
            " organizationMultiCurrency boolean, organizationName string, profileId ID, roleId ID~,"
            " sessionSecondsValid int, userDefaultCurrencyIsoCode string~, userEmail string, userFullName string,"
            " userId ID, userLanguage string, userLocale string, userName string, userTimeZone string,"
            " userType string, userUiSkin string"
        ),
        "GetServerTimestampResult": "timestamp dateTime",
        "Error": "fields string~*, message string, statusCode string",
        "SaveResult": "errors Error*, id ID~, success boolean",
        "UpsertResult": "created boolean, errors Error*, id ID~, success boolean",
        "DeleteResult": "errors Error*, id ID~, success boolean",
        "UndeleteResult": "errors Error*, id ID~, success boolean",
        "EmptyRecycleBinResult": "errors Error*, id ID~, success boolean",
        "AdditionalInformationMap": "name string, value string",
        "MergeRequest": (
            "additionalInformationMap AdditionalInformationMap*, masterRecord sObject, recordToMergeIds ID*"
        ),
        "MergeResult": "errors Error*, id ID~, mergedRecordIds ID*, success boolean, updatedRelatedIds ID*",
        "LeadConvert": (
            "accountId ID~, accountRecord sObject?~, bypassAccountDedupeCheck boolean?~,"
            " bypassContactDedupeCheck boolean?~, contactId ID~, contactRecord sObject?~, convertedStatus string,"
            " doNotCreateOpportunity boolean, leadId ID, opportunityId ID?~, opportunityName string~,"
            " opportunityRecord sObject?~, overwriteLeadSource boolean, ownerId ID~, sendNotificationEmail boolean"
        ),
        "LeadConvertResult": (
            "accountId ID~, contactId ID~, errors Error*, leadId ID~, opportunityId ID~, success boolean"
        ),
        "QueryResult": "done boolean, queryLocator QueryLocator~, records sObject~*, size int",
        "GetUpdatedResult": "ids ID*, latestDateCovered dateTime",
        "DeletedRecord": "deletedDate dateTime, id ID",
        "GetDeletedResult": (
            "deletedRecords DeletedRecord*, earliestDateAvailable dateTime, latestDateCovered dateTime"
        ),
        "DescribeGlobalResult": "encoding string~, maxBatchSize int, sobjects DescribeGlobalSObjectResult*",
        "DescribeGlobalSObjectResult": (
            "activateable boolean, createable boolean, custom boolean, customSetting boolean, deepCloneable boolean,"
            " deletable boolean, deprecatedAndHidden boolean, feedEnabled boolean, hasSubtypes boolean,"
            " idEnabled boolean, isInterface boolean, isSubtype boolean, keyPrefix string~, label string,"
            " labelPlural string, layoutable boolean, mergeable boolean, mruEnabled boolean, name string,"
            " queryable boolean, replicateable boolean, retrieveable boolean, searchable boolean,"
            " triggerable boolean, undeletable boolean, updateable boolean"
        ),
        "DescribeSObjectResult": (
            "actionOverrides ActionOverride~*, activateable boolean, childRelationships ChildRelationship*,"
            " compactLayoutable boolean, createable boolean, custom boolean, customSetting boolean,"
            " deepCloneable boolean, defaultImplementation string~, deletable boolean, deprecatedAndHidden boolean,"
            " feedEnabled boolean, fields Field~*, hasSubtypes boolean, idEnabled boolean, implementedBy string~,"
            " implementsInterfaces string~, isInterface boolean, isSubtype boolean, keyPrefix string~, label string,"
            " labelPlural string, layoutable boolean, mergeable boolean, mruEnabled boolean, name string,"
            " namedLayoutInfos NamedLayoutInfo*, networkScopeFieldName string~, queryable boolean,"
            " recordTypeInfos RecordTypeInfo*, replicateable boolean, retrieveable boolean,"
            " searchLayoutable boolean?, searchable boolean, supportedScopes ScopeInfo~*, triggerable boolean?,"
            " undeletable boolean, updateable boolean, urlDetail string~, urlEdit string~, urlNew string~"
        ),
        "ActionOverride": "formFactor string, isAvailableInTouch boolean, name string, pageId ID, url string~",
        "ChildRelationship": (
            "cascadeDelete boolean, childSObject string, deprecatedAndHidden boolean, field string,"
            " junctionIdListNames string~*, junctionReferenceTo string~*, relationshipName string?,"
            " restrictedDelete boolean?"
        ),
        "NamedLayoutInfo": "name string",
        "RecordTypeInfo": (
            "active boolean, available boolean, defaultRecordTypeMapping boolean, developerName string,"
            " master boolean, name string, recordTypeId ID~"
        ),
        "ScopeInfo": "label string, name string",
        "FilteredLookupInfo": "controllingFields string*, dependent boolean, optionalFilter boolean",
        "PicklistEntry": ("active boolean, defaultValue boolean, label string~, validFor base64Binary?, value string"),
        "Field": (
            "aggregatable boolean, aiPredictionField boolean, autoNumber boolean, byteLength int, calculated boolean,"
            " calculatedFormula string?, cascadeDelete boolean?, caseSensitive boolean, compoundFieldName string?,"
            " controllerName string?, createable boolean, custom boolean, defaultValue anyType?,"
            " defaultValueFormula string?, defaultedOnCreate boolean, dependentPicklist boolean?,"
            " deprecatedAndHidden boolean, digits int, displayLocationInDecimal boolean?, encrypted boolean?,"
            " externalId boolean?, extraTypeInfo string?, filterable boolean,"
            " filteredLookupInfo FilteredLookupInfo?~, formulaTreatNullNumberAsZero boolean?, groupable boolean,"
            " highScaleNumber boolean?, htmlFormatted boolean?, idLookup boolean, inlineHelpText string?,"
            " label string, length int, mask string?, maskType string?, name string, nameField boolean,"
            " namePointing boolean?, nillable boolean, permissionable boolean, picklistValues PicklistEntry~*,"
            " polymorphicForeignKey boolean, precision int, queryByDistance boolean, referenceTargetField string?,"
            " referenceTo string~*, relationshipName string?, relationshipOrder int?, restrictedDelete boolean?,"
            " restrictedPicklist boolean, scale int, searchPrefilterable boolean, soapType string,"
            " sortable boolean?, type string, unique boolean, updateable boolean, writeRequiresMasterRead boolean?"
        ),
    }.items()
}

# Operation -> what it is given, and the result that it answers with.
OPERATIONS: dict[str, tuple[tuple[Member, ...], Member | None]] = {
    name: (_members(given) if given else (), _members(f"result {result}")[0] if result else None)
    for name, (given, result) in {
        "login": ("username string, password string", "LoginResult"),
        "logout": ("", ""),
        "getUserInfo": ("", "GetUserInfoResult"),
        "getServerTimestamp": ("", "GetServerTimestampResult"),
        "query": ("queryString string", "QueryResult"),
        "queryAll": ("queryString string", "QueryResult"),
        "queryMore": ("queryLocator QueryLocator", "QueryResult"),
        "retrieve": ("fieldList string, sObjectType string, ids ID*", "sObject~*"),
        "describeGlobal": ("", "DescribeGlobalResult"),
        "describeSObject": ("sObjectType string", "DescribeSObjectResult~"),
        "describeSObjects": ("sObjectType string*", "DescribeSObjectResult~*"),
        "getUpdated": ("sObjectType string, startDate dateTime, endDate dateTime", "GetUpdatedResult"),
        "getDeleted": ("sObjectType string, startDate dateTime, endDate dateTime", "GetDeletedResult"),
        "create": ("sObjects sObject*", "SaveResult*"),
        "update": ("sObjects sObject*", "SaveResult*"),
        "upsert": ("externalIDFieldName string, sObjects sObject*", "UpsertResult*"),
        "delete": ("ids ID*", "DeleteResult*"),
        "undelete": ("ids ID*", "UndeleteResult*"),
        "emptyRecycleBin": ("ids ID*", "EmptyRecycleBinResult*"),
        "merge": ("request MergeRequest*", "MergeResult*"),
        "convertLead": ("leadConverts LeadConvert*", "LeadConvertResult*"),
    }.items()
}
