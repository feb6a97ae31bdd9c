"""Run DAG runs as Airflow would: each try of a task is a process, and our retry policy decides what follows."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from include.config.orgs import OrgDefinition
from include.local.running import Running, running
from include.records import AirflowRun, RunMode
from tools.faults.task import MOST_TRIES, Action, Asked, Told, perform

_MOST_PAUSES = 12  # deferrals spend no try; here the time that they wait for doesn't pass
_AT_ONCE = 3  # tasks of one DAG run
_HUNG = 180.0
_NEVER = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DagRun:
    """Hold one DAG run that is to be made."""

    number: int
    kind: str  # changes | full | last_day | interval | reconcile
    objects: tuple[str, ...]
    interval: tuple[datetime, datetime] | None = None
    run_type: str = "scheduled"
    by_rest: bool = False  # even what is large


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Say how a task ended after its last try."""

    task: str
    told: Told
    tries: int


class Scheduler:
    """Start the processes of tasks, and know which of them run."""

    def __init__(self, org: OrgDefinition, warehouse: str, credentials: Mapping[str, Any], log: Path) -> None:
        self._org, self._warehouse, self._credentials, self._log = org, warehouse, credentials, log
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tools.faults.task"])
        self._running: dict[int, Running] = {}
        self._lock = threading.Lock()
        self.tries: Counter[str] = Counter()
        self.surprises: list[str] = []  # errors that are none of ours, and tasks that hung

    def running(self) -> list[Running]:
        """Return the processes that run now."""
        with self._lock:
            return list(self._running.values())

    def run(self, dag: DagRun) -> list[Ended]:
        """Run a whole DAG run and return how each of its tasks ended."""
        if dag.kind == "reconcile":
            return self._each(dag, "reconcile")
        probe = self._task(dag, "probe", dag.objects)
        ended = [probe]
        if probe.told.state != "failed":
            ended += self._each(dag, "extract")
        return [*ended, self._task(dag, "certify", dag.objects)]

    def _each(self, dag: DagRun, action: Action) -> list[Ended]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(lambda name: self._task(dag, action, (name,)), dag.objects))

    def _task(self, dag: DagRun, action: Action, objects: tuple[str, ...]) -> Ended:
        name = f"{action}_{objects[0]}" if action in ("extract", "reconcile") else action
        tries = pauses = 0
        while True:
            told = self._try(self._asked(dag, action, objects, name, tries + 1))
            self.tries[told.state] += 1
            if told.state == "deferred" and pauses < _MOST_PAUSES:
                pauses += 1
                continue
            tries += 1
            if told.state in ("success", "skipped") or told.decision == "fail" or tries == MOST_TRIES:
                state = told.state if told.state in ("success", "skipped") else "failed"
                return Ended(task=name, told=replace(told, state=state), tries=tries)
            if told.state == "killed" and (dag.number + tries) % 5 == 0:  # a stopped task's on_kill aborts its job
                self._try(self._asked(dag, "abort", objects[:1], name, tries))

    def _asked(self, dag: DagRun, action: Action, objects: tuple[str, ...], name: str, try_number: int) -> Asked:
        run = AirflowRun(
            dag_id="main_reconcile" if dag.kind == "reconcile" else "main_extract",
            dag_run_id=f"{dag.run_type} {dag.number}", task_id=name, try_number=try_number, run_type=dag.run_type,
        )  # fmt: skip
        mode = RunMode.CHANGES if dag.kind == "reconcile" else RunMode(dag.kind)
        org = self._org.model_copy(update={"bulk_above_rows": _NEVER}) if dag.by_rest else self._org
        return Asked(
            action=action, org=org, objects=objects, mode=mode, interval=dag.interval, run=run,
            warehouse=self._warehouse, credentials=self._credentials, log=self._log,
        )  # fmt: skip

    def _try(self, asked: Asked) -> Told:
        here, there = self._context.Pipe(duplex=False)
        process = self._context.Process(target=perform, args=(asked, there), daemon=True)
        process.start()
        there.close()
        born = running(process.pid or 0)
        with self._lock:
            if born is not None:
                self._running[born.pid] = born
        try:
            told = _heard(here, process)
        finally:
            with self._lock:
                self._running.pop(process.pid or 0, None)
            here.close()
        if not told.ours:
            self.surprises.append(f"{asked.action}: {told.message}")
        return told


def _heard(here: Any, process: BaseProcess) -> Told:
    """Return what a process tells, or that it was killed or hung."""
    if not here.poll(_HUNG):
        process.kill()
        process.join()
        return Told(state="hung", error="hung", message="did not end", ours=False)
    try:
        told: Told = here.recv()
    except EOFError:
        process.join()
        ours = process.exitcode == -signal.SIGKILL
        return Told(state="killed", error="killed", message=f"its process ended with {process.exitcode}", ours=ours)
    process.join()
    return told
