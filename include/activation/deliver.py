"""Deliver what was selected: map, compare, write events down, send, record what became of each record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from include.activation.counts import counts_of, insist_on_balance
from include.activation.options import PushMode
from include.activation.prepare import Candidate, Row, events_of, in_rounds, prepare_row, with_claimed
from include.activation.record import record_receipts, record_refused, record_unchanged
from include.activation.rows import mapper_of, selected_rows
from include.activation.settlement import Terms, close, counts_so_far, put_back, stop, take_up, with_left_out
from include.config.pushes import PushDefinition
from include.destinations.protocol import Batch, Destination
from include.errors import AuthError, FastFailed, HeadwaterError, RateLimited, Unreachable, WarehouseDown
from include.ports import Clock
from include.records import Outcome, OutcomeCounts, Receipt
from include.warehouse.engine import transaction
from include.warehouse.outbox import (
    claim_events,
    mark_request,
    move_events,
    next_request,
    write_request,
)
from include.warehouse.outcomes import hold_rest, tally_outcomes
from include.warehouse.pushes import PushRun, lock_push, note_counts, read_push_run
from include.warehouse.runs import finish_run
from include.warehouse.selections import look_up_by_key

Progress = Callable[[OutcomeCounts], None]
_ROWS_AT_ONCE = 10_000  # rows that are looked at before what was found among them is written down


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
    on_progress: Progress = lambda counts: None,
) -> OutcomeCounts:
    """Send the selection of a run and return what became of it; judge it afterwards with `verdict.settle`.

    Killed at any moment and called again with the same `run_id` it goes on where it was: no event is sent twice;
    events whose request was under way end ``unknown``. Records that an earlier call left ``held`` are tried again.
    One delivery of a push at a time: a second one waits.

    Args:
        engine: the warehouse.
        push: the definition.
        destination: the platform.
        run_id: as returned by `select_push`.
        skip_hook: do not start journeys.
        fast_fail: stop after the first batch in which a record failed; the rest is held.
        batch_size: at most so many records in a request.
        now: the clock, for events whose time is that of sending.
        resend: send unchanged records and already sent events again; so does a selection that asked for it.
        on_progress: is told the counts so far after each request.

    Raises:
        FastFailed: a batch failed and `fast_fail` is set; the rest is held.
        AuthError: the platform refused the credentials; the rest is held.
        RateLimited: the platform throttles beyond our patience; the rest is held until the retry.
        Unreachable: nobody listens where the connection points; the rest is held.
        NotReady: there is no such run.
        WarehouseDown: the warehouse broke off; nothing is lost.
        Unbalanced: the outcomes don't sum to the selection: a bug of ours.
    """
    with transaction(engine) as reading:
        lock_push(reading, push.push)
        terms = Terms(skip_hook=skip_hook, fast_fail=fast_fail, batch_size=batch_size, resend=resend)
        run = take_up(engine, push, run_id, terms)
        try:
            _Delivery.of(engine, push, destination, run, terms, now, on_progress).go(reading)
        except HeadwaterError as error:
            stop(reading, engine, run, error)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    """Hold what the steps of one delivery share, and the tally of what they did."""

    engine: Engine
    push: PushDefinition
    destination: Destination
    run: PushRun
    terms: Terms
    now: Clock
    on_progress: Progress
    repeat: bool
    resend: bool
    tally: dict[Outcome, int]

    @classmethod
    def of(
        cls,
        engine: Engine,
        push: PushDefinition,
        destination: Destination,
        run: PushRun,
        terms: Terms,
        now: Clock,
        on_progress: Progress,
    ) -> _Delivery:
        with transaction(engine) as connection:
            done = tally_outcomes(connection, run.run_id)
        resend = run.resend or terms.resend
        return cls(
            engine=engine,
            push=push,
            destination=destination,
            run=run,
            terms=terms,
            now=now,
            on_progress=on_progress,
            repeat=resend or run.mode == PushMode.ALL,
            resend=resend,
            tally=with_left_out(run, done),
        )

    def go(self, reading: Connection) -> None:
        """Work through the selection, some thousand rows at a time."""
        candidates: list[Candidate] = []
        refused: list[tuple[Row, Receipt]] = []
        unchanged: list[Row] = []
        looked_at = 0
        mapper = mapper_of(reading, self.push)
        for row in selected_rows(reading, self.push, run_id=self.run.run_id):
            looked_at += 1
            found = prepare_row(mapper, self.destination, row, run=self.run.run_key, repeat=self.repeat, now=self.now())
            if found is None:
                unchanged.append(row)
            elif isinstance(found, Receipt):
                refused.append((row, found))
            else:
                candidates.append(found)
            if len(candidates) == self.terms.batch_size or looked_at == _ROWS_AT_ONCE:
                self._flush(candidates, refused, unchanged)
                candidates, refused, unchanged, looked_at = [], [], [], 0
        self._flush(candidates, refused, unchanged)

    def _flush(self, candidates: list[Candidate], refused: list[tuple[Row, Receipt]], unchanged: list[Row]) -> None:
        """Record what needs no sending, write down what does, then send it request by request."""
        with transaction(self.engine) as connection:
            look_up_by_key(connection)
            number = next_request(connection, self.run.run_id)
            claimed = claim_events(connection, self.run, events_of(candidates), request=number, resend=self.resend)
            to_send = [each for each in (with_claimed(each, claimed) for each in candidates) if each is not None]
            sent_ids = {each.row.record_id for each in to_send}
            nothing_new = [each.row for each in candidates if each.row.record_id not in sent_ids]
            record_unchanged(connection, self.run, unchanged + nothing_new)
            record_refused(connection, self.run, refused)
            batches = self._written(connection, to_send, number)
        self._count([receipt.outcome for _, receipt in refused])
        self._count([Outcome.UNCHANGED] * (len(unchanged) + len(nothing_new)))
        failed = any(receipt.outcome is Outcome.REJECTED for _, receipt in refused)
        by_id = {each.row.record_id: each for each in to_send}
        for place, batch in batches:
            failed = self._send(batch, place, by_id) or failed
            if failed and self.terms.fast_fail:
                break
        if failed and self.terms.fast_fail:
            raise FastFailed(
                f"a batch of the push {self.push.push!r} had failures and fast_fail is set; what was sent before is"
                " recorded, the rest is held. See the causes among the sync errors, then clear this task to go on"
            )

    def _written(self, connection: Connection, to_send: list[Candidate], number: int) -> list[tuple[int, Batch]]:
        batches = [
            batch
            for round_ in in_rounds(to_send)
            for batch in self.destination.build(
                [each.profile for each in round_],
                skip_hook=self.terms.skip_hook,
                max_records=self.terms.batch_size,
            )
        ]
        numbered = list(enumerate(batches, start=number))
        for place, batch in numbered:
            keys = [event.key for profile in batch.records for event in profile.events]
            write_request(connection, self.run.run_id, place, records=len(batch.records), events=len(keys))
            if place != number:
                move_events(connection, keys, request=place)
        return numbered

    def _send(self, batch: Batch, place: int, by_id: dict[str, Candidate]) -> bool:
        """Send one request, record its answer, and say whether a record failed in it."""
        with transaction(self.engine) as connection:
            mark_request(connection, self.run.run_id, place, "sent")
        try:
            result = self.destination.send(batch)
        except (AuthError, RateLimited, Unreachable) as error:  # the platform took nothing of this batch
            put_back(self.engine, self.run, place, error)
            raise
        with transaction(self.engine) as connection:
            look_up_by_key(connection)
            mark_request(connection, self.run.run_id, place, "answered")
            record_receipts(connection, self.run, by_id, result.receipts)
        self._count([receipt.outcome for receipt in result.receipts])
        self.on_progress(counts_of(self.run.selected, self.tally))
        return any(receipt.outcome in (Outcome.REJECTED, Outcome.UNKNOWN) for receipt in result.receipts)

    def _count(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            self.tally[outcome] = self.tally.get(outcome, 0) + 1
