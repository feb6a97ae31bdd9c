"""Recently viewed items over REST."""

from __future__ import annotations

from typing import Any

import orjson

from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.ids import number_of
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.soql.plan import plan_query
from include.sandbox.org.soql.reader import Reader
from include.sandbox.org.soql.render import keys_sql, page_sql

_MOST = 200


def list_recent(call: Call) -> Answer:
    """Answer GET /recent."""
    limit = call.params.get("limit", str(_MOST))
    if not limit.isdigit() or not 0 < int(limit) <= _MOST:
        raise Refusal(400, "NUMBER_OUTSIDE_VALID_RANGE", f"limit must be between 1 and {_MOST}")
    found = [_item(call, each) for each in call.org.recent.of(call.user_id)]
    return Answer(body=[each for each in found if each is not None][: int(limit)])


def recent_items(call: Call, target: SObject) -> list[Any]:
    """Return the records of one object that the user saw last."""
    found = [_item(call, each) for each in call.org.recent.of(call.user_id, target.prefix)[:10]]
    return [each for each in found if each is not None]


def _item(call: Call, record_id: str) -> orjson.Fragment | None:
    target = call.org.catalogue.of_id(record_id)
    if target is None:
        return None
    names = ["Id", *(each.name for each in target.fields if each.name_field)]
    query = f"SELECT {', '.join(names)} FROM {target.name} WHERE Id = '{record_id}'"
    reader = Reader(now=call.org.clock.milliseconds(), user_id=call.user_id)
    plan = plan_query(query, call.org.catalogue, deleted=False, reader=reader)
    keys = call.org.database.numbers(keys_sql(plan), plan.values)
    if not len(keys):
        return None
    number = number_of(record_id) or 0
    rows = call.org.database.rows(page_sql(plan, call.version, number, number), (*plan.values, keys.tolist()))
    return orjson.Fragment(rows[0][0])
