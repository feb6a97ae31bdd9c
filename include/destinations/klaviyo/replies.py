"""What an answer of Klaviyo means for each record of a request, and what to do next. Pure.

A request that is refused is refused whole: nothing of it was taken. The errors point to the elements that were wrong;
the others are to be sent again, which `AGAIN` and `SINGLY` say as causes of held records. Texts of the platform repeat
the refused value, so that we never show them: each known field has words of ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from include.destinations import results
from include.destinations.protocol import Batch, BatchResult, NextStep, Pending, Reply
from include.destinations.results import receipts_of
from include.records import Outcome, Profile, Receipt

AGAIN = "refused_for_others"  # nothing of its request was taken: it goes again without those that were refused
SINGLY = "to_be_sent_singly"  # the bulk endpoint takes no event twice, the single one counts it once

_PLACE = re.compile(r"/data/(?:attributes/[a-z-]+/data/)?([0-9]+)(?:/|$)")
_MESSAGES = {
    "email": ("invalid_email", "the platform takes this for no e-mail address"),
    "phone_number": ("invalid_phone", "the platform takes this for no phone number"),
    "external_id": ("invalid_identifier", "the platform refuses the external id"),
    "metric": ("invalid_event_name", "the platform refuses the event's name"),
    "time": ("invalid_event_time", "the platform refuses the event's time"),
    "unique_id": ("duplicate_event", "the platform has this event already"),
    "properties": ("invalid_value", "the platform refuses a custom attribute or event parameter"),
}
_CODES = {
    "duplicate_profile": ("duplicate_profile", "another profile at the platform has one of the identifiers already"),
}


def of_job(batch: Batch, reply: Reply) -> BatchResult:
    """Decide about the request that starts a bulk import: its records are accepted, and told about later."""
    common = _common(batch, reply)
    if common is not None:
        return common
    job = _job_id(reply.body) if reply.status in (200, 201, 202) else ""
    if job:
        receipts = tuple(
            Receipt(record_id=record.record_id, outcome=Outcome.ACCEPTED, job=job, job_place=place)
            for place, record in enumerate(batch.records)
        )
        return BatchResult(receipts=receipts)
    if reply.status < 300:
        return lost(batch, "the platform answered with something else than its own reply")
    return _refused(batch, reply)


def of_events(batch: Batch, reply: Reply) -> BatchResult:
    """Decide about a bulk request of events, of which nothing is taken if one is known already."""
    common = _common(batch, reply)
    if common is not None:
        return common
    if reply.status in (200, 201, 202):
        return BatchResult(receipts=receipts_of(batch.records, Outcome.DELIVERED, "", ""))
    errors = _errors(reply.body)
    if reply.status == 409 or not errors or any(_is_duplicate(error) for error in errors):
        receipts = receipts_of(batch.records, Outcome.HELD, SINGLY, "")
        return BatchResult(receipts=receipts, cause=SINGLY)
    return _refused(batch, reply)


def of_single(batch: Batch, reply: Reply) -> BatchResult:
    """Decide about a request that holds one record: a profile, an event or a deletion."""
    common = _common(batch, reply)
    if common is not None:
        return common
    if reply.status in (200, 201, 202):
        receipts = receipts_of(batch.records, Outcome.DELIVERED, "", "")
        return BatchResult(receipts=tuple(replace(each, platform_id=_profile_id(reply.body)) for each in receipts))
    return results.refused(batch, *_in_our_words(next(iter(_errors(reply.body)), {})))


def lost(batch: Batch, message: str) -> BatchResult:
    """Decide about a batch whose answer never came: profiles are merged and events have keys, so it may go again."""
    return results.failed(batch, "no_answer", message, doubles=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnd:
    """Say how an import job ended: by itself or cancelled, and how many records it counts as failed."""

    done: bool
    failed: int


def end_of(answer: Mapping[str, Any]) -> JobEnd | None:
    """Return how a job ended; None: it has not, as far as the answer can be read."""
    content = answer.get("data")
    attributes = content.get("attributes") if isinstance(content, Mapping) else None
    if not isinstance(attributes, Mapping) or attributes.get("status") not in ("complete", "cancelled"):
        return None
    failed = attributes.get("failed_count")
    return JobEnd(done=attributes["status"] == "complete", failed=failed if isinstance(failed, int) else 0)


def import_errors(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the attributes of the errors on a page; one that cannot be read counts as one without a place."""
    listed = answer.get("data")
    if not isinstance(listed, list):
        return [{}] if listed else []
    found = [each.get("attributes") if isinstance(each, Mapping) else None for each in listed]
    return [each if isinstance(each, Mapping) else {} for each in found]


def settled(
    pending: Iterable[Pending], errors: Iterable[Mapping[str, Any]], *, failed_count: int, done: bool
) -> tuple[Receipt, ...]:
    """Return what became of the records of a job that has ended.

    Args:
        pending: the records whose fate is asked, by their place in the job.
        errors: the attributes of the job's import errors.
        failed_count: how many failures the job counts.
        done: the job ended by itself; otherwise it was cancelled, and what it had not reached is not imported.
    """
    asked = list(pending)
    own_keys = {each.record_id: each.place for each in asked}
    causes: dict[int, tuple[str, str]] = {}
    unplaced = 0
    for error in errors:
        place = _place(error)
        if place is None:
            payload = error.get("original_payload")
            place = own_keys.get(_external_id(payload) if isinstance(payload, Mapping) else "")
        if place is None:
            unplaced += 1
        else:
            causes.setdefault(place, _in_our_words(error))
    unsure = unplaced > 0 or failed_count > len(causes)
    return tuple(_settled(each, causes.get(each.place), unsure=unsure, done=done) for each in asked)


