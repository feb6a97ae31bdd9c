"""Decide the columns of a query's table: their names as the org spells them, and their types as its describes say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from include.config.queries import QueryDefinition
from include.config.query_text import Column
from include.errors import DefinitionError
from include.fields import cursor_field, fields_to_read
from include.records import Describe, Field, Window
from include.salesforce.soql import quoted

Described = Mapping[str, Describe]  # by API name

_TYPES = {"COUNT": "long", "COUNT_DISTINCT": "long", "SUM": "double", "AVG": "double", "CONVERTCURRENCY": "currency"}
_NUMBERED = ("CALENDAR_", "FISCAL_", "DAY_IN_", "WEEK_IN_", "HOUR_IN_")
_BEGINNING = "1970-01-01T00:00:00Z"  # no org holds an older stamp


def query_soql(query: QueryDefinition, columns: tuple[str, ...], window: Window) -> str:
    """Return the query as the org gets it: its columns spelt as the org does, and the time of the last run put in."""
    parts = query.parts
    selected = ",".join(columns) if parts.is_plain else parts.selected
    since = _BEGINNING if window.low is None else quoted(window.low)
    return f"SELECT {selected} {parts.tail}".replace("{lastSyncTime}", since)


def missing_object(query: QueryDefinition, described: Described) -> str | None:
    """Return an object whose describe is needed next to tell the columns; None when all are there."""
    if query.parts.object not in described:
        return query.parts.object
    for column in query.parts.columns:
        object = query.parts.object
        for relation in column.path.split(".")[:-1]:
            targets = _lookup(described[object], relation, query).reference_to
            if len(targets) != 1:
                break  # of several kinds of parents only what they share can be shown
            object = targets[0]
            if object not in described:
                return object
    return None


def query_describe(query: QueryDefinition, described: Described) -> Describe:
    """Return the describe of the query's result. An incremental one shows deletion and stamp, also unasked.

    Raises:
        DefinitionError: the org has no such field, or it cannot be a column.
    """
    base = described[query.parts.object]
    fields = [_field(each, base, described, query) for each in query.parts.columns]
    if query.mode == "incremental":
        there = {each.name for each in fields}
        wanted = ("IsDeleted", cursor_field(base))
        fields += [each for each in fields_to_read(base) if each.name in wanted and each.name not in there]
    else:
        fields = [replace(each, filterable=False) for each in fields]  # read whole: no stamp decides what is news
    return Describe(
        object=query.name,
        label=f"{base.label}: a query",
        key_prefix=None,
        fields=tuple(_keyed(each, query) for each in fields),
    )


def _keyed(field: Field, query: QueryDefinition) -> Field:
    """Let the key be the only field of type id: by that the table knows it."""
    if field.name.lower() == query.key.lower():
        return replace(field, type="id")
    return replace(field, type="reference") if field.type == "id" else field


def _field(column: Column, base: Describe, described: Described, query: QueryDefinition) -> Field:
    found = _at_path(column.path, base, described, query) if column.path else None
    if not column.function:
        assert found is not None
        return found
    return Field(name=column.name, label=column.name, type=_type_of(column.function, found))


def _type_of(function: str, field: Field | None) -> str:
    if function in ("MIN", "MAX") and field is not None:
        return field.type
    if function == "DAY_ONLY":
        return "date"
    return _TYPES.get(function, "int" if function.startswith(_NUMBERED) else "string")


def _at_path(path: str, base: Describe, described: Described, query: QueryDefinition) -> Field:
    *relations, last = path.split(".")
    object, spelt = base, []
    for relation in relations:
        lookup = _lookup(object, relation, query)
        spelt.append(_relation_of(lookup))
        if len(lookup.reference_to) != 1:
            kind = "boolean" if last.lower() == "isactive" else "string"
            return Field(name=path, label=path, type=kind, filterable=False)
        object = described[lookup.reference_to[0]]
    field = next((each for each in object.fields if each.name.lower() == last.lower()), None)
    if field is None:
        raise _wrong(query, f"{object.object} has no field {last} that this user can see")
    if field not in fields_to_read(object):
        raise _wrong(query, f"{object.object}.{field.name} cannot be a column (it is a {field.type}); name its parts")
    name = ".".join((*spelt, field.name))
    return replace(field, name=name, label=f"{object.label}: {field.label}" if spelt else field.label)


def _lookup(object: Describe, relation: str, query: QueryDefinition) -> Field:
    for field in object.fields:
        if field.reference_to and _relation_of(field).lower() == relation.lower():
            return field
    raise _wrong(query, f"{object.object} has no relationship {relation} that this user can see")


def _relation_of(lookup: Field) -> str:
    return f"{lookup.name[:-1]}r" if lookup.name.endswith("__c") else lookup.name.removesuffix("Id")


def _wrong(query: QueryDefinition, what: str) -> DefinitionError:
    return DefinitionError(f"{what}; correct the query {query.name}", key="queries")
