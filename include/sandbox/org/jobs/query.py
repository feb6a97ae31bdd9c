"""Bulk 2.0 query jobs: run in the background, write each result once, serve pages of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from include.sandbox.org.allocation import BULK_QUERY_MEGABYTES, Allocation
from include.sandbox.org.clock import Clock
from include.sandbox.org.faults import Faults
from include.sandbox.org.jobs.formats import DELIMITERS, ENDINGS, TERMINAL, chunkable, json_stamp
from include.sandbox.org.jobs.planning import plan_bulk
from include.sandbox.org.jobs.results import Page, page_of, write_result
from include.sandbox.org.jobs.runner import Runner
from include.sandbox.org.jobs.shelf import Numbers, Shelf
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.soql.plan import Plan
from include.sandbox.org.soql.render import csv_header, csv_sql_statement
from include.sandbox.org.store.database import Database

_LOG = logging.getLogger(__name__)
# How a job ends that was ordered to: state and error.
_ORDERED_ENDS = {
    "Failed": ("Failed", "Unexpected exception encountered while processing the query"),
    "TimedOut": ("Failed", "QUERY_TIMEOUT: Your query request was running for too long."),
    "Aborted": ("Aborted", ""),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Hold what is known of one query job."""

    id: str
    operation: str
    query: str
    object: str
    version: str
    created_by: str
    created: float
    changed: float
    state: str = "UploadComplete"
    delimiter: str = "COMMA"
    ending: str = "LF"
    records: int = 0
    milliseconds: int = 0
    header: str = ""
    error: str = ""

    def body(self, *, full: bool) -> dict[str, Any]:
        """Return the job as the API shows it; counts appear only when it is asked for."""
        shown: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.created_by,
            "createdDate": json_stamp(self.created),
            "systemModstamp": json_stamp(self.changed),
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
        }
        layout = {"lineEnding": self.ending, "columnDelimiter": self.delimiter}
        if not full:
            return shown | layout
        counts = {
            "numberRecordsProcessed": self.records,
            "retries": 0,
            "totalProcessingTime": self.milliseconds,
            "isPkChunkingSupported": chunkable(self.object),
        }
        message = {"errorMessage": self.error} if self.error else {}
        return shown | {"jobType": "V2Query"} | layout | counts | message


class Jobs:
    """Create, run, find and remove query jobs."""

    def __init__(
        self, home: Path, database: Database, catalogue: Catalogue, clock: Clock, faults: Faults,
        runner: Runner | None = None, numbers: Numbers | None = None, allocation: Allocation | None = None,
    ) -> None:  # fmt: skip
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self._faults = faults
        self._allocation = allocation
        self._runner = runner or Runner()
        self._numbers = numbers or Numbers(home)
        self._shelf = Shelf(home, clock, lambda stored: Job(**stored))
        for job in self._shelf.all():
            if job.state not in TERMINAL:
                self._submit(job.id)

    def close(self) -> None:
        """Stop; jobs that have not ended run again when the org is started again."""
        self._runner.close()

    def create(
        self, *, plan: Plan, operation: str, version: str, user: str, delimiter: str, ending: str,
    ) -> Job:  # fmt: skip
        """Queue a job for a query that has been checked."""
        now = self._clock.epoch()
        job = Job(
            id=self._numbers.next_id("750"), operation=operation, query=plan.query, object=plan.object.name,
            version=version, created_by=user, created=now, changed=now, delimiter=delimiter, ending=ending,
            header=csv_header(plan, DELIMITERS[delimiter], ENDINGS[ending]),
        )  # fmt: skip
        self._shelf.keep(job)
        self._submit(job.id)
        return job

    def find(self, job_id: str) -> Job | None:
        """Return a job by its 15- or 18-character Id, or None."""
        return self._shelf.find(job_id)

    def all(self) -> list[Job]:
        """Return every job that still exists."""
        return self._shelf.all()

    def abort(self, job: Job) -> Job:
        """Abort a job that hasn't ended."""
        return self._unless_ended(job.id, lambda each: replace(each, state="Aborted")) or job

    def delete(self, job: Job) -> None:
        """Remove a job and its result."""
        self._shelf.remove(job.id)

    def page(self, job: Job, first: int, size: int) -> Page:
        """Return the page of a finished job's result that begins at a record."""
        return page_of(
            self._shelf.path(job.id, "csv"), self._shelf.path(job.id, "idx"),
            header=job.header.encode(), first=first, size=size, records=job.records,
        )  # fmt: skip

    # -- behind the scenes

    def _submit(self, job_id: str) -> None:
        self._runner.submit(lambda: self._run(job_id))

    def _run(self, job_id: str) -> None:
        began = time.monotonic()
        job = self._unless_ended(job_id, lambda each: replace(each, state="InProgress"))
        if job is None or job.state in TERMINAL:
            return
        self._runner.hold(self._faults.hold_job(job.object), lambda: self._ended(job_id))
        ordered = self._faults.meet_job(job.object)
        if ordered is not None:
            state, error = _ORDERED_ENDS[ordered]
            self._unless_ended(job_id, lambda each: replace(each, state=state, error=error))
            return
        if self._runner.stopping() or self._ended(job_id):
            return
        try:
            with self._runner.turn():
                records = self._write_result(job)
        except Refusal as refusal:
            message = f"{refusal.code}: {refusal.message}"
            self._unless_ended(job_id, lambda each: replace(each, state="Failed", error=message))
            return
        except (duckdb.Error, OSError) as error:
            # The client learns of it by the job's state, the operator by the log.
            _LOG.exception("Bulk job %s failed", job_id)
            message = f"Unexpected exception: {type(error).__name__}"
            self._unless_ended(job_id, lambda each: replace(each, state="Failed", error=message))
            return
        if self._runner.stopping():
            return
        spent = int((time.monotonic() - began) * 1000)
        self._unless_ended(job_id, lambda each: replace(each, state="JobComplete", records=records, milliseconds=spent))

    def _write_result(self, job: Job) -> int:
        plan = plan_bulk(
            job.query, self._catalogue, self._clock, deleted=job.operation == "queryAll", version=job.version
        )
        sql = csv_sql_statement(plan, DELIMITERS[job.delimiter], ENDINGS[job.ending])
        records, size = write_result(
            self._database.stream(sql, plan.values),
            self._shelf.path(job.id, "csv"),
            self._shelf.path(job.id, "idx"),
            lambda: self._runner.stopping() or self._ended(job.id),
        )
        if self._allocation is not None:
            self._allocation.count(BULK_QUERY_MEGABYTES, size / 1e6)
        return records

    def _ended(self, job_id: str) -> bool:
        job = self._shelf.find(job_id)
        return job is None or job.state in TERMINAL

    def _unless_ended(self, job_id: str, change: Callable[[Job], Job]) -> Job | None:
        return self._shelf.change(job_id, lambda each: each if each.state in TERMINAL else change(each))
