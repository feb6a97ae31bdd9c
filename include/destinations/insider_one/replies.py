"""What an answer of Insider One means for each user of a request, and what to do next. Pure.

The platform answers HTTP 200 to a request whose users it all refused, and names them by their index in `users`.
Its texts repeat the refused value, so that we never show them: each known rule has words of ours.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import orjson

from include.destinations import results
from include.destinations.protocol import Batch, BatchResult, NextStep, Reply
from include.records import Outcome, Profile, Receipt

_INDEXED = re.compile(r"users\.(\d+)\.(.+)", re.DOTALL)
_REQUIRED_PARAM = re.compile(r"([a-z_]{1,40}) parameter is required on ([a-z_]{1,40}) event")
# rule in the error key -> cause, message (contract page, "Responses and classification")
_RULES = (
    (re.compile(r"(identifiers|insider_id)\.required"), "no_identifier", "the platform found no identifier"),
    (
        re.compile(r"(identifiers|attributes)\..*regexp\(\^\.\+@.*"),
        "invalid_email",
        "the platform takes this for no e-mail address",
    ),
    (
        re.compile(r"(identifiers|attributes)\..*regexp\(\^\\\+.*"),
        "invalid_phone",
        "the platform takes this for no phone number",
    ),
    (re.compile(r"identifiers\..*type\(string\)"), "invalid_identifier", "the platform wants identifiers as text"),
    (re.compile(r"identifiers\..*in\(.*\)"), "unknown_identifier", "the platform doesn't know this kind of identifier"),
    (re.compile(r"events\.\d+\.event_name\..*"), "invalid_event_name", "the platform refuses the event's name"),
    (re.compile(r"events\.\d+\.event_params\..*required"), "missing_event_parameter", "the event lacks a parameter"),
)


def interpret(batch: Batch, reply: Reply) -> BatchResult:
    """Decide what the reply means for each record of the batch, and what to do next."""
    text = _error_text(reply)
    if reply.status in (401, 403) or (reply.status == 400 and text.startswith("partner is invalid")):
        return results.whole(
            batch, NextStep.STOP, "credentials_refused", "the platform refused partner name, token or address"
        )
    if reply.status == 429:
        return results.throttled(batch, wait=reply.retry_after_seconds)
    if reply.status == 413 or (reply.status == 400 and "bigger than maximum" in text):
        return results.too_large(batch)
    # A 500 comes out of the processing itself: events may be stored already, and sending them again would double them.
    if reply.status == 503 or (reply.status == 500 and not batch.holds_events):
        message = f"the platform reported a fault of its own (HTTP {reply.status})"
        return results.failed(
            batch, "server_fault", message, doubles=batch.holds_events, wait=reply.retry_after_seconds
        )
    if reply.status >= 500 or reply.status == 408:
        return lost(batch, f"no answer came through (HTTP {reply.status})")
    if reply.status == 200:
        return _accepted(batch, reply.body)
    if 300 <= reply.status < 400 or reply.status in (404, 405):
        message = f"what answers there is not the platform (HTTP {reply.status})"
        return results.whole(batch, NextStep.MISDIRECTED, "misdirected", message)
    message = f"the platform refused the whole request (HTTP {reply.status})"
    return results.refused(batch, "request_refused", message)


def lost(batch: Batch, message: str) -> BatchResult:
    """Decide about a batch whose answer never came: nobody knows whether the platform took it."""
    if not batch.holds_events:
        return results.failed(batch, "no_answer", message, doubles=False)
    return results.unknown(batch, "no_answer", message)


def interpret_clearing(batch: Batch, reply: Reply) -> BatchResult:
    """Decide what the answer to attribute/delete means; both of its known forms are a success, and so is ``{}``."""
    if reply.status != 200:
        return interpret(replace(batch, records=_without_events(batch)), reply)
    answer = _json(reply.body)
    if answer == {}:
        return BatchResult(receipts=results.receipts_of(batch.records, Outcome.DELIVERED, "", ""))
    return _accepted(replace(batch, records=_without_events(batch)), reply.body)


def interpret_deletion(batch: Batch, reply: Reply) -> BatchResult:
    """Decide what the answer to a deletion means; who is not there is deleted."""
    if reply.status == 404 and _error_text(reply).startswith("no such user"):
        return BatchResult(receipts=results.receipts_of(batch.records, Outcome.DELIVERED, "already_gone", ""))
    if reply.status == 200:
        return BatchResult(receipts=results.receipts_of(batch.records, Outcome.DELIVERED, "", ""))
    return interpret(batch, reply)


def identity_verdict(reply: Reply | None) -> str:
    """Say what became of a change of an identifier: changed, nobody (has the old one), taken, failed or refused."""
    if reply is None or reply.status >= 500 or reply.status == 408:
        return "failed"
    text = _error_text(reply)
    if reply.status == 200 or text.startswith("identifier values are the same"):
        return "changed"
    if text.startswith("new identifier already has a user"):
        return "taken"
    return "nobody" if text.startswith("no valid identifier") else "refused"


def identity_receipt(record: Profile, verdict: str) -> Receipt:
    """Return what is said of a record whose identifier could not be followed."""
    cause, message = {
        "taken": ("identifier_taken", "another profile has the record's new identifier; merge the two at the platform"),
        "failed": ("server_fault", "the platform did not take the change of an identifier"),
    }.get(verdict, ("identity_refused", "the platform refused the change of an identifier"))
    return Receipt(
        record_id=record.record_id,
        outcome=Outcome.REJECTED,
        cause=cause,
        message=message,
        retryable=verdict == "failed",
    )


def comes_from_elsewhere(reply: Reply) -> bool:
    """Say whether the answer to a companion call cannot be the platform's; it says 404 of people, in JSON."""
    return 300 <= reply.status < 400 or reply.status == 405 or (reply.status == 404 and not _error_text(reply))


