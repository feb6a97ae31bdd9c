"""Compose the query over a push's source: field paths become columns, checked against what is there. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import NoReturn

from include.activation.filtering import FilterColumn, FilterSql, compile_filter
from include.config.pushes import PushDefinition
from include.errors import DefinitionError, NotReady
from include.warehouse.engine import quoted
from include.warehouse.pushes.models import KEY, ROWS
from include.warehouse.pushes.sources import SourceObject, SourceQuery

Known = Callable[[str], SourceObject]
_WITHOUT_HASH = ("json", "xml", "point")
_LAID_DOWN = "_loaded_at"  # of a source without a stamp: when the row last changed here


def compose_source(push: PushDefinition, *, schema: str, known: Known) -> SourceQuery:
    """Return the query that reads what a push maps from an object, or from the table of a query.

    Args:
        push: the definition.
        schema: where the org's tables are.
        known: returns what the warehouse knows of an object or query.

    Raises:
        NotReady: an object that is read has not been loaded completely yet.
        DefinitionError: a field does not exist, has vanished from the org, or is compared with what it cannot be.
    """
    source = insist_on_load(push, known(push.source.name), key=f"source.{push.source.kind}")
    composer = _Composer(push=push, schema=schema, known=known, source=source)
    values = {path: composer.value(path, key) for key, path in push.field_paths}
    if source.cursor_field and source.cursor_field not in source.columns:
        raise NotReady(f"the table of {source.object} has no {source.cursor_field}; run a full refresh of the object")
    only = _filter(push, composer)
    key = composer.column(push.source.key, "source.key")
    text_key = key.expression if key.type == "text" else f"{key.expression}::text"
    alive = "source._deleted_at IS NULL"
    return SourceQuery(
        table=f"{quoted(schema, source.object)} AS source",
        joins=composer.joins,
        key=text_key,
        values=values,
        row_hash=_row_hash(composer, values, text_key),
        stamp=f"source.{quoted(source.cursor_field)}" if source.cursor_field else f"source.{_LAID_DOWN}",
        alive=f"{alive} AND {only.condition}" if only else alive,
        there=f"source.{_LAID_DOWN} IS NOT NULL",
        binds=only.binds if only else {},
        filtered=only is not None,
    )


def compose_model(push: PushDefinition, columns: dict[str, str]) -> SourceQuery:
    """Return the query that reads what a push maps from the rows of its model, which stand in the session's table.

    Raises:
        DefinitionError: a mapped field is no column of the model.
    """
    source = SourceObject(
        object=f"the model {push.source.model}",
        columns={name: kind for name, kind in columns.items() if name != KEY},
        gone={}, labels={}, references={}, cursor_field="", first_loaded_at=None,
    )  # fmt: skip
    composer = _Composer(push=push, schema="", known=lambda name: source, source=source)
    values = {path: composer.value(path, key) for key, path in push.field_paths}
    stamp = "NULL::timestamptz"
    if push.source.stamp:
        found = composer.column(push.source.stamp, "source.stamp")
        if not found.type.startswith(("timestamp", "date")):
            raise DefinitionError(
                f"{push.source.stamp} is of type {found.type}; a stamp is a time", file=_file(push), key="source.stamp"
            )
        stamp = f"{found.expression}::timestamptz"
    return SourceQuery(
        table=f"pg_temp.{ROWS} AS source",
        key=f"source.{KEY}",
        values=values,
        row_hash=_row_hash(composer, values, f"source.{KEY}"),
        stamp=stamp,
        alive="TRUE",
        there=f"source.{KEY} IS NOT NULL",
    )


def insist_on_load(push: PushDefinition, object: SourceObject, *, key: str) -> SourceObject:
    """Return an object that a push reads.

    Raises:
        NotReady: its first load is not complete.
    """
    if object.first_loaded_at is None or not object.columns:
        raise NotReady(
            f"the push {push.push!r} reads {object.object} ({key}), whose first load is not complete;"
            f" let {push.org}_extract finish first: nothing is pushed from half an object"
        )
    return object


def _row_hash(composer: _Composer, values: dict[str, str], key: str) -> str:
    hashed = ", ".join([key, *(composer.hashed[path] for path in sorted(values))])
    return f"hash_record_extended(ROW({hashed}), CAST(:seed AS bigint))"


def _filter(push: PushDefinition, composer: _Composer) -> FilterSql | None:
    if not push.source.filter:
        return None
    try:
        return compile_filter(push.source.filter, lambda path: composer.column(path, "source.filter"))
    except ValueError as error:
        raise DefinitionError(str(error), file=_file(push), key="source.filter") from error


class _Composer:
    """Collect the joins that field paths need; each relationship is joined once."""

    def __init__(self, *, push: PushDefinition, schema: str, known: Known, source: SourceObject) -> None:
        self._push = push
        self._schema = schema
        self._known = known
        self._whole = push.source.object is None  # a path is then the name of a column, dots and all
        # Where a path of relations leads: to one table, or to several where a reference may be to several objects.
        self._aliases: dict[str, list[tuple[str, SourceObject]]] = {"": [("source", source)]}
        self._joined = 1
        self.joins = ""
        self.hashed: dict[str, str] = {}

    def value(self, path: str, key: str) -> str:
        """Return the expression of a field path whose value is sent."""
        found = self.column(path, key)
        self.hashed[path] = f"{found.expression}::text" if found.type in _WITHOUT_HASH else found.expression
        return found.expression

    def column(self, path: str, key: str) -> FilterColumn:
        """Return what is behind a field path."""
        *relations, field = [path] if self._whole else path.split(".")
        places = self._follow(relations, key)
        # Of an owner, who is a user or a queue, whichever it is says its name.
        having = [each for each in places if field in each[1].columns] if len(places) > 1 else places
        if not having:
            having = places[:1]
        field = _insist_on_field(self._push, having[0][1], field, key=key)
        columns = [f"{alias}.{quoted(field)}" for alias, _ in having]
        object = having[0][1]
        return FilterColumn(
            expression=columns[0] if len(columns) == 1 else f"coalesce({', '.join(columns)})",
            type=object.columns[field],
            field_type=object.types.get(field, ""),
        )

    def _follow(self, relations: list[str], key: str) -> list[tuple[str, SourceObject]]:
        walked = ""
        for relation in relations:
            places = self._aliases[walked]
            walked = f"{walked}.{relation}" if walked else relation
            if walked not in self._aliases:
                self._join(places, relation, walked, key)
        return self._aliases[walked]

    def _join(self, places: list[tuple[str, SourceObject]], relation: str, walked: str, key: str) -> None:
        field = f"{relation.removesuffix('__r')}__c" if relation.endswith("__r") else f"{relation}Id"
        alias, object = next((each for each in places if field in each[1].columns), places[0])
        field = _insist_on_field(self._push, object, field, key=key)
        targets = object.references.get(field, (relation,))
        tables = [found for found in map(self._known, targets) if found.columns]
        if not tables:
            raise DefinitionError(
                f"{walked} leads to {' or '.join(targets)}, which the org {self._push.org!r} does not read;"
                " add it to the org's `objects`",
                file=_file(self._push),
                key=key,
            )
        found = []
        for table in tables:
            target = insist_on_load(self._push, table, key=key)
            joined = f"r{self._joined}"
            self._joined += 1
            self.joins += (
                f" LEFT JOIN {quoted(self._schema, target.object)} AS {joined}"
                f' ON {joined}."Id" = {alias}.{quoted(field)} AND {joined}._deleted_at IS NULL'
            )
            found.append((joined, target))
        self._aliases[walked] = found


def _insist_on_field(push: PushDefinition, object: SourceObject, field: str, *, key: str) -> str:
    """Return the field's name as it is spelt; a person's query may spell it otherwise than the org."""
    if field in object.gone:
        since = object.gone[field]
        raise DefinitionError(
            f"{object.object}.{field} has vanished from the org (seen {since:%Y-%m-%d %H:%M} UTC): deleted, renamed,"
            " hidden from our user, or kept out by `schema_changes` (page Schema); bring it back or take it out of the"
            " mapping. It is not sent as empty",
            file=_file(push),
            key=key,
        )
    if field in object.unfilled:
        raise NotReady(
            f"{object.object}.{field} ({key}) is new, and the records that were here before it lack its values;"
            f" let {push.org}_extract read the object once more: they are not sent as empty"
        )
    if field in object.columns and not field.startswith("_"):
        return field
    if push.source.query:
        same = [name for name in object.columns if name.casefold() == field.casefold()]
        if len(same) == 1:
            return same[0]
    _no_such_field(push, object, field, key=key)


def _no_such_field(push: PushDefinition, object: SourceObject, field: str, *, key: str) -> NoReturn:
    where = "has no column" if push.source.model else "has no field"
    raise DefinitionError(
        f"{object.object} {where} {field!r}{'' if push.source.model else ' in the warehouse'}"
        f"{_suggestion(object, field)}",
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
