"""What an answer of Braze means for each record of a request, and what to do next. Pure.

The platform takes what it can of a request and names what it refused by array and index. Its texts may repeat a value,
so that we show words of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from include.destinations import results
from include.destinations.protocol import Batch, BatchResult, NextStep, Reply
from include.destinations.results import receipts_of
from include.records import Outcome, Profile, Receipt

_TAKEN = ("success", "queued")  # queued: the platform is under maintenance and works it off later
_TEXTS = (
    ("email", "invalid_email", "the platform takes this for no e-mail address"),
    ("phone", "invalid_phone", "the platform takes this for no phone number"),
    ("external_id", "invalid_identifier", "the platform refuses the external id"),
    ("alias", "invalid_identifier", "the platform refuses the user alias"),
    ("time", "invalid_event_time", "the platform refuses the event's time"),
    ("name", "invalid_event_name", "the platform refuses the event's name"),
    ("propert", "invalid_value", "the platform refuses an event parameter"),
)


def of_attributes(batch: Batch, reply: Reply, owners: Sequence[Profile]) -> BatchResult:
    """Decide about a request of attributes; `owners` are the records of its elements."""
    answer = _accepted(reply)
    if answer is None:
        return _not_taken(batch, reply, doubles=False)
    causes = _causes(answer, "attributes", [owner.record_id for owner in owners])
    if causes is None:
        step = NextStep.BISECT if len(batch.records) > 1 else NextStep.DONE
        return results.unknown(batch, "unclear_answer", _UNCLEAR, step=step)
    return BatchResult(receipts=tuple(_judged(record, causes.get(record.record_id)) for record in batch.records))


def of_events(batch: Batch, reply: Reply) -> BatchResult:
    """Decide about a request of events, of which each that is taken is stored, however often it comes."""
    answer = _accepted(reply)
    if answer is None:
        return _not_taken(batch, reply, doubles=True)
    owners = [record.record_id for record in batch.records for _ in record.events]
    causes = _causes(answer, "events", owners)
    if causes is None:
        return results.unknown(batch, "unclear_answer", _UNCLEAR)
    receipts = []
    for record in batch.records:
        found = causes.get(record.record_id)
        receipts.append(partly(record) if found and len(found) < len(record.events) else _judged(record, found))
    return BatchResult(receipts=tuple(receipts))


def of_deletion(batch: Batch, reply: Reply) -> BatchResult:
    """Decide about a deletion: who is not there any more is no error."""
    if _accepted(reply) is None:
        return _not_taken(batch, reply, doubles=False)
    return BatchResult(receipts=receipts_of(batch.records, Outcome.DELIVERED, "", ""))


def lost_profiles(batch: Batch, message: str) -> BatchResult:
    """Decide about attributes or a deletion whose answer never came: the same again changes nothing."""
    return results.failed(batch, "no_answer", message, doubles=False)


def lost_events(batch: Batch, message: str) -> BatchResult:
    """Decide about events whose answer never came: nobody knows whether they are stored."""
    return results.unknown(batch, "no_answer", message)


def refuses_credentials(reply: Reply) -> bool:
    """Say whether an answer to any call refuses our key or its rights."""
    return reply.status in (401, 403)


def is_own(reply: Reply) -> bool:
    """Say whether an answer can come from the platform: it always has a message."""
    answer = _json(reply.body)
    return isinstance(answer, dict) and isinstance(answer.get("message"), str)


_UNCLEAR = "the platform's answer does not say which records it took"


def _accepted(reply: Reply) -> dict[str, Any] | None:
    """Return the answer if the platform took what it could of the request."""
    answer = _json(reply.body) if 200 <= reply.status < 300 else None
    if not isinstance(answer, dict) or str(answer.get("message")).lower() not in _TAKEN:
        return None
    return answer


def _not_taken(batch: Batch, reply: Reply, *, doubles: bool) -> BatchResult:
    status = reply.status
    if refuses_credentials(reply):
        return results.whole(batch, NextStep.STOP, "credentials_refused", "the platform refused the API key")
    if status == 429:
        return results.throttled(batch, wait=reply.retry_after_seconds)
    if status == 413:
        return results.too_large(batch)
    if 300 <= status < 400 or status in (404, 405):
        message = f"what answers there is not the platform (HTTP {status})"
        return results.whole(batch, NextStep.MISDIRECTED, "misdirected", message)
    if 400 <= status < 500 and status != 408:
        result = results.refused(batch, "request_refused", f"the platform refused the whole request (HTTP {status})")
        return replace(result, next_step=NextStep.SPLIT) if len(batch.records) > 1 else result
    # A 503 says that the request was not worked on. Of any other fault the events may be stored already.
    message = f"the platform reported a fault of its own (HTTP {status})"
    if doubles and status != 503:
        return results.unknown(batch, "no_answer", f"no answer came through (HTTP {status})")
    return results.failed(batch, "server_fault", message, doubles=doubles, wait=reply.retry_after_seconds)


def _causes(answer: dict[str, Any], array: str, owners: Sequence[str]) -> dict[str, list[tuple[str, str]]] | None:
    """Return why records were refused, by record; None where the answer names an element that there is not."""
    found: dict[str, list[tuple[str, str]]] = {}
    errors = answer.get("errors")
    for error in errors if isinstance(errors, list) else []:
        place = error.get("index") if isinstance(error, dict) else None
        if not isinstance(place, int) or error.get("input_array") != array or not 0 <= place < len(owners):
            return None
        found.setdefault(owners[place], []).append(_in_our_words(str(error.get("type") or "")))
    return found


def _in_our_words(text: str) -> tuple[str, str]:
    lower = text.lower()
    for part, cause, message in _TEXTS:
        if part in lower:
            return cause, message
    return "refused_by_platform", "the platform refused the record by a rule that we do not know"


def _judged(record: Profile, causes: list[tuple[str, str]] | None) -> Receipt:
    if not causes:
        return Receipt(record_id=record.record_id, outcome=Outcome.DELIVERED)
    message = "; ".join(dict.fromkeys(message for _, message in causes))
    return Receipt(record_id=record.record_id, outcome=Outcome.REJECTED, cause=causes[0][0], message=message)


def partly(record: Profile) -> Receipt:
    """Say that a record must not be sent again by itself, for part of it would be doubled."""
    message = "the platform took some events of the record and refused others; all of them again would double some"
    return Receipt(record_id=record.record_id, outcome=Outcome.UNKNOWN, cause="partly_stored", message=message)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
