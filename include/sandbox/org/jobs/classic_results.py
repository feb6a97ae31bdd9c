"""Results of queries in the older Bulk API: CSV, JSON or XML, written once as a whole file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from include.sandbox.org.jobs.results import Block
from include.sandbox.org.soql.cells import Cell, Children, Kind, Kinds
from include.sandbox.org.soql.documents import document_sql
from include.sandbox.org.soql.plan import Plan
from include.sandbox.org.soql.render import csv_header, csv_sql_statement
from include.sandbox.org.store.values import csv_value

NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
_ALL = 1 << 40  # records below a record never need a page of their own here
_XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_HEAD = f'<?xml version="1.0" encoding="UTF-8"?><queryResult xmlns="{NAMESPACE}" {_XSI}>'
_NOTHING = b"Records not found for this query"


def statement(plan: Plan, content: str, version: str) -> str:
    """Return the statement that yields each record and its size in bytes."""
    if content == "CSV":
        return csv_sql_statement(plan, ",", "\n")
    source = f"FROM {plan.scope.source_sql()} WHERE {plan.where}"
    if content == "JSON":
        parents = f'SELECT {plan.scope.table}."Id" {source}'
        record = f"{document_sql(_in_milliseconds(plan), version, _ALL, parents)}::VARCHAR"
    else:
        record = _xml(plan)
    order = f" ORDER BY {plan.order}, {plan.scope.table}._n" if plan.order else ""
    return f"SELECT encode(line), strlen(line) FROM (SELECT {record} AS line {source}{order}{plan.tail})"


def write_whole(
    blocks: Iterable[Block], path: Path, plan: Plan, content: str, stop: Callable[[], bool]
) -> tuple[int, int]:
    """Write a result and return how many records and bytes it has."""
    before, between, after = {
        "CSV": (csv_header(plan, ",", "\n").encode(), b"", b""),
        "JSON": (b"[", b",", b"]"),
        "XML": (_HEAD.encode(), b"", b"</queryResult>"),
    }[content]
    records = 0
    with path.open("wb") as written:
        written.write(before)
        for block in blocks:
            if records and block:
                written.write(between)
            written.write(between.join([line for line, _ in block]))
            records += len(block)
            if stop():
                break
        written.write(after)
    if content == "CSV" and not records:
        path.write_bytes(_NOTHING)
    return records, path.stat().st_size


def _in_milliseconds(plan: Plan) -> Plan:
    """Return the plan with dates and times as milliseconds since 1970, which is how this JSON has them."""
    return replace(plan, cells=tuple(_counted(each) for each in plan.cells))


def _counted(cell: Any) -> Any:
    if isinstance(cell, Children):
        return replace(cell, plan=_in_milliseconds(cell.plan))
    if isinstance(cell, Kinds):
        return replace(cell, kinds=tuple(Kind(parent=each.parent, cells=tuple(map(_counted, each.cells)))
                                         for each in cell.kinds))  # fmt: skip
    column = cell.column
    if column is None or column.field.type not in ("date", "datetime"):
        return cell
    value = f"epoch_ms(({column.sql})::TIMESTAMP)"
    return Cell(name=cell.name, sql=value, type="long", steps=column.steps, title=cell.title)


def _xml(plan: Plan) -> str:
    """Return the expression of one record; every one begins with its Id, asked for or not."""
    return f"concat('<records xsi:type=\"sObject\">', {_fields(plan, plan.cells, ())}, '</records>')"


def _fields(plan: Plan, cells: Any, steps: tuple[str, ...]) -> str:
    target = plan.scope.table_of(steps)[1] if steps else plan.object
    shown: dict[str, str] = {}
    own_id = "'<Id xsi:nil=\"true\"/>'"
    for cell in cells:
        path = cell.column.steps if cell.column else cell.steps
        if path[: len(steps)] != steps:
            continue
        if len(path) > len(steps):
            name = path[len(steps)]
            if name not in shown:
                shown[name] = _parent(plan, cells, (*steps, name))
            continue
        name = cell.column.field.name if cell.column else cell.name
        shown[name] = _element(name, cell)
        if name == "Id":
            own_id = shown[name]
    return ", ".join([f"'<type>{target.name}</type>'", own_id, *shown.values()])


def _parent(plan: Plan, cells: Any, steps: tuple[str, ...]) -> str:
    table, _ = plan.scope.table_of(steps)
    name, inner = steps[-1], _fields(plan, cells, steps)
    whole = f"concat('<{name} xsi:type=\"sObject\">', {inner}, '</{name}>')"
    return f'CASE WHEN {table}."Id" IS NULL THEN \'<{name} xsi:nil="true"/>\' ELSE {whole} END'


def _element(name: str, cell: Cell) -> str:
    value = cell.column.sql if cell.column else cell.sql
    kind = cell.column.field.type if cell.column else cell.type
    text = csv_value(value, kind, quotable=False)
    for mark, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = f"replace({text}, '{mark}', '{entity}')"
    nothing, whole = f"'<{name} xsi:nil=\"true\"/>'", f"concat('<{name}>', {text}, '</{name}>')"
    return f"CASE WHEN ({value}) IS NULL THEN {nothing} ELSE {whole} END"
