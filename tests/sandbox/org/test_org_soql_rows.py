"""SOQL as a table: a condition and the records that it finds, with Salesforce's ideas of null, case and time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.org.conftest import RunningOrg

# A name for each record stands in Department; everything else is what conditions look at.
CONTACTS: list[dict[str, Any]] = [
    {"Department": "a", "LastName": "Müller", "Title": "CEO", "Score__c": 1.5, "Newsletter__c": True,
     "Interests__c": "Events;Training", "First_Contact__c": "2026-05-01", "Last_Survey__c": "2026-05-01T10:00:00Z"},
    {"Department": "b", "LastName": "MÜLLER", "Title": None, "Score__c": 20, "Newsletter__c": False,
     "Interests__c": "Events", "First_Contact__c": "2026-05-31", "Last_Survey__c": "2026-05-31T23:59:59Z"},
    {"Department": "c", "LastName": "Null", "Title": "50% off_er", "Score__c": None, "Newsletter__c": False,
     "First_Contact__c": "2026-06-01", "Last_Survey__c": "2026-06-01T00:00:00Z"},
    {"Department": "d", "LastName": "O'Brien", "Title": "None", "Score__c": -3, "Newsletter__c": True,
     "Interests__c": "Training", "First_Contact__c": None, "Last_Survey__c": None},
]  # fmt: skip

WHERE = [
    # text: case doesn't count, in any alphabet
    ("LastName = 'müller'", "ab"),
    ("LastName = 'null'", "c"),
    ("LastName IN ('NULL', 'o\\'brien')", "cd"),
    ("LastName LIKE 'm%r'", "ab"),
    ("LastName LIKE '_\\'b%'", "d"),
    ("Title LIKE '50\\% off\\_er'", "c"),
    ("Title LIKE '50\\%'", ""),
    ("LastName > 'n'", "cd"),
    ("LastName = 'Muller'", ""),
    ("LastName = 'M\\u00fcller'", "ab"),
    ("LastName LIKE 'M_ller'", "ab"),
    ("Title IN ('', 'ceo')", "ab"),
    ("Title NOT IN ('', 'ceo')", "cd"),
    # null: only = and != know it, and != finds it
    ("Title = null", "b"),
    ("Title = ''", "b"),
    ("Title != null", "acd"),
    ("Title = 'none'", "d"),
    ("Title != 'CEO'", "bcd"),
    ("Title NOT IN ('CEO')", "bcd"),
    ("Title IN ('CEO', null)", "ab"),
    ("Title NOT IN ('CEO', null)", "cd"),
    ("NOT Title = 'CEO'", "bcd"),
    ("NOT (Title LIKE '%e%')", "b"),
    ("Score__c < 100", "abd"),
    ("NOT Score__c < 100", "c"),
    # numbers and flags
    ("Score__c = 20", "b"),
    ("Score__c >= 1.5", "ab"),
    ("Score__c > -3.5 AND Score__c < 2e1", "ad"),
    ("Newsletter__c = TRUE", "ad"),
    ("Newsletter__c != true", "bc"),
    # AND, OR, NOT, parentheses
    ("Newsletter__c = true AND (LastName = 'Müller' OR Score__c < 0)", "ad"),
    ("(Newsletter__c = true AND LastName = 'Müller') OR Score__c = null", "ac"),
    ("NOT (Newsletter__c = true OR Score__c = null)", "b"),
    # multi-select picklists
    ("Interests__c INCLUDES ('Events')", "ab"),
    ("Interests__c INCLUDES ('Events;Training')", "a"),
    ("Interests__c INCLUDES ('Events;Training', 'training')", "ad"),
    ("Interests__c EXCLUDES ('Events')", "cd"),
    # dates and times: fractions and offsets are understood, literals stand for ranges; the org's day is 2026-06-01
    ("Last_Survey__c >= 2026-05-31T23:59:59Z", "bc"),
    ("Last_Survey__c >= 2026-05-31T23:59:59.000Z", "bc"),
    ("Last_Survey__c > 2026-05-31T23:59:58.999999Z", "bc"),
    ("Last_Survey__c >= 2026-06-01T02:00:00.000+02:00", "c"),
    ("Last_Survey__c >= 2026-06-01T02:00:00+0200", "c"),
    ("Last_Survey__c < 2026-05-31T23:59:59-00:00", "a"),
    ("Last_Survey__c = TODAY", "c"),
    ("Last_Survey__c = YESTERDAY", "b"),
    ("Last_Survey__c < TODAY", "ab"),
    ("Last_Survey__c <= YESTERDAY", "ab"),
    ("Last_Survey__c > YESTERDAY", "c"),
    ("Last_Survey__c != TODAY", "abd"),
    ("First_Contact__c = LAST_MONTH", "ab"),
    ("First_Contact__c = THIS_MONTH", "c"),
    ("First_Contact__c = LAST_N_DAYS:1", "bc"),
    ("First_Contact__c = LAST_N_DAYS:31", "abc"),
    ("First_Contact__c = LAST_N_MONTHS:1", "ab"),
    ("First_Contact__c = THIS_YEAR", "abc"),
    ("First_Contact__c = N_DAYS_AGO:1", "b"),
    ("First_Contact__c >= NEXT_WEEK", ""),
    ("First_Contact__c > 2026-05-01", "bc"),
    ("First_Contact__c = N_WEEKS_AGO:1", ""),
    ("First_Contact__c = THIS_WEEK", "bc"),
    ("First_Contact__c = THIS_QUARTER", "abc"),
    ("First_Contact__c = THIS_FISCAL_YEAR", "abc"),
    ("First_Contact__c = LAST_90_DAYS", "abc"),
    ("First_Contact__c < THIS_MONTH", "ab"),
    ("First_Contact__c IN (TODAY, N_DAYS_AGO:1)", "bc"),
    ("First_Contact__c = 2026-05-31", "b"),
    ("CALENDAR_MONTH(First_Contact__c) = 5", "ab"),
    ("CALENDAR_YEAR(Last_Survey__c) = 2026", "abc"),
    ("DAY_IN_WEEK(First_Contact__c) = 1", "b"),
    ("DAY_ONLY(Last_Survey__c) = 2026-05-31", "b"),
    ("HOUR_IN_DAY(Last_Survey__c) = 23", "b"),
    ("WEEK_IN_MONTH(First_Contact__c) = 5", "b"),
    ("FISCAL_QUARTER(First_Contact__c) = 2", "abc"),
    ("HOUR_IN_DAY(convertTimezone(Last_Survey__c)) = 0", "c"),
    ("toLabel(Tier__c) = 'gold'", ""),
    # parents
    ("Account.Name = 'parent one'", "ab"),
    ("Account.Name != 'Parent One'", "cd"),
    ("Account.Owner.Username LIKE 'INTEGRATION%'", "abc"),
    ("AccountId = null", "d"),
    ("Contact.Account.Name = 'Parent Two'", "c"),
    ("AccountId IN (SELECT Id FROM Account WHERE Name LIKE 'Parent%')", "abc"),
    ("AccountId NOT IN (SELECT Id FROM Account WHERE Name = 'Parent One')", "cd"),
]


@pytest.fixture(scope="module")
def table(start_org: Callable[..., RunningOrg]) -> RunningOrg:
    """Return an org whose day is 2026-06-01, noon, with the four contacts of the table."""
    import time
    from datetime import UTC, datetime

    org = start_org(contacts=1)
    org.command("delete", object="Contact", n=1)
    org.command("clock", offset=datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp() - time.time())
    one, two = org.command("create", object="Account", records=[{"Name": "Parent One"}, {"Name": "Parent Two"}])["ids"]
    parents = {"a": one, "b": one, "c": two}
    records = [{**each, "AccountId": parents.get(each["Department"])} for each in CONTACTS]
    ids = org.command("create", object="Contact", records=records)["ids"]
    org.command("create", object="Task", records=[{"Subject": "soql", "WhoId": ids[1]}])
    return org


@pytest.mark.parametrize(("where", "found"), WHERE, ids=[where for where, _ in WHERE])
def test_a_condition_finds_its_records(table: RunningOrg, where: str, found: str) -> None:
    """The letters of the records that a WHERE clause finds."""
    records = table.query(f"SELECT Department FROM Contact WHERE {where} ORDER BY Department")["records"]
    assert "".join(each["Department"] for each in records) == found
    assert table.query(f"select count() from Contact where {where}")["totalSize"] == len(found)


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("Score__c", "cdab"),
        ("Score__c DESC", "cbad"),
        ("Score__c ASC NULLS LAST", "dabc"),
        ("Score__c DESC NULLS LAST", "badc"),
        ("LastName, Score__c DESC", "bacd"),
        ("Account.Name DESC NULLS LAST, Id", "cabd"),
        ("Id DESC", "dcba"),
        ("Score__c LIMIT 2", "cd"),
        ("Score__c LIMIT 2 OFFSET 1", "da"),
        ("Score__c OFFSET 3", "b"),
    ],
)
def test_an_order_sorts_its_records(table: RunningOrg, order: str, found: str) -> None:
    """Nulls come first in both directions unless asked otherwise; case doesn't count."""
    records = table.query(f"SELECT Department FROM Contact ORDER BY {order}")["records"]
    assert "".join(each["Department"] for each in records) == found


