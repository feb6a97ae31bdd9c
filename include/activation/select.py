"""Select the records of a push: what has changed since it was last sent, and whether a person must agree."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine, text

from include.activation.fingerprint import mapping_seed
from include.activation.guards import Sizes, guard_reason
from include.activation.options import PushMode, PushRunOptions
from include.activation.rows import source_of
from include.config.pushes import PushDefinition
from include.errors import DefinitionError, HeadwaterError, SandboxRefused
from include.records import AirflowRun, Window
from include.warehouse.engine import transaction
from include.warehouse.orgs import is_sandbox
from include.warehouse.pushes.gone import Gone, select_gone
from include.warehouse.pushes.ledger import PushRun, note_selected, note_size, usual_sizes, write_push_run
from include.warehouse.pushes.selections import write_selection
from include.warehouse.pushes.sources import SourceQuery
from include.warehouse.runs import finish_run, start_run


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Say what a push run found. Safe for XCom: counts and a sentence only.

    `selected` = `unchanged` + `to_send` + `still_rejected` + `still_skipped` + `waiting`, see
    `include.warehouse.pushes.selections.Found`.
    """

    run_id: int
    selected: int
    unchanged: int
    to_send: int
    guard: str | None  # why a person must approve before anything is sent; None: nobody needs to
    still_rejected: int = 0
    still_skipped: int = 0
    waiting: int = 0
    gone: int = 0  # of those to send: gone from the source
    skip_hook: bool = False  # selected to start no journeys: the guard did not judge how many there would be


def select_push(
    engine: Engine,
    push: PushDefinition,
    *,
    mode: PushMode,
    interval: Window | None = None,
    resend: bool = False,
    record_ids: tuple[str, ...] = (),
    run: AirflowRun,
    options: PushRunOptions,
    neighbours: tuple[str, ...] = (),
) -> Selection:
    """Write down which records this run has to send, and return how many.

    Opens one of our runs (kind ``push``), compares in SQL, and stores record Ids under the run's id; no row is read
    into this process. Asked again it opens another run, which is harmless.

    Args:
        engine: the warehouse.
        push: the definition.
        mode: which records, see `PushMode`.
        interval: for `PushMode.INTERVAL`: half-open, by the object's cursor field.
        resend: send unchanged records and already sent events again.
        record_ids: only these records; those that were refused before are tried again.
        run: the Airflow attempt this belongs to.
        options: what this run does; kept with the run.
        neighbours: the other pushes over the same connection: who is gone here may be somebody's there.

    Raises:
        NotReady: the first load of the object (or of one it refers to) is not complete.
        DefinitionError: a mapped field does not exist or has vanished from the org, or a model cannot be run.
        SandboxRefused: the push is marked for production and the org is a sandbox.
        WarehouseDown: the warehouse does not answer.
    """
    if (mode is PushMode.INTERVAL) != (interval is not None):
        raise DefinitionError("an interval belongs to the mode 'interval', and that mode needs one", key="mode")
    with transaction(engine) as connection:
        run_id = start_run(connection, kind="push", org=push.org, subject=push.push, run=run)
    written = PushRun(
        run_id=run_id,
        org=push.org,
        push=push.push,
        object=push.source.name,
        platform=push.destination.platform,
        run_key=run.dag_run_id or str(run_id),
        mode=mode.value,
        resend=resend,
        max_failed_share=options.max_failed_share,
        selected=0,
        unchanged=0,
        min_delivered=options.min_delivered,
    )
    try:
        # A person who starts a run wants everything tried that can be; a schedule waits for what is not due.
        patient = run.run_type in ("scheduled", "asset_triggered")
        return _select(engine, push, written, interval, record_ids, options, neighbours, patient=patient)
    except HeadwaterError as error:
        with transaction(engine) as connection:
            finish_run(connection, run_id, "failed", str(error))
        raise


def _select(
    engine: Engine,
    push: PushDefinition,
    run: PushRun,
    interval: Window | None,
    record_ids: tuple[str, ...],
    options: PushRunOptions,
    neighbours: tuple[str, ...],
    *,
    patient: bool,
) -> Selection:
    every_run = push.event is not None and push.event.when == "every_run"
    scope: dict[str, Any] = {"record_ids": list(record_ids)} if record_ids else {}
    if interval is not None:
        scope |= {"high": interval.high} | ({} if interval.low is None else {"low": interval.low})
    with transaction(engine) as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        _insist_on_production(connection, push)
        query = source_of(connection, push)
        _insist_on_stamp(push, interval)
        write_push_run(
            connection,
            run,
            interval=interval,
            record_ids=record_ids,
            options={
                "skip_hook": options.skip_hook,
                "fast_fail": options.fast_fail,
                "batch_size": options.batch_size,
            },
        )
        found = write_selection(
            connection,
            query,
            run_id=run.run_id,
            push=push.push,
            seed=mapping_seed(push),
            scope=scope,
            changed_only=not (run.resend or every_run or run.mode == PushMode.ALL),
            patient=patient,
        )
        gone = _select_gone(connection, push, query, run, interval, record_ids, neighbours)
        found = replace(found, selected=found.selected + gone.gone, to_send=found.to_send + gone.gone)
        guard = None if options.dry_run else _guard(connection, push, found.to_send, gone, options)
        note_selected(connection, run.run_id, found, guard=guard)
        note_size(connection, run.run_id, to_send=found.to_send, gone=gone.gone, dry_run=options.dry_run)
    return Selection(
        run_id=run.run_id,
        unchanged=found.unchanged,
        guard=guard,
        gone=gone.gone,
        skip_hook=options.skip_hook,
        **asdict(found),
    )


def _select_gone(
    connection: Connection,
    push: PushDefinition,
    query: SourceQuery,
    run: PushRun,
    interval: Window | None,
    record_ids: tuple[str, ...],
    neighbours: tuple[str, ...],
) -> Gone:
    """Select what is gone, where the push does something about it; a backfill looks only at what there is."""
    if push.gone_action is None or interval is not None:
        return Gone(gone=0, delivered=0)
    return select_gone(
        connection,
        query,
        run_id=run.run_id,
        push=push.push,
        action=push.gone_action.value,
        record_ids=record_ids,
        neighbours=neighbours,
    )


def _guard(
    connection: Connection, push: PushDefinition, to_send: int, gone: Gone, options: PushRunOptions
) -> str | None:
    usual = usual_sizes(connection, push.push)
    sizes = Sizes(to_send=to_send, gone=gone.gone, delivered=gone.delivered, usual=usual, first=not usual)
    return guard_reason(push, sizes, options)


def _insist_on_production(connection: Connection, push: PushDefinition) -> None:
    if push.production and is_sandbox(connection, push.org):
        raise SandboxRefused(
            f"the push {push.push!r} is marked `production: true`, and {push.org!r} is a sandbox org: its people are"
            " copies. Point the push at the production org, or take `production` out. Nothing was sent"
        )


def _insist_on_stamp(push: PushDefinition, interval: Window | None) -> None:
    if interval is not None and push.source.model and push.source.stamp is None:
        raise DefinitionError(
            "a backfill needs to know when a row last changed: name the model's column as `source.stamp`",
            file=f"pushes/{push.push}.yaml",
            key="source.stamp",
        )
