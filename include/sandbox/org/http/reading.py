"""Single records as they are read: by Id, by external Id, through relationships."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import orjson

from include.sandbox.org.http import querying
from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.ids import canonical, number_of
from include.sandbox.org.refusals import Refusal, not_found
from include.sandbox.org.schema.field import Field, SObject
from include.sandbox.org.soql.plan import Plan, plan_query
from include.sandbox.org.soql.reader import Reader
from include.sandbox.org.soql.render import keys_sql
from include.sandbox.org.store.tables import visible_sql

_LEVELS = 5


def show(call: Call) -> Answer:
    """Answer GET /sobjects/X/<id>."""
    target = _target(call)
    return _shown(call, target, _present(call, target, call.path["id"]))


def show_below(call: Call) -> Answer:
    """Answer GET /sobjects/X/<id>/<relationship>… and GET /sobjects/X/<external id field>/<value>."""
    target = _target(call)
    first, *rest = call.path["way"].split("/")
    record_id = canonical(first)
    if record_id is not None and record_id[:3] == target.prefix:
        return _followed(call, target, _present(call, target, first), rest)
    if len(rest) != 1:
        raise not_found()
    return _shown(call, target, _by_external_id(call, target, first, rest[0].replace("%2F", "/")))


def _target(call: Call) -> SObject:
    target = call.org.catalogue.find(call.path["object"])
    if target is None:
        raise not_found()
    return target


def _present(call: Call, target: SObject, given: str) -> str:
    """Return the Id of the record that the path names, or refuse: malformed, unknown, deleted."""
    record_id = canonical(given)
    if record_id is None:
        raise not_found("Provided external ID field does not exist or is not accessible: " + given)
    if record_id[:3] != target.prefix:
        raise not_found()
    deleted = '"IsDeleted"' if target.field("IsDeleted") else "FALSE"
    seen = visible_sql("t", str(call.org.clock.milliseconds()))
    sql = f'SELECT {deleted} FROM "{target.name}" t WHERE {_named(record_id)} AND {seen}'
    rows = call.org.database.rows(sql)
    if not rows:
        raise not_found()
    if rows[0][0]:
        raise Refusal(404, "ENTITY_IS_DELETED", "entity is deleted", [])
    return record_id


def _by_external_id(call: Call, target: SObject, name: str, value: str) -> str:
    """Return the Id of the one record with a value in an external id field; several are answered with their paths."""
    field = target.field(name)
    if field is None or not (field.external_id or field.id_lookup):
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    if field.type == "id":
        return _present(call, target, value)
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    literal = value if field.type in ("double", "int") and value.lstrip("-").replace(".", "", 1).isdigit() else None
    plan = _plan(call, f"SELECT Id FROM {target.name} WHERE {field.name} = {literal or repr_text(escaped)}")
    rows = [orjson.loads(row) for row in _rows(call, plan)]
    if not rows:
        raise not_found()
    if len(rows) > 1:
        raise _Several([row["attributes"]["url"] for row in rows])
    return str(rows[0]["Id"])


def repr_text(escaped: str) -> str:
    """Return an escaped text as SOQL writes it."""
    return f"'{escaped}'"


class _Several(Refusal):
    """Carry the paths of records that share an external Id."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__(300, "", "")
        self._paths = paths

    def body(self) -> list[Any]:
        return self._paths


# -- through relationships


def _followed(call: Call, target: SObject, record_id: str, way: list[str]) -> Answer:
    """Answer with the parent, or the children, at the end of a chain of relationships."""
    if len(way) > _LEVELS:
        raise not_found()
    for position, name in enumerate(way):
        field = target.field(name)
        if field is not None and field.type == "base64" and position == len(way) - 1:
            return _blob(call, target, record_id, field)
        link = target.parent_field(name)
        if link is None:
            if position < len(way) - 1:
                raise not_found()
            return _children(call, target, record_id, name)
        parent_id = _value(call, target, record_id, link)
        parent = call.org.catalogue.of_id(parent_id) if parent_id else None
        if parent is None or parent_id is None:
            raise not_found()
        target, record_id = parent, _present(call, parent, parent_id)
    return _shown(call, target, record_id)