def _without_events(batch: Batch) -> tuple[Profile, ...]:
    return tuple(replace(record, events=()) for record in batch.records)


def refused_by_platform(status: int, body: bytes) -> bool:
    """Say whether an answer to any call refuses our credentials."""
    reply = Reply(status=status, body=body)
    return status in (401, 403) or (status == 400 and _error_text(reply).startswith("partner is invalid"))


def _error_text(reply: Reply) -> str:
    """Return the platform's text about the whole request, in lower case, for comparison only."""
    answer = _json(reply.body)
    if not isinstance(answer, dict):
        return ""
    return str(answer.get("message") or answer.get("error") or "").strip().lower()


def _accepted(batch: Batch, body: bytes) -> BatchResult:
    answer = _json(body)
    content = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(content, dict):
        return lost(batch, "the platform answered with something else than its own reply")
    taken, failed = _count(content.get("successful")), _count(content.get("fail"))
    fail = content.get("fail")
    errors = fail.get("errors") if isinstance(fail, dict) else None
    by_index = _by_index(errors if isinstance(errors, dict) else {})
    total = len(batch.records)
    if taken + failed != total or len(by_index) != failed or any(index >= total for index in by_index):
        return _unclear(batch)
    receipts = tuple(_judged(record, by_index.get(index)) for index, record in enumerate(batch.records))
    return BatchResult(receipts=receipts)


def _count(part: Any) -> int:
    count = part.get("count", 0) if isinstance(part, dict) else 0
    return count if isinstance(count, int) else -1  # -1 makes the sum wrong, and with it the answer unclear


def _by_index(errors: dict[str, Any]) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = {}
    for key, texts in errors.items():
        match = _INDEXED.fullmatch(key)
        if match:
            found.setdefault(int(match[1]), []).append(_in_our_words(match[2], texts))
    return found


def _in_our_words(rule: str, texts: Any) -> tuple[str, str]:
    for pattern, cause, message in _RULES:
        if pattern.fullmatch(rule):
            return cause, _missing_params(texts) or message if cause == "missing_event_parameter" else message
    return "refused_by_platform", "the platform refused the record by a rule that we do not know"


def _missing_params(texts: Any) -> str:
    found = (
        [_REQUIRED_PARAM.fullmatch(text) for text in texts if isinstance(text, str)] if isinstance(texts, list) else []
    )
    return "; ".join(f"event {match[2]} needs the parameter {match[1]}" for match in found if match)


def _judged(record: Profile, problems: list[tuple[str, str]] | None) -> Receipt:
    if not problems:
        return Receipt(record_id=record.record_id, outcome=Outcome.DELIVERED)
    message = "; ".join(dict.fromkeys(message for _, message in problems))
    return Receipt(record_id=record.record_id, outcome=Outcome.REJECTED, cause=problems[0][0], message=message)


def _unclear(batch: Batch) -> BatchResult:
    message = "the platform's answer does not say which records it took"
    step = NextStep.DONE if batch.holds_events or len(batch.records) == 1 else NextStep.BISECT
    return results.unknown(batch, "unclear_answer", message, step=step)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
