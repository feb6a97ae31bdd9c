"""Bring one object's window from the org into the warehouse."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Engine

from include.config.housekeeping import DiskRoom
from include.config.orgs import OrgDefinition
from include.errors import BudgetPaused, HeadwaterError, JobFailed, WarehouseDown
from include.extract.ask import Answer, Reading, as_read, ask_org, known_table, plan_of
from include.extract.fill import complete_fields
from include.extract.load import load_answer, load_leftover
from include.extract.loading import Loaded, Loading, say
from include.extract.plan import Plan
from include.extract.probe import pin, skip_idle
from include.extract.queries import query_of
from include.extract.result_page import BULK_PAGE_ROWS
from include.extract.window import decide_window, is_ahead, moves_cursor
from include.records import AirflowRun, RowCounts, RunMode, Window
from include.salesforce.client import SalesforceClient
from include.warehouse.describes import unfilled_fields
from include.warehouse.engine import transaction
from include.warehouse.extracts.cursors import read_cursor
from include.warehouse.extracts.probes import Probe, drop_probe, read_probe
from include.warehouse.extracts.slices import forget_job, open_slices
from include.warehouse.locks import object_lock
from include.warehouse.runs import Kind, bury_runs, finish_run, has_begun, start_run


class ExtractState(StrEnum):
    """Say how an object's extract ended."""

    LOADED = "loaded"  # rows of the warehouse changed
    UNCHANGED = "unchanged"  # rows were read, all of them known already
    IDLE = "idle"  # the window is empty
    LOCKED = "locked"  # another run reads this object now


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """Say what an object's extract did; counts and words only, so that it may go to XCom."""

    object: str
    state: ExtractState
    counts: RowCounts
    window: Window | None
    plan: Plan
    message: str  # one sentence for a person


def extract_object(
    engine: Engine,
    client: SalesforceClient,
    org: OrgDefinition,
    object: str,
    *,
    mode: RunMode,
    interval: tuple[datetime, datetime] | None = None,
    run: AirflowRun,
    wait_for_lock: bool,
    sleep: Callable[[float], None] = time.sleep,
    bulk_page_rows: int = BULK_PAGE_ROWS,
    disk: DiskRoom | None = None,
) -> Extracted:
    """Read the object's window and load it; rows and cursor are committed together.

    Uses the probe row of the same DAG run while it fits the cursor, and asks the org itself otherwise. A Bulk load that
    an earlier run left unfinished is taken up where it stopped, and then the rest up to now is read.

    Raises:
        FatalError, RetryableError, DefinitionError: as `probe_objects`; the cursor has not moved.
    """
    with object_lock(engine, org.org, object, wait=wait_for_lock) as held:
        if not held:
            return _locked(engine, org, object, run)
        with transaction(engine) as connection:
            bury_runs(connection, kind="extract", org=org.org, subject=object)
            lacking = unfilled_fields(connection, org.org, object)
            probe = None if lacking else _take_idle_probe(connection, org, object, mode, run)
        if probe:
            return _idle(object, probe.window, "nothing changed in the window")
        with recorded_run(engine, org, object, run) as run_id:
            loading = Loading(
                engine=engine,
                client=client,
                org=org,
                object=object,
                mode=mode,
                run=run,
                run_id=run_id,
                sleep=sleep,
                bulk_page_rows=bulk_page_rows,
                disk=disk or DiskRoom(),
            )
            return _completed(loading, _extract(loading, interval))


def abort_extract(
    engine: Engine, client: SalesforceClient, org: OrgDefinition, object: str, *, run: AirflowRun | None = None
) -> tuple[str, ...]:
    """Abort the Bulk jobs that a killed extract of this object left running and return their ids (for `on_kill`).

    A job that is complete already is left for the next try to go on with; the others' slices are begun anew by it.
    If `run`, the killed try, has only waited for another run that reads the object now, that one's jobs are left alone.
    """
    with object_lock(engine, org.org, object, wait=False) as free, transaction(engine) as connection:
        ours = run is None or has_begun(connection, kind="extract", org=org.org, subject=object, run=run)
        if not free and not ours:
            return ()
        left = [each for each in open_slices(connection, org.org, object) if each.job_id]
    aborted = []
    for each in left:
        with suppress(JobFailed):  # the org no longer knows it
            if client.bulk_state(each.job_id, object=object).ended:
                continue
            client.bulk_abort(each.job_id, object=object)
            aborted.append(each.job_id)
        with transaction(engine) as connection:
            forget_job(connection, each.slice_id)
    return tuple(aborted)


def _extract(loading: Loading, interval: tuple[datetime, datetime] | None) -> Extracted:
    pin(loading.engine, loading.client, loading.org)
    fixed = _fixed_window(loading, interval)
    done = load_leftover(loading, window=fixed)
    if done and not moves_cursor(loading.mode):
        return _finished(loading, done)
    answer = _probed(loading) if done is None else None
    if answer is None:
        if done:  # the slice was what this run is for; what is left are the changes since its end
            loading = replace(loading, mode=RunMode.CHANGES)
        reading = Reading(mode=loading.mode, interval=interval, org_now=loading.client.org_now())
        answer = ask_org(loading.engine, loading.client, loading.org, [loading.object], reading)[0]
    if answer.error:
        raise answer.error
    if answer.plan is not Plan.IDLE:
        loaded = load_answer(loading, answer)
        note = "; ".join(filter(None, (done.note if done else "", loaded.note)))
        done = replace(loaded, counts=done.counts + loaded.counts if done else loaded.counts, note=note)
    if done is None:
        return _skipped(loading, answer)
    return _finished(loading, done, answer.warning)


