"""Insert, update and upsert records, each with a result of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from include.sandbox.org.ids import canonical
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.store.changes import Change, Changes
from include.sandbox.org.store.validation import checked
from include.sandbox.org.writing.results import SaveResult, Writer

Row = Mapping[str, Any]


def insert_records(org: Org, target: SObject, rows: Sequence[Row], writer: Writer) -> list[SaveResult]:
    """Create records."""
    results = []
    for row in rows:
        try:
            values = {name: value for name, value in checked(target, row, creating=True).items() if value is not None}
            owned = {"OwnerId": writer.user_id} if target.field("OwnerId") else {}
            (made,) = _changes(org).insert(target, [owned | values], _change(writer))
            results.append(SaveResult(id=made, created=True))
        except Refusal as refusal:
            results.append(SaveResult(errors=(refusal,)))
    return results


def update_records(org: Org, target: SObject, rows: Sequence[Row], writer: Writer) -> list[SaveResult]:
    """Change records; each row names its record in Id."""
    results = []
    for row in rows:
        given = next((str(value) for name, value in row.items() if name.lower() == "id"), "")
        record_id = canonical(given)
        try:
            if record_id is None:
                raise Refusal(400, "MALFORMED_ID", f"{target.label} ID: id value of incorrect type: {given}", ["Id"])
            rest = {name: value for name, value in row.items() if name.lower() != "id"}
            _changes(org).update(target, [record_id], checked(target, rest, creating=False), _change(writer))
            results.append(SaveResult(id=record_id))
        except Refusal as refusal:
            results.append(SaveResult(id=record_id, errors=(refusal,)))
    return results


def upsert_records(
    org: Org, target: SObject, external_field: str, rows: Sequence[Row], writer: Writer
) -> list[SaveResult]:
    """Create or change records, found by Id or by an external Id field."""
    results = []
    for row in rows:
        key = next((value for name, value in row.items() if name.lower() == external_field.lower()), None)
        found = org.database.rows(
            f'SELECT "Id" FROM "{target.name}" WHERE lower("{external_field}") = lower($1) AND NOT "IsDeleted"', [key]
        )
        if found:
            results += update_records(org, target, [{**row, "Id": found[0][0]}], writer)
        else:
            results += insert_records(org, target, [row], writer)
    return results


def _change(writer: Writer) -> Change:
    return Change(user_id=writer.user_id, late=writer.late)


def _changes(org: Org) -> Changes:
    return Changes(org.database, org.catalogue, org.clock)
