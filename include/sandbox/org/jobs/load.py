"""Bulk 2.0 ingest jobs: what was uploaded, how far it got, and the three files of what became of each record."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from include.sandbox.org.clock import Clock
from include.sandbox.org.jobs.formats import TERMINAL, json_stamp
from include.sandbox.org.jobs.runner import Runner
from include.sandbox.org.jobs.shelf import Numbers, Shelf

DATA, SUCCESSFUL, FAILED, UNPROCESSED = "data", "successful", "failed", "unprocessed"
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadJob:
    """Hold what is known of one ingest job."""

    id: str
    operation: str
    object: str
    version: str
    created_by: str
    created: float
    changed: float
    state: str = "Open"
    delimiter: str = "COMMA"
    ending: str = "LF"
    external_id: str = ""
    assignment_rule: str = ""
    uploaded: bool = False
    processed: int = 0
    failed: int = 0
    milliseconds: int = 0
    error: str = ""

    def body(self, *, full: bool) -> dict[str, Any]:
        """Return the job as the API shows it; its type and counts appear only when it is asked for."""
        shown: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.created_by,
            "createdDate": json_stamp(self.created),
            "systemModstamp": json_stamp(self.changed),
            "state": self.state,
        }
        if self.external_id:
            shown["externalIdFieldName"] = self.external_id
        shown |= {"concurrencyMode": "Parallel", "contentType": "CSV", "apiVersion": float(self.version)}
        if full:
            shown["jobType"] = "V2Ingest"
        if self.state == "Open":
            shown["contentUrl"] = f"services/data/v{self.version}/jobs/ingest/{self.id}/batches"
        if self.assignment_rule:
            shown["assignmentRuleId"] = self.assignment_rule
        shown |= {"lineEnding": self.ending, "columnDelimiter": self.delimiter}
        return shown | self._counts() if full else shown

    def _counts(self) -> dict[str, Any]:
        records = {"numberRecordsProcessed": self.processed, "numberRecordsFailed": self.failed}
        times = {
            "retries": 0,
            "totalProcessingTime": self.milliseconds,
            "apiActiveProcessingTime": self.milliseconds,
            "apexProcessingTime": 0,
        }
        message = {"errorMessage": self.error} if self.error else {}
        return (records if self.state != "Open" else {}) | times | message


class LoadJobs:
    """Create, fill, run, find and remove ingest jobs."""

    def __init__(self, home: Path, clock: Clock, runner: Runner, numbers: Numbers) -> None:
        self._clock = clock
        self._runner = runner
        self._numbers = numbers
        self._shelf = Shelf(home, clock, lambda job: LoadJob(**job))
        self._work: Callable[[LoadJob], None] | None = None
        self._at_work: set[str] = set()
        self._left_off = threading.Condition()

    def begin(self, work: Callable[[LoadJob], None]) -> None:
        """Take whoever writes the records, and go on with what an earlier start left undone."""
        self._work = work
        for job in self.all():
            if job.state in ("UploadComplete", "InProgress"):
                self._submit(job.id)

    def create(
        self, *, operation: str, target: str, version: str, user: str, delimiter: str, ending: str,
        external_id: str = "", assignment_rule: str = "",
    ) -> LoadJob:  # fmt: skip
        """Open a job."""
        now = self._clock.epoch()
        job = LoadJob(
            id=self._numbers.next_id("750"), operation=operation, object=target, version=version, created_by=user,
            created=now, changed=now, delimiter=delimiter, ending=ending, external_id=external_id,
            assignment_rule=assignment_rule,
        )  # fmt: skip
        self._shelf.keep(job)
        return job

    def find(self, job_id: str) -> LoadJob | None:
        """Return a job by its 15- or 18-character Id, or None."""
        return self._shelf.find(job_id)

    def all(self) -> list[LoadJob]:
        """Return every job that still exists."""
        return self._shelf.all()

    def upload(self, job: LoadJob, content: Path | bytes) -> None:
        """Keep the records that were uploaded."""
        kept = self.path(job, DATA)
        if isinstance(content, Path):
            shutil.move(content, kept)
        else:
            kept.write_bytes(content)
        self.change(job.id, lambda each: replace(each, uploaded=True))

    def complete(self, job: LoadJob) -> LoadJob:
        """Close a job for more data and queue it."""
        after = self.change(job.id, lambda each: replace(each, state="UploadComplete")) or job
        self._submit(job.id)
        return after

    def abort(self, job: LoadJob) -> LoadJob:
        """Abort a job that hasn't ended; what was written stays written."""
        if job.uploaded and not self.path(job, UNPROCESSED).exists():
            shutil.copy(self.path(job, DATA), self.path(job, UNPROCESSED))
        return self.change(job.id, lambda each: replace(each, state="Aborted")) or job

    def delete(self, job: LoadJob) -> None:
        """Remove a job, its data and its results."""
        self._shelf.remove(job.id)

    def change(self, job_id: str, change: Callable[[LoadJob], LoadJob]) -> LoadJob | None:
        """Change a job unless it has ended; None when it is gone."""
        return self._shelf.change(job_id, lambda each: each if each.state in TERMINAL else change(each))

    def path(self, job: LoadJob, kind: str) -> Path:
        """Return the place of one of a job's files."""
        return self._shelf.path(job.id, kind)

    @property
    def runner(self) -> Runner:
        """Return who does the work."""
        return self._runner

    def over(self, job_id: str) -> bool:
        """Say whether a job has ended, or is gone."""
        job = self._shelf.find(job_id)
        return job is None or job.state in TERMINAL

    def settle(self, job: LoadJob) -> None:
        """Wait until nobody writes the files of an ended job any more."""
        with self._left_off:
            self._left_off.wait_for(lambda: job.id not in self._at_work, _PATIENCE)

    def _submit(self, job_id: str) -> None:
        self._runner.submit(lambda: self._run(job_id))

    def _run(self, job_id: str) -> None:
        job = self._shelf.find(job_id)
        if job is None or self._work is None or job.state in TERMINAL:
            return
        with self._left_off:
            self._at_work.add(job_id)
        try:
            self._work(job)
        finally:
            with self._left_off:
                self._at_work.discard(job_id)
                self._left_off.notify_all()
