"""The columns of a query, as the REST API tells them when it is asked for `columns=true`."""

from __future__ import annotations

from typing import Any

from include.sandbox.org.schema.field import NUMBER_TYPES, TEXT_TYPES, Field
from include.sandbox.org.soql.cells import Cell, Children, Kinds
from include.sandbox.org.soql.plan import Plan
from include.sandbox.org.soql.selection import AnyCell

_APEX_TYPES = {"id": "Id", "reference": "Id", "boolean": "Boolean", "int": "Integer", "date": "Date",
               "datetime": "Datetime", "time": "Time", "address": "Address", "location": "Location",
               "base64": "Blob", **dict.fromkeys(NUMBER_TYPES, "Double")}  # fmt: skip


def describe_columns(plan: Plan) -> dict[str, Any]:
    """Return the columns of a query; parents and sub-queries are columns with columns of their own."""
    return {
        "columnMetadata": _joined(plan, plan.cells),
        "entityName": plan.object.name,
        "groupBy": bool(plan.groups),
        "idSelected": any(cell.name == "Id" for cell in plan.cells),
        "keyPrefix": plan.object.prefix,
    }


def _joined(plan: Plan, cells: tuple[AnyCell, ...] | tuple[Cell, ...]) -> list[dict[str, Any]]:
    """Return the columns of cells; those of one parent stand together below it, where the first one stood."""
    columns: list[dict[str, Any]] = []
    parents: dict[tuple[str, ...], dict[str, Any]] = {}
    path: tuple[str, ...]
    for cell in cells:
        if isinstance(cell, Children):
            columns.append(_column(cell.name, aggregate=True, inside=_joined(cell.plan, cell.plan.cells)))
            continue
        if isinstance(cell, Kinds):
            inside = [_leaf(each, each.name) for kind in cell.kinds for each in kind.cells]
            columns.append(_column(cell.name, inside=inside, key=_key(plan, (cell.name,))))
            continue
        *steps, name = cell.name.split(".") if cell.column is not None else [cell.name]
        where, path = columns, ()
        for step in steps:
            path = (*path, step)
            if path not in parents:
                parents[path] = _column(step, key=_key(plan, path))
                where.append(parents[path])
            where = parents[path]["joinColumns"]
        where.append(_leaf(cell, name))
    return columns


def _key(plan: Plan, path: tuple[str, ...]) -> str | None:
    """Return the reference field that leads to a parent."""
    above = plan.scope.table_of(path[:-1])[1] if len(path) > 1 else plan.object
    link = above.parent_field(path[-1])
    return link.name if link else None


def _leaf(cell: Cell, name: str) -> dict[str, Any]:
    if not cell.function:
        return _column(name, cell.type, cell.column.field if cell.column else cell.field)
    shown = cell.title if name.startswith("expr") else name
    return _column(name, cell.type, aggregate=True) | {"apexType": None, "displayName": shown, "textType": False}


def _column(
    name: str, kind: str = "", field: Field | None = None, *, aggregate: bool = False,
    inside: list[dict[str, Any]] | None = None, key: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    kind = field.type if field else kind
    return {
        "aggregate": aggregate,
        "apexType": _APEX_TYPES.get(kind, "String" if kind else None),
        "booleanType": kind == "boolean",
        "columnName": name,
        "custom": field.custom if field else False,
        "displayName": name,
        "foreignKeyName": key,
        "insertable": field.createable if field else False,
        "joinColumns": inside or [],
        "numberType": kind == "int" or kind in NUMBER_TYPES,
        "textType": kind in TEXT_TYPES,
        "updatable": field.updateable if field else False,
    }
