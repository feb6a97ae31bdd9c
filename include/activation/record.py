"""Write down what became of records: each function is one transaction's worth, called inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from include.activation.prepare import Candidate, Row, flat_identifiers
from include.records import Outcome, Receipt
from include.warehouse.pushes.accepted import Accepted, note_accepted
from include.warehouse.pushes.ledger import PushRun
from include.warehouse.pushes.outbox import settle_events, settle_request
from include.warehouse.pushes.outcomes import note_outcomes
from include.warehouse.pushes.selections import leave_selection
from include.warehouse.pushes.sent import Sent, forget_sent, note_sent
from include.warehouse.pushes.sync_errors import Failure, note_errors, settle_errors

_FAILED = (Outcome.REJECTED, Outcome.UNKNOWN)
_TAKEN = (Outcome.DELIVERED, Outcome.ACCEPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Hold one request as it was answered.

    Args:
        number: of the request.
        candidates: what was sent, by record Id.
        receipts: what became of each.
        again: what is unknown may be sent again under its key: the platform keeps each once, or shows what it holds.
    """

    number: int
    candidates: Mapping[str, Candidate]
    receipts: Sequence[Receipt]
    again: bool


def record_unchanged(connection: Connection, run: PushRun, rows: Sequence[Row], *, errors: bool) -> None:
    """Count records as unchanged; their source's new hash spares the next run from looking at them."""
    leave_selection(connection, run.run_id, [row.ordinal for row in rows])
    same = [Sent(record_id=row.record_id, row_hash=row.row_hash, fingerprint=None, outcome="unchanged") for row in rows]
    note_sent(connection, run.push, run.run_id, same)
    if errors:
        settle_errors(connection, run, [row.record_id for row in rows], event_keys=(), by="unchanged")


def record_refused(connection: Connection, run: PushRun, refused: Sequence[tuple[Row, Receipt]]) -> None:
    """Record the records that end before anything is sent: skipped by a rule, or refused by our own check."""
    note_outcomes(connection, run.run_id, [receipt for _, receipt in refused])
    rejected = [
        Failure(receipt=receipt, row_hash=row.row_hash, again=receipt.retryable)
        for row, receipt in refused
        if receipt.outcome is Outcome.REJECTED
    ]
    note_errors(connection, run, rejected)
    note_sent(
        connection,
        run.push,
        run.run_id,
        [_remembered(row, receipt) for row, receipt in refused if row.exists and not receipt.retryable],
    )


def record_receipts(connection: Connection, run: PushRun, answered: Answered, *, errors: bool) -> None:
    """Record the answer to a request: outcomes, what was sent, events and errors, all at once.

    Args:
        connection: the transaction.
        run: the run.
        answered: the request.
        errors: the push has open errors, which what arrived settles.
    """
    pairs = [(answered.candidates[receipt.record_id], receipt) for receipt in answered.receipts]
    note_outcomes(
        connection,
        run.run_id,
        [replace(receipt, cause=each.note) if each.note and not receipt.cause else receipt for each, receipt in pairs],
    )
    if all(receipt.outcome is Outcome.DELIVERED for receipt in answered.receipts):
        settle_request(connection, run.run_id, answered.number)
    else:
        fates = [(event.key, receipt.outcome) for each, receipt in pairs for event in each.profile.events]
        settle_events(connection, fates, again=answered.again)
        _record_failures(connection, run, pairs, again=answered.again)
        accepted = [_accepted(each, receipt) for each, receipt in pairs if receipt.outcome is Outcome.ACCEPTED]
        note_accepted(connection, run.push, run.run_id, accepted)
    note_sent(connection, run.push, run.run_id, [_sent(each, receipt) for each, receipt in pairs if _kept(receipt)])
    if errors:
        arrived = [each for each, receipt in pairs if receipt.outcome is Outcome.DELIVERED]
        keys = [event.key for each in arrived for event in each.profile.events]
        settle_errors(connection, run, [each.row.record_id for each in arrived], event_keys=keys, by="delivered")


def _record_failures(
    connection: Connection, run: PushRun, pairs: Sequence[tuple[Candidate, Receipt]], *, again: bool
) -> None:
    failures = []
    for each, receipt in pairs:
        if receipt.outcome in _FAILED:
            unknown = receipt.outcome is Outcome.UNKNOWN
            events = each.profile.events if unknown else ()
            failures.append(
                Failure(
                    receipt=receipt,
                    event_key=events[0].key if events else "",
                    row_hash=each.row.row_hash,
                    again=again if unknown and events else receipt.retryable or unknown,
                )
            )
    note_errors(connection, run, failures)
    unknown_ids = [receipt.record_id for _, receipt in pairs if receipt.outcome is Outcome.UNKNOWN]
    forget_sent(connection, run.push, unknown_ids)


def _kept(receipt: Receipt) -> bool:
    """Say whether the record counts as settled: it was taken, or was refused for good."""
    if receipt.outcome in _TAKEN:
        return True
    return receipt.outcome in (Outcome.REJECTED, Outcome.SKIPPED) and not receipt.retryable


def _sent(candidate: Candidate, receipt: Receipt) -> Sent:
    if receipt.outcome not in _TAKEN:
        return _remembered(candidate.row, receipt)
    profile = candidate.profile
    return Sent(
        record_id=receipt.record_id,
        row_hash=candidate.row.row_hash,
        fingerprint=candidate.fingerprint.hex(),
        outcome=receipt.outcome.value,
        identifiers=flat_identifiers(profile),
        platform_id=receipt.platform_id or profile.platform_id,
    )


def _remembered(row: Row, receipt: Receipt) -> Sent:
    return Sent(record_id=row.record_id, row_hash=row.row_hash, fingerprint=None, outcome=receipt.outcome.value)


def _accepted(candidate: Candidate, receipt: Receipt) -> Accepted:
    return Accepted(
        record_id=receipt.record_id,
        job=receipt.job,
        place=receipt.job_place,
        event_keys=tuple(event.key for event in candidate.profile.events),
    )
