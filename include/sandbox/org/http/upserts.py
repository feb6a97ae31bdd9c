"""Single records by external Id: create or change, delete; and the create that goes by the Id field."""

from __future__ import annotations

from typing import Any

from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.http.outcomes import created_answer, refused, says_created, target_of, writer_of
from include.sandbox.org.http.records import refuse_named
from include.sandbox.org.refusals import Refusal, not_found
from include.sandbox.org.schema.field import Field, SObject
from include.sandbox.org.writing import delete_records, insert_records, upsert_records
from include.sandbox.org.writing.saving import held_by, upsert_field


def upsert(call: Call) -> Answer:
    """Answer PATCH /sobjects/X/<field>/<value>."""
    target = target_of(call)
    field = upsert_field(target, call.path["field"])
    values = call.json()
    refuse_named(values, "Id", field.name)
    ids = held_by(call.org, target, field, call.path["value"])
    if len(ids) > 1:
        return _several(call, target, ids)
    only = call.params.get("updateOnly", "").lower() == "true"
    if not ids and (only or field.type == "id"):
        raise not_found()
    row = {**values, field.name: call.path["value"]}
    (result,) = upsert_records(call.org, target, field.name, [row], writer_of(call))
    if not result.success:
        return refused(result.errors)
    if result.created:
        return created_answer(call, target, result, flag=True)
    if not says_created(call):
        return Answer(status=204)
    return Answer(body={"id": result.id, "success": True, "errors": [], "created": False})


def create_by_id(call: Call) -> Answer:
    """Answer POST /sobjects/X/Id: a create by the path of an upsert."""
    target = target_of(call)
    if call.path["field"].lower() != "id":
        raise Refusal(405, "METHOD_NOT_ALLOWED", "HTTP Method 'POST' not allowed. Allowed are GET,HEAD,PATCH,DELETE")
    values = call.json()
    refuse_named(values, "Id")
    (result,) = insert_records(call.org, target, [values], writer_of(call))
    return created_answer(call, target, result, flag=True) if result.success else refused(result.errors)


def delete(call: Call) -> Answer:
    """Answer DELETE /sobjects/X/<field>/<value>."""
    target = target_of(call)
    ids = _found(call, target, upsert_field(target, call.path["field"]))
    if len(ids) > 1:
        return _several(call, target, ids)
    (result,) = delete_records(call.org, ids, writer_of(call))
    return Answer(status=204) if result.success else refused(result.errors)


def _found(call: Call, target: SObject, field: Field) -> list[str]:
    ids = held_by(call.org, target, field, call.path["value"])
    if not ids:
        raise not_found()
    return ids


def _several(call: Call, target: SObject, ids: list[str]) -> Answer:
    """Return the records among which the external Id can't choose."""
    urls: list[Any] = [f"/services/data/v{call.version}/sobjects/{target.name}/{each}" for each in ids]
    return Answer(status=300, body=urls)
