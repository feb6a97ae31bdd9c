"""Single records as they are read: by Id."""

from __future__ import annotations

import orjson

from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.ids import canonical, number_of
from include.sandbox.org.refusals import Refusal, not_found
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.soql.plan import plan_query
from include.sandbox.org.soql.render import keys_sql, page_sql
from include.sandbox.org.store.tables import visible_sql


def show(call: Call) -> Answer:
    """Answer GET /sobjects/X/<id>."""
    target = _target(call)
    record_id = _present(call, target)
    asked = [name.strip() for name in call.params.get("fields", "").split(",") if name.strip()]
    names = list(dict.fromkeys(["Id", *asked])) if asked else [each.name for each in target.fields]
    unique = {name.lower(): name for name in reversed(names)}
    query = f"SELECT {', '.join(reversed(unique.values()))} FROM {target.name} WHERE Id = '{record_id}'"
    clock = call.org.clock
    plan = plan_query(query, call.org.catalogue, deleted=True, now=clock.milliseconds(), today=clock.now().date())
    keys = call.org.database.numbers(keys_sql(plan), plan.values).tolist()
    rows = call.org.database.rows(page_sql(plan, call.version, keys[0], keys[0]), (*plan.values, keys))
    return Answer(body=orjson.Fragment(rows[0][0]))


def _target(call: Call) -> SObject:
    target = call.org.catalogue.find(call.path["object"])
    if target is None:
        raise not_found()
    return target


def _present(call: Call, target: SObject) -> str:
    """Return the Id of the record that the path names, or refuse: malformed, unknown, deleted."""
    given = call.path["id"]
    record_id = canonical(given)
    if record_id is None:
        raise not_found("Provided external ID field does not exist or is not accessible: " + given)
    if record_id[:3] != target.prefix:
        raise not_found()
    deleted = '"IsDeleted"' if target.field("IsDeleted") else "FALSE"
    seen = visible_sql("t", str(call.org.clock.milliseconds()))
    sql = f'SELECT {deleted} FROM "{target.name}" t WHERE t._n = $1 AND t."Id" = $2 AND {seen}'
    rows = call.org.database.rows(sql, [number_of(record_id), record_id])
    if not rows:
        raise not_found()
    if rows[0][0]:
        raise Refusal(404, "ENTITY_IS_DELETED", "entity is deleted", [])
    return record_id
