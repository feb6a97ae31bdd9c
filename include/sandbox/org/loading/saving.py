"""One chunk of rows to the write path: parents are looked up, then every row gets its own result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.sandbox.org.ids import canonical
from include.sandbox.org.loading.columns import Column, Columns
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import NUMBER_TYPES, Field, SObject
from include.sandbox.org.store.tables import FOREVER
from include.sandbox.org.writing import (
    SaveResult,
    Writer,
    delete_records,
    insert_records,
    update_records,
    upsert_records,
)

Row = Mapping[str, Any]
Found = dict[tuple[str, str], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """Hold how the rows of one job are written."""

    org: Org
    target: SObject
    operation: str
    external_id: str
    user: str
    columns: Columns

    def save(self, rows: Sequence[Row]) -> list[SaveResult]:
        """Write rows and say what became of each, in their order."""
        results: list[SaveResult | None] = [None] * len(rows)
        ready: list[dict[str, Any]] = []
        places: list[int] = []
        parents = self._parents(rows)
        for place, row in enumerate(rows):
            try:
                ready.append(self._record(row, parents))
                places.append(place)
            except Refusal as refusal:
                results[place] = SaveResult(id=self._named(row), errors=(refusal,))
        for place, result in zip(places, self._write(ready), strict=True):
            results[place] = result
        return [each for each in results if each is not None]

    def _write(self, rows: list[dict[str, Any]]) -> list[SaveResult]:
        writer = Writer(user_id=self.user, csv=True)
        if not rows:
            return []
        if self.operation == "insert":
            return insert_records(self.org, self.target, rows, writer)
        if self.operation == "update":
            return update_records(self.org, self.target, rows, writer)
        if self.operation == "upsert":
            return upsert_records(self.org, self.target, self.external_id, rows, writer)
        return self._delete([str(row.get("Id") or "") for row in rows], writer)

    def _delete(self, ids: list[str], writer: Writer) -> list[SaveResult]:
        mine = [each for each in ids if each[:3] == self.target.prefix and canonical(each)]
        deleted = iter(delete_records(self.org, mine, writer, hard=self.operation == "hardDelete"))
        good = set(mine)
        return [
            next(deleted) if each in good
            else SaveResult(id=each or None, errors=(Refusal(400, "MALFORMED_ID", f"bad id {each}", ["Id"]),))
            for each in ids
        ]  # fmt: skip

    def _record(self, row: Row, parents: Found) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for header, value in row.items():
            column = self.columns.of(header)
            if column.parent is None or value is None:
                record[column.field.name] = value
            else:
                record[column.field.name] = _parent_id(column, str(value), parents)
        return record

    def _named(self, row: Row) -> str | None:
        return next((str(value) for name, value in row.items() if name.lower() == "id" and value), None)

    def _parents(self, rows: Sequence[Row]) -> Found:
        """Return the Ids of parents by header and value, with one query a header."""
        wanted: dict[str, set[str]] = {}
        for row in rows:
            for header, value in row.items():
                column = self.columns.of(header)
                if value is not None and column.key is not None and column.key.type != "id":
                    wanted.setdefault(header, set()).add(_spelt(column.key, value))
        found: Found = {}
        for header, values in wanted.items():
            for value, record_id in self._with_keys(self.columns.of(header), values):
                found.setdefault((header, value), []).append(record_id)
        return found

    def _with_keys(self, column: Column, values: set[str]) -> list[tuple[str, str]]:
        parent, key = column.parent, column.key
        if parent is None or key is None:
            return []
        sql = f'"{key.name}"::VARCHAR' if key.case_sensitive else f'lower("{key.name}"::VARCHAR)'
        present = ' AND NOT "IsDeleted"' if parent.field("IsDeleted") else ""
        # Record types of several objects may share a name.
        own = f" AND \"SobjectType\" = '{self.target.name}'" if parent.field("SobjectType") else ""
        rows = self.org.database.rows(
            f'SELECT {sql}, "Id" FROM "{parent.name}" WHERE _until = {FOREVER}{present}{own}'
            f" AND {sql} IN (SELECT unnest($1::VARCHAR[]))",
            [sorted(values)],
        )
        return [(value, record_id) for value, record_id in rows]


def _spelt(key: Field, value: Any) -> str:
    """Return a value as keys are compared: without regard to case, and numbers by their worth."""
    if key.type in NUMBER_TYPES:
        try:
            return str(float(value))
        except ValueError:
            return str(value)
    return str(value) if key.case_sensitive else str(value).lower()


def _parent_id(column: Column, value: str, parents: Found) -> str:
    if column.key is None or column.parent is None or column.key.type == "id":
        return value
    ids = parents.get((column.header, _spelt(column.key, value)), [])
    if len(ids) == 1:
        return ids[0]
    if ids:
        message = f"More than one record found for external id field: [{', '.join(ids)}]"
        raise Refusal(400, "DUPLICATE_EXTERNAL_ID", message, [])
    named = f"{value} not found for field {column.key.name} in entity {column.parent.name}"
    raise Refusal(400, "INVALID_FIELD", f"Foreign key external ID: {named}", [])


def told(errors: Sequence[Refusal]) -> str:
    """Return errors as the result files write them: code, message, fields."""
    return "".join(
        f"{each.code}:{each.message}:{''.join(f'{name} ' for name in each.fields or ())}--" for each in errors
    )


def as_said(header: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    """Return what a row of CSV says: blank cells say nothing, #N/A says null."""
    return {name: None if cell == "#N/A" else cell for name, cell in zip(header, cells, strict=False) if cell != ""}
