"""What one try of an Airflow task does, in a process of its own that can be killed.

It does what the operators in plugins/headwater/operators do, with the same calls; only the waiting is cut short.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Engine

from headwater.retry import HeadwaterRetryPolicy
from include.config.budget import Work
from include.config.orgs import OrgDefinition
from include.errors import BudgetPaused, HeadwaterError, NotReady
from include.extract.certify import certify_objects
from include.extract.probe import probe_objects
from include.extract.reconcile import reconcile_object
from include.extract.run import ExtractState, abort_extract, extract_object
from include.extract.urgency import work_of
from include.records import AirflowRun, RunMode
from include.salesforce.auth import Credentials
from include.salesforce.client import SalesforceClient
from include.salesforce.transport import Transport
from include.warehouse.calls.meter import WarehouseMeter
from include.warehouse.calls.sessions import WarehouseTokens
from include.warehouse.engine import open_warehouse

Action = Literal["probe", "extract", "certify", "reconcile", "abort"]
State = Literal["success", "skipped", "deferred", "failed", "killed", "hung"]

MOST_TRIES = 4  # as the DAGs have it: three retries
_LONGEST_PAUSE = 0.03
_PAGE_ROWS = 100  # small pages, so that there are many moments to be killed in


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Hold what a task is to do."""

    action: Action
    org: OrgDefinition
    objects: tuple[str, ...]
    mode: RunMode = RunMode.CHANGES
    interval: tuple[datetime, datetime] | None = None
    run: AirflowRun
    warehouse: str
    credentials: Mapping[str, Any]
    log: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Hold how a try ended, and what the retry policy says to it: retry, fail, or Airflow's default."""

    state: State
    error: str = ""
    message: str = ""
    decision: str = ""
    ours: bool = True  # an error that we foresee, or a kill of the campaign


def perform(asked: Asked, answer: Connection) -> None:
    """Do a task and tell how it ended; the entry of the process."""
    log = os.open(asked.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    try:
        told = _done(asked)
    except BudgetPaused as pause:
        told = Told(state="deferred", error=type(pause).__name__, message=str(pause))
    except BaseException as error:
        answer.send(_failed(asked, error))
        raise
    answer.send(told)


def _done(asked: Asked) -> Told:
    engine = open_warehouse(asked.warehouse)
    work = Work.BULK if asked.action == "reconcile" else Work.SYNC
    if asked.action == "extract":
        work = work_of(engine, asked.org, asked.objects[0], asked.mode)
    client = SalesforceClient(
        Credentials(**asked.credentials),
        api_version=asked.org.api_version,
        meter=WarehouseMeter(
            engine, asked.org.org, run=asked.run.dag_run_id, budget=asked.org.budget,
            work=work,
        ),
        tokens=WarehouseTokens(engine, encrypt=lambda text: text, decrypt=lambda text: text),
        compress=True,  # as with a real org: gzip can be torn
        transport=Transport(sleep=_doze),
    )  # fmt: skip
    with client:
        return _ACTIONS[asked.action](asked, engine, client)


def _probe(asked: Asked, engine: Engine, client: SalesforceClient) -> Told:
    probe_objects(engine, client, asked.org, asked.objects, mode=asked.mode, interval=asked.interval, run=asked.run)
    return Told(state="success")


def _extract(asked: Asked, engine: Engine, client: SalesforceClient) -> Told:
    found = extract_object(
        engine, client, asked.org, asked.objects[0], mode=asked.mode, interval=asked.interval, run=asked.run,
        wait_for_lock=asked.run.run_type != "scheduled", sleep=_doze, bulk_page_rows=_PAGE_ROWS,
    )  # fmt: skip
    skipped = found.state in (ExtractState.IDLE, ExtractState.LOCKED)
    return Told(state="skipped" if skipped else "success", message=found.message)


def _certify(asked: Asked, engine: Engine, client: SalesforceClient) -> Told:
    certify_objects(engine, client, asked.org, asked.objects, run=asked.run)
    return Told(state="success")


def _reconcile(asked: Asked, engine: Engine, client: SalesforceClient) -> Told:
    try:
        reconcile_object(engine, client, asked.org, asked.objects[0], run=asked.run, sleep=_doze)
    except NotReady as error:
        return Told(state="skipped", message=str(error))
    return Told(state="success")


def _abort(asked: Asked, engine: Engine, client: SalesforceClient) -> Told:
    abort_extract(engine, client, asked.org, asked.objects[0])
    return Told(state="success")


_ACTIONS = {"probe": _probe, "extract": _extract, "certify": _certify, "reconcile": _reconcile, "abort": _abort}


def _failed(asked: Asked, error: BaseException) -> Told:
    decision = HeadwaterRetryPolicy().evaluate(error, asked.run.try_number, MOST_TRIES)
    ours = isinstance(error, HeadwaterError)
    message = str(error) if ours else f"{type(error).__name__} in {_place(error)}"
    return Told(
        state="failed", error=type(error).__name__, message=message, decision=decision.action.value, ours=ours
    )  # fmt: skip


def _place(error: BaseException) -> str:
    """Return the last line of our own code on the way to an error."""
    ours = [each for each in traceback.extract_tb(error.__traceback__) if "/include/" in each.filename]
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}, {ours[-1].name}" if ours else "code of others"


def _doze(seconds: float) -> None:
    time.sleep(min(seconds, _LONGEST_PAUSE))
