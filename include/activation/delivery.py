"""Carry one run through: map ahead, write down, send, record; several requests may be under way at once.

While requests are under way the next records are mapped and their events written down. One transaction records what
was answered, writes down what comes next and marks what is sent now; only then it is sent. While the warehouse works
on it, the records after those are mapped.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Protocol

from sqlalchemy import Connection, Engine

from include.activation.ahead import Ahead
from include.activation.counts import counts_of
from include.activation.record import Answered, record_receipts
from include.activation.settlement import put_back, with_left_out
from include.activation.written import Chunk, Course, Request, write_down
from include.destinations.protocol import BatchResult, Destination
from include.errors import AuthError, FastFailed, HeadwaterError, PushStopped, RateLimited, Unreachable, WarehouseDown
from include.records import Outcome, OutcomeCounts, Receipt
from include.warehouse.engine import transaction
from include.warehouse.pushes.outbox import mark_request, next_request
from include.warehouse.pushes.outcomes import tally_outcomes
from include.warehouse.pushes.selections import look_up_by_key
from include.warehouse.pushes.sync_errors import has_open_errors

__all__ = ["Course", "Delivery", "Progress", "StopAsked"]

Progress = Callable[[OutcomeCounts], None]
_FAILED = (Outcome.REJECTED, Outcome.UNKNOWN)
_LOOK_SECONDS = 0.5  # between two looks, while answers are awaited, at whether somebody wants us to stop
_LAST_ANSWERS_SECONDS = 3.0  # for what is under way when somebody stops us: Airflow kills after five


class StopAsked(Protocol):
    """Say whether somebody wants a delivery to stop."""

    def __call__(self) -> str:
        """Return why, for a person, or "" to go on."""
        ...


class Delivery:
    """Work through a selection: what is written down waits in `_written`, what is under way in `_flying`."""

    def __init__(
        self,
        engine: Engine,
        destination: Destination,
        course: Course,
        *,
        stop_asked: StopAsked,
        on_progress: Progress,
    ) -> None:
        self._engine = engine
        self._destination = destination
        self._course = course
        self._run = course.run
        self._stop_asked = stop_asked
        self._on_progress = on_progress
        self._written: deque[Request] = deque()
        self._flying: dict[Future[BatchResult], Request] = {}
        self._failed = False  # a record did, in an answer or by our own check
        self._error: HeadwaterError | None = None  # why nothing more is sent
        with transaction(engine) as connection:
            self._tally = with_left_out(self._run, tally_outcomes(connection, self._run.run_id))
            self._errors = has_open_errors(connection, self._run.push)
            self._number = next_request(connection, self._run.run_id)

    def go(self, ahead: Iterator[Chunk]) -> None:
        """Send what the chunks hold until everything is recorded, or until something stops it.

        Args:
            ahead: the rows, mapped as they are asked for.

        Raises:
            HeadwaterError: it was stopped; what had been answered is recorded.
        """
        pool = ThreadPoolExecutor(self._course.parallel, thread_name_prefix="delivery")
        try:
            with Ahead(ahead) as mapped:
                self._work(mapped, pool)
        finally:
            # Whoever stops us doesn't wait: what is under way then is settled as after a kill.
            pool.shutdown(wait=not isinstance(self._error, PushStopped), cancel_futures=True)

    def _work(self, ahead: Ahead[Chunk], pool: ThreadPoolExecutor) -> None:
        more = True
        while self._error is None and (more or self._written or self._flying):
            chunk = self._next(ahead) if more and not self._written else None
            more = more and (bool(self._written) or chunk is not None)
            self._turn(chunk, pool)
            self._look_for_a_stop()
            if self._written or not more:
                wait(self._flying, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
        if self._error is not None:
            self._record_the_last()
            raise self._error

    def _next(self, ahead: Ahead[Chunk]) -> Chunk | None:
        try:
            return ahead.next()
        except WarehouseDown:
            raise
        except HeadwaterError as error:  # of what was mapped: what is under way is recorded all the same
            self._error = error
            return None

    def _turn(self, chunk: Chunk | None, pool: ThreadPoolExecutor) -> None:
        """Record what was answered, write down what comes next, mark what is sent now; when that is kept, send it."""
        arrived = self._arrived()
        starting: list[Request] = []
        if arrived or chunk is not None or self._has_room():
            with transaction(self._engine) as connection:
                look_up_by_key(connection)
                for request, result in arrived:
                    self._record(connection, request, result)
                if chunk is not None:
                    self._write_down(connection, chunk)
                self._judge_fast_fail()
                starting = self._startable()
                for request in starting:
                    mark_request(connection, self._run.run_id, request.number, "sent")
        for request in starting:
            self._flying[pool.submit(self._destination.send, request.batch)] = request
        if arrived:
            self._on_progress(counts_of(self._run.selected, self._tally))

    def _has_room(self) -> bool:
        return bool(self._written) and len(self._flying) < self._course.parallel and self._error is None

    def _arrived(self) -> list[tuple[Request, BatchResult]]:
        """Return what was answered; of what the platform did not take, note that and why nothing more is sent."""
        answers = []
        for future in [each for each in self._flying if each.done()]:
            request = self._flying.pop(future)
            try:
                answers.append((request, future.result()))
            except (AuthError, RateLimited, Unreachable) as error:  # the platform took nothing of this batch
                put_back(self._engine, self._run, request.number, error)
                self._error = self._error or error
        return answers

    def _record(self, connection: Connection, request: Request, result: BatchResult) -> None:
        mark_request(connection, self._run.run_id, request.number, "answered")
        answered = Answered(
            number=request.number,
            candidates=request.candidates,
            receipts=result.receipts,
            again=self._course.again,
        )
        record_receipts(connection, self._run, answered, errors=self._errors)
        self._count(result.receipts)

    def _write_down(self, connection: Connection, chunk: Chunk) -> None:
        down = write_down(connection, self._destination, self._course, chunk, number=self._number, errors=self._errors)
        self._number += len(down.requests)
        self._written.extend(down.requests)
        self._count(down.receipts)
        self._tally[Outcome.UNCHANGED] = self._tally.get(Outcome.UNCHANGED, 0) + down.unchanged

    def _startable(self) -> list[Request]:
        """Take the next written requests, as far as there is room; no two that name one person are sent at once."""
        starting: list[Request] = []
        while self._error is None and self._written and len(self._flying) + len(starting) < self._course.parallel:
            under_way = [*self._flying.values(), *starting]
            if any(not each.people.isdisjoint(self._written[0].people) for each in under_way):
                break
            starting.append(self._written.popleft())
        return starting

    def _judge_fast_fail(self) -> None:
        if self._failed and self._course.terms.fast_fail and self._error is None:
            self._error = FastFailed(
                f"a batch of the push {self._run.push!r} had failures and fast_fail is set; what was sent before is"
                " recorded, the rest is held. See the causes among the sync errors, then clear this task to go on"
            )

    def _look_for_a_stop(self) -> None:
        reason = self._stop_asked() if self._error is None else ""
        if reason:
            self._error = PushStopped(
                f"the push {self._run.push!r} was stopped while it ran: {reason}; what was answered is recorded, the"
                " rest is held. Clear this task to go on"
            )

    def _record_the_last(self) -> None:
        """Record what is still under way; somebody who stops us doesn't wait long for it."""
        wait(self._flying, timeout=_LAST_ANSWERS_SECONDS if isinstance(self._error, PushStopped) else None)
        answers = self._arrived()
        if answers:
            with transaction(self._engine) as connection:
                look_up_by_key(connection)
                for request, result in answers:
                    self._record(connection, request, result)

    def _count(self, receipts: Sequence[Receipt]) -> None:
        for outcome, count in Counter([receipt.outcome for receipt in receipts]).items():
            self._tally[outcome] = self._tally.get(outcome, 0) + count
            self._failed = self._failed or outcome in _FAILED
