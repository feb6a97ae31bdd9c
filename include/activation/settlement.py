"""Open a delivery where an earlier one ended, and close it: by the book, stopped, or finished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from include.activation.counts import counts_of, insist_on_balance
from include.activation.verdict import failure
from include.config.platforms import PLATFORMS, Capabilities
from include.config.pushes import PushDefinition
from include.errors import (
    AuthError,
    FastFailed,
    HeadwaterError,
    NotReady,
    PushStopped,
    RateLimited,
    Unreachable,
    WarehouseDown,
)
from include.records import Outcome, OutcomeCounts, Receipt
from include.warehouse.engine import transaction
from include.warehouse.pushes.abandoned import old_runs, outrun_by, try_lock_push
from include.warehouse.pushes.ledger import PushRun, is_selected, note_counts, note_options, read_push_run, resume_run
from include.warehouse.pushes.outbox import Lost, mark_request, recover_outbox
from include.warehouse.pushes.outcomes import hold_rest, note_outcomes, reopen_held, tally_outcomes
from include.warehouse.pushes.sent import forget_sent
from include.warehouse.pushes.sync_errors import Failure, note_errors
from include.warehouse.runs import EndState, finish_run

_HELD_FOR: tuple[tuple[type[HeadwaterError], str], ...] = (
    (FastFailed, "fast_fail"),
    (AuthError, "credentials_refused"),
    (RateLimited, "throttled"),
    (Unreachable, "unreachable"),
    (PushStopped, "stopped"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Hold how to send."""

    skip_hook: bool
    fast_fail: bool
    batch_size: int
    resend: bool


def may_repeat(capabilities: Capabilities) -> bool:
    """Say whether an event whose answer was lost may be sent again under its key without being stored twice."""
    return capabilities.dedupes_events or capabilities.reads_back


def take_up(engine: Engine, push: PushDefinition, run_id: int, terms: Terms, *, again: bool) -> PushRun:
    """Settle what killed deliveries left behind, and open the run for this one.

    Args:
        engine: the warehouse.
        push: the definition.
        run_id: the run.
        terms: how to send.
        again: what was under way may be sent again, see `may_repeat`.
    """
    with transaction(engine) as connection:
        run = read_push_run(connection, run_id)
        if run.push != push.push:
            raise NotReady(f"run {run_id} belongs to the push {run.push!r}, not to {push.push!r}; select again")
        _settle_lost(connection, push.push, again=again)
        for each in outrun_by(connection, run_id):
            _bury(connection, each, f"its process ended without a word; run {run_id} went on instead")
        reopen_held(connection, run_id)
        resume_run(connection, run_id)
        note_options(connection, run_id, asdict(terms) | {"resend": run.resend or terms.resend})
    return run


def bury_old_runs(engine: Engine) -> int:
    """Say of push runs that nobody can be waiting for any more that they failed; return how many those were."""
    with transaction(engine) as connection:
        found = old_runs(connection)
    buried = 0
    for each in found:
        with transaction(engine) as connection:
            if try_lock_push(connection, each.push):
                _bury(connection, each.run_id, "its process ended without a word, and nobody took it up again")
                buried += 1
    return buried


def stop(reading: Connection, engine: Engine, run: PushRun, error: HeadwaterError, *, again: bool) -> None:
    """Hold what was not sent, and say in the run why.

    The error is what the caller has to hear of. A warehouse that fails now as well only adds a note to it: the next
    delivery settles what this one left, as after a kill.

    Args:
        reading: the transaction that holds the lock of the push.
        engine: the warehouse.
        run: the run that stops.
        error: why it stops.
        again: what was under way may be sent again, see `may_repeat`.
    """
    try:
        reading.execute(text("SELECT 1"))  # without its session the lock is gone, and another delivery may be at work
        _hold(engine, run, error, again=again)
    except (WarehouseDown, SQLAlchemyError) as failure_to_stop:
        error.add_note(f"the next delivery settles what this one left: {type(failure_to_stop).__name__} while stopping")


