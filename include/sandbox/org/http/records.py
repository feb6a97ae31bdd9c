"""Single records: create, change, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.http.outcomes import created_answer, refused, target_of, writer_of
from include.sandbox.org.ids import canonical, number_of
from include.sandbox.org.refusals import Refusal, not_found
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.writing import delete_records, insert_records, update_records
from include.sandbox.org.writing.lookups import states


def create(call: Call) -> Answer:
    """Answer POST /sobjects/X."""
    target = target_of(call)
    (result,) = insert_records(call.org, target, [call.json()], writer_of(call))
    return created_answer(call, target, result) if result.success else refused(result.errors)


def change(call: Call) -> Answer:
    """Answer PATCH /sobjects/X/<id>."""
    target = target_of(call)
    record_id = _present(call, target)
    values = call.json()
    refuse_named(values, "Id")
    (result,) = update_records(call.org, target, [{**values, "Id": record_id}], writer_of(call))
    return Answer(status=204) if result.success else refused(result.errors)


def delete(call: Call) -> Answer:
    """Answer DELETE /sobjects/X/<id>."""
    target = target_of(call)
    (result,) = delete_records(call.org, [_present(call, target)], writer_of(call))
    return Answer(status=204) if result.success else refused(result.errors)


def refuse_named(values: Mapping[str, Any], *names: str) -> None:
    """Refuse a body that repeats what the path says already."""
    for name in values:
        if name.lower() in [each.lower() for each in names]:
            message = f"The {name} field should not be specified in the sobject data."
            raise Refusal(400, "INVALID_FIELD", message)


def _present(call: Call, target: SObject) -> str:
    """Return the Id of the record that the path names, or refuse: malformed, unknown, deleted."""
    given = call.path["id"]
    record_id = canonical(given)
    if record_id is None:
        raise not_found("Provided external ID field does not exist or is not accessible: " + given)
    number = number_of(record_id)
    if record_id[:3] != target.prefix or number is None:
        raise not_found()
    state = states(call.org, target, [number]).get(number)
    if state is None or state.id != record_id:
        raise not_found()
    if state.deleted:
        raise Refusal(404, "ENTITY_IS_DELETED", "entity is deleted", [])
    return record_id
