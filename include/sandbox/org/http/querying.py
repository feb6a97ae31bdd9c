"""SOQL over REST: query, queryAll, further pages by locator, the columns of a query and how it would be run."""

from __future__ import annotations

import re
from typing import Any

import orjson

from include.sandbox.org.cursors import QueryCursor, Recipe
from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.ids import make_id
from include.sandbox.org.readers import reader_of
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.soql.cells import Children
from include.sandbox.org.soql.columns import describe_columns
from include.sandbox.org.soql.documents import CHILD_MARK
from include.sandbox.org.soql.explaining import explain
from include.sandbox.org.soql.plan import Plan, plan_query
from include.sandbox.org.soql.render import aggregate_sql, count_sql, keys_sql, page_sql

_SMALLEST, _LARGEST = 200, 2000
_BLOCK = 40_000  # records rendered at once: scattered records cost a pass over their columns however few they are
_MOST_GROUPS = 2000
_CHILD_PAGE = re.compile(rb'/query/%b([\w.]+)%b(\w{18})-(\d+)"' % (CHILD_MARK.encode(), CHILD_MARK.encode()))
_NESTED_RECORD = b'"attributes":{'


def query(call: Call) -> Answer:
    """Answer GET /query?q=…, present records only; with `explain` or `columns`, something about the query instead."""
    return _run(call, deleted=False)


def query_all(call: Call) -> Answer:
    """Answer GET /queryAll?q=…: deleted records are there too."""
    return _run(call, deleted=True)


def next_page(call: Call) -> Answer:
    """Answer GET /query/<locator>; the locator knows whether deleted records belong to it."""
    found = call.org.cursors.find(call.path["locator"])
    if found is None:
        raise Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    cursor, offset = found
    return Answer(body=_page(call, cursor, offset, _page_size(call)))


def run_query(call: Call, text: str, *, deleted: bool) -> dict[str, Any]:
    """Return the result of a query as the REST API shows it, its first page."""
    recipe = Recipe(query=text, deleted=deleted, reader=reader_of(call.org, call.user_id, call.version, text))
    plan = plan_query(text, call.org.catalogue, deleted=deleted, reader=recipe.reader)
    if plan.bare_count:
        counted = call.org.database.rows(count_sql(plan), plan.values)
        return {"totalSize": counted[0][0], "done": True, "records": []}
    if plan.aggregate:
        return _aggregate(call, plan)
    keys = call.org.database.numbers(keys_sql(plan), plan.values)
    if plan.purposes:
        seen = [make_id(plan.object.prefix, number) for number in keys[:_LARGEST].tolist()]
        call.org.recent.add(call.user_id, seen)
    return first_page(call, recipe, plan, keys)


def first_page(call: Call, recipe: Recipe, plan: Plan, keys: Any) -> dict[str, Any]:
    """Return the first page of the records with these numbers; a cursor is opened for what doesn't fit."""
    size = _page_size(call)
    cursor = QueryCursor(id="", recipe=recipe, plan=plan, keys=keys, created=0.0)
    body = _page(call, cursor, 0, size)
    if not body["done"]:
        cursor_id = call.org.cursors.open(recipe, plan, keys).id
        body["nextRecordsUrl"] = body["nextRecordsUrl"].replace("/query/-", f"/query/{cursor_id}-")
    return body


def _run(call: Call, *, deleted: bool) -> Answer:
    if call.params.get("explain"):
        text = call.params["explain"]
        plan = plan_query(text, call.org.catalogue, deleted=deleted, reader=_reader(call, text))
        return Answer(body=explain(call.org.database, plan))
    text = call.params.get("q", "")
    if not text.strip():
        raise Refusal(400, "MALFORMED_QUERY", "SOQL statements cannot be empty or null")
    if call.params.get("columns", "").lower() == "true":
        plan = plan_query(text, call.org.catalogue, deleted=deleted, reader=_reader(call, text))
        return Answer(body=describe_columns(plan))
    return Answer(body=run_query(call, text, deleted=deleted))


