"""Column headers to fields: a field's own name, or an indexed field of a parent behind a relationship."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from include.sandbox.org.jobs.formats import BadBatch
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.field import COMPOUND_TYPES, Field, SObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Hold what a header means: a field, and the parent's field that finds its value if there is one."""

    header: str
    field: Field
    parent: SObject | None = None
    key: Field | None = None


class Columns:
    """Find what headers of one object's records mean, or raise BadBatch in Salesforce's words."""

    def __init__(self, catalogue: Catalogue, target: SObject) -> None:
        self._catalogue = catalogue
        self._target = target
        self._known: dict[str, Column] = {}

    def of(self, header: str) -> Column:
        """Return what a header means."""
        if header not in self._known:
            self._known[header] = self._found(header)
        return self._known[header]

    def check(self, headers: list[str], operation: str, external_id: str) -> list[Column]:
        """Return what all headers mean; the operation's own column must be among them, and alone for a delete."""
        columns = [self.of(each) for each in headers]
        names = [each.field.name.lower() for each in columns]
        twice = next((each.header for each in columns if names.count(each.field.name.lower()) > 1), None)
        if twice is not None:
            raise BadBatch(f"InvalidBatch : Duplicate field name : {twice}")
        needed = {"insert": None, "upsert": external_id}.get(operation, "Id")
        if needed is not None and needed.lower() not in names:
            raise BadBatch(f"InvalidBatch : Field name not found : {needed}")
        if operation in ("delete", "hardDelete") and len(names) > 1:
            raise BadBatch(f"InvalidBatch : The '{operation}' batch must contain only ids")
        return columns

    def _found(self, header: str) -> Column:
        if "." in header:
            return self._reference(header)
        field = self._target.field(header)
        if field is None or field.type in COMPOUND_TYPES:
            raise BadBatch(f"InvalidBatch : Field name not found : {header}")
        return Column(header=header, field=field)

    def _reference(self, header: str) -> Column:
        path, _, name = header.rpartition(".")
        kind, _, relationship = path.rpartition(":")
        link = self._target.parent_field(relationship)
        if link is None:
            raise BadBatch(f"InvalidBatch : Unable to find relationship: {relationship}")
        if kind and len(link.parents) == 1:
            message = f"type is not needed for non polymorphic foreign key references: {relationship}"
            raise BadBatch(f"InvalidBatch : {message}")
        if not kind and len(link.parents) > 1:
            message = f"type is needed for polymorphic foreign key references: {relationship}"
            raise BadBatch(f"InvalidBatch : {message}")
        wanted = kind or link.parents[0]
        parent = self._catalogue.find(wanted) if wanted.lower() in map(str.lower, link.parents) else None
        key = parent.field(name) if parent is not None else None
        if parent is None or key is None:
            raise BadBatch(f"InvalidBatch : Field name not found : {header}")
        if not indexed(key):
            message = f"Field name provided, {name} does not match an External ID, Salesforce Id, or indexed field for "
            raise BadBatch(f"InvalidBatch : {message}{parent.name}")
        return Column(header=header, field=link, parent=parent, key=key)


def indexed(field: Field) -> bool:
    """Say whether records can be found by this field."""
    return field.type == "id" or field.external_id or field.id_lookup


def flat(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record of JSON or XML with its parents as headers of CSV would name them."""
    row: dict[str, Any] = {}
    for name, value in record.items():
        if name == "attributes":
            continue
        if not isinstance(value, dict):
            row[name] = value
            continue
        kind = (value.get("attributes") or {}).get("type")
        for key, inner in value.items():
            if key != "attributes":
                row[f"{kind}:{name}.{key}" if kind else f"{name}.{key}"] = inner
    return row