def test_values_are_written_as_rest_writes_them(table: RunningOrg) -> None:
    """Dates, times, doubles, null, text with quotes, an address that is empty, a parent that is missing."""
    soql = (
        "SELECT LastName, Score__c, Last_Survey__c, First_Contact__c, Newsletter__c, Interests__c, Title, "
        "MailingAddress, Account.Name, Greeting__c FROM Contact ORDER BY Department"
    )
    records = table.query(soql)["records"]
    (first, *_, last) = [{name: value for name, value in each.items() if name != "attributes"} for each in records]
    account = first.pop("Account")
    assert account["Name"] == "Parent One"
    assert first == {
        "LastName": "Müller", "Score__c": 1.5, "Last_Survey__c": "2026-05-01T10:00:00.000+0000",
        "First_Contact__c": "2026-05-01", "Newsletter__c": True, "Interests__c": "Events;Training", "Title": "CEO",
        "MailingAddress": None, "Greeting__c": "Hello Müller",
    }  # fmt: skip
    assert last == {
        "LastName": "O'Brien", "Score__c": -3.0, "Last_Survey__c": None, "First_Contact__c": None,
        "Newsletter__c": True, "Interests__c": "Training", "Title": "None", "MailingAddress": None, "Account": None,
        "Greeting__c": "Hello O'Brien",
    }  # fmt: skip


