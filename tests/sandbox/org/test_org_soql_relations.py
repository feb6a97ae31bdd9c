"""SOQL over several objects: parents of several kinds, children with pages of their own, semi-joins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.org.conftest import RunningOrg, V


@pytest.fixture(scope="module")
def family(start_org: Callable[..., RunningOrg]) -> RunningOrg:
    """Return an org with one account of 450 contacts, and tasks about a contact, a lead and nobody."""
    org = start_org(contacts=2)
    org.command("delete", object="Task", n=1)
    (account,) = org.command("create", object="Account", records=[{"Name": "Large", "Phone": "+1 5"}])["ids"]
    contacts = [{"LastName": f"Child {number:03}", "AccountId": account} for number in range(450)]
    people = org.command("create", object="Contact", records=contacts)["ids"]
    (lead,) = org.command("create", object="Lead", records=[{"LastName": "L", "Company": "Firm"}])["ids"]
    opportunity = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-06-30"}
    (deal,) = org.command("create", object="Opportunity", records=[opportunity])["ids"]
    tasks = [
        {"Subject": "1", "WhoId": people[0], "WhatId": account},
        {"Subject": "2", "WhoId": lead, "WhatId": deal},
        {"Subject": "3"},
    ]
    org.command("create", object="Task", records=tasks)
    return org


def _bare(value: Any) -> Any:
    """Return a record without its attributes, all the way down."""
    if isinstance(value, list):
        return [_bare(each) for each in value]
    if isinstance(value, dict):
        return {name: _bare(each) for name, each in value.items() if name != "attributes"}
    return value


RELATED: list[tuple[str, list[dict[str, Any]]]] = [
    ("SELECT Subject, TYPEOF Who WHEN Contact THEN LastName, Account.Name WHEN Lead THEN Company END FROM Task"
     " ORDER BY Subject",
     [{"Subject": "1", "Who": {"LastName": "Child 000", "Account": {"Name": "Large"}}},
      {"Subject": "2", "Who": {"Company": "Firm"}}, {"Subject": "3", "Who": None}]),
    ("SELECT TYPEOF What WHEN Opportunity THEN StageName ELSE Name END FROM Task ORDER BY Subject",
     [{"What": {"Name": "Large"}}, {"What": {"StageName": "Prospecting"}}, {"What": None}]),
    ("SELECT TYPEOF What WHEN Account THEN Phone END FROM Task ORDER BY Subject",
     [{"What": {"Phone": "+1 5"}}, {"What": None}, {"What": None}]),
    ("SELECT Subject, What.Type FROM Task WHERE What.Type = 'Account'",
     [{"Subject": "1", "What": {"Type": "Account"}}]),
    ("SELECT Subject FROM Task WHERE Who.Type IN ('Lead', 'Contact') ORDER BY Subject DESC",
     [{"Subject": "2"}, {"Subject": "1"}]),
    ("SELECT c.LastName, a.Name FROM Contact c, c.Account a WHERE a.Name = 'Large' LIMIT 1",
     [{"LastName": "Child 000", "Account": {"Name": "Large"}}]),
    ("SELECT Name, (SELECT LastName, (SELECT Subject FROM Tasks) FROM Contacts ORDER BY LastName LIMIT 2) FROM Account"
     " WHERE Name = 'Large'",
     [{"Name": "Large", "Contacts": {"totalSize": 2, "done": True, "records": [
         {"LastName": "Child 000", "Tasks": {"totalSize": 1, "done": True, "records": [{"Subject": "1"}]}},
         {"LastName": "Child 001", "Tasks": None}]}}]),
    ("SELECT (SELECT LastName FROM Account.Contacts WHERE LastName LIKE '%449') FROM Account WHERE Name = 'Large'",
     [{"Contacts": {"totalSize": 1, "done": True, "records": [{"LastName": "Child 449"}]}}]),
    ("SELECT (SELECT LastName FROM Contacts ORDER BY LastName LIMIT 1 OFFSET 7) FROM Account"
     " WHERE Name = 'Large' LIMIT 1",
     [{"Contacts": {"totalSize": 1, "done": True, "records": [{"LastName": "Child 007"}]}}]),
    ("SELECT Name FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE LastName = 'child 005')"
     " AND Id NOT IN (SELECT AccountId FROM Opportunity)", [{"Name": "Large"}]),
]  # fmt: skip


@pytest.mark.parametrize(("soql", "rows"), RELATED, ids=[soql for soql, _ in RELATED])
def test_a_query_over_relations_has_its_rows(family: RunningOrg, soql: str, rows: list[dict[str, Any]]) -> None:
    """Every record with what hangs on it, apart from attributes."""
    assert _bare(family.query(soql)["records"]) == rows


def test_many_children_have_pages_of_their_own(family: RunningOrg) -> None:
    """The first ones come with their parent, the rest by a locator like any other."""
    soql = "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName DESC) FROM Account WHERE Name = 'Large'"
    small = {"Sforce-Query-Options": "batchSize=200"}
    (record,) = family.query(soql, **small)["records"]
    page = record["Contacts"]
    assert (page["totalSize"], page["done"], len(page["records"])) == (450, False, 200)
    assert list(page) == ["totalSize", "done", "nextRecordsUrl", "records"]
    names = [each["LastName"] for each in page["records"]]
    while not page["done"]:
        page = family.http.get(page["nextRecordsUrl"], headers=small).json()
        names += [each["LastName"] for each in page["records"]]
    assert names == [f"Child {number:03}" for number in reversed(range(450))]


def test_children_fill_the_page_of_their_parents(family: RunningOrg) -> None:
    """A page of parents ends early, and nothing is left out."""
    ids = [each["Id"] for each in family.query("SELECT Id FROM Account")["records"]]
    page = family.query("SELECT Id, (SELECT Id FROM Contacts) FROM Account ORDER BY Name DESC, Id", **{
        "Sforce-Query-Options": "batchSize=200"})  # fmt: skip
    seen = [each["Id"] for each in page["records"]]
    assert len(seen) < len(ids)
    while not page["done"]:
        page = family.http.get(page["nextRecordsUrl"]).json()
        seen += [each["Id"] for each in page["records"]]
    assert sorted(seen) == sorted(ids)


TOP = "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE expressions."
CHILDREN = (
    "Didn't understand relationship 'Nopes' in FROM part of query call. If you are attempting to use a custom "
    "relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the "
    "describe call for the appropriate names."
)


@pytest.mark.parametrize(
    ("soql", "column", "code", "message"),
    [
        ("SELECT Id FROM Account WHERE Name = 'x' OR Id IN (SELECT AccountId FROM Contact)", 44, "MALFORMED_QUERY",
         TOP),
        ("SELECT Id FROM Account WHERE NOT Id IN (SELECT AccountId FROM Contact)", 34, "MALFORMED_QUERY", TOP),
        ("SELECT Id FROM Account WHERE Id IN (SELECT ParentId FROM Account)", 37, "MALFORMED_QUERY",
         "The inner and outer selects should not be on the same object type"),
        ("SELECT Id FROM Account WHERE Id IN (SELECT Name FROM Contact)", 37, "MALFORMED_QUERY",
         "The selected field in the inner query should be an id field, cannot use: 'Name'"),
        ("SELECT Id FROM Account WHERE Name IN (SELECT AccountId FROM Contact)", 30, "MALFORMED_QUERY",
         "The left operand field in the where expression for outer query should be an id field, cannot use: 'Name'"),
        ("SELECT Id FROM Account WHERE Id IN (SELECT WhatId FROM Task)", 37, "MALFORMED_QUERY",
         "Entity 'Task' is not supported for semi join inner selects"),
        ("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Id IN (SELECT ContactId FROM Case))",
         73, "MALFORMED_QUERY", "Nesting of semi join sub-selects is not supported"),
        ("SELECT (SELECT Id FROM Nopes) FROM Account", 24, "INVALID_TYPE", CHILDREN),
        ("SELECT TYPEOF Account WHEN Account THEN Id END FROM Contact", 15, "MALFORMED_QUERY",
         "TYPEOF is only allowed on polymorphic relationships: Account"),
        ("SELECT (SELECT Id FROM Contacts OFFSET 1) FROM Account", 9, "MALFORMED_QUERY",
         "OFFSET is only allowed in a sub-query if the outer query has LIMIT 1"),
        ("SELECT Id FROM Contact WHERE Account.Owner.Manager.Manager.Manager.Manager.Name = 'x'", 30,
         "MALFORMED_QUERY",
         "Relationship path has more than 5 levels: Account.Owner.Manager.Manager.Manager.Manager.Name"),
    ],
)  # fmt: skip
def test_a_refused_relation_points_at_the_place(
    family: RunningOrg, soql: str, column: int, code: str, message: str
) -> None:
    """Excerpt, caret, row and column, then the words."""
    error = family.refusal(soql)
    assert error["errorCode"] == code
    assert error["message"].split("\n", 3)[3] == f"ERROR at Row:1:Column:{column}\n{message}"


def test_older_versions_take_one_level_of_children(family: RunningOrg) -> None:
    """Up to 57.0 a query goes one level down, from 58.0 on four."""
    soql = "SELECT (SELECT (SELECT Id FROM Tasks) FROM Contacts LIMIT 1) FROM Account LIMIT 1"
    assert family.http.get(f"{V}/query", params={"q": soql}).status_code == 200
    answer = family.http.get("/services/data/v57.0/query", params={"q": soql})
    (error,) = answer.json()
    assert (answer.status_code, error["errorCode"]) == (400, "MALFORMED_QUERY")
    assert error["message"].endswith(
        "SOQL statements cannot query aggregate relationships more than 1 level away from the root entity object."
    )