def _children(call: Call, target: SObject, record_id: str, name: str) -> Answer:
    link = next((each for each in target.children if (each.name or "").lower() == name.lower()), None)
    child = call.org.catalogue.find(link.object) if link else None
    if link is None or child is None:
        raise not_found()
    names = ", ".join(_names(call, child))
    query = f"SELECT {names} FROM {child.name} WHERE {link.field} = '{record_id}'"
    return Answer(body=querying.run_query(call, query, deleted=False))


def _blob(call: Call, target: SObject, record_id: str, field: Field) -> Answer:
    """Answer with the bytes of a file."""
    content = base64.b64decode(_value(call, target, record_id, field) or "")
    headers = {"Content-Type": "application/octet-stream"}
    return Answer(headers=headers, stream=lambda: iter([content]), length=len(content))


def _value(call: Call, target: SObject, record_id: str, field: Field) -> str | None:
    seen = visible_sql("t", str(call.org.clock.milliseconds()))
    sql = f'SELECT t."{field.name}" FROM "{target.name}" t WHERE {_named(record_id)} AND {seen}'
    rows = call.org.database.rows(sql)
    return rows[0][0] if rows else None


def _named(record_id: str) -> str:
    """Return the condition that finds a record; the org's own Id holds no number of a table."""
    number = number_of(record_id)
    return f"t.\"Id\" = '{record_id}'" + ("" if number is None else f" AND t._n = {number}")


# -- one record


def _shown(call: Call, target: SObject, record_id: str) -> Answer:
    plan = _plan(call, f"SELECT {', '.join(_names(call, target))} FROM {target.name} WHERE Id = '{record_id}'")
    rows = _rows(call, plan)
    if not rows:
        raise not_found()
    headers, status = _conditions_met(call, target, record_id, rows[0])
    return Answer(status=status, body=orjson.Fragment(rows[0]) if status == 200 else None, headers=headers)


def _names(call: Call, target: SObject) -> list[str]:
    """Return the fields that were asked for, the Id among them, or all."""
    asked = [name.strip() for name in call.params.get("fields", "").split(",") if name.strip()]
    if not asked:
        return [each.name for each in target.fields]
    for name in asked:
        if target.field(name) is None:
            raise Refusal(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {target.name}")
    return list({name.lower(): name for name in [*asked, "Id"]}.values())


def _plan(call: Call, query: str) -> Plan:
    reader = Reader(now=call.org.clock.milliseconds(), user_id=call.user_id, version=float(call.version))
    return plan_query(query, call.org.catalogue, deleted=False, reader=reader)


def _rows(call: Call, plan: Plan) -> list[bytes]:
    keys = call.org.database.numbers(keys_sql(plan), plan.values)
    return querying.render(call, plan, keys) if len(keys) else []


def _conditions_met(call: Call, target: SObject, record_id: str, row: bytes) -> tuple[dict[str, str], int]:
    """Return the headers of a record's answer, and 304 or 412 if a condition of the request isn't met."""
    modified = _last_modified(call, target, record_id)
    headers = {"Last-Modified": format_datetime(modified, usegmt=True)} if modified else {}
    if target.name == "Account":
        headers["ETag"] = f'"{base64.b64encode(hashlib.sha256(row).digest()).decode()}"'
        known = {each.strip().replace("--gzip", "") for each in call.headers.get("if-none-match", "").split(",")}
        if known & {headers["ETag"], "*"}:
            return headers, 304
        wanted = {each.strip().replace("--gzip", "") for each in call.headers.get("if-match", "").split(",")} - {""}
        if wanted and not wanted & {headers["ETag"], "*"}:
            return headers, 412
    since, until = (_moment(call.headers.get(name)) for name in ("if-modified-since", "if-unmodified-since"))
    if modified and since and modified <= since:
        return headers, 304
    if modified and until and modified > until:
        return headers, 412
    return headers, 200


def _last_modified(call: Call, target: SObject, record_id: str) -> datetime | None:
    field = target.field("LastModifiedDate")
    if field is None:
        return None
    found: Any = _value(call, target, record_id, field)
    return found.replace(tzinfo=UTC) if isinstance(found, datetime) else None


def _moment(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
