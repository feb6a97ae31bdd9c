"""GET /sobjects/X/updated and GET /sobjects/X/deleted."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from include.sandbox.org.clock import stamp_text
from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.refusals import Refusal, not_found
from include.sandbox.org.replication import deleted_records, updated_records
from include.sandbox.org.schema.field import SObject

_OFFSET = re.compile(r"( |\+|-)(\d\d):?(\d\d)$")


def list_updated(call: Call) -> Answer:
    """Answer GET /sobjects/X/updated?start=&end=."""
    found = updated_records(call.org, _target(call), _moment(call, "start"), _moment(call, "end"))
    return Answer(body={"ids": found.ids, "latestDateCovered": stamp_text(found.latest)})


def list_deleted(call: Call) -> Answer:
    """Answer GET /sobjects/X/deleted?start=&end=."""
    found = deleted_records(call.org, _target(call), _moment(call, "start"), _moment(call, "end"))
    return Answer(
        body={
            "deletedRecords": [{"id": each, "deletedDate": stamp_text(at)} for each, at in found.records],
            "earliestDateAvailable": stamp_text(found.earliest),
            "latestDateCovered": stamp_text(found.latest),
        }
    )


def _target(call: Call) -> SObject:
    target = call.org.catalogue.find(call.path["object"])
    if target is None:
        raise not_found()
    return target


def _moment(call: Call, name: str) -> datetime:
    """Return a time of the query string; clients send it with a lost plus sign, or with a colon too many."""
    text = call.params.get(name, "").strip().rstrip(":")
    if not text:
        raise Refusal(400, "MISSING_ARGUMENT", f"{name} is required")
    text = _OFFSET.sub(lambda match: f"{match[1].replace(' ', '+')}{match[2]}:{match[3]}", text.replace("Z", "+00:00"))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{name} is not a valid date and time: {call.params[name]}"
        raise Refusal(400, "INVALID_REPLICATION_DATE", message) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
