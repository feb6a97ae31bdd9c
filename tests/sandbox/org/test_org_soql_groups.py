"""SOQL that groups: a query and all its rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.org.conftest import RunningOrg

LEADS: list[dict[str, Any]] = [
    {"LastName": "Adler", "Company": "Nord", "LeadSource": "Web", "Rating": "Hot", "AnnualRevenue": 100},
    {"LastName": "adler", "Company": "nord", "LeadSource": "Web", "Rating": "Cold", "AnnualRevenue": 50},
    {"LastName": "Berg", "Company": "Süd", "LeadSource": "Other", "Rating": "Hot", "AnnualRevenue": None},
    {"LastName": "Conrad", "Company": "Süd", "LeadSource": None, "Rating": None, "AnnualRevenue": 20},
]

QUERIES: list[tuple[str, list[dict[str, Any]]]] = [
    # without groups: null isn't counted, except by COUNT() and COUNT(Id)
    ("SELECT COUNT(Id), COUNT(AnnualRevenue), COUNT_DISTINCT(LeadSource) d FROM Lead",
     [{"expr0": 4, "expr1": 3, "d": 2}]),
    ("SELECT SUM(AnnualRevenue), AVG(AnnualRevenue) mean, MIN(AnnualRevenue), MAX(AnnualRevenue) FROM Lead",
     [{"expr0": 170.0, "mean": 170 / 3, "expr1": 20.0, "expr2": 100.0}]),
    ("SELECT SUM(AnnualRevenue) FROM Lead WHERE LastName = 'Nobody'", [{"expr0": None}]),
    # picklists are as big as their place in the list: Hot, Warm, Cold
    ("SELECT MIN(Rating), MAX(Rating), MIN(LastName), MAX(LastName) FROM Lead",
     [{"expr0": "Hot", "expr1": "Cold", "expr2": "Adler", "expr3": "Conrad"}]),
    # groups: text without regard to case, null is a group
    ("SELECT Company, COUNT(Id) n FROM Lead GROUP BY Company ORDER BY Company",
     [{"Company": "Nord", "n": 2}, {"Company": "Süd", "n": 2}]),
    ("SELECT LeadSource FROM Lead GROUP BY LeadSource ORDER BY LeadSource NULLS LAST",
     [{"LeadSource": "Web"}, {"LeadSource": "Other"}, {"LeadSource": None}]),
    ("SELECT LeadSource s, COUNT(Id) FROM Lead GROUP BY LeadSource ORDER BY COUNT(Id) DESC, LeadSource LIMIT 1",
     [{"s": "Web", "expr0": 2}]),
    ("SELECT LeadSource, COUNT(Id) n FROM Lead GROUP BY LeadSource HAVING COUNT(Id) > 1",
     [{"LeadSource": "Web", "n": 2}]),
    ("SELECT Rating, COUNT(Id) n FROM Lead GROUP BY Rating HAVING Rating LIKE 'c%' AND NOT COUNT(Id) = 0",
     [{"Rating": "Cold", "n": 1}]),
    ("SELECT Rating, COUNT(Id) n FROM Lead WHERE Rating != null GROUP BY Rating ORDER BY Rating LIMIT 1 OFFSET 1",
     [{"Rating": "Cold", "n": 1}]),
    ("SELECT CALENDAR_YEAR(CreatedDate) y, COUNT(Id) n FROM Lead GROUP BY CALENDAR_YEAR(CreatedDate)",
     [{"y": 2026, "n": 4}]),
    ("SELECT Owner.Name, COUNT(Id) n FROM Lead GROUP BY Owner.Name", [{"Name": "Integration User", "n": 4}]),
    # subtotals
    ("SELECT LeadSource, GROUPING(LeadSource) g, COUNT(Id) n FROM Lead GROUP BY ROLLUP(LeadSource)"
     " ORDER BY GROUPING(LeadSource), LeadSource",
     [{"LeadSource": None, "g": 0, "n": 1}, {"LeadSource": "Web", "g": 0, "n": 2},
      {"LeadSource": "Other", "g": 0, "n": 1}, {"LeadSource": None, "g": 1, "n": 4}]),
    ("SELECT LeadSource, Rating, COUNT(Id) n, GROUPING(LeadSource) a, GROUPING(Rating) b FROM Lead"
     " WHERE LeadSource = 'Web' GROUP BY CUBE(LeadSource, Rating)"
     " ORDER BY GROUPING(LeadSource), GROUPING(Rating), Rating",
     [{"LeadSource": "Web", "Rating": "Hot", "n": 1, "a": 0, "b": 0},
      {"LeadSource": "Web", "Rating": "Cold", "n": 1, "a": 0, "b": 0},
      {"LeadSource": "Web", "Rating": None, "n": 2, "a": 0, "b": 1},
      {"LeadSource": None, "Rating": "Hot", "n": 1, "a": 1, "b": 0},
      {"LeadSource": None, "Rating": "Cold", "n": 1, "a": 1, "b": 0},
      {"LeadSource": None, "Rating": None, "n": 2, "a": 1, "b": 1}]),
]  # fmt: skip


@pytest.fixture(scope="module")
def leads(start_org: Callable[..., RunningOrg]) -> RunningOrg:
    """Return an org with four leads."""
    org = start_org(contacts=2)
    org.command("delete", object="Lead", n=1)
    org.command("create", object="Lead", records=LEADS)
    return org


@pytest.mark.parametrize(("soql", "rows"), QUERIES, ids=[soql for soql, _ in QUERIES])
def test_a_grouping_query_has_its_rows(leads: RunningOrg, soql: str, rows: list[dict[str, Any]]) -> None:
    """All rows, in order where an order was asked for, as aggregate results without a URL."""
    result = leads.query(soql)
    expected = [{"attributes": {"type": "AggregateResult"}, **row} for row in rows]
    assert (result["totalSize"], result["done"]) == (len(rows), True)
    assert [_rounded(each) for each in result["records"]] == [_rounded(each) for each in expected]


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 9) if isinstance(value, float) else value for name, value in row.items()}


@pytest.mark.parametrize(
    ("soql", "column", "code", "message"),
    [
        ("SELECT Name, COUNT(Id) FROM Lead", 8, "MALFORMED_QUERY", "Field must be grouped or aggregated: Name"),
        ("SELECT LeadSource FROM Lead GROUP BY LeadSource ORDER BY Rating", 58, "MALFORMED_QUERY",
         "Ordered field must be grouped or aggregated: Rating"),
        ("SELECT SUM(Name) FROM Lead", 8, "MALFORMED_QUERY", "field Name does not support aggregate operator SUM"),
        ("SELECT COUNT(Id) FROM Lead GROUP BY AnnualRevenue", 37, "INVALID_FIELD",
         "field 'AnnualRevenue' can not be grouped in a query call"),
        ("SELECT COUNT(Id) FROM Lead GROUP BY COUNT(Id)", 37, "MALFORMED_QUERY",
         "Grouped field should not be aggregated: COUNT"),
        ("SELECT MAX(CreatedDate) FROM Lead LIMIT 1", 1, "MALFORMED_QUERY",
         "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"),
        ("SELECT CALENDAR_YEAR(CreatedDate), COUNT(Id) FROM Lead", 8, "MALFORMED_QUERY",
         "Field must be grouped or aggregated: CALENDAR_YEAR"),
        ("SELECT Id FROM Lead WHERE COUNT(Id) = 1", 27, "MALFORMED_QUERY",
         "Aggregate functions are not allowed here: COUNT"),
        ("SELECT Id FROM Lead WHERE CALENDAR_YEAR(CreatedDate) = THIS_YEAR", 56, "INVALID_FIELD",
         "value of filter criterion for field 'CreatedDate' must be of type int and should not be enclosed in quotes"),
    ],
)  # fmt: skip
def test_a_refused_group_points_at_the_place(
    leads: RunningOrg, soql: str, column: int, code: str, message: str
) -> None:
    """Excerpt, caret, row and column, then the words."""
    error = leads.refusal(soql)
    assert error["errorCode"] == code
    assert error["message"].endswith(f"\nERROR at Row:1:Column:{column}\n{message}")


def test_two_columns_of_one_name_are_refused(leads: RunningOrg) -> None:
    """An aggregate's rows are flat, so that names must differ."""
    error = leads.refusal("SELECT Name, Owner.Name, COUNT(Id) FROM Lead GROUP BY Name, Owner.Name")
    assert error == {"message": "duplicate alias: Name", "errorCode": "MALFORMED_QUERY"}


def test_more_than_2000_groups_are_too_many(start_org: Callable[..., RunningOrg]) -> None:
    """Groups have no second page."""
    org = start_org(contacts=2_100)
    assert org.refusal("SELECT Id, COUNT(Name) FROM Contact GROUP BY Id")["errorCode"] == "EXCEEDED_ID_LIMIT"
    assert org.query("SELECT Id, COUNT(Name) FROM Contact GROUP BY Id LIMIT 2000")["totalSize"] == 2000
