"""Open a delivery where an earlier one ended, and close it: by the book, stopped, or finished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from include.activation.counts import counts_of, insist_on_balance
from include.activation.verdict import failure
from include.config.pushes import PushDefinition
from include.errors import AuthError, FastFailed, HeadwaterError, NotReady, RateLimited, Unreachable, WarehouseDown
from include.records import Outcome, OutcomeCounts
from include.warehouse.engine import transaction
from include.warehouse.outbox import mark_request, recover_outbox
from include.warehouse.outcomes import hold_rest, note_outcomes, reopen_held, tally_outcomes
from include.warehouse.pushes import PushRun, note_counts, note_options, read_push_run, resume_run
from include.warehouse.runs import finish_run
from include.warehouse.sent import forget_sent
from include.warehouse.sync_errors import note_errors

_HELD_FOR: tuple[tuple[type[HeadwaterError], str], ...] = (
    (FastFailed, "fast_fail"),
    (AuthError, "credentials_refused"),
    (RateLimited, "throttled"),
    (Unreachable, "unreachable"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Hold how to send."""

    skip_hook: bool
    fast_fail: bool
    batch_size: int
    resend: bool


def take_up(engine: Engine, push: PushDefinition, run_id: int, terms: Terms) -> PushRun:
    """Settle what killed deliveries left behind, and open the run for this one."""
    with transaction(engine) as connection:
        run = read_push_run(connection, run_id)
        if run.push != push.push:
            raise NotReady(f"run {run_id} belongs to the push {run.push!r}, not to {push.push!r}; select again")
        _settle_lost(connection, push.push)
        reopen_held(connection, run_id)
        resume_run(connection, run_id)
        note_options(connection, run_id, asdict(terms) | {"resend": run.resend or terms.resend})
    return run


def stop(reading: Connection, engine: Engine, run: PushRun, error: HeadwaterError) -> None:
    """Hold what was not sent, and say in the run why.

    The error is what the caller has to hear of. A warehouse that fails now as well only adds a note to it: the next
    delivery settles what this one left, as after a kill.

    Args:
        reading: the transaction that holds the lock of the push.
        engine: the warehouse.
        run: the run that stops.
        error: why it stops.
    """
    try:
        reading.execute(text("SELECT 1"))  # without its session the lock is gone, and another delivery may be at work
        _hold(engine, run, error)
    except (WarehouseDown, SQLAlchemyError) as failure_to_stop:
        error.add_note(f"the next delivery settles what this one left: {type(failure_to_stop).__name__} while stopping")


def put_back(engine: Engine, run: PushRun, number: int, error: HeadwaterError) -> None:
    """Note that the platform took nothing of a request; unless that is noted, its events end ``unknown``."""
    try:
        with transaction(engine) as connection:
            mark_request(connection, run.run_id, number, "written")
    except (WarehouseDown, SQLAlchemyError) as failure_to_note:
        error.add_note(f"request {number} could not be put back: {type(failure_to_note).__name__}")


def _hold(engine: Engine, run: PushRun, error: HeadwaterError) -> None:
    cause = next((name for kind, name in _HELD_FOR if isinstance(error, kind)), "stopped")
    with transaction(engine) as connection:
        _settle_lost(connection, run.push, run_id=run.run_id)
        hold_rest(connection, run.run_id, cause=cause, message="not sent: the delivery stopped before this record")
        counts = counts_so_far(connection, read_push_run(connection, run.run_id))
        note_counts(connection, run.run_id, counts, settled=True)
        finish_run(connection, run.run_id, "failed", str(error))


def _settle_lost(connection: Connection, push: str, *, run_id: int | None = None) -> None:
    for lost_in, lost in recover_outbox(connection, push, run_id=run_id).items():
        note_outcomes(connection, lost_in, [receipt for receipt, _ in lost])
        run = read_push_run(connection, lost_in)
        note_errors(connection, run, lost)
        forget_sent(connection, push, [receipt.record_id for receipt, _ in lost])
        counts = counts_so_far(connection, run)
        note_counts(connection, lost_in, counts, settled=counts.settled == counts.selected)


def close(engine: Engine, run_id: int) -> OutcomeCounts:
    """Count again from the ledgers, insist that it adds up, and say how the run ended."""
    with transaction(engine) as connection:
        run = read_push_run(connection, run_id)
        counts = counts_so_far(connection, run)
        balanced = counts.settled == counts.selected
        complaint = failure(counts, max_failed_share=run.max_failed_share) if balanced else "outcomes do not add up"
        note_counts(connection, run_id, counts, settled=balanced)
        if complaint:
            finish_run(connection, run_id, "failed", complaint)
        else:
            finish_run(connection, run_id, "degraded" if counts.failed or counts.held else "success")
    insist_on_balance(counts, run_id=run_id)
    return counts


def counts_so_far(connection: Connection, run: PushRun) -> OutcomeCounts:
    """Return the counts of a run as its ledgers have them now; they don't add up while it goes on."""
    return counts_of(run.selected, with_left_out(run, tally_outcomes(connection, run.run_id)))


def with_left_out(run: PushRun, tally: Mapping[Outcome, int]) -> dict[Outcome, int]:
    """Return a tally with the records that were never looked at: those of which a count is all that is kept."""
    skipped = tally.get(Outcome.SKIPPED, 0) + run.left_out
    return dict(tally) | {Outcome.UNCHANGED: run.unchanged, Outcome.SKIPPED: skipped}
