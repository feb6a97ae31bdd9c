"""One record as JSON: its fields, its parents inside it, and the records below it with pages of their own."""

from __future__ import annotations

from typing import Any

from include.sandbox.org.schema.field import SObject
from include.sandbox.org.soql.cells import Children, Kind, Kinds
from include.sandbox.org.soql.plan import Plan
from include.sandbox.org.soql.scope import NAME, Column
from include.sandbox.org.store.values import json_sql, json_value

# Stands in the URL of a child page until somebody opens a cursor for it: sub-queries from the outside in, parent's Id.
CHILD_MARK = "@"


def document_sql(plan: Plan, version: str, page: int, parents: str) -> str:
    """Return the expression of one record; `parents` selects the Ids of all records that will be shown."""
    return _Document(plan, version, page, parents, ()).sql()


def rank_order(plan: Plan) -> str:
    """Return what a plan's records are sorted by; the last word is had by their numbers."""
    table = plan.scope.table
    return f"{plan.order}, {table}._n" if plan.order else f"{table}._n"


class _Document:
    def __init__(self, plan: Plan, version: str, page: int, parents: str, way: tuple[str, ...]) -> None:
        self._plan = plan
        self._version = version
        self._page = page
        self._parents = parents
        self._way = way

    def sql(self) -> str:
        plan = self._plan
        return self._object(plan.scope.table, plan.object, _nested(plan.cells), ())

    def _object(self, table: str, target: SObject, tree: dict[str, Any], steps: tuple[str, ...]) -> str:
        kind = f"'{target.name}'" if target is not NAME else f'{table}."Type"'
        url = f"concat('/services/data/v{self._version}/sobjects/', {kind}, '/', {table}.\"Id\")"
        pairs = [f"'attributes', json_object('type', {kind}, 'url', {url})"]
        for name, branch in tree.items():
            pairs.append(f"'{name}', {self._branch(name, branch, steps)}")
        return f"json_object({', '.join(pairs)})"

    def _branch(self, name: str, branch: Any, steps: tuple[str, ...]) -> str:
        if isinstance(branch, dict):
            table, target = self._plan.scope.table_of((*steps, name))
            inner = self._object(table, target, branch, (*steps, name))
            return f'CASE WHEN {table}."Id" IS NULL THEN NULL ELSE {inner} END'
        if isinstance(branch, Children):
            return self._children(branch)
        if isinstance(branch, Kinds):
            return "CASE " + " ".join(self._kind(each) for each in branch.kinds) + " ELSE NULL END"
        if branch.column:
            return self._value(branch.column)
        return json_value(branch.sql, branch.type)

    def _value(self, column: Column) -> str:
        if column.field.type != "base64":
            return json_sql(column.field, column.table)
        path = f"/services/data/v{self._version}/sobjects/{column.object.name}/"
        url = f"concat('{path}', {column.table}.\"Id\", '/{column.field.name}')"
        return f"CASE WHEN {column.sql} IS NULL THEN NULL ELSE {url} END"

    def _kind(self, kind: Kind) -> str:
        parent = kind.parent
        tree = _nested(kind.cells, beyond=len(parent.steps))
        inner = self._object(parent.table, parent.object, tree, parent.steps)
        return f'WHEN {parent.table}."Id" IS NOT NULL THEN {inner}'

    def _children(self, children: Children) -> str:
        plan, way = children.plan, (*self._way, children.name)
        here = f"{children.link} IN ({self._parents})"
        source = f"FROM {plan.scope.source_sql()} WHERE {plan.where} AND {here}"
        row = _Document(plan, self._version, self._page, f'SELECT {plan.scope.table}."Id" {source}', way).sql()
        rank = f"row_number() OVER (PARTITION BY {children.link} ORDER BY {rank_order(plan)})"
        first = plan.offset or 0
        last = f" AND p <= {first + plan.limit}" if plan.limit is not None else ""
        parent = f'{self._plan.scope.table}."Id"'
        mark = f"{CHILD_MARK}{'.'.join(way)}{CHILD_MARK}"
        url = f"concat('/services/data/v{self._version}/query/{mark}', {parent}, '-{self._page}')"
        records = f"'records', to_json(list(r ORDER BY p) FILTER (p <= {first + self._page}))"
        return (
            f"(SELECT CASE WHEN count(*) = 0 THEN NULL"
            f" WHEN count(*) > {self._page} THEN json_object('totalSize', count(*), 'done', FALSE,"
            f" 'nextRecordsUrl', {url}, {records})"
            f" ELSE json_object('totalSize', count(*), 'done', TRUE, {records}) END"
            f" FROM (SELECT {row} AS r, {rank} AS p, {children.link} AS link {source})"
            f" WHERE link = {parent} AND p > {first}{last})"
        )


def _nested(cells: Any, beyond: int = 0) -> dict[str, Any]:
    """Return cells as a tree of parents, in the order in which they were selected."""
    tree: dict[str, Any] = {}
    for cell in cells:
        column = getattr(cell, "column", None)
        steps = column.steps[beyond:] if column is not None else getattr(cell, "steps", ())
        branch = tree
        for step in steps:
            branch = branch.setdefault(step, {})
        name = column.field.name if column is not None else cell.name.rpartition(".")[2]
        branch[name] = cell
    return tree
