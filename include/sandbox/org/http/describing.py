"""Global describe and object describe, both answering If-Modified-Since."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.http.recent_items import recent_items
from include.sandbox.org.refusals import not_found
from include.sandbox.org.schema.definitions import DEFINITIONS
from include.sandbox.org.schema.describe import RecordType, describe_object, summarise
from include.sandbox.org.schema.field import SObject


def list_objects(call: Call) -> Answer:
    """Answer GET /sobjects; it changes with every change of any object."""
    snapshot = call.org.catalogue.snapshot
    changed = max((*snapshot.changed.values(), call.org.schema_changed))
    if _unchanged(call, changed):
        return Answer(status=304, headers=_last_modified(changed))
    objects = [summarise(each, call.version) for each in snapshot.objects.values()]
    body = {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects}
    return Answer(body=body, headers=_last_modified(changed))


def list_definitions(call: Call) -> Answer:
    """Answer GET /tooling/sobjects: the objects that tell of objects."""
    objects = [summarise(each, call.version) for each in DEFINITIONS]
    return Answer(body={"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects})


def show_object(call: Call) -> Answer:
    """Answer GET /sobjects/X."""
    target = _target(call)
    recent = recent_items(call, target)
    return Answer(body={"objectDescribe": summarise(target, call.version), "recentItems": recent})


def show_describe(call: Call) -> Answer:
    """Answer GET /sobjects/X/describe."""
    target = _target(call)
    changed = call.org.catalogue.snapshot.changed.get(target.name, call.org.schema_changed)
    if _unchanged(call, changed):
        return Answer(status=304, headers=_last_modified(changed))
    body = describe_object(
        target, call.org.catalogue, call.version, base_url=call.base_url, record_types=record_types(call, target)
    )
    return Answer(body=body, headers=_last_modified(changed))


def record_types(call: Call, target: SObject) -> list[RecordType]:
    """Return the record types that records of the org define for an object."""
    if call.org.catalogue.find("RecordType") is None or target.field("RecordTypeId") is None:
        return []
    rows = call.org.database.rows(
        'SELECT "Id", "Name", "DeveloperName", "IsActive" FROM "RecordType" WHERE "SobjectType" = $1 ORDER BY _n',
        [target.name],
    )
    return [RecordType(id=own, name=name, developer_name=code, active=active) for own, name, code, active in rows]


def _target(call: Call) -> SObject:
    target = call.org.catalogue.find(call.path["object"])
    if target is None:
        raise not_found()
    return target


def _last_modified(changed: datetime) -> dict[str, str]:
    return {"Last-Modified": format_datetime(changed.astimezone(UTC).replace(microsecond=0), usegmt=True)}


def _unchanged(call: Call, changed: datetime) -> bool:
    asked = call.headers.get("if-modified-since")
    if not asked:
        return False
    try:
        since = parsedate_to_datetime(asked)
    except ValueError:
        return False
    return since.tzinfo is not None and changed.replace(microsecond=0) <= since
