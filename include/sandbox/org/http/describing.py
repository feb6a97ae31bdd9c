"""Global describe and object describe, both answering If-Modified-Since."""

from __future__ import annotations

from email.utils import format_datetime, parsedate_to_datetime

from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.refusals import not_found
from include.sandbox.org.schema.describe import describe_object, summarise


def list_objects(call: Call) -> Answer:
    """Answer GET /sobjects."""
    if _unchanged(call):
        return Answer(status=304, headers=_last_modified(call))
    objects = [summarise(each, call.version) for each in call.org.catalogue.objects.values()]
    body = {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects}
    return Answer(body=body, headers=_last_modified(call))


def show_object(call: Call) -> Answer:
    """Answer GET /sobjects/X."""
    target = call.org.catalogue.find(call.path["object"])
    if target is None:
        raise not_found()
    return Answer(body={"objectDescribe": summarise(target, call.version), "recentItems": []})


def show_describe(call: Call) -> Answer:
    """Answer GET /sobjects/X/describe."""
    target = call.org.catalogue.find(call.path["object"])
    if target is None:
        raise not_found()
    if _unchanged(call):
        return Answer(status=304, headers=_last_modified(call))
    body = describe_object(target, call.org.catalogue, call.version)
    return Answer(body=body, headers=_last_modified(call))


def _last_modified(call: Call) -> dict[str, str]:
    return {"Last-Modified": format_datetime(call.org.schema_changed.replace(microsecond=0), usegmt=True)}


def _unchanged(call: Call) -> bool:
    asked = call.headers.get("if-modified-since")
    if not asked:
        return False
    try:
        since = parsedate_to_datetime(asked)
    except ValueError:
        return False
    return since.tzinfo is not None and call.org.schema_changed.replace(microsecond=0) <= since
