"""Plans to statements: keys, counts, and records rendered as JSON for REST or as CSV for Bulk."""

from __future__ import annotations

from include.sandbox.org.soql.cells import Cell
from include.sandbox.org.soql.documents import document_sql, rank_order
from include.sandbox.org.soql.plan import Plan
from include.sandbox.org.store.tables import visible_sql
from include.sandbox.org.store.values import csv_sql, csv_value, json_value


def keys_sql(plan: Plan) -> str:
    """Return the statement that lists the numbers of all matching records, in result order."""
    table = plan.scope.table
    return f"SELECT {table}._n FROM {plan.scope.source_sql()} WHERE {plan.where} ORDER BY {rank_order(plan)}{plan.tail}"


def count_sql(plan: Plan) -> str:
    """Return the statement that counts matching records."""
    inner = f"SELECT 1 FROM {plan.scope.source_sql()} WHERE {plan.where}{plan.tail}"
    return f"SELECT count(*) FROM ({inner})"


def page_sql(plan: Plan, version: str, low: int, high: int, page: int = 2000) -> str:
    """Return the statement that renders the records whose numbers are bound as the next value, in that order.

    `page` is how many records of a sub-query come with their parent.
    """
    table = plan.scope.table
    keys = f"${len(plan.values) + 1}::BIGINT[]"
    wanted = f"(SELECT unnest({keys}) AS k, generate_subscripts({keys}, 1) AS p) wanted"
    here = f"{table}._n BETWEEN {low} AND {high} AND {visible_sql(table, str(plan.scope.now))}"
    shown = f"{table}._n IN (SELECT unnest({keys}))"
    parents = f'SELECT {table}."Id" FROM "{plan.object.name}" {table} WHERE {here} AND {shown}'
    return (
        f"SELECT encode({document_sql(plan, version, page, parents)}::VARCHAR) FROM {wanted}"
        f' JOIN "{plan.object.name}" {table} ON {table}._n = wanted.k AND {here}{plan.scope.joins_sql()}'
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
    order = f" ORDER BY {plan.order}" if plan.order else " ORDER BY ALL" if plan.groups else ""
    return (
        f"SELECT json_object({', '.join(pairs)})::VARCHAR FROM {plan.scope.source_sql()} WHERE {plan.where}"
        f"{groups}{having}{order}{plan.tail}"
    )


def csv_row(plan: Plan, delimiter: str, ending: str) -> str:
    """Return the expression of one record as a line of CSV, every cell in quotes."""
    between = f"'\"{_quoted(delimiter)}\"'"
    cells = [
        csv_sql(cell.column.field, cell.column.table) if cell.column else csv_value(cell.sql, cell.type)
        for cell in plan.cells
        if isinstance(cell, Cell)
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
