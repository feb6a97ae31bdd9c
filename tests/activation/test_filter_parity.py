"""A filter finds the same records in the warehouse as in the org."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from include.activation.filtering import FilterColumn, compile_filter, whole_id
from include.activation.rows import source_of
from include.config.filters import AllOf, AnyOf, Comparison
from include.config.pushes import PushDefinition, Source
from include.extract.run import extract_object
from include.records import AirflowRun, RunMode
from include.salesforce.filtering import conditions_of
from include.warehouse.engine import transaction
from tests.activation.source import definition
from tests.extract.test_extract_from_sandbox_org import Bench, bench, org_url

__all__ = ["bench", "org_url"]  # fixtures

FILTERS: list[list[dict[str, Any]]] = [
    [{"field": "FirstName", "value": "JOSÉ"}],
    [{"field": "FirstName", "operator": "!=", "value": "josé"}],
    [{"field": "Title", "value": None}],
    [{"field": "Title", "operator": "!=", "value": None}],
    [{"field": "Title", "operator": "!=", "value": "ceo"}],
    [{"field": "Title", "value": ""}],
    [{"field": "LastName", "operator": "like", "value": "m%"}],
    [{"field": "LastName", "operator": "like", "value": "_a%"}],
    [{"field": "Email", "operator": "like", "value": "%\\_%"}],
    [{"field": "LastName", "operator": "<", "value": "h"}],
    [{"field": "LastName", "operator": ">=", "value": "S"}],
    [{"field": "LeadSource", "operator": "in", "value": ["web", "partner referral", "nobody"]}],
    [{"field": "LeadSource", "operator": "not in", "value": ["Web"]}],
    [{"field": "LeadSource", "operator": "in", "value": ["web", None]}],
    [{"field": "HasOptedOutOfEmail", "value": True}],
    [{"field": "HasOptedOutOfEmail", "operator": "!=", "value": True}],
    [{"field": "CreatedDate", "operator": ">", "value": datetime(2025, 6, 1, tzinfo=UTC)}],
    [{"field": "Account.Industry", "operator": "!=", "value": "banking"}],
    [{"field": "Account.Industry", "value": None}],
    [{"field": "Account.AnnualRevenue", "operator": ">", "value": 1_000_000}],
    [{"field": "Account.AnnualRevenue", "operator": "<=", "value": 2.5e6}],
    [
        {"any": [{"field": "Title", "value": None}, {"field": "MailingCountry", "operator": "like", "value": "%an%"}]},
        {"all": [{"field": "Email", "operator": "!=", "value": None}]},
    ],
]


def push_of(conditions: list[dict[str, Any]]) -> PushDefinition:
    source = Source.model_validate({"object": "Contact", "filter": conditions})
    return definition(org="main").model_copy(update={"source": source, "attributes": {}, "custom_attributes": {}})


@pytest.fixture
def filled(bench: Bench) -> Bench:
    """The org's contacts and accounts in the warehouse."""
    run = AirflowRun(dag_id="main_extract", dag_run_id="one", task_id="t", try_number=1)
    with bench.client() as client:
        for name in ("Account", "Contact"):
            extract_object(bench.warehouse, client, bench.org, name, mode=RunMode.FULL, run=run, wait_for_lock=True)
    return bench


def test_each_filter_finds_the_same_records_here_and_there(filled: Bench) -> None:
    """Case, empty fields, lists, patterns, times, numbers and relationships; each finds somebody, and not everybody."""
    with filled.client() as client, transaction(filled.warehouse) as connection:
        everybody = connection.execute(text('SELECT count(*) FROM salesforce_main."Contact"')).scalar_one()
        for conditions in FILTERS:
            push = push_of(conditions)
            query = source_of(connection, push)
            found = connection.execute(
                text(f"SELECT {query.key} FROM {query.table}{query.joins} WHERE {query.alive}"), dict(query.binds)
            )
            here = sorted(found.scalars())
            where = " AND ".join(conditions_of(push.source.filter or ()))
            pages = client.query_pages(
                f"SELECT Id FROM Contact WHERE {where}", all_rows=False, purpose="test", object="Contact"
            )
            assert here == sorted(record["Id"] for page in pages for record in page.records), conditions
            assert len(here) < everybody, conditions


CHOICES = FilterColumn(expression="choices", type="text", field_type="multipicklist")


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        ("includes", ["a"], ["A;B", "a"]),
        ("includes", ["a;b"], ["A;B"]),
        ("includes", ["a;b", "c"], ["A;B", "C"]),
        ("excludes", ["a"], [None, "C"]),
        ("excludes", ["a", "c"], [None]),
    ],
)
def test_multi_select_picklists_are_compared_by_choice(warehouse: Any, operator: str, value: Any, found: Any) -> None:
    """`a;b` asks for both; an empty field holds no choice."""
    each = Comparison.model_validate({"field": "Choices__c", "operator": operator, "value": value})
    said = compile_filter((each,), lambda path: CHOICES)

    with transaction(warehouse) as connection:
        rows = connection.execute(
            text(
                "SELECT choices FROM (VALUES ('A;B'), ('a'), ('C'), (NULL)) AS t (choices)"
                f" WHERE {said.condition} ORDER BY choices NULLS FIRST"
            ),
            said.binds,
        )
        assert sorted(rows.scalars(), key=str) == sorted(found, key=str)


def test_an_id_is_compared_as_one_whatever_its_length() -> None:
    """15 characters mean the same record as 18, and case tells Ids apart."""
    column = FilterColumn(expression='"AccountId"', type="text", field_type="reference")
    each = Comparison(field="AccountId", value="001D000000IqhSL")

    said = compile_filter((each,), lambda path: column)

    assert (said.condition, said.binds) == ('("AccountId" = :filter_0)', {"filter_0": "001D000000IqhSLIAZ"})
    assert whole_id("001D000000IqhSLIAZ") == "001D000000IqhSLIAZ"


def test_conditions_nest_as_they_are_written() -> None:
    """`any` inside `all` inside `any`, each in brackets."""
    one = Comparison(field="A", value="x")
    nested = AnyOf(any=(AllOf(all=(one, AnyOf(any=(one, one)))), one))
    column = FilterColumn(expression="a", type="text")

    said = compile_filter((nested,), lambda path: column)

    x = "(lower(a) = lower(:filter_{}))"
    assert said.condition == (f"(({x.format(0)} AND ({x.format(1)} OR {x.format(2)})) OR {x.format(3)})")