def put_back(engine: Engine, run: PushRun, number: int, error: HeadwaterError) -> None:
    """Note that the platform took nothing of a request; unless that is noted, its events end ``unknown``."""
    try:
        with transaction(engine) as connection:
            mark_request(connection, run.run_id, number, "written")
    except (WarehouseDown, SQLAlchemyError) as failure_to_note:
        error.add_note(f"request {number} could not be put back: {type(failure_to_note).__name__}")


def close(engine: Engine, run_id: int) -> OutcomeCounts:
    """Count again from the ledgers, insist that it adds up, and say how the run ended."""
    with transaction(engine) as connection:
        counts = conclude(connection, read_push_run(connection, run_id))
        if counts.settled != counts.selected:
            finish_run(connection, run_id, "failed", "outcomes do not add up")
    insist_on_balance(counts, run_id=run_id)
    return counts


def conclude(connection: Connection, run: PushRun) -> OutcomeCounts:
    """Write down how a run stands by its ledgers, and once it adds up whether it is a success; return its counts."""
    counts = counts_so_far(connection, run)
    balanced = counts.settled == counts.selected
    note_counts(connection, run.run_id, counts, settled=balanced)
    if balanced:
        complaint = failure(counts, max_failed_share=run.max_failed_share, min_delivered=run.min_delivered)
        state: EndState = "failed" if complaint else "degraded" if counts.failed or counts.held else "success"
        finish_run(connection, run.run_id, state, complaint)
    return counts


def counts_so_far(connection: Connection, run: PushRun) -> OutcomeCounts:
    """Return the counts of a run as its ledgers have them now; they don't add up while it goes on."""
    return counts_of(run.selected, with_left_out(run, tally_outcomes(connection, run.run_id)))


def with_left_out(run: PushRun, tally: Mapping[Outcome, int]) -> dict[Outcome, int]:
    """Return a tally with the records that were never looked at: those of which a count is all that is kept."""
    skipped = tally.get(Outcome.SKIPPED, 0) + run.left_out
    return dict(tally) | {Outcome.UNCHANGED: run.unchanged, Outcome.SKIPPED: skipped}


def _bury(connection: Connection, run_id: int, why: str) -> None:
    """End a run that nobody carries on; call it while nobody delivers its push."""
    if is_selected(connection, run_id):
        run = read_push_run(connection, run_id)
        _settle_lost(connection, run.push, run_id=run_id, again=may_repeat(PLATFORMS[run.platform].capabilities))
        hold_rest(connection, run_id, cause="abandoned", message="not sent: the process of its run ended")
        note_counts(connection, run_id, counts_so_far(connection, run), settled=True)
    finish_run(connection, run_id, "failed", why)


def _hold(engine: Engine, run: PushRun, error: HeadwaterError, *, again: bool) -> None:
    cause = next((name for kind, name in _HELD_FOR if isinstance(error, kind)), "stopped")
    with transaction(engine) as connection:
        _settle_lost(connection, run.push, run_id=run.run_id, again=again)
        hold_rest(connection, run.run_id, cause=cause, message="not sent: the delivery stopped before this record")
        counts = counts_so_far(connection, read_push_run(connection, run.run_id))
        note_counts(connection, run.run_id, counts, settled=True)
        finish_run(connection, run.run_id, "failed", str(error))


def _settle_lost(connection: Connection, push: str, *, again: bool, run_id: int | None = None) -> None:
    """Say unknown of what was under way; where it may be sent again, it is as if it never had been."""
    left = recover_outbox(connection, push, again=again, run_id=run_id)
    if again:
        return
    for lost_in, lost in left.items():
        run = read_push_run(connection, lost_in)
        receipts = [_unknown(each) for each in lost]
        note_outcomes(connection, lost_in, receipts)
        failures = zip(receipts, lost, strict=True)
        note_errors(connection, run, [Failure(receipt=said, event_key=each.event_key) for said, each in failures])
        forget_sent(connection, push, [each.record_id for each in lost])
        counts = counts_so_far(connection, run)
        note_counts(connection, lost_in, counts, settled=counts.settled == counts.selected)


def _unknown(lost: Lost) -> Receipt:
    return Receipt(
        record_id=lost.record_id,
        outcome=Outcome.UNKNOWN,
        cause="answer_lost",
        message="the delivery ended before an answer was stored; whether the platform has the event is not known",
    )
