"""Write down what became of records: each function is one transaction's worth, called inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from include.activation.prepare import Candidate, Row
from include.records import Outcome, Receipt
from include.warehouse.outbox import settle_events
from include.warehouse.outcomes import note_outcomes
from include.warehouse.pushes import PushRun
from include.warehouse.selections import leave_selection
from include.warehouse.sent import Sent, forget_sent, note_sent
from include.warehouse.sync_errors import note_errors, settle_errors

_FAILED = (Outcome.REJECTED, Outcome.UNKNOWN)


def record_unchanged(connection: Connection, run: PushRun, rows: Sequence[Row]) -> None:
    """Count records as unchanged; their source's new hash spares the next run from looking at them."""
    leave_selection(connection, run.run_id, [row.ordinal for row in rows])
    lines = [
        Sent(record_id=row.record_id, row_hash=row.row_hash, fingerprint=None, outcome="unchanged") for row in rows
    ]
    note_sent(connection, run.push, run.run_id, lines)
    settle_errors(connection, run.push, [row.record_id for row in rows], event_keys=(), by="unchanged")


def record_refused(connection: Connection, run: PushRun, refused: Sequence[tuple[Row, Receipt]]) -> None:
    """Record the records that end before anything is sent: skipped by a rule, or refused by our own check."""
    note_outcomes(connection, run.run_id, [receipt for _, receipt in refused])
    rejected = [(receipt, "") for _, receipt in refused if receipt.outcome is Outcome.REJECTED]
    note_errors(connection, run, rejected)
    note_sent(
        connection,
        run.push,
        run.run_id,
        [_remembered(row, receipt) for row, receipt in refused if row.exists and not receipt.retryable],
    )


def record_receipts(
    connection: Connection, run: PushRun, candidates: Mapping[str, Candidate], receipts: Sequence[Receipt]
) -> None:
    """Record the answer to a request: outcomes, what was sent, events and errors, all at once."""
    pairs = [(candidates[receipt.record_id], receipt) for receipt in receipts]
    note_outcomes(
        connection,
        run.run_id,
        [receipt if receipt.cause else replace(receipt, cause=each.note) for each, receipt in pairs],
    )
    settle_events(
        connection, [(event.key, receipt.outcome) for each, receipt in pairs for event in each.profile.events]
    )
    _record_sent(connection, run, pairs)
    failures = [(receipt, _unknown_event(each, receipt)) for each, receipt in pairs if receipt.outcome in _FAILED]
    note_errors(connection, run, failures)
    arrived = [each for each, receipt in pairs if receipt.outcome is Outcome.DELIVERED]
    keys = [event.key for each in arrived for event in each.profile.events]
    settle_errors(connection, run.push, [each.row.record_id for each in arrived], event_keys=keys, by="delivered")


def _record_sent(connection: Connection, run: PushRun, pairs: Sequence[tuple[Candidate, Receipt]]) -> None:
    lines = []
    for each, receipt in pairs:
        if receipt.outcome is Outcome.DELIVERED:
            lines.append(replace(_remembered(each.row, receipt), fingerprint=each.fingerprint.hex()))
        elif receipt.outcome in (Outcome.REJECTED, Outcome.SKIPPED) and not receipt.retryable:
            lines.append(_remembered(each.row, receipt))
    note_sent(connection, run.push, run.run_id, lines)
    unknown = [receipt.record_id for _, receipt in pairs if receipt.outcome is Outcome.UNKNOWN]
    forget_sent(connection, run.push, unknown)


def _remembered(row: Row, receipt: Receipt) -> Sent:
    return Sent(record_id=row.record_id, row_hash=row.row_hash, fingerprint=None, outcome=receipt.outcome.value)


def _unknown_event(candidate: Candidate, receipt: Receipt) -> str:
    unknown = receipt.outcome is Outcome.UNKNOWN and candidate.profile.events
    return candidate.profile.events[0].key if unknown else ""
