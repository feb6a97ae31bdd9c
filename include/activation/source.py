"""Compose the query over a push's source: field paths become joined columns, checked against what is there. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from include.config.pushes import PushDefinition
from include.errors import DefinitionError, NotReady
from include.warehouse.engine import quoted
from include.warehouse.selections import SourceObject, SourceQuery

Known = Callable[[str], SourceObject]
_WITHOUT_HASH = ("json", "xml", "point")


def compose_source(push: PushDefinition, *, schema: str, known: Known) -> SourceQuery:
    """Return the query that reads what a push maps.

    Args:
        push: the definition.
        schema: where the org's tables are.
        known: returns what the warehouse knows of an object.

    Raises:
        NotReady: an object that is read has not been loaded completely yet.
        DefinitionError: a mapped field does not exist, or has vanished from the org.
    """
    source = _ready(push, known(push.source.object), key="source.object")
    composer = _Composer(push=push, schema=schema, known=known)
    values = {path: composer.value(path, key) for key, path in push.field_paths}
    if source.cursor_field not in source.columns:
        raise NotReady(f"the table of {source.object} has no {source.cursor_field}; run a full refresh of the object")
    hashed = ", ".join(['source."Id"', *(composer.hashed[path] for path in sorted(values))])
    return SourceQuery(
        tables=f"{quoted(schema, source.object)} AS source{composer.joins}",
        values=values,
        row_hash=f"hash_record_extended(ROW({hashed}), CAST(:seed AS bigint))",
        stamp=f"source.{quoted(source.cursor_field)}",
    )


class _Composer:
    """Collect the joins that field paths need; each relationship is joined once."""

    def __init__(self, *, push: PushDefinition, schema: str, known: Known) -> None:
        self._push = push
        self._schema = schema
        self._known = known
        self._aliases: dict[str, tuple[str, SourceObject]] = {"": ("source", known(push.source.object))}
        self.joins = ""
        self.hashed: dict[str, str] = {}

    def value(self, path: str, key: str) -> str:
        """Return the expression of a field path."""
        *relations, field = path.split(".")
        alias, object = self._follow(relations, key)
        _insist_on_field(self._push, object, field, key=key)
        expression = f"{alias}.{quoted(field)}"
        kind = object.columns[field]
        self.hashed[path] = f"{expression}::text" if kind in _WITHOUT_HASH else expression
        return expression

    def _follow(self, relations: list[str], key: str) -> tuple[str, SourceObject]:
        walked = ""
        for relation in relations:
            alias, object = self._aliases[walked]
            walked = f"{walked}.{relation}" if walked else relation
            if walked not in self._aliases:
                self._join(alias, object, relation, walked, key)
        return self._aliases[walked]

    def _join(self, alias: str, object: SourceObject, relation: str, walked: str, key: str) -> None:
        field = f"{relation.removesuffix('__r')}__c" if relation.endswith("__r") else f"{relation}Id"
        _insist_on_field(self._push, object, field, key=key)
        targets = object.references.get(field, (relation,))
        tables = [found for found in map(self._known, targets) if found.columns]
        if not tables:
            raise DefinitionError(
                f"{walked} leads to {' or '.join(targets)}, which the org {self._push.org!r} does not read;"
                " add it to the org's `objects`",
                file=_file(self._push),
                key=key,
            )
        target = _ready(self._push, tables[0], key=key)
        joined = f"r{len(self._aliases)}"
        self.joins += (
            f" LEFT JOIN {quoted(self._schema, target.object)} AS {joined}"
            f' ON {joined}."Id" = {alias}.{quoted(field)} AND {joined}._deleted_at IS NULL'
        )
        self._aliases[walked] = (joined, target)


def _ready(push: PushDefinition, object: SourceObject, *, key: str) -> SourceObject:
    if object.first_loaded_at is None or not object.columns:
        raise NotReady(
            f"the push {push.push!r} reads {object.object} ({key}), whose first load is not complete;"
            f" let {push.org}_extract finish first: nothing is pushed from half an object"
        )
    return object


def _insist_on_field(push: PushDefinition, object: SourceObject, field: str, *, key: str) -> None:
    if field in object.gone:
        since = object.gone[field]
        raise DefinitionError(
            f"{object.object}.{field} has vanished from the org (seen {since:%Y-%m-%d %H:%M} UTC): deleted, renamed,"
            " hidden from our user, or kept out by `schema_changes` (page Schema); bring it back or take it out of the"
            " mapping. It is not sent as empty",
            file=_file(push),
            key=key,
        )
    if field not in object.columns or field.startswith("_"):
        raise DefinitionError(
            f"{object.object} has no field {field!r} in the warehouse{_suggestion(object, field)}",
            file=_file(push),
            key=key,
        )


def _suggestion(object: SourceObject, field: str) -> str:
    if field in object.labels:
        return f"; {field!r} is the label of {object.labels[field]}"
    names = {name.casefold(): name for name in object.columns if not name.startswith("_")}
    near = difflib.get_close_matches(field.casefold(), names, n=1)
    return f"; did you mean {names[near[0]]}?" if near else ""


def _file(push: PushDefinition) -> str:
    return f"pushes/{push.push}"
