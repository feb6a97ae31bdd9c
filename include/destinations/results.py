"""What becomes of the records of a whole batch: held, rejected or unknown, all for one cause. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from include.destinations.protocol import Batch, BatchResult, NextStep
from include.records import Outcome, Profile, Receipt


def receipts_of(
    records: Iterable[Profile], outcome: Outcome, cause: str, message: str, *, retryable: bool = False
) -> tuple[Receipt, ...]:
    """Return the same receipt for each of these records."""
    return tuple(
        Receipt(record_id=each.record_id, outcome=outcome, cause=cause, message=message, retryable=retryable)
        for each in records
    )


def not_sent(batch: Batch, message: str) -> BatchResult:
    """Say that nothing of a batch was sent: its records are held."""
    return whole(batch, NextStep.DONE, "not_sent", message)


def whole(batch: Batch, step: NextStep, cause: str, message: str, *, wait: float | None = None) -> BatchResult:
    """Say that the platform took nothing of a batch and refused no record of it: all are held."""
    receipts = receipts_of(batch.records, Outcome.HELD, cause, message)
    return BatchResult(receipts=receipts, next_step=step, cause=cause, message=message, retry_after_seconds=wait)


def refused(batch: Batch, cause: str, message: str) -> BatchResult:
    """Say that the platform refused the whole request, and would refuse it again."""
    receipts = receipts_of(batch.records, Outcome.REJECTED, cause, message)
    return BatchResult(receipts=receipts, cause=cause, message=message)


def throttled(batch: Batch, *, wait: float | None) -> BatchResult:
    """Say that the platform took nothing and wants us to wait."""
    return whole(batch, NextStep.WAIT, "throttled", "the platform throttles this account", wait=wait)


def too_large(batch: Batch) -> BatchResult:
    """Say that the platform takes no request of this size: its halves may go."""
    step = NextStep.SPLIT if len(batch.records) > 1 else NextStep.DONE
    return replace(refused(batch, "too_large", "the platform takes no request of this size"), next_step=step)


def failed(batch: Batch, cause: str, message: str, *, doubles: bool, wait: float | None = None) -> BatchResult:
    """Say that a batch may be sent again; `doubles` when what was given up then must not be sent by a later run.

    Once given up, its records are unknown where they could be doubled, and may be tried by a later run otherwise.
    """
    outcome = Outcome.UNKNOWN if doubles else Outcome.REJECTED
    receipts = receipts_of(batch.records, outcome, cause, message, retryable=not doubles)
    return BatchResult(
        receipts=receipts, next_step=NextStep.RETRY, cause=cause, message=message, retry_after_seconds=wait
    )


def unknown(batch: Batch, cause: str, message: str, *, step: NextStep = NextStep.DONE) -> BatchResult:
    """Say that nobody knows what the platform took of a batch."""
    receipts = receipts_of(batch.records, Outcome.UNKNOWN, cause, message)
    return BatchResult(receipts=receipts, next_step=step, cause=cause, message=message)
