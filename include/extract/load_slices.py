"""Read a window by Bulk API 2.0, in one slice or in several, each by a job of its own.

The jobs run side by side in the org, and this process loads what is complete. Each result page is a transaction: its
rows, and where its slice goes on. The cursor moves with the last page of the last slice. A slice whose job takes the
org too long is read as two halves.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from include.errors import ConnectionLost, JobFailed, QueryRefused, RowsRepeated
from include.extract.absent import mark_what_is_gone
from include.extract.loading import Loaded, Loading, complete_window, goes_straight, write_load
from include.extract.plan import Plan, is_too_slow, lacks_bulk
from include.extract.queries import query_of, reads_deleted
from include.extract.result_page import ResultPage, result_pages
from include.extract.slicing import halves, slice_bounds
from include.extract.split import MOST_HALVINGS
from include.records import RowCounts, Window
from include.salesforce.bulk import BulkJob
from include.warehouse.engine import transaction
from include.warehouse.extracts.slices import (
    Slice,
    advance_slice,
    close_slice,
    count_slices,
    forget_job,
    give_job,
    open_slice,
    split_slice,
)
from include.warehouse.loading.load import load_rows
from include.warehouse.tables import Table

# Each question costs a call. Small jobs end within seconds, large ones take many minutes.
_PAUSES = (0.25, 0.5, 1.0, 2.0, 5.0, *[10.0] * 12)
_LAST_PAUSE = 30.0
# Longer than any job takes that is not stuck.
_MOST_SECONDS = 14_400.0


def open_load(loading: Loading, table: Table, window: Window, soql: str, rows: int) -> list[Slice]:
    """Plan in which slices a window of about so many rows is read, and write them down; no job runs yet."""
    bounds = slice_bounds(loading, table, window, rows)
    with transaction(loading.engine) as connection:
        root = open_slice(
            connection,
            loading.org.org,
            loading.object,
            run_id=loading.run_id,
            mode=loading.mode,
            window=window,
            soql=soql,
            straight=goes_straight(connection, loading, table),
        )
        if len(bounds) == 1:
            return [root]
        parts = [(each, query_of(loading.org, table, window, each)) for each in bounds]
        return split_slice(connection, root, parts, run_id=loading.run_id, halved=False)


def close_load(loading: Loading, slices: Sequence[Slice]) -> None:
    """Write that slices will not be read any more."""
    with transaction(loading.engine) as connection:
        for each in slices:
            close_slice(connection, each.slice_id, "abandoned")


class NoBulk(Exception):
    """Say that the org does not let Bulk API read this object, before anything of it was read."""


class LargeLoad:
    """Bring the open slices of one window home."""

    def __init__(self, loading: Loading, table: Table, slices: Sequence[Slice]) -> None:
        self._loading = loading
        self._table = table
        self._waiting = [each for each in slices if not each.job_id]
        self._running = deque(each for each in slices if each.job_id)
        self._window = slices[0].window
        self._root_id = slices[0].root_id
        self._adopted = {each.slice_id for each in self._running}
        self._waited: dict[int, float] = {}
        self._announced: dict[int, int] = {}  # how many records the slice's job has read
        self._polls = -1 if self._running else 0  # since something was complete; -1: ask without a pause
        self._counts = RowCounts()

    def load(self) -> Loaded:
        """Load every slice.

        Raises:
            NoBulk: the first job was refused; nothing has been read.
            JobFailed: a job ended badly, and not because it was too slow; what is complete stays.
        """
        while self._waiting or self._running:
            self._start_jobs()
            complete = self._ask_next()
            if complete is not None:
                self._start_jobs()  # so that the org works on while its last result is loaded
                self._load(complete)
        return Loaded(window=self._window, plan=Plan.BULK, counts=self._counts, note=self._loading.note)

    def _start_jobs(self) -> None:
        while self._waiting and len(self._running) < self._loading.org.jobs_at_once:
            # What was halved comes first: if it is too slow all the same, that is known before more is begun.
            slice_ = max(self._waiting, key=lambda each: (each.halvings, -each.slice_id))
            self._waiting.remove(slice_)
            self._start(slice_)

    def _start(self, slice_: Slice) -> None:
        loading = self._loading
        deleted_too = reads_deleted(loading.org, loading.object)
        try:
            job = loading.client.bulk_create(slice_.soql, object=loading.object, all_rows=deleted_too)
        except QueryRefused as error:
            if not lacks_bulk(error.code) or self._running or self._has_loaded():
                raise
            raise NoBulk from error
        with transaction(loading.engine) as connection:
            give_job(connection, slice_.slice_id, job.id)
        if not self._running:
            self._polls = 0  # it has only just begun
        self._running.append(replace(slice_, job_id=job.id))

    def _has_loaded(self) -> bool:
        with transaction(self._loading.engine) as connection:
            return count_slices(connection, self._root_id).done > 0

    def _ask_next(self) -> Slice | None:
        """Ask for one job, each in its turn; return its slice when it is complete."""
        self._pause()
        slice_ = self._running.popleft()
        try:
            job = self._loading.client.bulk_state(slice_.job_id, object=self._loading.object)
            if job.ended and job.state != "JobComplete":
                raise job.failure()
        except JobFailed as error:
            self._begin_anew(slice_, error)
            return None
        if job.ended:
            self._announced[slice_.slice_id] = job.records
            return slice_
        if self._waited.get(slice_.slice_id, 0.0) >= _MOST_SECONDS:
            self._give_up(slice_, job)
        else:
            self._running.append(slice_)
        return None

    def _pause(self) -> None:
        polls, self._polls = self._polls, self._polls + 1
        if polls < 0:
            return
        # The pauses are shared: however many jobs run, the org is asked no oftener.
        pause = _PAUSES[polls] if polls < len(_PAUSES) else _LAST_PAUSE
        self._loading.sleep(pause)
        for each in self._running:
            self._waited[each.slice_id] = self._waited.get(each.slice_id, 0.0) + pause

    def _give_up(self, slice_: Slice, job: BulkJob) -> None:
        """Stop a job that does not come to an end, and read its slice in halves."""
        self._loading.client.bulk_abort(job.id, object=self._loading.object)
        name, hours = self._loading.object, _MOST_SECONDS / 3600
        self._halve(slice_, JobFailed(f"Bulk job {job.id} for {name} had not ended after {hours:.0f} hours"))

    def _begin_anew(self, slice_: Slice, error: JobFailed) -> None:
        if is_too_slow(error.code):
            self._halve(slice_, error)
            return
        with transaction(self._loading.engine) as connection:
            forget_job(connection, slice_.slice_id)
        if slice_.slice_id not in self._adopted:
            raise error
        # It ended while nobody looked: aborted with the task that it belonged to, as a rule.
        self._adopted.discard(slice_.slice_id)
        self._polls = 0
        self._waiting.append(replace(slice_, job_id="", locator="", rows_loaded=0))

    def _halve(self, slice_: Slice, error: JobFailed) -> None:
        loading = self._loading
        parts = halves(loading, self._table, slice_.window, slice_.bounds) if slice_.halvings < MOST_HALVINGS else []
        with transaction(loading.engine) as connection:
            if not parts:
                forget_job(connection, slice_.slice_id)
            else:
                queries = [(each, query_of(loading.org, self._table, slice_.window, each)) for each in parts]
                self._polls = 0
                self._waiting += split_slice(connection, slice_, queries, run_id=loading.run_id, halved=True)
                return
        raise JobFailed(
            f"{error}. It was not halved: {_why_not(slice_)}. Read fewer fields by a query of your own"
            " (docs/large-loads.md), or ask Salesforce why it is slow",
            code=error.code,
        ) from error

    def _load(self, slice_: Slice) -> None:
        self._polls = -1
        loading = self._loading
        try:
            with result_pages(
                loading.client, slice_.job_id, slice_.locator, loading.bulk_page_rows, loading.object
            ) as pages:
                for page in pages:
                    self._counts += self._load_page(slice_, page)
        except (JobFailed, RowsRepeated):  # the same job's result would be the same
            with transaction(loading.engine) as connection:
                forget_job(connection, slice_.slice_id)
            raise

    def _load_page(self, slice_: Slice, result: ResultPage) -> RowCounts:
        loading, table = self._loading, self._table
        with transaction(loading.engine) as connection:
            counts = load_rows(connection, table, result.opened, run_id=loading.run_id, straight=slice_.straight)
            result.check(counts.read)
            locator = result.next_locator or ""
            loaded = advance_slice(connection, slice_.slice_id, locator=locator, rows=counts.read)
            self._check(slice_, result, loaded)
            last = False
            if result.next_locator is None:
                close_slice(connection, slice_.slice_id, "done")
                if slice_.slice_id == slice_.root_id and not result.locator:
                    # What came in several pages or slices is compared by the nightly reconciliation alone.
                    gone, warning = mark_what_is_gone(
                        connection, loading.org, table, counts, run_id=loading.run_id, straight=slice_.straight
                    )
                    loading, counts = loading.warned(warning), counts + gone
                found = count_slices(connection, slice_.root_id)
                last = not found.open
                if last:
                    counts += complete_window(connection, loading, table, slice_.window, straight=slice_.straight)
                    loading = replace(loading, note=_in_words(found.done, found.halved))
            write_load(connection, loading, slice_.window, Plan.BULK, counts, last=last)
        self._loading = loading
        return counts

    def _check(self, slice_: Slice, result: ResultPage, loaded: int | None) -> None:
        """Refuse a page of a load that is no longer ours, and a result that is not whole."""
        object, job_id = self._loading.object, slice_.job_id
        if loaded is None:  # its session in the warehouse was ended, and the object's lock with it
            raise ConnectionLost(
                f"another run began to read {object} while this one loaded Bulk job {job_id}; the page was not kept"
            )
        announced = self._announced[slice_.slice_id]
        if result.next_locator is None and loaded < announced:
            raise JobFailed(
                f"Bulk job {job_id} has read {announced:,} records of {object}, and its result ends after {loaded:,};"
                " the next try makes a new job"
            )


def _why_not(slice_: Slice) -> str:
    if slice_.halvings >= MOST_HALVINGS:
        return f"it is a half of a half already, {MOST_HALVINGS} times over"
    return "it cannot be divided by Ids or stamps, or the org did not say in time where"


def _in_words(done: int, halved: int) -> str:
    if done <= 1:
        return ""
    slow = f", of which {halved:,} took the org too long and were halved" if halved else ""
    return f"read in {done:,} slices{slow}"
