"""The org checks queries and filters before anything runs."""

from __future__ import annotations

from typing import Any

from include.config.orgs import OrgDefinition
from include.extract.check_queries import check_queries
from tests.extract.test_extract_from_sandbox_org import Bench, bench, org_url

__all__ = ["bench", "org_url"]  # fixtures

GOOD = {"name": "good", "soql": "SELECT Id, Account.Name FROM Contact WHERE SystemModstamp > {lastSyncTime}"}


def found(bench: Bench, **definition: Any) -> list[str]:
    """Return what the org finds wrong."""
    given = {"org": "main", "connection": "x", "objects": ["Contact", "Account"]} | definition
    org = OrgDefinition.model_validate(given)
    with bench.client() as client:
        described = {name: each for name in org.objects if (each := client.describe(name)) is not None}
        return [str(each) for each in check_queries(client, org, described)]


def test_what_the_org_takes_is_not_complained_about(bench: Bench) -> None:
    """More of them than one call holds, and nothing is read."""
    queries = [GOOD | {"name": f"good_{n}"} for n in range(6)]
    assert found(bench, queries=queries, filters={"Contact": [{"field": "Account.Name", "value": "x"}]}) == []


def test_each_mistake_is_named_with_its_key(bench: Bench) -> None:
    """A field, a word of SOQL, a filter's field, and one that cannot be filtered by."""
    queries = [
        GOOD | {"name": "field", "soql": str(GOOD["soql"]).replace("Account.Name", "Nope")},
        GOOD | {"name": "words", "mode": "full", "soql": "SELECT Id FROM Contact WHERE Email >< 'x'"},
    ]
    filters = {
        "Contact": [{"field": "Emial", "value": "x"}],
        "Account": [{"field": "Description", "value": "x"}],
    }
    messages = found(bench, queries=queries, filters=filters)
    assert len(messages) == 4
    assert messages[0].startswith("orgs/main.yaml: queries.field: Contact has no field Nope")
    assert "filters.Contact: Contact has no field Emial (did you mean Email?)" in messages[1]
    assert any("queries.words" in each and "MALFORMED_QUERY" in each for each in messages)
    assert any("filters.Account" in each and "INVALID_FIELD" in each for each in messages)
