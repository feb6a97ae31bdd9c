"""Deliver what was selected: map, compare, write events down, send, record what became of each record.

While requests are under way the next records are mapped and their events written down. One transaction records what
was answered, writes down what comes next and marks what is sent now; only then it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from include.activation.counts import insist_on_balance
from include.activation.delivery import Course, Delivery, Progress, StopAsked
from include.activation.jobs import JOB_PAUSES_SECONDS, await_jobs, settle_jobs
from include.activation.settlement import Terms, close, counts_so_far, may_repeat, stop, take_up
from include.activation.written import chunks
from include.config.pushes import PushDefinition
from include.destinations.protocol import Destination
from include.errors import AuthError, CircuitOpen, HeadwaterError, WarehouseDown
from include.ports import Circuit, Clock
from include.records import OutcomeCounts
from include.warehouse.engine import transaction
from include.warehouse.pushes.ledger import has_selection, lock_push, note_counts, read_push_run
from include.warehouse.pushes.outcomes import hold_rest
from include.warehouse.runs import finish_run


def _go_on() -> str:
    return ""


def deliver_push(
    engine: Engine,
    push: PushDefinition,
    destination: Destination,
    *,
    run_id: int,
    skip_hook: bool,
    fast_fail: bool,
    batch_size: int,
    now: Clock,
    resend: bool = False,
    parallel: int = 1,
    circuit: Circuit | None = None,
    stop_asked: StopAsked = _go_on,
    job_pauses: Sequence[float] = JOB_PAUSES_SECONDS,
    on_progress: Progress = lambda counts: None,
) -> OutcomeCounts:
    """Send the selection of a run and return what became of it; judge it afterwards with `verdict.settle`.

    Killed at any moment and called again with the same `run_id` it goes on where it was: no event is stored twice.
    Events whose request was under way are sent again under their keys where the platform keeps each once or shows what
    it holds, and end ``unknown`` elsewhere. Records that an earlier call left ``held`` are tried again.
    One delivery of a push at a time: a second one waits.

    Args:
        engine: the warehouse.
        push: the definition.
        destination: the platform.
        run_id: as returned by `select_push`.
        skip_hook: do not start journeys.
        fast_fail: stop after the first batch in which a record failed; the rest is held. Sends one batch at a time.
        batch_size: at most so many records in a request.
        now: the clock, for events whose time is that of sending.
        resend: send unchanged records and already sent events again; so does a selection that asked for it.
        parallel: how many batches may be under way at once; two that name one person never are.
        circuit: knows whether the connection's credentials were refused.
        stop_asked: is asked between batches whether to stop.
        job_pauses: seconds to wait before asking again what became of records that the platform took for later.
        on_progress: is told the counts so far after each answer.

    Raises:
        FastFailed: a batch failed and `fast_fail` is set; the rest is held.
        PushStopped: somebody wanted it to stop; what was under way is recorded, the rest is held.
        AuthError: the platform refused the credentials; the rest is held.
        RateLimited: the platform throttles beyond our patience; the rest is held until the retry.
        Unreachable: nobody listens where the connection points; the rest is held.
        NotReady: there is no such run.
        WarehouseDown: the warehouse broke off; nothing is lost.
        Unbalanced: the outcomes don't sum to the selection: a bug of ours.
    """
    again = may_repeat(destination.capabilities)
    with transaction(engine) as reading:
        lock_push(reading, push.push)
        terms = Terms(skip_hook=skip_hook, fast_fail=fast_fail, batch_size=batch_size, resend=resend)
        run = take_up(engine, push, run_id, terms, again=again)
        try:
            if circuit is not None and has_selection(reading, run_id):
                circuit.insist(destination.test)
            if destination.capabilities.settles_later:
                settle_jobs(engine, push.push, destination, now=now)
            course = Course(
                push=push,
                run=run,
                terms=terms,
                now=now,
                parallel=1 if fast_fail else parallel,
                again=again,
                resend=run.resend or resend,
            )
            delivery = Delivery(engine, destination, course, stop_asked=stop_asked, on_progress=on_progress)
            delivery.go(chunks(engine, reading, destination, course))
            if destination.capabilities.settles_later:
                await_jobs(engine, push.push, destination, now=now, pauses=job_pauses)
        except HeadwaterError as error:
            if circuit is not None and isinstance(error, AuthError) and not isinstance(error, CircuitOpen):
                circuit.open(error)
            stop(reading, engine, run, error, again=again)
            raise
        except OperationalError as error:
            raise WarehouseDown(
                f"the warehouse broke off while run {run_id} of the push {push.push!r} was delivered;"
                " the retry goes on where it was"
            ) from error
    return close(engine, run_id)


def hold_push(engine: Engine, *, run_id: int, cause: str) -> OutcomeCounts:
    """Hold every record of a run that has no outcome yet, because somebody decided so; nothing is sent."""
    with transaction(engine) as connection:
        run = read_push_run(connection, run_id)
        hold_rest(connection, run_id, cause=cause.replace(" ", "_"), message=f"not sent: {cause}")
        counts = counts_so_far(connection, run)
        note_counts(connection, run_id, counts, settled=True)
        finish_run(connection, run_id, "skipped", f"nothing was sent: {cause}")
    insist_on_balance(counts, run_id=run_id)
    return counts
