"""Up to 200 records in one call: create, change, upsert, delete and read them, each with a result of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import orjson

from include.sandbox.org.http import querying
from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.http.json_parts import part, texts
from include.sandbox.org.http.outcomes import collected, target_of, writer_of
from include.sandbox.org.ids import canonical
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.soql.plan import plan_query
from include.sandbox.org.soql.reader import Reader
from include.sandbox.org.soql.render import keys_sql
from include.sandbox.org.writing import (
    SaveResult,
    Writer,
    delete_records,
    insert_records,
    update_records,
    upsert_records,
)
from include.sandbox.org.writing.whole import one_for_all

MOST = 200
_MOST_CHUNKS = 10
_MOST_READ = 2000

Row = dict[str, Any]
Save = Callable[[SObject, Sequence[Row], Writer], list[SaveResult]]


def create(call: Call) -> Answer:
    """Answer POST /composite/sobjects."""
    return _save(call, lambda target, rows, writer: insert_records(call.org, target, rows, writer))


def change(call: Call) -> Answer:
    """Answer PATCH /composite/sobjects."""
    return _save(call, lambda target, rows, writer: update_records(call.org, target, rows, writer))


def upsert(call: Call) -> Answer:
    """Answer PATCH /composite/sobjects/X/<field>."""
    target = target_of(call)
    asked = call.json()
    rows = _rows(asked)
    writer = writer_of(call, all_or_none=_flag(asked.get("allOrNone")))
    for row in rows:
        if _type_of(row).lower() != target.name.lower():
            message = f"The type {_type_of(row)} of a record is not the {target.name} of the URL"
            raise Refusal(400, "INVALID_INPUT", message)
    results = upsert_records(call.org, target, call.path["field"], rows, writer)
    return Answer(body=[collected(each, flag=True) for each in results])


def delete(call: Call) -> Answer:
    """Answer DELETE /composite/sobjects?ids=."""
    ids = [each.strip() for each in call.params.get("ids", "").split(",") if each.strip()]
    if not ids:
        raise Refusal(400, "INVALID_INPUT", "The ids parameter is required")
    _refuse_too_many(len(ids))
    writer = writer_of(call, all_or_none=_flag(call.params.get("allOrNone")))
    return Answer(body=[collected(each) for each in delete_records(call.org, ids, writer)])


def read(call: Call) -> Answer:
    """Answer GET /composite/sobjects/X?ids=&fields=, and POST with both in the body; null stands for what is not."""
    target = target_of(call)
    if call.method == "POST":
        asked = call.json()
        ids, names = (texts(asked, name) for name in ("ids", "fields"))
    else:
        ids, names = ([each for each in call.params.get(name, "").split(",") if each] for name in ("ids", "fields"))
    if not ids or not names:
        raise Refusal(400, "INVALID_INPUT", "ids and fields are required")
    if len(ids) > _MOST_READ:
        raise Refusal(400, "EXCEEDED_ID_LIMIT", f"exceeded limit of {_MOST_READ} ids")
    rights = [_own_id(target, each) for each in ids]
    found = _read(call, target, [each for each in rights if each], names)
    return Answer(body=[orjson.Fragment(found[each]) if each in found else None for each in rights])


def _own_id(target: SObject, given: str) -> str | None:
    right = canonical(given)
    if right is None:
        raise Refusal(400, "MALFORMED_ID", f"malformed id {given}")
    return right if right[:3] == target.prefix else None


def _read(call: Call, target: SObject, ids: Sequence[str], names: Sequence[str]) -> dict[str, bytes]:
    """Return the rendered records by Id."""
    if not ids:
        return {}
    asked = list(dict.fromkeys(name.strip().lower() for name in names))
    fields = ", ".join(dict.fromkeys(["Id", *(name for name in asked if name != "id")]))
    listed = ", ".join(f"'{each}'" for each in dict.fromkeys(ids))
    reader = Reader(now=call.org.clock.milliseconds(), user_id=call.user_id, version=float(call.version))
    query = f"SELECT {fields} FROM {target.name} WHERE Id IN ({listed})"
    plan = plan_query(query, call.org.catalogue, deleted=False, reader=reader)
    keys = call.org.database.numbers(keys_sql(plan), plan.values)
    rows = querying.render(call, plan, keys) if len(keys) else []
    return {orjson.loads(row)["Id"]: row for row in rows}


def _save(call: Call, save: Save) -> Answer:
    asked = call.json()
    rows = _rows(asked)
    chunks = [(name, list(group)) for name, group in groupby(rows, key=_type_of)]
    if len(chunks) > _MOST_CHUNKS:
        raise Refusal(400, "LIMIT_EXCEEDED", f"The request can't contain more than {_MOST_CHUNKS} chunks of one type")
    targets = [_known(call, name) for name, _ in chunks]
    writer = writer_of(call, all_or_none=_flag(asked.get("allOrNone")))

    def save_all() -> list[SaveResult]:
        return [
            result for target, (_, group) in zip(targets, chunks, strict=True) for result in save(target, group, writer)
        ]

    results = one_for_all(call.org, save_all) if writer.all_or_none else save_all()
    return Answer(body=[collected(each) for each in results])


def _rows(asked: Row) -> list[Row]:
    rows = asked.get("records")
    if not isinstance(rows, list) or not rows or not all(isinstance(each, dict) for each in rows):
        raise Refusal(400, "INVALID_INPUT", "records is required and must hold at least one record")
    _refuse_too_many(len(rows))
    for row in rows:
        _type_of(row)
    return rows


def _refuse_too_many(count: int) -> None:
    if count > MOST:
        message = f"record limit reached. cannot submit more than {MOST} records into this call"
        raise Refusal(400, "EXCEEDED_ID_LIMIT", message)


def _type_of(row: Row) -> str:
    name = part(row, "attributes").get("type")
    if not isinstance(name, str) or not name:
        raise Refusal(400, "INVALID_INPUT", "attributes.type is required for every record")
    return name


def _known(call: Call, name: str) -> SObject:
    target = call.org.catalogue.find(name)
    if target is None:
        message = (
            f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append "
            "the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate "
            "names."
        )
        raise Refusal(400, "INVALID_TYPE", message)
    return target


def _flag(value: Any) -> bool:
    return value is True or str(value).lower() == "true"
