"""SOQL over REST: query, queryAll, and further pages by locator."""

from __future__ import annotations

import re
from typing import Any

import orjson

from include.sandbox.org.cursors import QueryCursor
from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.soql.plan import Plan, plan_query
from include.sandbox.org.soql.render import aggregate_sql, count_sql, keys_sql, page_sql

_SMALLEST, _LARGEST = 200, 2000
_BLOCK = 40_000  # records rendered at once: scattered records cost a pass over their columns however few they are
_MOST_GROUPS = 2000


def query(call: Call) -> Answer:
    """Answer GET /query?q=…, present records only."""
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


def _run(call: Call, *, deleted: bool) -> Answer:
    text = call.params.get("q")
    if not text:
        raise Refusal(400, "MALFORMED_QUERY", "SOQL statements cannot be empty or null")
    clock = call.org.clock
    plan = plan_query(text, call.org.catalogue, deleted=deleted, now=clock.milliseconds(), today=clock.now().date())
    if plan.bare_count:
        counted = call.org.database.rows(count_sql(plan), plan.values)
        return Answer(body={"totalSize": counted[0][0], "done": True, "records": []})
    if plan.aggregate:
        return Answer(body=_aggregate(call, plan))
    keys = call.org.database.numbers(keys_sql(plan), plan.values)
    cursor = QueryCursor(id="", plan=plan, keys=keys, created=0.0)
    size = _page_size(call)
    if len(keys) > size:
        cursor = call.org.cursors.open(plan, keys)
    return Answer(body=_page(call, cursor, 0, size))


def _aggregate(call: Call, plan: Plan) -> dict[str, Any]:
    rows = call.org.database.rows(aggregate_sql(plan), plan.values)
    if len(rows) > _MOST_GROUPS:
        message = "Aggregate query does not support queryMore(). Use LIMIT to restrict the results to a single batch"
        raise Refusal(400, "EXCEEDED_ID_LIMIT", message)
    return {"totalSize": len(rows), "done": True, "records": [orjson.Fragment(row) for (row,) in rows]}


def _page(call: Call, cursor: QueryCursor, offset: int, size: int) -> dict[str, Any]:
    total = len(cursor.keys)
    end = min(offset + size, total)
    body: dict[str, Any] = {"totalSize": total, "done": end >= total}
    if end < total:
        body["nextRecordsUrl"] = f"/services/data/v{call.version}/query/{cursor.id}-{end}"
    body["records"] = [orjson.Fragment(row) for row in _rendered(call, cursor, offset, end)]
    return body


def _rendered(call: Call, cursor: QueryCursor, start: int, stop: int) -> list[bytes]:
    """Return records as JSON; from the second page on, a whole block is rendered ahead."""
    if start == stop:
        return []
    if start == 0:
        return _render(call, cursor, 0, stop)
    with cursor.lock:
        block, at = cursor.block, cursor.block_at
        if start < at or stop > at + len(block):
            at = start
            block = _render(call, cursor, start, min(start + max(_BLOCK, stop - start), len(cursor.keys)))
            call.org.cursors.keep_block(cursor, at, block)
        return block[start - at : stop - at]


def _render(call: Call, cursor: QueryCursor, start: int, stop: int) -> list[bytes]:
    keys = cursor.keys[start:stop]
    sql = page_sql(cursor.plan, call.version, int(keys.min()), int(keys.max()))
    values = (*cursor.plan.values, keys.tolist())
    return [row for (row,) in call.org.database.rows(sql, values)]


def _page_size(call: Call) -> int:
    match = re.search(r"batchSize\s*=\s*(\d+)", call.headers.get("sforce-query-options", ""), re.IGNORECASE)
    if match is None:
        return call.org.default_page
    return min(_LARGEST, max(_SMALLEST, int(match.group(1))))
