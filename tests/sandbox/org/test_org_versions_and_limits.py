"""Versions, resources, limits, describe, and what every answer carries."""

from __future__ import annotations

import httpx
import pytest

from include.sandbox.org.schema.catalogue import Catalogue
from tests.sandbox.org.conftest import RunningOrg, V

NOT_FOUND = [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]
FIELD_KEYS = frozenset(
    """
    aggregatable aiPredictionField autoNumber byteLength calculated calculatedFormula cascadeDelete
    caseSensitive compoundFieldName controllerName createable custom defaultValue defaultValueFormula
    defaultedOnCreate dependentPicklist deprecatedAndHidden digits displayLocationInDecimal encrypted
    externalId extraTypeInfo filterable filteredLookupInfo formulaTreatNullNumberAsZero groupable
    highScaleNumber htmlFormatted idLookup inlineHelpText label length mask maskType name nameField
    namePointing nillable permissionable picklistValues polymorphicForeignKey precision queryByDistance
    referenceTargetField referenceTo relationshipName relationshipOrder restrictedDelete
    restrictedPicklist scale searchPrefilterable soapType sortable type unique updateable
    writeRequiresMasterRead
    """.split()  # noqa: SIM905
)
TYPES = frozenset(
    """
    id string textarea picklist multipicklist combobox reference boolean int double currency percent
    date datetime time email phone url address location encryptedstring base64 anyType
    """.split()  # noqa: SIM905
)


def test_versions_are_listed_without_a_session_and_for_nothing(org: RunningOrg) -> None:
    """Oldest first, named by season; no limit header, no cost."""
    before = org.used()
    answer = httpx.get(f"{org.url}/services/data")
    assert answer.json()[-1] == {"label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0"}
    assert answer.json()[0]["version"] == "31.0"
    assert "Sforce-Limit-Info" not in answer.headers
    assert org.used() == before


@pytest.mark.parametrize("version", ["40.0", "59.0", "63.0", "67.0"])
def test_any_version_answers_and_repeats_itself_in_urls(org: RunningOrg, version: str) -> None:
    """The version of the path stands in the URLs of the answer."""
    answer = org.http.get(f"/services/data/v{version}/query/", params={"q": "SELECT Id FROM Contact LIMIT 1"})
    assert f"/services/data/v{version}/sobjects/" in answer.json()["records"][0]["attributes"]["url"]


@pytest.mark.parametrize("path", ["/services/data/v99.0/limits", f"{V}/nothing", f"{V}/sobjects/Nope/describe", "/x"])
def test_what_does_not_exist_says_so(org: RunningOrg, path: str) -> None:
    """404 with the exact body."""
    answer = org.http.get(path)
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


def test_every_answer_tells_usage_and_the_time_of_the_org(org: RunningOrg) -> None:
    """The limit header counts this call; Date is the org's clock."""
    first = org.http.get(f"{V}/limits")
    second = org.http.get(f"{V}/limits")
    used = int(first.headers["Sforce-Limit-Info"].removeprefix("api-usage=").split("/")[0])
    assert second.headers["Sforce-Limit-Info"] == f"api-usage={used + 1}/100000"
    org.command("clock", offset=86_400 * 400)
    shifted = org.http.get("/sandbox/counts").headers["Date"]
    org.command("clock", offset=0)
    assert shifted[-13:-4] != first.headers["Date"][-13:-4] or shifted != first.headers["Date"]


def test_limits_show_what_is_left(org: RunningOrg) -> None:
    """DailyApiRequests moves with the calls; the names are those of current orgs."""
    limits = org.http.get(f"{V}/limits").json()
    assert limits["DailyApiRequests"]["Max"] - limits["DailyApiRequests"]["Remaining"] == org.used() - 1
    assert limits["DailyBulkApiBatches"]["Max"] > 0
    assert limits["DailyBulkV2QueryJobs"]["Max"] == 10_000


def test_an_exhausted_allocation_refuses(org: RunningOrg) -> None:
    """403 with the exact body; with the day the calls come back."""
    org.command("allocation", used=100_000)
    answer = org.http.get(f"{V}/limits")
    assert (answer.status_code, answer.json()) == (
        403,
        [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
    )
    org.command("allocation", used=0)
    assert org.http.get(f"{V}/limits").status_code == 200


@pytest.mark.parametrize("name", sorted(Catalogue().objects))
def test_describe_gives_every_field_all_57_keys(org: RunningOrg, name: str) -> None:
    """No key is missing and no type is unknown."""
    described = org.http.get(f"{V}/sobjects/{name.lower()}/describe/").json()
    assert described["name"] == name
    for field in described["fields"]:
        assert set(field) == FIELD_KEYS
        assert field["type"] in TYPES


def test_describe_knows_the_traits_that_clients_rely_on(org: RunningOrg) -> None:
    """Compound names and addresses, polymorphic owners, formulas, external ids."""
    fields = {each["name"]: each for each in org.http.get(f"{V}/sobjects/Contact/describe").json()["fields"]}
    assert fields["Name"]["createable"] is False
    assert fields["FirstName"]["compoundFieldName"] == "Name"
    assert (fields["MailingAddress"]["type"], fields["MailingAddress"]["soapType"]) == ("address", "urn:address")
    assert fields["MailingCity"]["compoundFieldName"] == "MailingAddress"
    assert fields["Greeting__c"]["calculated"] is True
    assert fields["External_Key__c"]["externalId"] is True
    lead = {each["name"]: each for each in org.http.get(f"{V}/sobjects/Lead/describe").json()["fields"]}
    assert lead["OwnerId"]["referenceTo"] == ["Group", "User"]
    assert lead["OwnerId"]["polymorphicForeignKey"] is True


@pytest.mark.parametrize("path", ["/sobjects", "/sobjects/Contact/describe"])
def test_an_unchanged_schema_answers_304(org: RunningOrg, path: str) -> None:
    """If-Modified-Since with the Last-Modified of before gives no body."""
    full = org.http.get(V + path)
    again = org.http.get(V + path, headers={"If-Modified-Since": full.headers["Last-Modified"]})
    assert (again.status_code, again.content) == (304, b"")
    older = org.http.get(V + path, headers={"If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"})
    assert older.status_code == 200


def test_record_counts_drop_unknown_names(org: RunningOrg) -> None:
    """As the real resource does."""
    answer = org.http.get(f"{V}/limits/recordCount", params={"sObjects": "Contact,Nope"})
    assert answer.json() == {"sObjects": [{"count": 400, "name": "Contact"}]}
