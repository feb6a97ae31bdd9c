"""The older Bulk API: jobs are filled with batches, and each batch is worked on by itself."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb

from include.sandbox.org.allocation import BULK_BATCHES, Allocation
from include.sandbox.org.clock import Clock
from include.sandbox.org.faults import Faults
from include.sandbox.org.ids import make_id, number_of
from include.sandbox.org.jobs.classic_job import ENDED, QUERIES, Batch, ClassicJob
from include.sandbox.org.jobs.classic_results import statement, write_whole
from include.sandbox.org.jobs.formats import BadBatch
from include.sandbox.org.jobs.planning import CLASSIC, plan_bulk
from include.sandbox.org.jobs.runner import Runner
from include.sandbox.org.jobs.shelf import Numbers, Shelf
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.soql.plan import Plan
from include.sandbox.org.store.database import Database

_LOG = logging.getLogger(__name__)
_FAILED = "InvalidBatch : Failed to process query: "
_TIMEOUT = f"{_FAILED}QUERY_TIMEOUT: Your query request was running for too long."
_LOCKS = "TooManyLockFailure : Too many lock failures while processing the current batch"
_BY_ID = re.compile(r"\bWHERE\b.*\b\w*Id\w*\s*(=|!=|<|>|\bIN\b|\bNOT\b|\bLIKE\b)", re.IGNORECASE | re.DOTALL)
_WHERE = re.compile(r"\bWHERE\b", re.IGNORECASE)
Work = Callable[[ClassicJob, Batch], tuple[int, int]]


class ClassicJobs:
    """Create, fill, run, find and close jobs of the older Bulk API."""

    def __init__(
        self, home: Path, database: Database, catalogue: Catalogue, clock: Clock, faults: Faults, runner: Runner,
        numbers: Numbers, allocation: Allocation,
    ) -> None:  # fmt: skip
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self._faults = faults
        self._runner = runner
        self._numbers = numbers
        self._allocation = allocation
        self._shelf = Shelf(home, clock, ClassicJob.read)
        self._numbers.skip_to(each.id for job in self._shelf.all() for each in job.batches)
        self._work: Work | None = None

    def begin(self, work: Work) -> None:
        """Take whoever writes records, and go on with batches that an earlier start left undone."""
        self._work = work
        for job in self.all():
            for batch in job.batches:
                if batch.state not in ENDED:
                    self._submit(job.id, batch.id)

    def create(
        self, *, operation: str, target: str, content: str, version: str, user: str, mode: str, external_id: str = "",
        assignment_rule: str = "", chunk: int = 0, start_row: str = "",
    ) -> ClassicJob:  # fmt: skip
        """Open a job."""
        now = self._clock.epoch()
        job = ClassicJob(
            id=self._numbers.next_id("750"), operation=operation, object=target, content=content, version=version,
            created_by=user, created=now, changed=now, mode=mode, external_id=external_id,
            assignment_rule=assignment_rule, chunk=chunk, start_row=start_row,
        )  # fmt: skip
        self._shelf.keep(job)
        return job

    def find(self, job_id: str) -> ClassicJob | None:
        """Return a job by its 15- or 18-character Id, or None."""
        return self._shelf.find(job_id)

    def all(self) -> list[ClassicJob]:
        """Return every job that still exists."""
        return self._shelf.all()

    def add(self, job: ClassicJob, content: bytes) -> Batch:
        """Add a batch to an open job and queue it."""
        query = content.decode("utf-8", "replace").strip() if job.operation in QUERIES else ""
        batch = self._new(job, query=query)
        self.path(batch, "request").write_bytes(content)
        self._shelf.change(job.id, lambda each: replace(each, batches=(*each.batches, batch)))
        self._allocation.count(BULK_BATCHES)
        self._submit(job.id, batch.id)
        return batch

    def close(self, job: ClassicJob) -> ClassicJob:
        """Close a job for more batches."""
        return self._shelf.change(job.id, lambda each: replace(each, state="Closed")) or job

    def abort(self, job: ClassicJob) -> ClassicJob:
        """Abort a job: batches that have not begun are left alone."""

        def aborted(each: ClassicJob) -> ClassicJob:
            batches = (replace(one, state="NotProcessed") if one.state == "Queued" else one for one in each.batches)
            return replace(each, state="Aborted", batches=tuple(batches))

        return self._shelf.change(job.id, aborted) or job

    def path(self, batch: Batch, kind: str) -> Path:
        """Return the place of a batch's request or result."""
        return self._shelf.path(batch.job_id, f"{batch.id}.{kind}")

    # -- behind the scenes

    def _new(self, job: ClassicJob, query: str, low: int | None = None, high: int | None = None) -> Batch:
        now, new = self._clock.epoch(), self._numbers.next_id("751")
        return Batch(id=new, job_id=job.id, created=now, changed=now, query=query, low=low, high=high)

    def _submit(self, job_id: str, batch_id: str) -> None:
        self._runner.submit(lambda: self._run(job_id, batch_id))

    def _run(self, job_id: str, batch_id: str) -> None:
        began = time.monotonic()
        self._change(job_id, batch_id, lambda each: replace(each, state="InProgress"))
        job = self._shelf.find(job_id)
        batch = job.batch(batch_id) if job else None
        if job is None or batch is None or batch.state != "InProgress":
            return
        self._runner.hold(self._faults.hold_job(job.object), lambda: self._shelf.find(job_id) is None)
        if self._runner.stopping():
            return
        after = self._processed(job, batch)
        if after is None:
            return
        spent = int((time.monotonic() - began) * 1000)
        self._change(job_id, batch_id, lambda _each: replace(after, milliseconds=max(spent, 1)))

    def _processed(self, job: ClassicJob, batch: Batch) -> Batch | None:
        """Work on a batch and return what became of it; None when the org stops."""
        if self._faults.meet_job(job.object) is not None:
            message = _TIMEOUT if job.operation in QUERIES else _LOCKS
            return replace(batch, state="Failed", message=message)
        try:
            with self._runner.turn():
                done = self._queried(job, batch) if job.operation in QUERIES else self._loaded(job, batch)
        except Refusal as refusal:
            return replace(batch, state="Failed", message=f"{_FAILED}{refusal.code}: {refusal.message}")
        except BadBatch as bad:
            return replace(batch, state="Failed", message=str(bad))
        except (duckdb.Error, OSError) as error:
            # The client learns of it by the batch's state, the operator by the log.
            _LOG.exception("Bulk batch %s failed", batch.id)
            return replace(batch, state="Failed", message=f"UnknownException : {type(error).__name__}")
        return None if self._runner.stopping() else done

    def _loaded(self, job: ClassicJob, batch: Batch) -> Batch:
        if self._work is None:
            return batch
        processed, failed = self._work(job, batch)
        return replace(batch, state="Completed", processed=processed, failed=failed)

    def _queried(self, job: ClassicJob, batch: Batch) -> Batch:
        plan = plan_bulk(
            batch.query, self._catalogue, self._clock, deleted=job.operation == "queryAll", version=job.version,
            kind=CLASSIC, content=job.content,
        )  # fmt: skip
        if plan.object.name != job.object:
            message = (
                f"The root entity of the requested query ({plan.object.name}) does not match the entity of the "
                f"requested Bulk API Job ({job.object})."
            )
            raise Refusal(400, "INVALID_TYPE_FOR_OPERATION", message)
        if job.chunk and batch.low is None and not plan.ordered and not plan.limited and not _BY_ID.search(plan.query):
            return self._split(job, batch, plan)
        if batch.low is not None:
            table = plan.scope.table
            plan = replace(plan, where=f"{plan.where} AND {table}._n >= {batch.low} AND {table}._n < {batch.high}")
        records, _ = write_whole(
            self._database.stream(statement(plan, job.content, job.version), plan.values),
            self.path(batch, "result"), plan, job.content, self._runner.stopping,
        )  # fmt: skip
        return replace(batch, state="Completed", processed=records)

    def _split(self, job: ClassicJob, batch: Batch, plan: Plan) -> Batch:
        """Leave a query to batches of one range of Ids each; the ranges count deleted records too."""
        least, most = self._database.rows(f'SELECT min(_n), max(_n) FROM "{plan.object.name}"')[0]
        first = number_of(job.start_row) if job.start_row else least
        starts = range(first if first is not None else least or 1, (most or 1) + 1, job.chunk)
        if self._allocation.remaining(BULK_BATCHES) < len(starts):
            raise BadBatch("ExceededQuota : ApiBatchItems Limit exceeded.")
        prefix = plan.object.prefix
        join = "AND" if _WHERE.search(plan.query) else "WHERE"
        batches = []
        for low in starts:
            here = f"Id >= '{make_id(prefix, low)[:15]}' AND Id < '{make_id(prefix, low + job.chunk)[:15]}'"
            one = self._new(job, query=plan.query, low=low, high=low + job.chunk)
            self.path(one, "request").write_text(f"{plan.query} {join} {here}", encoding="utf-8")
            batches.append(one)
        self._allocation.count(BULK_BATCHES, len(batches))
        self._shelf.change(job.id, lambda each: replace(each, batches=(*each.batches, *batches)))
        for one in batches:
            self._submit(job.id, one.id)
        return replace(batch, state="NotProcessed", split=True)

    def _change(self, job_id: str, batch_id: str, change: Callable[[Batch], Batch]) -> None:
        """Change a batch unless it has ended."""
        now = self._clock.epoch()

        def changed(job: ClassicJob) -> ClassicJob:
            return replace(
                job,
                batches=tuple(
                    replace(change(each), changed=now) if each.id == batch_id and each.state not in ENDED else each
                    for each in job.batches
                ),
            )

        self._shelf.change(job_id, changed)