def expired(pending: Iterable[Pending]) -> tuple[Receipt, ...]:
    """Return what can be said of the records of a job that the platform no longer knows."""
    message = "the platform no longer knows the job that took the record; it can be sent again without harm"
    return tuple(_receipt(each, Outcome.UNKNOWN, "job_gone", message) for each in pending)


def refuses_credentials(reply: Reply) -> bool:
    """Say whether an answer to any call refuses our key."""
    return reply.status in (401, 403)


def _settled(pending: Pending, cause: tuple[str, str] | None, *, unsure: bool, done: bool) -> Receipt:
    if cause is not None:
        return _receipt(pending, Outcome.REJECTED, *cause)
    if unsure:
        message = "the platform refused records of this job without saying which; this one may be among them"
        return _receipt(pending, Outcome.UNKNOWN, "unclear_answer", message)
    if not done:
        message = "the platform cancelled the job that took the record; it is sent again"
        return replace(_receipt(pending, Outcome.REJECTED, "job_cancelled", message), retryable=True)
    return _receipt(pending, Outcome.DELIVERED, "", "")


def _receipt(pending: Pending, outcome: Outcome, cause: str, message: str) -> Receipt:
    return Receipt(record_id=pending.record_id, outcome=outcome, cause=cause, message=message)


def _common(batch: Batch, reply: Reply) -> BatchResult | None:
    """Decide what every endpoint means in the same way; None where the endpoint has its own answer."""
    status = reply.status
    if refuses_credentials(reply):
        return results.whole(batch, NextStep.STOP, "credentials_refused", "the platform refused the API key")
    if status == 429:
        return results.throttled(batch, wait=reply.retry_after_seconds)
    if status == 413:
        return results.too_large(batch)
    if status >= 500 or status == 408:
        message = f"the platform reported a fault of its own (HTTP {status})"
        return results.failed(batch, "server_fault", message, doubles=False, wait=reply.retry_after_seconds)
    if 300 <= status < 400 or status in (404, 405):
        message = f"what answers there is not the platform (HTTP {status})"
        return results.whole(batch, NextStep.MISDIRECTED, "misdirected", message)
    if status < 300 and reply.body.strip() and not isinstance(_json(reply.body), dict):
        return lost(batch, "the platform answered with something else than its own reply")  # a proxy's page, say
    return None


def _refused(batch: Batch, reply: Reply) -> BatchResult:
    """Say who was refused, and that nothing was taken of the others; halve the request if nobody was named."""
    causes: dict[int, tuple[str, str]] = {}
    for error in _errors(reply.body):
        place = _place(error)
        if place is not None and place < len(batch.records):
            causes.setdefault(place, _in_our_words(error))
    if causes:
        receipts = tuple(_placed(record, causes.get(place)) for place, record in enumerate(batch.records))
        return BatchResult(receipts=receipts)
    message = f"the platform refused the request without saying why (HTTP {reply.status})"
    result = results.refused(batch, "request_refused", message)
    return replace(result, next_step=NextStep.SPLIT) if len(batch.records) > 1 else result


def _placed(record: Profile, cause: tuple[str, str] | None) -> Receipt:
    if cause is None:
        return Receipt(record_id=record.record_id, outcome=Outcome.HELD, cause=AGAIN)
    return Receipt(record_id=record.record_id, outcome=Outcome.REJECTED, cause=cause[0], message=cause[1])


def _place(error: Mapping[str, Any]) -> int | None:
    found = _PLACE.match(_pointer(error))
    return int(found[1]) if found else None


def _pointer(error: Mapping[str, Any]) -> str:
    source = error.get("source")
    return str(source.get("pointer") or "") if isinstance(source, Mapping) else ""


def _is_duplicate(error: Mapping[str, Any]) -> bool:
    return "duplicate" in str(error.get("code") or "") or _pointer(error).endswith("/unique_id")


def _in_our_words(error: Mapping[str, Any]) -> tuple[str, str]:
    known = _CODES.get(str(error.get("code") or ""))
    named = [part for part in _pointer(error).split("/") if part in _MESSAGES]
    if known is None and named:
        known = _MESSAGES[named[-1]]
    return known or ("refused_by_platform", "the platform refused the record by a rule that we do not know")


def _errors(body: bytes) -> list[Mapping[str, Any]]:
    answer = _json(body)
    errors = answer.get("errors") if isinstance(answer, dict) else None
    return [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []


def _job_id(body: bytes) -> str:
    return _id_of(body, lambda kind: kind == "profile-bulk-import-job")


def _profile_id(body: bytes) -> str:
    return _id_of(body, lambda kind: kind == "profile")


def _id_of(body: bytes, is_kind: Callable[[Any], bool]) -> str:
    answer = _json(body)
    content = answer.get("data") if isinstance(answer, dict) else None
    return str(content.get("id") or "") if isinstance(content, dict) and is_kind(content.get("type")) else ""


def _external_id(payload: Mapping[str, Any]) -> str:
    attributes = payload.get("attributes")
    return str((attributes if isinstance(attributes, Mapping) else payload).get("external_id") or "")


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