def test_an_address_is_one_object(table: RunningOrg) -> None:
    """Its keys stand in alphabetical order."""
    made = table.command("create", object="Account", records=[{"Name": "Located", "BillingCity": "Köln"}])["ids"]
    (record,) = table.query(f"SELECT BillingAddress FROM Account WHERE Id = '{made[0]}'")["records"]
    assert record["BillingAddress"] == {
        "city": "Köln", "country": None, "geocodeAccuracy": None, "latitude": None, "longitude": None,
        "postalCode": None, "state": None, "street": None,
    }  # fmt: skip


def test_aggregates_have_rows_of_their_own(table: RunningOrg) -> None:
    """Aliases and exprN name the values; there is no URL."""
    (row,) = table.query("SELECT COUNT(Id), MAX(Score__c) top, MIN(First_Contact__c), SUM(Score__c) FROM Contact")[
        "records"
    ]
    assert row == {
        "attributes": {"type": "AggregateResult"}, "expr0": 4, "top": 20.0, "expr1": "2026-05-01", "expr2": 18.5,
    }  # fmt: skip


def test_groups_count_their_members(table: RunningOrg) -> None:
    """GROUP BY a parent's field, HAVING on the count."""
    soql = "SELECT Account.Name, COUNT(Id) n FROM Contact GROUP BY Account.Name HAVING COUNT(Id) > 1"
    assert table.query(soql)["records"] == [{"attributes": {"type": "AggregateResult"}, "Name": "Parent One", "n": 2}]


def test_children_come_inside_their_parents(table: RunningOrg) -> None:
    """A sub-query gives a result of its own, or null."""
    soql = (
        "SELECT Name, (SELECT Department FROM Contacts ORDER BY Department DESC) FROM Account WHERE Name LIKE 'parent%'"
    )
    one, two = table.query(soql + " ORDER BY Name")["records"]
    assert [each["Department"] for each in one["Contacts"]["records"]] == ["b", "a"]
    assert (one["Contacts"]["totalSize"], one["Contacts"]["done"]) == (2, True)
    assert [each["Department"] for each in two["Contacts"]["records"]] == ["c"]
    empty = table.query("SELECT (SELECT Id FROM Opportunities) FROM Account WHERE Name = 'Parent One'")["records"]
    assert empty[0]["Opportunities"] is None


def test_a_polymorphic_parent_has_a_name_and_a_type(table: RunningOrg) -> None:
    """Who stands for a contact or a lead."""
    (task,) = table.query("SELECT Who.Name, Who.Type, What.Name FROM Task WHERE Subject = 'soql'")["records"]
    assert (task["Who"]["Name"], task["Who"]["Type"], task["Who"]["attributes"]["type"]) == (
        "MÜLLER",
        "Contact",
        "Contact",
    )
    assert task["What"] is None


def test_deleted_records_are_only_in_query_all(table: RunningOrg) -> None:
    """The contact deleted at the start has IsDeleted."""
    assert table.query("SELECT COUNT() FROM Contact")["totalSize"] == 4
    assert table.query("SELECT COUNT() FROM Contact", deleted=True)["totalSize"] == 5
    (gone,) = table.query("SELECT IsDeleted FROM Contact WHERE IsDeleted = true", deleted=True)["records"]
    assert gone["IsDeleted"] is True
