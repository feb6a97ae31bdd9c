"""Bulk 2.0 query jobs: run in the background, write each result once, serve byte ranges of it.

Beside the CSV stands an index of 8 bytes a record with the end of each record, so that a page of any size at any place
is one seek; the result itself is never in memory.
"""

from __future__ import annotations

import logging
import threading
import time
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson

from include.sandbox.org.clock import Clock, stamp_text
from include.sandbox.org.faults import Faults
from include.sandbox.org.ids import make_id, number_of
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.soql.plan import Plan, plan_query
from include.sandbox.org.soql.render import csv_header, csv_sql_statement
from include.sandbox.org.store.database import Database

_LOG = logging.getLogger(__name__)
_LIFE = 7 * 86_400.0
TERMINAL = frozenset({"JobComplete", "Failed", "Aborted"})
DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Hold what is known of one job; it is kept as a JSON file and survives a restart of the org."""

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

    def body(self, *, full: bool) -> dict[str, Any]:
        """Return the job as the API shows it; counts appear only when it is asked for."""
        shown: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.created_by,
            "createdDate": _text(self.created),
            "systemModstamp": _text(self.changed),
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "lineEnding": self.ending,
            "columnDelimiter": self.delimiter,
        }
        if full:
            shown |= {
                "jobType": "V2Query",
                "numberRecordsProcessed": self.records,
                "retries": 0,
                "totalProcessingTime": self.milliseconds,
                "isPkChunkingSupported": True,
            }
        return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Hold one page of a result: a byte range of the file behind the header line, and where the next page begins."""

    header: bytes
    path: Path
    start: int
    stop: int
    records: int
    next_record: int | None


class Jobs:
    """Create, run, find and remove query jobs."""

    def __init__(self, home: Path, database: Database, catalogue: Catalogue, clock: Clock, faults: Faults) -> None:
        self._home = home
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self._faults = faults
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._stopping = threading.Event()
        self._workers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="bulk")
        home.mkdir(parents=True, exist_ok=True)
        self._number = 1
        self._load()

    def close(self) -> None:
        """Stop; jobs that have not ended run again when the org is started again."""
        self._stopping.set()
        self._workers.shutdown(wait=True, cancel_futures=True)

    def create(
        self, *, plan: Plan, operation: str, version: str, user: str, delimiter: str, ending: str,
    ) -> Job:  # fmt: skip
        """Queue a job for a query that has been checked."""
        now = self._clock.epoch()
        with self._lock:
            self._number += 1
            job = Job(
                id=make_id("750", self._number), operation=operation, query=plan.query, object=plan.object.name,
                version=version, created_by=user, created=now, changed=now, delimiter=delimiter, ending=ending,
                header=csv_header(plan, DELIMITERS[delimiter], ENDINGS[ending]),
            )  # fmt: skip
            self._keep(job)
        self._workers.submit(self._run, job.id)
        return job

    def find(self, job_id: str) -> Job | None:
        """Return a job by its 15- or 18-character Id, or None."""
        return self._jobs.get(job_id) or next((each for each in self._jobs.values() if each.id[:15] == job_id), None)

    def all(self) -> list[Job]:
        """Return every job that still exists."""
        return list(self._jobs.values())

    def abort(self, job: Job) -> Job:
        """Abort a job that hasn't ended."""
        return self._change(job.id, lambda each: each if each.state in TERMINAL else replace(each, state="Aborted"))

    def delete(self, job: Job) -> None:
        """Remove a job and its result."""
        with self._lock:
            self._jobs.pop(job.id, None)
        for path in (self._path(job.id, "csv"), self._path(job.id, "idx"), self._path(job.id, "json")):
            path.unlink(missing_ok=True)

    def page(self, job: Job, first: int, size: int) -> Page:
        """Return the page of a finished job's result that begins at a record."""
        count = max(0, min(size, job.records - first))
        last = first + count
        return Page(
            header=job.header.encode(),
            path=self._path(job.id, "csv"),
            start=self._end_of(job, first),
            stop=self._end_of(job, last),
            records=count,
            next_record=last if last < job.records else None,
        )

    # -- behind the scenes

    def _run(self, job_id: str) -> None:
        began = time.monotonic()
        job = self._change(
            job_id, lambda each: replace(each, state="InProgress") if each.state not in TERMINAL else each
        )
        if job.state in TERMINAL:
            return
        ordered = self._faults.meet_job()
        if ordered is not None:
            self._change(job_id, lambda each: replace(each, state=ordered))
            return
        try:
            records = self._write_result(job)
        except (duckdb.Error, OSError, Refusal):
            # The client learns of it by the job's state, the operator by the log.
            _LOG.exception("Bulk job %s failed", job_id)
            self._change(job_id, lambda each: replace(each, state="Failed"))
            return
        if self._stopping.is_set():
            return
        spent = int((time.monotonic() - began) * 1000)
        self._change(
            job_id,
            lambda each: (
                each
                if each.state in TERMINAL
                else replace(each, state="JobComplete", records=records, milliseconds=spent)
            ),
        )

    def _write_result(self, job: Job) -> int:
        now = self._clock
        plan = plan_query(
            job.query,
            self._catalogue,
            deleted=job.operation == "queryAll",
            now=now.milliseconds(),
            today=now.now().date(),
        )
        sql = csv_sql_statement(plan, DELIMITERS[job.delimiter], ENDINGS[job.ending])
        end, records = 0, 0
        with self._path(job.id, "csv").open("wb") as lines, self._path(job.id, "idx").open("wb") as index:
            for block in self._database.stream(sql, plan.values):
                lines.write(b"".join([line for line, _ in block]))
                ends = array("Q")
                for _, size in block:
                    end += size
                    ends.append(end)
                ends.tofile(index)
                records += len(block)
                if self._stopping.is_set() or self._state(job.id) in TERMINAL:
                    break
        return records

    def _end_of(self, job: Job, record: int) -> int:
        """Return the byte at which the first `record` records end."""
        if record == 0:
            return 0
        with self._path(job.id, "idx").open("rb") as index:
            index.seek((record - 1) * 8)
            return int.from_bytes(index.read(8), "little")

    def _state(self, job_id: str) -> str:
        job = self._jobs.get(job_id)
        return job.state if job else "Aborted"

    def _change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        with self._lock:
            after = replace(change(self._jobs[job_id]), changed=self._clock.epoch())
            self._keep(after)
        return after

    def _keep(self, job: Job) -> None:
        """Remember a job, in memory and on disk; the caller holds the lock."""
        self._jobs[job.id] = job
        self._path(job.id, "json").write_bytes(orjson.dumps(asdict(job)))

    def _path(self, job_id: str, kind: str) -> Path:
        return self._home / f"{job_id}.{kind}"

    def _load(self) -> None:
        """Take up jobs of an earlier start: finished ones are served on, unfinished ones run again, old ones go."""
        for path in sorted(self._home.glob("*.json")):
            job = Job(**orjson.loads(path.read_bytes()))
            self._number = max(self._number, number_of(job.id) or 0)
            self._jobs[job.id] = job
            if self._clock.epoch() - job.created > _LIFE:
                self.delete(job)
            elif job.state not in TERMINAL:
                self._workers.submit(self._run, job.id)


def _text(epoch: float) -> str:
    return stamp_text(datetime.fromtimestamp(epoch, tz=UTC))
