"""Run a Bulk 2.0 ingest job: check the whole file, write it in chunks, note what became of each row."""

from __future__ import annotations

import itertools
import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import IO

import duckdb

from include.sandbox.org.allocation import BULK_BATCHES
from include.sandbox.org.jobs.formats import DELIMITERS, ENDINGS, BadBatch
from include.sandbox.org.jobs.load import DATA, FAILED, SUCCESSFUL, UNPROCESSED, LoadJob
from include.sandbox.org.loading.columns import Columns
from include.sandbox.org.loading.csv_rows import checked_csv, csv_line, read_csv
from include.sandbox.org.loading.saving import Saving, as_said, told
from include.sandbox.org.org import Org
from include.sandbox.org.writing import SaveResult

_LOG = logging.getLogger(__name__)
_CHUNK = 2000  # rows written at once; between chunks a job can be aborted
_BATCH = 10_000  # rows that count as one batch of the daily allocation
_ID_OF_FAILED = 53.0  # older versions don't tell it


def begin_loads(org: Org) -> None:
    """Let the org's ingest jobs be written, those of an earlier start first."""
    org.loads.begin(lambda job: run_load(org, job))


def run_load(org: Org, job: LoadJob) -> None:
    """Run a job to its end, or until the org stops."""
    began = time.monotonic()
    if org.loads.change(job.id, lambda each: replace(each, state="InProgress")) is None:
        return
    org.loads.runner.hold(org.faults.hold_job(job.object), lambda: org.loads.over(job.id))
    ordered = org.faults.meet_job(job.object)
    if ordered is not None:
        state = "Failed" if ordered == "TimedOut" else ordered  # an ingest job has no query
        _end(org, job, state, "TooManyLockFailure : Too many lock failures while processing the job")
        return
    if org.loads.runner.stopping() or org.loads.over(job.id):
        return
    try:
        with org.loads.runner.turn():
            _load(org, job, began)
    except BadBatch as bad:
        _end(org, job, "Failed", str(bad))
    except (duckdb.Error, OSError):
        # The client learns of it by the job's state, the operator by the log.
        _LOG.exception("Bulk load %s failed", job.id)
        _end(org, job, "Failed", "UnknownException : An unexpected error occurred.")


def _load(org: Org, job: LoadJob, began: float) -> None:
    delimiter, ending = DELIMITERS[job.delimiter], ENDINGS[job.ending]
    target = org.catalogue.find(job.object)
    if target is None:
        raise BadBatch(f"InvalidEntity : Entity '{job.object}' is not supported by the Bulk API.")
    header, total = checked_csv(org.loads.path(job, DATA), delimiter, job.ending)
    columns = Columns(org.catalogue, target)
    columns.check(header, job.operation, job.external_id)
    saving = Saving(
        org=org, target=target, operation=job.operation, external_id=job.external_id, user=job.created_by,
        columns=columns,
    )  # fmt: skip
    org.allocation.count(BULK_BATCHES, -(-total // _BATCH))
    rows = itertools.islice(read_csv(org.loads.path(job, DATA), delimiter), job.processed, None)
    with _Files(org, job, header, delimiter, ending) as files:
        while chunk := list(itertools.islice(rows, _CHUNK)):
            if org.loads.runner.stopping():
                return
            if org.loads.over(job.id):
                files.leave(itertools.chain(chunk, rows))
                return
            failed = files.note(chunk, saving.save([as_said(header, cells) for cells in chunk]))
            spent = int((time.monotonic() - began) * 1000)
            _count(org, job, len(chunk), failed, spent)
    org.loads.change(job.id, lambda each: replace(each, state="JobComplete"))


def _count(org: Org, job: LoadJob, rows: int, failed: int, spent: int) -> None:
    org.loads.change(
        job.id,
        lambda each: replace(
            each, processed=each.processed + rows, failed=each.failed + failed, milliseconds=max(spent, 1)
        ),
    )


def _end(org: Org, job: LoadJob, state: str, message: str) -> None:
    """End a job none of whose rows was processed."""
    if org.loads.path(job, DATA).exists():
        shutil.copy(org.loads.path(job, DATA), org.loads.path(job, UNPROCESSED))
    org.loads.change(job.id, lambda each: replace(each, state=state, error=message if state == "Failed" else ""))


class _Files:
    """Write the three result files of a job, row by row."""

    def __init__(self, org: Org, job: LoadJob, header: list[str], delimiter: str, ending: str) -> None:
        self._delimiter = delimiter
        self._ending = ending
        self._with_id = float(job.version) >= _ID_OF_FAILED
        self._files: dict[str, IO[str]] = {}
        firsts = {
            SUCCESSFUL: ["sf__Id", "sf__Created"],
            FAILED: ["sf__Id", "sf__Error"] if self._with_id else ["sf__Error"],
            UNPROCESSED: [],
        }
        self._width = len(header)
        for kind, first in firsts.items():
            path = org.loads.path(job, kind)
            goes_on = job.processed > 0 and path.exists()
            self._files[kind] = path.open("a" if goes_on else "w", encoding="utf-8", newline="")
            if not goes_on:
                self._write(kind, [*first, *header])

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, *_error: object) -> None:
        for each in self._files.values():
            each.close()

    def note(self, rows: list[list[str]], results: list[SaveResult]) -> int:
        """Write what became of rows, and return how many failed."""
        failed = 0
        for cells, result in zip(rows, results, strict=True):
            cells = cells + [""] * (self._width - len(cells))
            if result.success:
                self._write(SUCCESSFUL, [result.id or "", "true" if result.created else "false", *cells])
                continue
            failed += 1
            named = [result.id or ""] if self._with_id else []
            self._write(FAILED, [*named, told(result.errors), *cells])
        for each in self._files.values():
            each.flush()
        return failed

    def leave(self, rows: Iterator[list[str]]) -> None:
        """Write rows that nobody will process any more."""
        for cells in rows:
            self._write(UNPROCESSED, cells)

    def _write(self, kind: str, cells: list[str]) -> None:
        self._files[kind].write(csv_line(cells, self._delimiter, self._ending))
