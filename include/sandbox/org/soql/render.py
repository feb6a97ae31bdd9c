"""Plans to statements: keys, counts, and rows rendered as JSON for REST or as CSV for Bulk."""

from __future__ import annotations

from typing import Any

from include.sandbox.org.soql.plan import Cell, Children, Plan
from include.sandbox.org.soql.scope import NAME
from include.sandbox.org.store.tables import visible_sql
from include.sandbox.org.store.values import csv_sql, json_sql, json_value


def keys_sql(plan: Plan) -> str:
    """Return the statement that lists the numbers of all matching records, in result order."""
    table = plan.scope.table
    order = f"{plan.order}, {table}._n" if plan.order else f"{table}._n"
    return f"SELECT {table}._n FROM {plan.scope.source_sql()} WHERE {plan.where} ORDER BY {order}{plan.tail}"


def count_sql(plan: Plan) -> str:
    """Return the statement that counts matching records."""
    inner = f"SELECT 1 FROM {plan.scope.source_sql()} WHERE {plan.where}{plan.tail}"
    return f"SELECT count(*) FROM ({inner})"


def page_sql(plan: Plan, version: str, low: int, high: int) -> str:
    """Return the statement that renders the records whose numbers are bound as the next value, in that order."""
    table = plan.scope.table
    keys = f"${len(plan.values) + 1}::BIGINT[]"
    wanted = f"(SELECT unnest({keys}) AS k, generate_subscripts({keys}, 1) AS p) wanted"
    now = str(plan.scope.now)
    return (
        f"SELECT encode({json_row(plan, version)}) FROM {wanted}"
        f' JOIN "{plan.object.name}" {table} ON {table}._n = wanted.k'
        f" AND {table}._n BETWEEN {low} AND {high} AND {visible_sql(table, now)}{plan.scope.joins_sql()}"
        f" ORDER BY wanted.p"
    )


def aggregate_sql(plan: Plan) -> str:
    """Return the statement that renders the rows of an aggregate query."""
    pairs = ["'attributes', json_object('type', 'AggregateResult')"]
    for cell in plan.cells:
        assert isinstance(cell, Cell)
        pairs.append(f"'{cell.name}', {json_value(cell.sql, cell.type)}")
    groups = f" GROUP BY {plan.groups}" if plan.groups else ""
    having = f" HAVING {plan.having}" if plan.having else ""
    order = f" ORDER BY {plan.order}" if plan.order else f" ORDER BY {plan.groups}" if plan.groups else ""
    return (
        f"SELECT json_object({', '.join(pairs)})::VARCHAR FROM {plan.scope.source_sql()} WHERE {plan.where}"
        f"{groups}{having}{order}{plan.tail}"
    )


def json_row(plan: Plan, version: str) -> str:
    """Return the expression of one record as JSON text."""
    tree: dict[str, Any] = {}
    for cell in plan.cells:
        if isinstance(cell, Cell) and cell.column is not None:
            branch = tree
            for step in cell.column.steps:
                branch = branch.setdefault(step, {})
            branch[cell.column.field.name] = cell
        else:
            tree[cell.name] = cell
    return _object_sql(plan, tree, (), version) + "::VARCHAR"


def _object_sql(plan: Plan, tree: dict[str, Any], steps: tuple[str, ...], version: str) -> str:
    table, target = plan.scope.table_of(steps) if steps else (plan.scope.table, plan.object)
    kind = f"'{target.name}'" if target is not NAME else f'{table}."Type"'
    url = f"concat('/services/data/v{version}/sobjects/', {kind}, '/', {table}.\"Id\")"
    pairs = [f"'attributes', json_object('type', {kind}, 'url', {url})"]
    for name, branch in tree.items():
        if isinstance(branch, dict):
            inner = _object_sql(plan, branch, (*steps, name), version)
            parent, _ = plan.scope.table_of((*steps, name))
            value = f'CASE WHEN {parent}."Id" IS NULL THEN NULL ELSE {inner} END'
        elif isinstance(branch, Children):
            value = _children_sql(plan, branch, version)
        else:
            value = json_sql(branch.column.field, table) if branch.column else json_value(branch.sql, branch.type)
        pairs.append(f"'{name}', {value}")
    return f"json_object({', '.join(pairs)})"


def _children_sql(parent: Plan, children: Children, version: str) -> str:
    plan = children.plan
    table = plan.scope.table
    order = f"{plan.order}, {table}._n" if plan.order else f"{table}._n"
    row = json_row(plan, version).removesuffix("::VARCHAR")
    rank = f"row_number() OVER (PARTITION BY {children.link} ORDER BY {order})"
    first = plan.offset or 0
    last = f" AND p <= {first + plan.limit}" if plan.limit is not None else ""
    inner = f"SELECT {row} AS r, {rank} AS p, {children.link} AS link FROM {plan.scope.source_sql()} WHERE {plan.where}"
    result = "json_object('totalSize', count(*), 'done', TRUE, 'records', to_json(list(r ORDER BY p)))"
    return (
        f"(SELECT CASE WHEN count(*) = 0 THEN NULL ELSE {result} END FROM ({inner}) "
        f'WHERE link = {parent.scope.table}."Id" AND p > {first}{last})'
    )


def csv_row(plan: Plan, delimiter: str, ending: str) -> str:
    """Return the expression of one record as a line of CSV, every cell in quotes."""
    between = f"'\"{_quoted(delimiter)}\"'"
    cells = [
        csv_sql(cell.column.field, cell.column.table) for cell in plan.cells if isinstance(cell, Cell) and cell.column
    ]
    return "concat('\"', " + f", {between}, ".join(cells) + f", concat('\"', {ending}))"


def csv_header(plan: Plan, delimiter: str, ending: str) -> str:
    """Return the header line."""
    return delimiter.join(f'"{cell.name}"' for cell in plan.cells) + ending


def csv_sql_statement(plan: Plan, delimiter: str, ending: str) -> str:
    """Return the statement that yields each record's CSV line and its size in bytes."""
    line_end = "chr(13) || chr(10)" if ending == "\r\n" else "chr(10)"
    order = f" ORDER BY {plan.order}, {plan.scope.table}._n" if plan.order else ""
    line = csv_row(plan, delimiter, line_end)
    rows = f"SELECT {line} AS line FROM {plan.scope.source_sql()} WHERE {plan.where}{order}{plan.tail}"
    # As bytes: text would be decoded here only to be encoded again.
    return f"SELECT encode(line), strlen(line) FROM ({rows})"


def _quoted(delimiter: str) -> str:
    return delimiter.replace("'", "''")
