"""Select the records of a push: what has changed since it was last sent, and whether a person must agree."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, text

from include.activation.fingerprint import mapping_seed
from include.activation.options import PushMode, PushRunOptions
from include.activation.source import compose_source
from include.config.pushes import PushDefinition
from include.errors import DefinitionError, HeadwaterError
from include.records import AirflowRun, Window
from include.warehouse.engine import transaction
from include.warehouse.pushes import PushRun, note_selected, write_push_run
from include.warehouse.runs import finish_run, start_run
from include.warehouse.selections import SourceObject, SourceQuery, read_source_object, write_selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Say what a push run found. Safe for XCom: counts and a sentence only.

    `selected` = `unchanged` + `to_send` + `still_rejected` + `still_skipped` + `waiting`, see
    `include.warehouse.selections.Found`.
    """

    run_id: int
    selected: int
    unchanged: int
    to_send: int
    guard: str | None  # why a person must approve before anything is sent; None: nobody needs to
    still_rejected: int = 0
    still_skipped: int = 0
    waiting: int = 0


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

    Raises:
        NotReady: the first load of the object (or of one it refers to) is not complete.
        DefinitionError: a mapped field does not exist or has vanished from the org.
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
        object=push.source.object,
        platform=push.destination.platform,
        run_key=run.dag_run_id or str(run_id),
        mode=mode.value,
        resend=resend,
        max_failed_share=options.max_failed_share,
        selected=0,
        unchanged=0,
    )
    try:
        return _select(engine, push, written, interval, record_ids, options)
    except HeadwaterError as error:
        with transaction(engine) as connection:
            finish_run(connection, run_id, "failed", str(error))
        raise


def source_of(connection: Connection, push: PushDefinition) -> SourceQuery:
    """Return the query over a push's source, checked against what the warehouse holds now."""
    schema = f"salesforce_{push.org}"

    @cache
    def known(object: str) -> SourceObject:
        return read_source_object(connection, org=push.org, schema=schema, object=object)

    return compose_source(push, schema=schema, known=known)


def guard_reason(push: PushDefinition, *, to_send: int, options: PushRunOptions) -> str | None:
    """Return why a person must approve this run: it would start journeys for very many people."""
    limit = options.approve_above
    if options.skip_hook or push.event is None or to_send <= limit:
        return None
    return (
        f"{to_send:,} records would be sent with events, and journeys at the platform may start for each of them;"
        f" more than {limit:,} need a person's approval. To send the data without starting journeys,"
        " trigger the push with skip_hook on"
    )


def _select(
    engine: Engine,
    push: PushDefinition,
    run: PushRun,
    interval: Window | None,
    record_ids: tuple[str, ...],
    options: PushRunOptions,
) -> Selection:
    every_run = push.event is not None and push.event.when == "every_run"
    scope: dict[str, Any] = {"record_ids": list(record_ids)} if record_ids else {}
    if interval is not None:
        scope |= {"high": interval.high} | ({} if interval.low is None else {"low": interval.low})
    with transaction(engine) as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        query = source_of(connection, push)
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
        )
        guard = guard_reason(push, to_send=found.to_send, options=options)
        note_selected(connection, run.run_id, found, guard=guard)
    return Selection(run_id=run.run_id, unchanged=found.unchanged, guard=guard, **asdict(found))
