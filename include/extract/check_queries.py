"""Let the org check a definition's queries and filters without reading a record: it only plans them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from include.config.filters import comparisons
from include.config.inspect import missing_part
from include.config.orgs import OrgDefinition
from include.errors import DefinitionError, HeadwaterError
from include.extract.ask import batches
from include.extract.queries import conditions, describe_query
from include.extract.query_columns import query_soql
from include.records import Describe, Window
from include.salesforce.client import SalesforceClient
from include.salesforce.composite import MOST_QUERIES, explain_request, plan_in
from include.salesforce.soql import select_all

_ANY_WINDOW = Window(low=None, high=datetime(2000, 1, 1, tzinfo=UTC))


def check_queries(
    client: SalesforceClient, org: OrgDefinition, described: Mapping[str, Describe]
) -> list[DefinitionError]:
    """Return what is wrong with the org's queries and filters, each by its key; costs a call for five of them.

    Args:
        client: the org.
        org: its definition.
        described: the objects that it reads, by API name.
    """
    file = f"orgs/{org.org}.yaml"
    errors: list[DefinitionError] = []
    asked: dict[str, tuple[str, str]] = {}  # key -> object, SOQL
    for query in org.queries:
        try:
            columns = tuple(field.name for field in describe_query(client, query).fields)
        except HeadwaterError as error:
            errors.append(DefinitionError(_words(error), file=file, key=f"queries.{query.name}"))
        else:
            soql = query_soql(query, columns, _ANY_WINDOW)
            asked[f"queries.{query.name}"] = (query.parts.object, soql)
    for object, filter_ in org.filters.items():
        problems = [missing_part(object, each.field, described) for each in comparisons(filter_)]
        errors += [DefinitionError(each, file=file, key=f"filters.{object}") for each in problems if each]
        if object in described and not any(problems):
            asked[f"filters.{object}"] = (object, select_all(object, ["Id"], where=conditions(org, object)))
    for batch in batches(list(asked.items()), MOST_QUERIES):
        requests = [
            explain_request(client.api_version, soql, f"plan{n}", object=object)
            for n, (_, (object, soql)) in enumerate(batch)
        ]
        for (key, _), response in zip(batch, client.composite(requests, purpose="check"), strict=True):
            try:
                plan_in(response)
            except HeadwaterError as error:
                errors.append(DefinitionError(_words(error), file=file, key=key))
    return errors


def _words(error: HeadwaterError) -> str:
    return error.message if isinstance(error, DefinitionError) else str(error)