def _completed(loading: Loading, extracted: Extracted) -> Extracted:
    """Fill new fields for the records that the window did not hold."""
    filled = complete_fields(loading, extracted.window)
    if not filled.changed:
        return extracted
    message = f"{extracted.message}; new fields filled for {filled.changed:,} records that were here before"
    return replace(extracted, state=ExtractState.LOADED, counts=extracted.counts + filled, message=message)


def _fixed_window(loading: Loading, interval: tuple[datetime, datetime] | None) -> Window | None:
    """Return the window of a backfill as it will be once it lies in the past; other windows follow from the cursor."""
    if loading.mode is not RunMode.INTERVAL or interval is None:
        return None
    zero = timedelta()
    return decide_window(loading.mode, cursor=None, org_now=interval[1], lookback=zero, lag=zero, interval=interval)


def _take_idle_probe(
    connection: Connection, org: OrgDefinition, object: str, mode: RunMode, run: AirflowRun
) -> Probe | None:
    """Return the probe that found nothing and is finished already; a task that is cleared later asks again."""
    probe = read_probe(connection, org.org, run, object)
    if probe is None or probe.total or probe.page is not None or probe.mode is not mode:
        return None
    drop_probe(connection, org.org, run, object)
    return probe


def _probed(loading: Loading) -> Answer | None:
    """Return what the DAG run's probe found, if it still is what would be asked now."""
    table = known_table(loading.engine, loading.org, loading.object)
    with transaction(loading.engine) as connection:
        probe = read_probe(connection, loading.org.org, loading.run, loading.object)
        cursor = read_cursor(connection, loading.org.org, loading.object)
    if table is None or probe is None or probe.mode is not loading.mode:
        return None
    if moves_cursor(loading.mode) and is_ahead(cursor.at, probe.window.high):
        return None  # the org's clock went back, or another run read further; only its clock of now can tell
    if loading.mode is RunMode.CHANGES:
        lookback = timedelta(minutes=loading.org.lookback_minutes)
        now = decide_window(
            loading.mode, cursor=cursor.at, org_now=probe.window.high, lookback=lookback, lag=timedelta()
        )
        if as_read(table, now) != probe.window:
            return None
    if probe.soql != query_of(loading.org, table, probe.window):
        return None
    return Answer(
        object=loading.object,
        window=probe.window,
        table=table,
        soql=probe.soql,
        seen_cursor=cursor.at,
        total=probe.total,
        plan=plan_of(loading.org, table, probe.soql, probe.total),
        page=probe.page,
    )


@contextmanager
def recorded_run(
    engine: Engine, org: OrgDefinition, object: str, run: AirflowRun, *, kind: Kind = "extract"
) -> Iterator[int]:
    """Write a run that begins and yield its id; when it fails, write why."""
    with transaction(engine) as connection:
        run_id = start_run(connection, kind=kind, org=org.org, subject=object, run=run)
    try:
        yield run_id
    except BudgetPaused as pause:
        with suppress(WarehouseDown), transaction(engine) as connection:
            finish_run(connection, run_id, "paused", str(pause))
        raise
    except BaseException as error:
        # Only our own messages are known to hold no person's data.
        message = str(error) if isinstance(error, HeadwaterError) else type(error).__name__
        with suppress(WarehouseDown), transaction(engine) as connection:
            finish_run(connection, run_id, "failed", message)
        raise


def _finished(loading: Loading, loaded: Loaded, warning: str = "") -> Extracted:
    counts = loaded.counts
    return Extracted(
        object=loading.object,
        state=ExtractState.LOADED if counts.changed else ExtractState.UNCHANGED,
        counts=counts,
        window=loaded.window,
        plan=loaded.plan,
        message=say(counts, warning, loaded.note),
    )


def _skipped(loading: Loading, answer: Answer) -> Extracted:
    with transaction(loading.engine) as connection:
        message = skip_idle(connection, loading.org, answer, loading.mode, loading.run_id)
    return _idle(loading.object, answer.window, message)


def _idle(object: str, window: Window | None, message: str) -> Extracted:
    return Extracted(
        object=object, state=ExtractState.IDLE, counts=RowCounts(), window=window, plan=Plan.IDLE, message=message
    )


def _locked(engine: Engine, org: OrgDefinition, object: str, run: AirflowRun) -> Extracted:
    message = f"another run reads {object} now; the next one reads what this one would have"
    with transaction(engine) as connection:
        run_id = start_run(connection, kind="extract", org=org.org, subject=object, run=run)
        finish_run(connection, run_id, "skipped", message)
    return Extracted(
        object=object,
        state=ExtractState.LOCKED,
        counts=RowCounts(),
        window=None,
        plan=Plan.IDLE,
        message=message,
    )
