"""Show what a push would send, and send nothing: of some records as a preview, of a whole run as a dry run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import Engine

from include.activation.deliver import hold_push
from include.activation.masking import masked_body
from include.activation.options import PushMode, PushRunOptions
from include.activation.prepare import Candidate, Row, events_of, in_rounds, prepare_row, with_claimed
from include.activation.rows import mapper_of, sampled_rows, selected_rows
from include.config.pushes import PushDefinition
from include.destinations.protocol import Destination
from include.destinations.steps import InSteps
from include.records import OutcomeCounts, Receipt
from include.warehouse.engine import transaction
from include.warehouse.personal.fields import plain_paths
from include.warehouse.pushes.ledger import PushRun, read_push_run
from include.warehouse.pushes.outcomes import note_outcomes
from include.warehouse.pushes.samples import free_keys
from include.warehouse.pushes.selections import leave_selection
from include.warehouse.runs import finish_run

MOST_RECORDS = 100
_ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedRecord:
    """Say what would become of one record.

    Args:
        record_id: its Id.
        outcome: ``send``, ``unchanged`` (it is there already as it is), ``skipped`` or ``rejected``.
        cause: of a record that would not be sent, or what would be left out of it.
        message: the same for a person.
        body: the request, as the platform would get it; None where there would be none.
        masked: whether values in it were masked.
    """

    record_id: str
    outcome: str
    cause: str = ""
    message: str = ""
    body: Any = None
    masked: bool = True

    @property
    def pretty(self) -> str:
        """Return the request for reading."""
        return orjson.dumps(self.body, option=orjson.OPT_INDENT_2).decode() if self.body is not None else ""


@dataclass(slots=True, kw_only=True)
class Tried:
    """Count what a dry run would have sent."""

    counts: OutcomeCounts = field(default_factory=OutcomeCounts)
    records: int = 0
    events: int = 0
    requests: int = 0
    bytes: int = 0

    @property
    def words(self) -> str:
        """Return what was found, for a person."""
        return (
            f"dry run, nothing was sent: of {self.counts.selected:,} selected records {self.records:,} would go, with"
            f" {self.events:,} events, in {self.requests:,} requests ({self.bytes:,} bytes); {self.counts.unchanged:,}"
            f" are unchanged, {self.counts.skipped:,} skipped, {self.counts.rejected:,} refused by our own check"
        )


def preview_push(
    engine: Engine,
    push: PushDefinition,
    destination: Destination,
    *,
    record_ids: tuple[str, ...] = (),
    limit: int = 1,
    skip_hook: bool = False,
    unmasked: bool = False,
    now: datetime,
) -> tuple[PreviewedRecord, ...]:
    """Return what would become of some records, up to a hundred; nothing is written and nothing is sent.

    Args:
        engine: the warehouse.
        push: the definition.
        destination: the platform, for what it refuses and how its requests look; it is not called.
        record_ids: which records; none: those that changed last.
        limit: at most so many.
        skip_hook: as the run would be told.
        unmasked: show people's values; only to somebody who may see them.
        now: the time of processing.

    Raises:
        NotReady, DefinitionError: as `select_push` does.
    """
    with transaction(engine) as connection:
        paths = {path for _, path in push.field_paths}
        plain = plain_paths(connection, push.org, push.source.object, paths) if push.source.object else frozenset()
        mapper = mapper_of(connection, push)
        found: list[tuple[Row, Candidate | Receipt | None]] = []
        rows = sampled_rows(connection, push, record_ids=record_ids, limit=min(limit, MOST_RECORDS))
        for row in rows:
            prepared = prepare_row(mapper, destination, row, run="preview", repeat=True, now=now)
            found.append((row, prepared))
        candidates = [each for _, each in found if isinstance(each, Candidate)]
        claimed = free_keys(connection, [event.key for _, event in events_of(candidates)], resend=False)
    return tuple(
        _previewed(push, destination, row, each, claimed, skip_hook=skip_hook, plain=None if unmasked else plain)
        for row, each in found
    )


def dry_run_push(
    engine: Engine,
    push: PushDefinition,
    destination: Destination,
    *,
    run_id: int,
    options: PushRunOptions,
    now: datetime,
) -> Tried:
    """Do with a selection what a delivery does, up to the request; hold every record that would have gone.

    What would be skipped or refused is written down with its cause; what was sent before is remembered as it was, no
    event takes a key, and nobody is an error for it.
    """
    tried = Tried()
    with transaction(engine) as reading:
        run = read_push_run(reading, run_id)
        repeat = run.resend or run.mode == PushMode.ALL
        mapper = mapper_of(reading, push)
        rows = selected_rows(engine, push, run_id=run_id)
        while chunk := list(islice(rows, _ROWS_AT_ONCE)):
            prepared = [prepare_row(mapper, destination, row, run=run.run_key, repeat=repeat, now=now) for row in chunk]
            _try(engine, run, destination, chunk, prepared, options, tried)
    tried.counts = hold_push(engine, run_id=run_id, cause="dry run")
    with transaction(engine) as connection:
        finish_run(connection, run_id, "skipped", tried.words)
    return tried


def _try(
    engine: Engine,
    run: PushRun,
    destination: Destination,
    rows: list[Row],
    prepared: list[Candidate | Receipt | None],
    options: PushRunOptions,
    tried: Tried,
) -> None:
    candidates = [each for each in prepared if isinstance(each, Candidate)]
    with transaction(engine) as connection:
        claimed = free_keys(connection, [event.key for _, event in events_of(candidates)], resend=run.resend)
        to_send = [each for each in (with_claimed(each, claimed) for each in candidates) if each is not None]
        going = {each.row.record_id for each in to_send}
        note_outcomes(connection, run.run_id, [each for each in prepared if isinstance(each, Receipt)])
        refused = {each.record_id for each in prepared if isinstance(each, Receipt)}
        same = [row.ordinal for row in rows if row.record_id not in going and row.record_id not in refused]
        leave_selection(connection, run.run_id, same)
    for round_ in in_rounds(to_send):
        profiles = [each.profile for each in round_]
        for batch in destination.build(profiles, skip_hook=options.skip_hook, max_records=options.batch_size):
            tried.requests += 1
            tried.bytes += len(batch.body)
    tried.records += len(to_send)
    tried.events += sum(len(each.profile.events) for each in to_send)


def _previewed(
    push: PushDefinition,
    destination: Destination,
    row: Row,
    prepared: Candidate | Receipt | None,
    claimed: set[str],
    *,
    skip_hook: bool,
    plain: frozenset[str] | None,
) -> PreviewedRecord:
    if isinstance(prepared, Receipt):
        return PreviewedRecord(
            record_id=row.record_id, outcome=prepared.outcome.value, cause=prepared.cause, message=prepared.message
        )
    candidate = with_claimed(prepared, claimed) if prepared else None
    if candidate is None:
        return PreviewedRecord(record_id=row.record_id, outcome="unchanged", message="nothing would be sent")
    body = _body(destination, candidate, skip_hook=skip_hook)
    same = candidate.fingerprint == row.sent_fingerprint
    return PreviewedRecord(
        record_id=row.record_id,
        outcome="unchanged" if same else "send",
        cause=candidate.note,
        message="the platform has it so already: it would go only with “all” or “resend”" if same else "",
        body=body if plain is None else masked_body(body, push, candidate.profile, plain),
        masked=plain is not None,
    )


def _body(destination: Destination, candidate: Candidate, *, skip_hook: bool) -> Any:
    """Return the request; a platform that takes one record at a time has no body before it is met: then the profile."""
    batches: Iterator[Any] = destination.build([candidate.profile], skip_hook=skip_hook, max_records=1)
    batch = next(iter(batches))
    if isinstance(destination, InSteps):
        return {call: orjson.loads(body) for call, body in destination.steps(batch)}
    if batch.body:
        return orjson.loads(batch.body)
    return orjson.loads(orjson.dumps(candidate.profile))
