"""Ask the org once what a run will find: the probe is the read (docs/windows.md).

One composite call per five objects carries the real `queryAll` of each window, and the describes ride along.
What arrives whole is kept for the object's own task; idle objects are finished here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from include.config.orgs import OrgDefinition
from include.extract.ask import Answer, Reading, ask_org
from include.extract.plan import Plan
from include.extract.window import moves_cursor
from include.records import AirflowRun, RunMode, Window
from include.salesforce.client import SalesforceClient
from include.warehouse.engine import transaction
from include.warehouse.extracts.cursors import move_idle_cursor
from include.warehouse.extracts.probes import Probe, drop_old_probes, keep_probe
from include.warehouse.orgs import pin_org
from include.warehouse.runs import finish_run, start_run


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedObject:
    """Say what the probe found for one object; counts and words only, so that it may go to XCom."""

    object: str
    total: int
    plan: Plan
    window: Window | None  # None: nothing can be in it yet
    problem: str = ""  # the org refused the query; the object's own task meets it again and fails with it

    @property
    def idle(self) -> bool:
        """Return whether there is nothing for the object's own task to do."""
        return self.plan is Plan.IDLE and not self.problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """Hold what the probe found."""

    org: str
    org_now: datetime
    objects: tuple[ProbedObject, ...]

    @property
    def busy(self) -> tuple[str, ...]:
        """Return the objects whose own tasks have something to do."""
        return tuple(each.object for each in self.objects if not each.idle)


def probe_objects(
    engine: Engine,
    client: SalesforceClient,
    org: OrgDefinition,
    objects: tuple[str, ...],
    *,
    mode: RunMode,
    interval: tuple[datetime, datetime] | None = None,
    run: AirflowRun,
) -> ProbeResult:
    """Pin the org, read the first page of every object's window, and finish the idle ones.

    Idle objects get their cursor moved and a run row `skipped`. `extract_object` of the same DAG run goes on from what
    is kept in headwater.probe. What is wrong with one object (unknown, refused, a changed type) is its `problem`.

    Raises:
        OrgChanged: the connection leads to another org than before.
        FatalError, RetryableError: from the client.
    """
    pin(engine, client, org)
    reading = Reading(mode=mode, interval=interval, org_now=client.org_now())
    answers = ask_org(engine, client, org, objects, reading)
    with transaction(engine) as connection:
        drop_old_probes(connection, org.org)
        for each in answers:
            _keep(connection, org, each, mode, run)
    return ProbeResult(org=org.org, org_now=reading.org_now, objects=tuple(_probed(each) for each in answers))


def pin(engine: Engine, client: SalesforceClient, org: OrgDefinition) -> None:
    """Check that the connection leads to the org that it led to before.

    Raises:
        OrgChanged: it doesn't.
    """
    identity = client.identity()
    with transaction(engine) as connection:
        pin_org(connection, org.org, identity)


def skip_idle(connection: Connection, org: OrgDefinition, answer: Answer, mode: RunMode, run_id: int) -> str:
    """Finish an object whose window is empty: move its cursor, write the run as skipped, and return why."""
    message = "nothing changed in the window" if answer.window else _no_window(mode)
    message += f"; {answer.warning}" if answer.warning else ""
    finish_run(connection, run_id, "degraded" if answer.warning else "skipped", message)
    if answer.window and moves_cursor(mode):
        seen, high = answer.seen_cursor, answer.window.high
        move_idle_cursor(connection, org.org, answer.object, seen=seen, to=high, back=answer.sets_back)
    return message


def _no_window(mode: RunMode) -> str:
    return "the interval lies in the future" if mode is RunMode.INTERVAL else "everything up to now has been read"


def _keep(connection: Connection, org: OrgDefinition, answer: Answer, mode: RunMode, run: AirflowRun) -> None:
    if answer.error:
        return  # the object's own task asks again, and fails with the error itself
    if answer.plan is Plan.IDLE:
        run_id = start_run(connection, kind="extract", org=org.org, subject=answer.object, run=run)
        skip_idle(connection, org, answer, mode, run_id)
    if answer.window:
        probe = Probe(
            object=answer.object,
            mode=mode,
            window=answer.window,
            soql=answer.soql,
            total=answer.total,
            page=answer.page,
        )
        keep_probe(connection, org.org, run, probe)


def _probed(answer: Answer) -> ProbedObject:
    return ProbedObject(
        object=answer.object,
        total=answer.total,
        plan=answer.plan,
        window=answer.window,
        problem=str(answer.error) if answer.error else "",
    )
