"""What an answer of a webhook's receiver means for the records of a message: it speaks by its status alone. Pure."""

from __future__ import annotations

from dataclasses import replace

from include.destinations import results
from include.destinations.protocol import Batch, BatchResult, NextStep, Reply
from include.destinations.results import receipts_of
from include.records import Outcome

_SLOW_DOWN = (408, 425, 429, 500, 502, 503, 504)


def interpret(batch: Batch, reply: Reply) -> BatchResult:
    """Decide what a reply means for each record of the message, and what to do next."""
    status = reply.status
    if 200 <= status < 300:
        return BatchResult(receipts=receipts_of(batch.records, Outcome.DELIVERED, "", ""))
    if status in (401, 403, 410):
        return results.whole(batch, NextStep.STOP, "credentials_refused", said(status))
    if 300 <= status < 400 or status in (404, 405):
        message = f"the receiver is not there (HTTP {status}; redirects are not followed)"
        return results.whole(batch, NextStep.MISDIRECTED, "misdirected", message)
    if status == 429:
        return results.throttled(batch, wait=reply.retry_after_seconds)
    if status == 413:
        return results.too_large(batch)
    if status >= 500 or status in _SLOW_DOWN:
        message = f"the receiver reported a fault of its own (HTTP {status})"
        return results.failed(batch, "server_fault", message, doubles=False, wait=reply.retry_after_seconds)
    message = f"the receiver refused the record (HTTP {status})"
    result = results.refused(batch, "refused_by_receiver", message)
    # Whom it meant it cannot say; of a refused message nothing was taken, so that halves find the culprit.
    return replace(result, next_step=NextStep.SPLIT) if len(batch.records) > 1 else result


def lost(batch: Batch, message: str) -> BatchResult:
    """Decide about a message whose answer never came: its id is the same next time, so the receiver can drop it."""
    return results.failed(batch, "no_answer", message, doubles=False)


def said(status: int) -> str:
    """Return what an answer says that ends all sending."""
    if status == 410:
        return "the receiver says that it is gone for good (HTTP 410)"
    return f"the receiver refused the message (HTTP {status})"
