"""Settle what a platform took for later: ask its jobs, and turn each accepted record into what became of it.

It takes no lock: who finds the records of a job still in the ledger settles them, in one transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine, text

from include.activation.settlement import conclude, may_repeat
from include.destinations.protocol import Destination, Pending
from include.errors import AuthError, RetryableError, Unreachable
from include.ports import Clock
from include.records import Outcome, OutcomeCounts, Receipt
from include.warehouse.engine import transaction
from include.warehouse.pushes.accepted import Accepted, OpenJob, leave_accepted, open_jobs, read_job
from include.warehouse.pushes.ledger import read_push_run
from include.warehouse.pushes.outbox import settle_events
from include.warehouse.pushes.outcomes import settle_outcomes
from include.warehouse.pushes.sent import settle_sent
from include.warehouse.pushes.sync_errors import Failure, note_errors, settle_errors

LONGEST_JOB = timedelta(hours=24)  # what has not told by then never will
_FAILED = (Outcome.REJECTED, Outcome.UNKNOWN)
JOB_PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Say what the jobs of a push told.

    Args:
        runs: the counts of each run that heard of its records, by run id.
        records: how many records that were.
        waiting: how many jobs have not told yet.
        problem: why the platform could not be asked further, or "".
    """

    runs: dict[int, OutcomeCounts]
    records: int
    waiting: int
    problem: str = ""


def settle_jobs(engine: Engine, push: str, destination: Destination, *, now: Clock) -> Settled:
    """Ask each job of a push once what became of its records, and write down what it told.

    A job that has not told within a day is given up: its records end ``unknown``.

    Raises:
        AuthError: the platform refuses our credentials.
        Unreachable: nobody listens where the connection points.
    """
    again = may_repeat(destination.capabilities)
    with transaction(engine) as connection:
        jobs = open_jobs(connection, push)
    runs: dict[int, OutcomeCounts] = {}
    records = waiting = 0
    for place, (run_id, name) in enumerate(jobs):
        with transaction(engine) as connection:
            job = read_job(connection, run_id, name)
        if job is None:  # somebody else settled it meanwhile
            continue
        try:
            receipts = _ask(destination, job, now=now)
        except RetryableError as error:
            return Settled(runs=runs, records=records, waiting=waiting + len(jobs) - place, problem=str(error))
        if len(receipts) < len(job.records):
            waiting += 1
        if receipts:
            with transaction(engine) as connection:
                counts = _settle(connection, job, receipts, again=again)
            if counts is not None:
                runs[run_id] = counts
                records += len(receipts)
    return Settled(runs=runs, records=records, waiting=waiting)


def await_jobs(
    engine: Engine,
    push: str,
    destination: Destination,
    *,
    now: Clock,
    pauses: Sequence[float] = JOB_PAUSES_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> Settled:
    """Ask the jobs of a push until all have told, for half a minute unless told otherwise; the rest is asked later."""
    runs: dict[int, OutcomeCounts] = {}
    records = 0
    for pause in (*pauses, None):
        try:
            settled = settle_jobs(engine, push, destination, now=now)
        except (AuthError, Unreachable) as error:  # what was to be sent is sent; whoever asks next meets it as well
            return Settled(runs=runs, records=records, waiting=1, problem=str(error))
        runs |= settled.runs
        records += settled.records
        if not settled.waiting or pause is None:
            break
        sleep(pause)
    return Settled(runs=runs, records=records, waiting=settled.waiting, problem=settled.problem)


def _ask(destination: Destination, job: OpenJob, *, now: Clock) -> list[Receipt]:
    pending = [Pending(record_id=each.record_id, place=each.place) for each in job.records]
    told = destination.settle(job.job, pending) or ()
    known = {each.record_id for each in job.records}
    receipts = [each for each in told if each.record_id in known and each.outcome is not Outcome.ACCEPTED]
    if now() - job.accepted_at < LONGEST_JOB:
        return receipts
    heard = {each.record_id for each in receipts}
    return receipts + [_given_up(each) for each in job.records if each.record_id not in heard]


def _settle(connection: Connection, job: OpenJob, receipts: list[Receipt], *, again: bool) -> OutcomeCounts | None:
    """Write down what a job told; None: somebody else did at the same time."""
    # One at a time for each run: two jobs of it that told at once would each miss the other's records in the counts.
    connection.execute(
        text("SELECT 1 FROM headwater.push_run WHERE run_id = :run_id FOR UPDATE"), {"run_id": job.run_id}
    )
    still = read_job(connection, job.run_id, job.job)
    if still is None or len(still.records) != len(job.records):
        return None
    leave_accepted(connection, job.run_id, [each.record_id for each in receipts])
    run = read_push_run(connection, job.run_id)
    keys = {each.record_id: each.event_keys for each in job.records}
    settle_outcomes(connection, job.run_id, receipts)
    fates = [(key, each.outcome) for each in receipts for key in keys[each.record_id]]
    settle_events(connection, fates, again=again)
    # What may be tried again counts as never sent: the next run that finds it due sends its present state.
    ends = {
        each.record_id: ("unknown" if each.retryable else each.outcome.value, each.platform_id) for each in receipts
    }
    settle_sent(connection, run.push, job.run_id, ends)
    note_errors(
        connection,
        run,
        [_failure(each, keys[each.record_id], again=again) for each in receipts if each.outcome in _FAILED],
    )
    arrived = [each.record_id for each in receipts if each.outcome is Outcome.DELIVERED]
    arrived_keys = [key for record_id in arrived for key in keys[record_id]]
    settle_errors(connection, run, arrived, event_keys=arrived_keys, by="delivered")
    return conclude(connection, run)


def _failure(receipt: Receipt, keys: tuple[str, ...], *, again: bool) -> Failure:
    unknown = receipt.outcome is Outcome.UNKNOWN
    return Failure(
        receipt=receipt,
        event_key=keys[0] if unknown and keys else "",
        again=receipt.retryable or (unknown and (again or not keys)),
    )


def _given_up(accepted: Accepted) -> Receipt:
    return Receipt(
        record_id=accepted.record_id,
        outcome=Outcome.UNKNOWN,
        cause="never_settled",
        message="the platform accepted the record and did not tell within a day what became of it",
    )
