"""One record as a page shows it: its fields, the records above it and those below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from include.sandbox.org.ids import canonical, number_of
from include.sandbox.org.org import Org
from include.sandbox.org.schema.field import Field, SObject
from include.sandbox.org.soql.plan import plan_query
from include.sandbox.org.soql.render import keys_sql, page_sql
from include.sandbox.org.store.tables import visible_sql

_CHILDREN = 10
_VERSION = "63.0"
_PLACE = ("street", "postalCode", "city", "state", "country", "latitude", "longitude")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Hold one field of a record: its value, and where a reference leads."""

    label: str
    name: str
    type: str
    value: Any
    href: str = ""


def find_record(org: Org, object_name: str | None, given: str) -> dict[str, Any] | None:
    """Return what the page of a record shows, or None if there is no such record."""
    record_id = canonical(given)
    target = org.catalogue.of_id(record_id) if record_id else None
    if record_id is None or target is None or (object_name or target.name).lower() != target.name.lower():
        return None
    row = _row(org, target, record_id)
    if row is None:
        return None
    fields = [_shown(org, each, row.get(each.name)) for each in target.fields]
    return {
        "object": target,
        "id": record_id,
        "title": _title(target, row) or record_id,
        "deleted": bool(row.get("IsDeleted")),
        "master": row.get("MasterRecordId"),
        "fields": [each for each in fields if each.value not in (None, "")],
        "empty": [each for each in fields if each.value in (None, "")],
        "children": _children(org, target, record_id),
    }


def record_link(record_id: str, object_name: str) -> str:
    """Return the path of a record's page."""
    return f"/lightning/r/{object_name}/{record_id}/view"


def _row(org: Org, target: SObject, record_id: str) -> Mapping[str, Any] | None:
    names = ", ".join(each.name for each in target.fields if each.type != "base64")
    rows = _rows(org, f"SELECT {names} FROM {target.name} WHERE Id = '{record_id}'")
    return rows[0] if rows else None


def _rows(org: Org, query: str) -> list[dict[str, Any]]:
    clock = org.clock
    plan = plan_query(query, org.catalogue, deleted=True, now=clock.milliseconds(), today=clock.now().date())
    keys = org.database.numbers(keys_sql(plan), plan.values).tolist()
    if not keys:
        return []
    rows = org.database.rows(page_sql(plan, _VERSION, min(keys), max(keys)), (*plan.values, keys))
    return [orjson.loads(row) for (row,) in rows]


def _shown(org: Org, each: Field, value: Any) -> Shown:
    href = ""
    if each.is_id and isinstance(value, str) and each.name != "Id":
        parent = org.catalogue.of_id(value)
        if parent is not None:
            href = record_link(value, parent.name)
            value = _name_of(org, parent, value) or value
    elif isinstance(value, dict):
        value = ", ".join(str(value[part]) for part in _PLACE if value.get(part) is not None)
    elif each.type == "multipicklist" and value:
        value = str(value).replace(";", "; ")
    return Shown(label=each.label, name=each.name, type=each.type, value=value, href=href)


def _name_of(org: Org, target: SObject, record_id: str) -> str | None:
    named = _name_field(target)
    if named is None or number_of(record_id) is None:
        return None
    rows = _rows(org, f"SELECT {named} FROM {target.name} WHERE Id = '{record_id}'")
    return rows[0][named] if rows else None


def _title(target: SObject, row: Mapping[str, Any]) -> Any:
    return row.get(_name_field(target) or "Id")


def _name_field(target: SObject) -> str | None:
    """Return the field that names a record: activities have a subject instead of a name."""
    named = next((each for each in target.fields if each.name_field), None) or target.field("Subject")
    return named.name if named else None


def _children(org: Org, target: SObject, record_id: str) -> list[dict[str, Any]]:
    """Return the lists below a record that aren't empty."""
    lists = []
    for link in target.children:
        child = org.catalogue.find(link.object)
        if child is None or child.field(link.field) is None:
            continue
        seen = visible_sql("t", str(org.clock.milliseconds()))
        present = ' AND NOT t."IsDeleted"' if child.field("IsDeleted") else ""
        condition = f'FROM "{child.name}" t WHERE t."{link.field}" = $1 AND {seen}{present}'
        total = org.database.rows(f"SELECT count(*) {condition}", [record_id])[0][0]
        if not total:
            continue
        ids = [own for (own,) in org.database.rows(f'SELECT t."Id" {condition} LIMIT {_CHILDREN}', [record_id])]
        records = [
            {"id": own, "name": _name_of(org, child, own) or own, "href": record_link(own, child.name)} for own in ids
        ]
        lists.append({"label": child.plural, "field": link.field, "total": total, "records": records})
    return lists