def _reader(call: Call, text: str) -> Any:
    return reader_of(call.org, call.user_id, call.version, text)


def _aggregate(call: Call, plan: Plan) -> dict[str, Any]:
    rows = call.org.database.rows(aggregate_sql(plan), plan.values)
    if len(rows) > _MOST_GROUPS:
        message = "Aggregate query does not support queryMore(). Use LIMIT to restrict the results to a single batch"
        raise Refusal(400, "EXCEEDED_ID_LIMIT", message)
    return {"totalSize": len(rows), "done": True, "records": [orjson.Fragment(row) for (row,) in rows]}


# -- pages


def _page(call: Call, cursor: QueryCursor, offset: int, size: int) -> dict[str, Any]:
    total = len(cursor.keys)
    nested = any(isinstance(each, Children) for each in cursor.plan.cells)
    rows = _rendered(call, cursor, offset, min(offset + size, total), size, ahead=not nested)
    if nested:
        rows = [_with_child_cursors(call, cursor, row) for row in _as_many_as_fit(rows, size)]
    end = offset + len(rows)
    body: dict[str, Any] = {"totalSize": total, "done": end >= total}
    if end < total:
        body["nextRecordsUrl"] = f"/services/data/v{call.version}/query/{cursor.id}-{end}"
    body["records"] = [orjson.Fragment(row) for row in rows]
    return body


def _as_many_as_fit(rows: list[bytes], size: int) -> list[bytes]:
    """Return the first rows that fill a page: records inside of others count, too, but one always fits."""
    filled = 0
    for position, row in enumerate(rows):
        filled += row.count(_NESTED_RECORD)
        if filled > size and position:
            return rows[:position]
    return rows


def _with_child_cursors(call: Call, cursor: QueryCursor, row: bytes) -> bytes:
    """Return a record in which every unfinished list of children has a locator."""

    def opened(match: re.Match[bytes]) -> bytes:
        way, parent, offset = (each.decode() for each in match.groups())
        recipe = Recipe(
            query=cursor.recipe.query, deleted=cursor.recipe.deleted, reader=cursor.recipe.reader,
            way=(*cursor.recipe.way, *way.split(".")), parent=parent,
        )  # fmt: skip
        plan = recipe.plan(call.org.catalogue)
        keys = call.org.database.numbers(keys_sql(plan), plan.values)
        return f'/query/{call.org.cursors.open(recipe, plan, keys).id}-{offset}"'.encode()

    return _CHILD_PAGE.sub(opened, row) if b'"done":false' in row else row


def _rendered(call: Call, cursor: QueryCursor, start: int, stop: int, size: int, *, ahead: bool) -> list[bytes]:
    """Return records as JSON; from the second page on, a whole block is rendered ahead."""
    if start >= stop:
        return []
    if start == 0 or not ahead:
        return render(call, cursor.plan, cursor.keys[start:stop], size)
    with cursor.lock:
        block, at = cursor.block, cursor.block_at
        if start < at or stop > at + len(block):
            at = start
            block = render(call, cursor.plan, cursor.keys[start : start + max(_BLOCK, stop - start)], size)
            call.org.cursors.keep_block(cursor, at, block)
        return block[start - at : stop - at]


def render(call: Call, plan: Plan, keys: Any, size: int = _LARGEST) -> list[bytes]:
    """Return the records with these numbers as JSON, in that order."""
    sql = page_sql(plan, call.version, int(keys.min()), int(keys.max()), size)
    return [row for (row,) in call.org.database.rows(sql, (*plan.values, keys.tolist()))]


def _page_size(call: Call) -> int:
    match = re.search(r"batchSize\s*=\s*(\d+)", call.headers.get("sforce-query-options", ""), re.IGNORECASE)
    if match is None:
        return call.org.default_page
    return min(_LARGEST, max(_SMALLEST, int(match.group(1))))
