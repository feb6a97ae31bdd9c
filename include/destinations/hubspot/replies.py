"""What an answer of HubSpot means for each record of a request, and what to do next. Pure.

A mixed answer (207) names records by the trace id that we gave them; their errors' texts may repeat values and are
never shown. Whatever was asked may be asked again: contacts are found by a unique property, events by a uuid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from include.destinations import results
from include.destinations.line import Allowance
from include.destinations.protocol import Batch, BatchResult, NextStep, Reply
from include.records import Outcome, Profile, Receipt

_DAILY_WAIT_SECONDS = 3_600.0  # until when the day's limit lasts is said nowhere
_REFUSED = "the platform refused the record"
_WORDS = {
    "PROPERTY_DOESNT_EXIST": ("unknown_property", "contacts at the platform have no such property"),
    "INVALID_EMAIL": ("invalid_email", "the platform takes this for no e-mail address"),
    "INVALID_INTEGER": ("invalid_value", "the platform wants a whole number"),
    "INVALID_LONG": ("invalid_value", "the platform wants a number"),
    "INVALID_DATE": ("invalid_value", "the platform wants a date"),
    "INVALID_OPTION": ("invalid_option", "the value is none of the property's options at the platform"),
    "READ_ONLY_VALUE": ("read_only_property", "the property can't be written at the platform"),
}
_CATEGORIES = {
    "VALIDATION_ERROR": ("refused_by_platform", _REFUSED),
    "CONFLICT": ("identifier_taken", "another contact has this identifier; merge the two at the platform"),
    "OBJECT_NOT_FOUND": ("not_at_platform", "the platform has no such contact any more"),
}
_NAMED = re.compile(r'"name":\s*"([a-z0-9_]{1,100})"|[Pp]roperty "([a-z0-9_]{1,100})"')


def interpret(batch: Batch, reply: Reply) -> BatchResult:
    """Decide what the answer to a writing of contacts means for each of them."""
    early = _of_connection(batch, reply)
    if early is not None:
        return early
    if reply.status in (200, 201, 207):
        return _read(batch, _json(reply.body))
    return _refused_whole(batch, _json(reply.body))


def interpret_events(batch: Batch, reply: Reply) -> BatchResult:
    """Decide what the answer to events means for their records."""
    early = _of_connection(batch, reply)
    if early is not None:
        return early
    if reply.status in (200, 202, 204):
        return BatchResult(receipts=results.receipts_of(batch.records, Outcome.DELIVERED, "", ""))
    result = _refused_whole(batch, _json(reply.body))
    return result if result.next_step is NextStep.SPLIT else _as_event(result)


def interpret_archive(batch: Batch, reply: Reply) -> BatchResult:
    """Decide what the answer to an archiving means; archiving who is archived is no error."""
    return interpret_events(batch, reply)


def lost(batch: Batch, message: str) -> BatchResult:
    """Decide about a batch whose answer never came: it may be sent again, for nothing of it can be doubled."""
    return results.failed(batch, "no_answer", message, doubles=False)


def refuses(reply: Reply) -> bool:
    """Say whether an answer refuses our credentials."""
    return reply.status in (401, 403)


def read_contacts(reply: Reply) -> list[Mapping[str, Any]] | None:
    """Return the contacts of a reading; None if it is no such answer."""
    content = _json(reply.body)
    found = content.get("results") if isinstance(content, dict) else None
    if reply.status not in (200, 207) or not isinstance(found, list):
        return None
    return [each for each in found if isinstance(each, dict)]


def read_properties(reply: Reply) -> list[Mapping[str, Any]]:
    """Return what is said of the properties of contacts."""
    content = _json(reply.body)
    found = content.get("results") if isinstance(content, dict) else None
    return [each for each in (found if isinstance(found, list) else []) if isinstance(each, dict)]


def allowance(headers: Mapping[str, str], now: datetime) -> Allowance | None:
    """Read what the platform says of its short window: ``X-HubSpot-RateLimit-*``; the end of it is not told."""
    names = ("remaining", "interval-milliseconds", "max")
    texts = [headers.get(f"x-hubspot-ratelimit-{name}", "") for name in names]
    if not all(re.fullmatch(r"\d{1,9}", text) for text in texts[:2]):
        return None
    limit = int(texts[2]) if texts[2].isdecimal() else None
    return Allowance(remaining=int(texts[0]), resets_in_seconds=int(texts[1]) / 1000, limit=limit)


def _of_connection(batch: Batch, reply: Reply) -> BatchResult | None:
    """Return what an answer means that is not about the records; None: it is about them."""
    if refuses(reply):
        return results.whole(batch, NextStep.STOP, "credentials_refused", "the platform refused the token")
    if reply.status == 429:
        content = _json(reply.body)
        daily = isinstance(content, dict) and "DAILY" in str(content.get("policyName") or "").upper()
        wait = reply.retry_after_seconds
        return results.throttled(batch, wait=_DAILY_WAIT_SECONDS if daily and not wait else wait)
    if reply.status == 477:
        message = "the platform moves this account to another place"
        return results.whole(batch, NextStep.WAIT, "account_moves", message, wait=reply.retry_after_seconds)
    if reply.status == 413:
        return results.too_large(batch)
    if reply.status == 408 or reply.status >= 500:
        message = f"the platform reported a fault of its own (HTTP {reply.status})"
        return results.failed(batch, "server_fault", message, doubles=False, wait=reply.retry_after_seconds)
    if 300 <= reply.status < 400 or (reply.status in (404, 405) and not isinstance(_json(reply.body), dict)):
        message = f"what answers there is not the platform (HTTP {reply.status})"
        return results.whole(batch, NextStep.MISDIRECTED, "misdirected", message)
    if reply.status < 300 and reply.body.strip() and not isinstance(_json(reply.body), dict):
        return lost(batch, "the platform answered with something else than its own reply")  # a proxy's page, say
    return None


def _read(batch: Batch, content: Any) -> BatchResult:
    if not isinstance(content, dict):
        return results.failed(batch, "no_answer", "the platform answered with something else", doubles=False)
    taken = content.get("results")
    ids = {
        str(each.get("objectWriteTraceId")): str(each.get("id") or "")
        for each in (taken if isinstance(taken, list) else [])
        if isinstance(each, dict)
    }
    errors = _by_trace(content.get("errors") or [])
    receipts = tuple(_judged(record, ids, errors) for record in batch.records)
    if any(receipt is None for receipt in receipts):
        # Seen in the wild: a success that names nobody. What it took may be sent again.
        message = "the platform's answer does not say what became of the record"
        return results.failed(batch, "unclear_answer", message, doubles=False)
    return BatchResult(receipts=tuple(receipt for receipt in receipts if receipt is not None))


def _judged(record: Profile, ids: Mapping[str, str], errors: Mapping[str, Mapping[str, Any]]) -> Receipt | None:
    error = errors.get(record.record_id)
    if error is not None:
        cause, message = _in_our_words(error)
        return Receipt(record_id=record.record_id, outcome=Outcome.REJECTED, cause=cause, message=message)
    if record.record_id not in ids:
        return None
    return Receipt(record_id=record.record_id, outcome=Outcome.DELIVERED, platform_id=ids[record.record_id])


def _by_trace(errors: Any) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for error in errors if isinstance(errors, list) else []:
        context = error.get("context") if isinstance(error, dict) else None
        traces = context.get("objectWriteTraceId") if isinstance(context, dict) else None
        for trace in traces if isinstance(traces, list) else [traces]:
            if isinstance(trace, str):
                found.setdefault(trace, error)
    return found


def _refused_whole(batch: Batch, content: Any) -> BatchResult:
    """Look for who spoiled the batch: of a request that is refused as a whole, nothing was taken."""
    error = content if isinstance(content, dict) else {}
    cause, message = _in_our_words(error)
    step = NextStep.SPLIT if len(batch.records) > 1 else NextStep.DONE
    receipts = results.receipts_of(batch.records, Outcome.REJECTED, cause, message)
    return BatchResult(receipts=receipts, next_step=step, cause=cause, message=message)


def _in_our_words(error: Mapping[str, Any]) -> tuple[str, str]:
    text = str(error.get("message") or "")
    named = _NAMED.search(text)
    where = f": {named[1] or named[2]}" if named else ""
    for code, (cause, words) in _WORDS.items():
        if code in text:
            return cause, words + where
    cause, words = _CATEGORIES.get(str(error.get("category") or ""), ("refused_by_platform", _REFUSED))
    return cause, words + (where if cause == "refused_by_platform" else "")


def _as_event(result: BatchResult) -> BatchResult:
    message = "the platform refused the event: it must be defined there, with these properties"
    receipts = tuple(
        Receipt(record_id=each.record_id, outcome=each.outcome, cause="event_refused", message=message)
        for each in result.receipts
    )
    return BatchResult(receipts=receipts, cause="event_refused", message=message)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
