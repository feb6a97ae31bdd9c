"""Single records: create, change, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.ids import canonical, number_of
from include.sandbox.org.refusals import Refusal, not_found
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.schema.opportunity import STAGES
from include.sandbox.org.store.changes import Change, Changes
from include.sandbox.org.store.tables import FOREVER, visible_sql
from include.sandbox.org.store.validation import checked


def create(call: Call) -> Answer:
    """Answer POST /sobjects/X."""
    target = _target(call)
    if not target.createable:
        raise Refusal(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type {target.name} does not support create")
    values = checked(target, call.json(), creating=True)
    _check_against_store(call, target, values, own=None)
    values = _completed(target, values, call.user_id)
    record_id = _changes(call).insert(target, [values], Change(user_id=call.user_id))[0]
    location = f"/services/data/v{call.version}/sobjects/{target.name}/{record_id}"
    return Answer(status=201, body={"id": record_id, "success": True, "errors": []}, headers={"Location": location})


def change(call: Call) -> Answer:
    """Answer PATCH /sobjects/X/<id>."""
    target = _target(call)
    record_id = _present(call, target)
    values = checked(target, call.json(), creating=False)
    if target.name == "Lead" and _value(call, target, record_id, "IsConverted"):
        raise Refusal(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [])
    _check_against_store(call, target, values, own=record_id)
    _changes(call).update(target, [record_id], _staged(target, values), Change(user_id=call.user_id))
    return Answer(status=204)


def delete(call: Call) -> Answer:
    """Answer DELETE /sobjects/X/<id>."""
    target = _target(call)
    record_id = _present(call, target)
    if not target.deletable:
        message = f"entity type {target.name} does not support delete"
        raise Refusal(400, "INSUFFICIENT_ACCESS_OR_READONLY", message, [])
    _changes(call).delete(target, [record_id], Change(user_id=call.user_id))
    return Answer(status=204)


def _changes(call: Call) -> Changes:
    return Changes(call.org.database, call.org.catalogue, call.org.clock)


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
    deleted = _value(call, target, record_id, "IsDeleted") if target.field("IsDeleted") else False
    if deleted is None or not _exists(call, target, record_id):
        raise not_found()
    if deleted:
        raise Refusal(404, "ENTITY_IS_DELETED", "entity is deleted", [])
    return record_id


def _exists(call: Call, target: SObject, record_id: str) -> bool:
    seen = visible_sql("t", str(call.org.clock.milliseconds()))
    sql = f'SELECT 1 FROM "{target.name}" t WHERE t._n = $1 AND t."Id" = $2 AND {seen}'
    number = number_of(record_id)
    return number is not None and bool(call.org.database.rows(sql, [number, record_id]))


def _value(call: Call, target: SObject, record_id: str, name: str) -> Any:
    seen = visible_sql("t", str(call.org.clock.milliseconds()))
    sql = f'SELECT t."{name}" FROM "{target.name}" t WHERE t._n = $1 AND {seen}'
    rows = call.org.database.rows(sql, [number_of(record_id) or -1])
    return rows[0][0] if rows else None


def _check_against_store(call: Call, target: SObject, values: Mapping[str, Any], own: str | None) -> None:
    """Refuse references that lead nowhere and values that must be unique but aren't."""
    for name, value in values.items():
        field = target.by_name[name.lower()]
        if value is None:
            continue
        if field.type == "reference":
            _check_reference(call, name, field.label, field.parents, value)
        if field.unique:
            sql = (
                f'SELECT "Id" FROM "{target.name}" WHERE lower("{name}") = lower($1) AND _until = {FOREVER}'
                ' AND "Id" IS DISTINCT FROM $2 LIMIT 1'
            )
            twin = call.org.database.rows(sql, [value, own])
            if twin:
                message = f"duplicate value found: {name} duplicates value on record with id: {twin[0][0][:15]}"
                raise Refusal(400, "DUPLICATE_VALUE", message, [])


def _check_reference(call: Call, name: str, label: str, parents: tuple[str, ...], value: str) -> None:
    parent = call.org.catalogue.of_id(value)
    if parent is None or parent.name not in parents:
        if all(call.org.catalogue.find(each) is None for each in parents):
            return  # nothing here knows that object: profiles, queues
        raise Refusal(400, "MALFORMED_ID", f"{label}: id value of incorrect type: {value}", [name])
    if not _exists(call, parent, value):
        raise Refusal(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])


def _completed(target: SObject, values: dict[str, Any], user_id: str) -> dict[str, Any]:
    """Return the values with what the platform fills in on create."""
    owned = {"OwnerId": user_id} if target.field("OwnerId") else {}
    return owned | _staged(target, {name: value for name, value in values.items() if value is not None})


def _staged(target: SObject, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with the probability that a new stage brings along."""
    if target.name == "Opportunity" and "StageName" in values and "Probability" not in values:
        return values | {"Probability": float(STAGES.get(str(values["StageName"]), (0, ""))[0])}
    return values
