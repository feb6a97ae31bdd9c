"""Do what a batch of contacts asks: all of it, some of it, or nothing, as the platform does."""

from __future__ import annotations

from typing import Any

from include.sandbox.hubspot.errors import Refused, invalid_property
from include.sandbox.hubspot.rules import problem_of, problem_of_batch
from include.sandbox.hubspot.store import Store
from include.sandbox.platform.answer import Answer
from include.sandbox.platform.database import Entry
from include.sandbox.platform.faults import Fault

_MOST = 100
Input = dict[str, Any]


class Batches:
    """Be the batch endpoints of contacts over a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(self, verb: str, order: Any, entry: Entry, fault: Fault | None) -> Answer:
        """Upsert or update."""
        inputs = _inputs(order)
        entry.records = len(inputs)
        find = self._by_property if verb == "upsert" else self._by_id
        _refuse_twins([(str(one.get("idProperty")), str(one.get("id")).casefold()) for one in inputs])
        for one in inputs:
            self._check_shape(verb, one)
        results, errors = [], []
        with self._store.database.transaction():
            for place, one in enumerate(inputs):
                problem = self._problem(one, find(one), verb, fault, place)
                if problem is not None:
                    errors.append(problem)
                    continue
                results.append(self._written(one, find(one)))
        entry.taken, entry.refused = len(results), len(errors)
        return _mixed(results, errors)

    def read(self, order: Any, entry: Entry) -> Answer:
        """Show contacts by id or by a unique property; who is not there is an error of the mixed answer."""
        inputs = _inputs(order)
        entry.records = len(inputs)
        name = order.get("idProperty") or ""
        if name:
            self._insist_on_unique(name)
        unknown = [each for each in order.get("properties") or [] if each not in self._store.properties]
        wanted = {*(order.get("properties") or []), "hs_object_id", "createdate", "email"} - set(unknown)
        results, missing = [], []
        for one in inputs:
            number = self._store.find(name, str(one.get("id"))) if name else _number(one.get("id"))
            held = self._store.get(number)
            if held is None:
                missing.append(str(one.get("id")))
                continue
            shown = {each: held.get(each) for each in sorted(wanted)}
            results.append({"id": str(number), "properties": shown, "archived": False})
        entry.taken, entry.refused = len(results), len(missing)
        errors = [_problem_of("OBJECT_NOT_FOUND", "Could not get some CONTACT objects", ids=missing)] if missing else []
        return _mixed(results, errors)

    def archive(self, order: Any, entry: Entry) -> Answer:
        """Archive contacts; who is not there is no error."""
        inputs = _inputs(order)
        entry.records = len(inputs)
        for one in inputs:
            self._store.archive(_number(one.get("id")))
        return Answer(status=204, body=None)

    def _check_shape(self, verb: str, one: Input) -> None:
        """Refuse the whole batch for what no batch may hold."""
        if verb == "upsert":
            self._insist_on_unique(str(one.get("idProperty") or ""))
        values = one.get("properties")
        if not isinstance(one.get("id"), str) or not isinstance(values, dict):
            raise Refused(400, "VALIDATION_ERROR", "Invalid input JSON: id and properties are required")
        problem = problem_of_batch(values, self._store.properties)
        if problem is not None:
            raise Refused(400, "VALIDATION_ERROR", problem)

    def _insist_on_unique(self, name: str) -> None:
        found = self._store.properties.get(name)
        if found is None or not found["unique"]:
            raise Refused(400, "VALIDATION_ERROR", f'idProperty "{name}" is no unique property')

    def _problem(self, one: Input, number: int, verb: str, fault: Fault | None, place: int) -> Input | None:
        trace = one.get("objectWriteTraceId")
        context = {"objectWriteTraceId": [trace]} if trace else {"ids": [one["id"]]}
        if fault is not None and fault.refuses(place, str(trace or one["id"])):
            text = invalid_property("INVALID_EMAIL", "email", "Email address is invalid")
            return _problem_of("VALIDATION_ERROR", text, **context)
        if verb == "update" and not number:
            return _problem_of("OBJECT_NOT_FOUND", f"Object not found. objectId: {one['id']}", **context)
        problem = problem_of(one["properties"], self._store.properties)
        if problem is not None:
            return _problem_of("VALIDATION_ERROR", problem, **context)
        owner = self._store.taken_by_other(one["properties"], number)
        if owner:
            return _problem_of("CONFLICT", f"Contact already exists. Existing ID: {owner}", **context)
        return None

    def _written(self, one: Input, number: int) -> Input:
        values = dict(one["properties"])
        new = not number
        if new:
            values.setdefault(one["idProperty"], one["id"])
            number = self._store.create(values)
            held = self._store.get(number) or {}
        else:
            held = self._store.change(number, values)
        result = {"id": str(number), "properties": held, "new": new, "archived": False}
        return result | ({"objectWriteTraceId": one["objectWriteTraceId"]} if one.get("objectWriteTraceId") else {})

    def _by_property(self, one: Input) -> int:
        return self._store.find(str(one.get("idProperty")), str(one["id"]))

    def _by_id(self, one: Input) -> int:
        number = _number(one["id"])
        return number if self._store.get(number) is not None else 0


def _inputs(order: Any) -> list[Input]:
    inputs = order.get("inputs") if isinstance(order, dict) else None
    if not isinstance(inputs, list) or not inputs or not all(isinstance(one, dict) for one in inputs):
        raise Refused(400, "VALIDATION_ERROR", "Invalid input JSON: inputs must be a list of objects")
    if len(inputs) > _MOST:
        raise Refused(400, "VALIDATION_ERROR", f"Batch size {len(inputs)} exceeds the limit of {_MOST}")
    return inputs


def _refuse_twins(keys: list[tuple[str, str]]) -> None:
    if len(set(keys)) < len(keys):
        raise Refused(400, "VALIDATION_ERROR", "Duplicate IDs found in batch input")


def _problem_of(category: str, message: str, **context: Any) -> Input:
    return {"status": "error", "category": category, "message": message, "context": context}


def _mixed(results: list[Input], errors: list[Input]) -> Answer:
    body: dict[str, Any] = {"status": "COMPLETE", "results": results}
    if errors:
        return Answer(status=207, body=body | {"numErrors": len(errors), "errors": errors})
    return Answer(body=body)


def _number(text: Any) -> int:
    return int(text) if isinstance(text, str) and text.isdecimal() else 0
