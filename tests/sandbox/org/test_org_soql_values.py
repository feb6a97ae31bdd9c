"""What a query shows of its values, and what the org says about a query instead of running it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.org.conftest import RunningOrg, V

RECORD = {
    "LastName": "Wert", "Lifetime_Value__c": 1234567.891, "Score__c": -12.25, "First_Contact__c": "2026-06-01",
    "Last_Survey__c": "2026-06-01T22:30:00Z", "Interests__c": "Events;Training", "LeadSource": "Web",
    "MailingLatitude": 52.52, "MailingLongitude": 13.405,
}  # fmt: skip


@pytest.fixture(scope="module")
def values(start_org: Callable[..., RunningOrg]) -> RunningOrg:
    """Return an org with one contact, read by a user in Berlin."""
    org = start_org(contacts=1, idle_seconds=1e9)
    org.command("delete", object="Contact", n=1)
    org.command("create", object="Contact", records=[RECORD])
    user = org.query("SELECT Id FROM User WHERE Name = 'Integration User'")["records"][0]["Id"]
    answer = org.http.patch(f"{V}/sobjects/User/{user}", json={"TimeZoneSidKey": "Europe/Berlin"})
    assert answer.status_code == 204, answer.text
    return org


@pytest.mark.parametrize(
    ("selected", "found"),
    [
        ("FORMAT(Lifetime_Value__c)", {"Lifetime_Value__c": "$1,234,567.89"}),
        ("FORMAT(convertCurrency(Lifetime_Value__c)) money", {"money": "$1,234,567.89"}),
        ("Score__c, FORMAT(Score__c) shown", {"Score__c": -12.3, "shown": "-12.3"}),
        ("FORMAT(First_Contact__c) d", {"d": "6/1/2026"}),
        ("Last_Survey__c, FORMAT(Last_Survey__c) t",
         {"Last_Survey__c": "2026-06-01T22:30:00.000+0000", "t": "6/2/2026, 12:30 AM"}),
        ("toLabel(LeadSource), toLabel(Interests__c) several", {"LeadSource": "Web", "several": "Events;Training"}),
        ("convertCurrency(Lifetime_Value__c)", {"Lifetime_Value__c": 1234567.89}),
        ("toLabel(Account.Rating)", {"Account": None}),
        ("DISTANCE(MailingAddress, GEOLOCATION(52.52, 13.405), 'km') far", {"far": 0.0}),
    ],
)  # fmt: skip
def test_a_function_shows_a_value(values: RunningOrg, selected: str, found: dict[str, Any]) -> None:
    """Formats are those of the United States, times are those of the user's zone."""
    (record,) = values.query(f"SELECT {selected} FROM Contact")["records"]
    assert {name: value for name, value in record.items() if name != "attributes"} == found


@pytest.mark.parametrize(
    ("where", "number"),
    [
        ("DAY_ONLY(Last_Survey__c) = 2026-06-01", 1),
        ("DAY_ONLY(convertTimezone(Last_Survey__c)) = 2026-06-02", 1),
        ("HOUR_IN_DAY(convertTimezone(Last_Survey__c)) = 0", 1),
        ("DISTANCE(MailingAddress, GEOLOCATION(48.137, 11.575), 'km') < 505", 1),
        ("DISTANCE(MailingAddress, GEOLOCATION(48.137, 11.575), 'mi') < 313", 0),
        ("DISTANCE(MailingAddress, GEOLOCATION(48.137, 11.575), 'mi') > 313", 1),
        ("toLabel(LeadSource) = 'web'", 1),
    ],
)
def test_a_function_filters(values: RunningOrg, where: str, number: int) -> None:
    """Days and hours are those of UTC unless they are converted; Munich is 504 km from Berlin."""
    assert values.query(f"SELECT COUNT() FROM Contact WHERE {where}")["totalSize"] == number


def test_date_literals_are_days_of_the_user(values: RunningOrg) -> None:
    """At half past ten in the evening of the first of June in UTC, Berlin has the second."""
    import time
    from datetime import UTC, datetime

    values.command("clock", offset=datetime(2026, 6, 1, 22, 45, tzinfo=UTC).timestamp() - time.time())
    assert values.query("SELECT COUNT() FROM Contact WHERE Last_Survey__c = TODAY")["totalSize"] == 1
    assert values.query("SELECT COUNT() FROM Contact WHERE First_Contact__c = YESTERDAY")["totalSize"] == 1
    values.command("clock", offset=0)


def _column(name: str, kind: str | None, **more: Any) -> dict[str, Any]:
    text, number = kind == "String", kind in ("Double", "Integer")
    return {
        "aggregate": False, "apexType": kind, "booleanType": kind == "Boolean", "columnName": name, "custom": False,
        "displayName": name, "foreignKeyName": None, "insertable": False, "joinColumns": [], "numberType": number,
        "textType": text, "updatable": False, **more,
    }  # fmt: skip


