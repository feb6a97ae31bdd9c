"""Write down what a delivery is about to send: rows become chunks, chunks become requests in the outbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine

from include.activation.mapping import Mapper
from include.activation.options import PushMode
from include.activation.prepare import (
    Candidate,
    Row,
    events_of,
    flat_identifiers,
    in_rounds,
    prepare_row,
    with_claimed,
)
from include.activation.record import record_refused, record_unchanged
from include.activation.rows import mapper_of, selected_rows
from include.activation.settlement import Terms
from include.activation.survivors import Survivors
from include.config.pushes import PushDefinition
from include.destinations.protocol import Batch, Destination
from include.ports import Clock
from include.records import Receipt
from include.warehouse.pushes.gone import identities_of_gone
from include.warehouse.pushes.ledger import PushRun
from include.warehouse.pushes.outbox import claim_events, move_events, write_request

_ROWS_AT_ONCE = 10_000  # rows that are looked at before what was found among them is written down


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Hold what a delivery was asked to do.

    Args:
        push: the definition.
        run: the run, as it was selected.
        terms: how to send.
        now: the clock.
        parallel: how many requests may be under way at once.
        again: what is unknown may be sent again under its key.
        resend: send unchanged records and already sent events again.
    """

    push: PushDefinition
    run: PushRun
    terms: Terms
    now: Clock
    parallel: int
    again: bool
    resend: bool


@dataclass(slots=True, kw_only=True)
class Chunk:
    """Collect what some thousand rows have become."""

    candidates: list[Candidate] = field(default_factory=list)
    refused: list[tuple[Row, Receipt]] = field(default_factory=list)
    unchanged: list[Row] = field(default_factory=list)
    looked_at: int = 0

    def add(self, row: Row, found: Candidate | Receipt | None) -> None:
        """Put a row where what was found about it belongs."""
        self.looked_at += 1
        if found is None:
            self.unchanged.append(row)
        elif isinstance(found, Receipt):
            self.refused.append((row, found))
        else:
            self.candidates.append(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Hold a request that is written down, with its records and, if several are sent at once, all who are in it."""

    number: int
    batch: Batch
    candidates: dict[str, Candidate]
    people: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenDown:
    """Hold what became of a chunk: requests to send, what our own check said, and how many were unchanged."""

    requests: tuple[Request, ...]
    receipts: tuple[Receipt, ...]
    unchanged: int


def chunks(engine: Engine, reading: Connection, destination: Destination, course: Course) -> Iterator[Chunk]:
    """Yield what the selected rows become, as many at a time as go into a request.

    Args:
        engine: the warehouse; the rows are read over a session of their own.
        reading: a transaction, for what is read once.
        destination: the platform.
        course: what is asked for.

    Raises:
        InvalidIdentifier: a record has an identifier that is not valid, and the push wants the run to fail then.
    """
    mapper: Mapper = mapper_of(reading, course.push)
    repeat = course.resend or course.run.mode == PushMode.ALL
    run_key, size, now = course.run.run_key, course.terms.batch_size, course.now
    survivors = Survivors(identities=identities_of_gone(reading, course.run.run_id, course.push.push))
    chunk = Chunk()
    for row in selected_rows(engine, course.push, run_id=course.run.run_id):
        found = prepare_row(mapper, destination, row, run=run_key, repeat=repeat, now=now())
        chunk.add(row, survivors.judged(row, found))
        if len(chunk.candidates) == size or chunk.looked_at == _ROWS_AT_ONCE:
            yield chunk
            chunk = Chunk()
    if chunk.looked_at:
        yield chunk


def write_down(
    connection: Connection, destination: Destination, course: Course, chunk: Chunk, *, number: int, errors: bool
) -> WrittenDown:
    """Record what needs no sending, and write down the requests of the rest, `number` being the first one's.

    Args:
        connection: the transaction.
        destination: the platform.
        course: what is asked for.
        chunk: the rows.
        number: which no request of the run has yet.
        errors: the push has open errors, which unchanged records settle.
    """
    events = events_of(chunk.candidates)
    claimed = claim_events(connection, course.run, events, request=number, resend=course.resend)
    all_new = len(claimed) == len(events)
    judged = (each if all_new and each.profile.events else with_claimed(each, claimed) for each in chunk.candidates)
    to_send = [each for each in judged if each is not None]
    nothing_new: list[Row] = []
    if len(to_send) != len(chunk.candidates):
        sent_ids = {each.row.record_id for each in to_send}
        nothing_new = [each.row for each in chunk.candidates if each.row.record_id not in sent_ids]
    unchanged = chunk.unchanged + nothing_new
    record_unchanged(connection, course.run, unchanged, errors=errors)
    record_refused(connection, course.run, chunk.refused)
    requests: list[Request] = []
    for round_ in in_rounds(to_send):
        by_id = {each.row.record_id: each for each in round_}
        batches = destination.build(
            [each.profile for each in round_],
            skip_hook=course.terms.skip_hook,
            max_records=course.terms.batch_size,
        )
        for batch in batches:
            request = _request(batch, by_id, number + len(requests), apart=course.parallel > 1)
            _write(connection, course.run, request, claimed_for=number)
            requests.append(request)
    receipts = tuple(receipt for _, receipt in chunk.refused)
    return WrittenDown(requests=tuple(requests), receipts=receipts, unchanged=len(unchanged))


def _request(batch: Batch, by_id: dict[str, Candidate], number: int, *, apart: bool) -> Request:
    ids = [profile.record_id for profile in batch.records] + [receipt.record_id for receipt in batch.refused]
    candidates = {record_id: by_id[record_id] for record_id in ids}
    people: set[tuple[str, str]] = set()
    if apart:
        for profile in batch.records:
            people.update(flat_identifiers(profile).items())
    return Request(number=number, batch=batch, candidates=candidates, people=frozenset(people))


def _write(connection: Connection, run: PushRun, request: Request, *, claimed_for: int) -> None:
    ordinals = [each.row.ordinal for each in request.candidates.values()]
    keys = [event.key for each in request.candidates.values() for event in each.profile.events]
    write_request(
        connection,
        run.run_id,
        request.number,
        records=len(request.candidates),
        events=len(keys),
        ordinals=(min(ordinals), max(ordinals)),
    )
    if request.number != claimed_for:
        move_events(connection, keys, request=request.number)
