"""Read queries of a person's own as if they were objects: describe their results, and say what the org is asked."""

from __future__ import annotations

from dataclasses import replace

from include.config.orgs import OrgDefinition
from include.config.queries import QueryDefinition
from include.extract.query_columns import missing_object, query_describe, query_soql
from include.records import Bounds, Describe, Window
from include.salesforce.client import SalesforceClient
from include.salesforce.filtering import conditions_of
from include.salesforce.soql import condition, in_window, select_all
from include.warehouse.tables import Table


def describe_query(client: SalesforceClient, query: QueryDefinition) -> Describe:
    """Return the describe of the query's result; one call for each object that its columns come from.

    Raises:
        DefinitionError: the org has no such field, or it cannot be a column.
    """
    described: dict[str, Describe] = {}
    while (name := missing_object(query, described)) is not None:
        found = client.describe(name)
        assert found is not None  # asked without a date
        described[name] = found
    return query_describe(query, described)


def selection_of(org: OrgDefinition, name: str) -> str:
    """Return what selects the records of an object or query besides the window; when it changes, all is read again."""
    query = org.query(name)
    return f"{query.mode} {query.key} {query.soql}" if query else " AND ".join(conditions(org, name))


def conditions(org: OrgDefinition, object: str) -> list[str]:
    """Return the conditions that the definition puts on an object's records."""
    return conditions_of(org.filters.get(object, ()))


def query_of(org: OrgDefinition, table: Table, window: Window, bounds: Bounds | None = None) -> str:
    """Return the SOQL that reads a window, or a part of it, into a table."""
    query = org.query(table.object)
    if query:
        return query_soql(query, tuple(table.columns), window)
    return select_all(table.object, list(table.columns), where=where_of(org, table, window, bounds or Bounds()))


def where_of(org: OrgDefinition, table: Table, window: Window, bounds: Bounds) -> list[str]:
    """Return the conditions that hold for an object's records in a part of a window."""
    part = replace(window, low=bounds.low or window.low, high=bounds.high or window.high)
    return [*in_window(table.cursor_field, part), *conditions(org, table.object), *ids_within(bounds)]


def ids_within(bounds: Bounds) -> list[str]:
    """Return the conditions on the Ids of a part; none for all of them."""
    low = [condition("Id", ">=", bounds.id_from)] if bounds.id_from else []
    return [*low, condition("Id", "<", bounds.id_below)] if bounds.id_below else low


def reads_deleted(org: OrgDefinition, name: str) -> bool:
    """Return whether deleted records are asked for too; in a full query they would come among the others."""
    query = org.query(name)
    return query is None or query.mode == "incremental"


def reads_all(org: OrgDefinition, table: Table) -> bool:
    """Return whether each run reads all there is, so that what does not come is gone."""
    query = org.query(table.object)
    return query.mode == "full" if query else not table.cursor_field