def test_columns_are_told_as_the_command_line_reads_them(values: RunningOrg) -> None:
    """A parent joins its columns, a sub-query is an aggregate that joins its own, a function is an aggregate."""
    soql = "select id, account.name, account.owner.name, (select subject from tasks) from contact"
    body = values.http.get(f"{V}/query", params={"q": soql, "columns": "true"}).json()
    owner = _column("Owner", None, foreignKeyName="OwnerId", joinColumns=[_column("Name", "String")])
    name = _column("Name", "String", insertable=True, updatable=True)
    subject = _column("Subject", "String", insertable=True, updatable=True)
    assert body == {
        "columnMetadata": [
            _column("Id", "Id"),
            _column("Account", None, foreignKeyName="AccountId", joinColumns=[name, owner]),
            _column("Tasks", None, aggregate=True, joinColumns=[subject]),
        ],
        "entityName": "Contact", "groupBy": False, "idSelected": True, "keyPrefix": "003",
    }  # fmt: skip
    soql = "SELECT LeadSource, COUNT(Id) n, MAX(Score__c) FROM Contact GROUP BY LeadSource"
    body = values.http.get(f"{V}/query", params={"q": soql, "columns": "true"}).json()
    assert body["groupBy"] is True
    count = _column("n", None, aggregate=True, numberType=True)
    highest = _column("expr0", None, aggregate=True, numberType=True, displayName="max(Score__c)")
    assert body["columnMetadata"] == [_column("LeadSource", "String", insertable=True, updatable=True), count, highest]


def test_a_query_is_explained(values: RunningOrg) -> None:
    """An index helps if a filter has one; the table can always be scanned."""
    soql = "SELECT Name FROM Contact WHERE SystemModstamp = TODAY AND Score__c > 10.0"
    plans = values.http.get(f"{V}/query", params={"explain": soql}).json()["plans"]
    note = {
        "description": "Not considering filter for optimization because unindexed", "fields": ["IsDeleted"],
        "tableEnumOrId": "Contact",
    }  # fmt: skip
    assert plans[0] == {
        "cardinality": 0, "fields": ["SystemModstamp"], "leadingOperationType": "Index", "notes": [note],
        "relativeCost": 0.0, "sobjectCardinality": 2, "sobjectType": "Contact",
    }  # fmt: skip
    assert [each["leadingOperationType"] for each in plans] == ["Index", "TableScan"]


@pytest.mark.parametrize(
    ("soql", "error"),
    [
        ("SELECT Id FROM Contact WHERE LastName = '" + "x" * 100_000,
         {"message": "SOQL statements can not be longer than 100000 characters.", "errorCode": "MALFORMED_QUERY"}),
        ("", {"message": "SOQL statements cannot be empty or null", "errorCode": "MALFORMED_QUERY"}),
        ("SELECT Id FROM Contact USING SCOPE nowhere",
         {"message": "Scope 'nowhere' is not supported by this query", "errorCode": "INVALID_QUERY_SCOPE"}),
    ],
)  # fmt: skip
def test_a_query_is_refused_whole(values: RunningOrg, soql: str, error: dict[str, str]) -> None:
    """These refusals point nowhere; a composite request takes longer queries than an address."""
    part = {"method": "GET", "url": f"{V}/query?q={soql}", "referenceId": "one"}
    answer = values.http.post(f"{V}/composite", json={"compositeRequest": [part]}).json()
    assert answer["compositeResponse"][0]["body"] == [error]


@pytest.mark.parametrize(
    "suffix",
    ["WITH SECURITY_ENFORCED", "WITH USER_MODE", "FOR REFERENCE", "USING SCOPE everything", "LIMIT 5 FOR VIEW",
     "FOR UPDATE", "USING SCOPE mine"],
)  # fmt: skip
def test_clauses_for_people_change_nothing_for_who_sees_all(values: RunningOrg, suffix: str) -> None:
    """They are read, and the one user of the org sees every record."""
    assert values.query(f"SELECT Id FROM Contact {suffix}")["totalSize"] == 1


@pytest.mark.parametrize("suffix", ["ALL ROWS", "WITH DATA CATEGORY Geography__c ABOVE usa__c", "LIMIT -1", "OFFSET x"])
def test_clauses_for_others_are_refused(values: RunningOrg, suffix: str) -> None:
    """Apex alone knows ALL ROWS, articles alone have categories."""
    assert values.refusal(f"SELECT Id FROM Contact {suffix}")["errorCode"] == "MALFORMED_QUERY"
