"""Load one object's window by REST or by Bulk API 2.0: each commit holds rows and the record of how far they reach.

A small load is one transaction. A Bulk load is one per result page, and its slice says where the next one begins; the
cursor moves with the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Engine

from include.config.housekeeping import DiskRoom
from include.config.orgs import OrgDefinition
from include.errors import ConnectionLost, JobFailed, QueryRefused
from include.extract.absent import mark_what_is_gone
from include.extract.ask import Answer, known_table
from include.extract.plan import Leftover, Plan, decide_leftover
from include.extract.queries import query_of, reads_deleted
from include.extract.window import moves_cursor
from include.records import AirflowRun, RowCounts, RunMode, Window
from include.salesforce.client import SalesforceClient
from include.warehouse.cursors import move_cursor, read_cursor
from include.warehouse.describes import stored_describe
from include.warehouse.engine import transaction
from include.warehouse.extracts import add_to_extract
from include.warehouse.load import finish_straight, is_empty, load_rows
from include.warehouse.load_stream import CsvSource, csv_source, records_csv
from include.warehouse.probes import drop_probe
from include.warehouse.room import refuse_full_disk
from include.warehouse.runs import EndState, finish_run
from include.warehouse.slices import Slice, advance_slice, close_slice, give_job, open_slice, open_slices
from include.warehouse.tables import Table, index_cursor, table_of

# Rows of a Bulk result page: each costs a call, is loaded in a second or so, and is what a killed load repeats.
BULK_PAGE_ROWS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """Hold what every step of one object's load needs."""

    engine: Engine
    client: SalesforceClient
    org: OrgDefinition
    object: str
    mode: RunMode
    run: AirflowRun
    run_id: int
    sleep: Callable[[float], None]
    bulk_page_rows: int
    disk: DiskRoom = field(default_factory=DiskRoom)
    sets_back: bool = False  # see Answer
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Say what a load brought."""

    window: Window
    plan: Plan
    counts: RowCounts


def load_answer(loading: Loading, answer: Answer) -> Loaded:
    """Load the window that the org was asked about."""
    assert answer.window is not None
    assert answer.table is not None
    loading = replace(loading, sets_back=answer.sets_back, warning=answer.warning)
    refuse_full_disk(loading.engine, answer.table, answer.total, loading.disk)
    if answer.plan is Plan.REST:
        return _load_rest(loading, answer.table, answer.window, answer.soql, answer.page)
    slice_ = _open(loading, answer.table, answer.window, answer.soql)
    try:
        deleted_too = reads_deleted(loading.org, loading.object)
        job = loading.client.bulk_create(answer.soql, object=loading.object, all_rows=deleted_too)
    except QueryRefused:
        # Some objects have no Bulk API. If the query itself is at fault, REST refuses it too, and that is the error.
        _close(loading, slice_)
        return _load_rest(loading, answer.table, answer.window, answer.soql, None)
    with transaction(loading.engine) as connection:
        give_job(connection, slice_.slice_id, job.id)
    return _load_bulk(loading, answer.table, slice_, job.id)


def load_leftover(loading: Loading, *, window: Window | None) -> Loaded | None:
    """Take up the Bulk load that an earlier run of the object left unfinished, if there is one that fits.

    `window` is this run's, when it is fixed.
    """
    table = known_table(loading.engine, loading.org, loading.object)
    if table is None:
        return None
    with transaction(loading.engine) as connection:
        left = open_slices(connection, loading.org.org, loading.object)
        cursor = read_cursor(connection, loading.org.org, loading.object)
    loaded: Loaded | None = None
    for each in left:
        decided = decide_leftover(
            mode=loading.mode,
            window=window,
            cursor=cursor.at,
            left_mode=each.mode,
            left_window=each.window,
            same_query=each.soql == query_of(loading.org, table, each.window),
        )
        if decided is Leftover.ADOPT and loaded is None and _job_lives(loading, each):
            loaded = _load_bulk(loading, table, each, each.job_id)
        elif decided is not Leftover.LEAVE:
            _close(loading, each)
    return loaded


def _job_lives(loading: Loading, slice_: Slice) -> bool:
    if not slice_.job_id:
        return False
    try:
        return loading.client.bulk_state(slice_.job_id, object=loading.object).state not in ("Failed", "Aborted")
    except JobFailed:
        return False


def _load_rest(loading: Loading, table: Table, window: Window, soql: str, page: bytes | None) -> Loaded:
    source = csv_source(page) if page is not None else _pages(loading, table, soql)
    with transaction(loading.engine) as connection:
        straight = _goes_straight(connection, loading, table)
        counts = load_rows(connection, table, source, run_id=loading.run_id, straight=straight)
        gone, warning = mark_what_is_gone(
            connection, loading.org, table, counts, run_id=loading.run_id, straight=straight
        )
        loading = _warned(loading, warning)
        counts += gone + _complete(connection, loading, table, window, straight=straight)
        _write(connection, loading, window, Plan.REST, counts, last=True)
    return Loaded(window=window, plan=Plan.REST, counts=counts)


def _load_bulk(loading: Loading, table: Table, slice_: Slice, job_id: str) -> Loaded:
    total = RowCounts()
    try:
        loading.client.bulk_wait(job_id, sleep=loading.sleep, object=loading.object)
        locator: str | None = slice_.locator
        while locator is not None:
            counts, locator = _load_page(loading, table, slice_, job_id, locator)
            total += counts
    except JobFailed:
        _close(loading, slice_)
        raise
    return Loaded(window=slice_.window, plan=Plan.BULK, counts=total)


def _load_page(
    loading: Loading, table: Table, slice_: Slice, job_id: str, locator: str
) -> tuple[RowCounts, str | None]:
    result = ResultPage(loading.client, job_id, locator, loading.bulk_page_rows, loading.object)
    with transaction(loading.engine) as connection:
        counts = load_rows(connection, table, result.opened, run_id=loading.run_id, straight=slice_.straight)
        result.check(counts.read)
        advance_slice(connection, slice_.slice_id, locator=result.next_locator or "", rows=counts.read)
        if result.next_locator is None:
            if not locator:  # a result in several pages is compared by the nightly reconciliation alone
                gone, warning = mark_what_is_gone(
                    connection, loading.org, table, counts, run_id=loading.run_id, straight=slice_.straight
                )
                loading, counts = _warned(loading, warning), counts + gone
            counts += _complete(connection, loading, table, slice_.window, straight=slice_.straight)
            close_slice(connection, slice_.slice_id, "done")
        _write(connection, loading, slice_.window, Plan.BULK, counts, last=result.next_locator is None)
    return counts, result.next_locator


class ResultPage:
    """Open one page of a Bulk result, as often as the loader asks, and keep what its headers say."""

    def __init__(self, client: SalesforceClient, job_id: str, locator: str, page_rows: int, object: str) -> None:
        self._client = client
        self._job_id = job_id
        self._locator = locator
        self._page_rows = page_rows
        self._object = object
        self.next_locator: str | None = None
        self.number_of_records = 0

    @contextmanager
    def opened(self) -> Iterator[Iterable[bytes]]:
        """Yield the page's bytes, from its beginning."""
        with self._client.bulk_results(
            self._job_id, locator=self._locator, max_records=self._page_rows, object=self._object
        ) as page:
            self.next_locator = page.next_locator
            self.number_of_records = page.number_of_records
            yield page.chunks

    def check(self, rows: int) -> None:
        """Refuse a page that held another number of rows than its header announced.

        Raises:
            ConnectionLost: it did.
        """
        if rows != self.number_of_records:
            raise ConnectionLost(
                f"a page of Bulk job {self._job_id} has {rows} rows of {self._object} where the org announced"
                f" {self.number_of_records}; the next try goes on from the page before it"
            )


def _pages(loading: Loading, table: Table, soql: str) -> CsvSource:
    columns = list(table.columns)

    def chunks() -> Iterator[bytes]:
        deleted_too = reads_deleted(loading.org, loading.object)
        pages = loading.client.query_pages(soql, all_rows=deleted_too, purpose="extract", object=loading.object)
        announced = read = 0
        for number, page in enumerate(pages):
            announced = announced if number else page.total
            read += len(page.records)
            yield records_csv(page.records, columns, header=number == 0)
        if read != announced:
            raise ConnectionLost(
                f"the org announced {announced} records of {loading.object} and sent {read}; nothing of them was kept,"
                " the next try reads them again"
            )

    @contextmanager
    def opened() -> Iterator[Iterable[bytes]]:
        yield chunks()

    return opened


def _goes_straight(connection: Connection, loading: Loading, table: Table) -> bool:
    if not moves_cursor(loading.mode):
        return False
    cursor = read_cursor(connection, loading.org.org, loading.object)
    return cursor.first_loaded_at is None and is_empty(connection, table)


def _open(loading: Loading, table: Table, window: Window, soql: str) -> Slice:
    with transaction(loading.engine) as connection:
        return open_slice(
            connection,
            loading.org.org,
            loading.object,
            run_id=loading.run_id,
            mode=loading.mode,
            window=window,
            soql=soql,
            straight=_goes_straight(connection, loading, table),
        )


def _close(loading: Loading, slice_: Slice) -> None:
    with transaction(loading.engine) as connection:
        close_slice(connection, slice_.slice_id, "abandoned")


def _complete(connection: Connection, loading: Loading, table: Table, window: Window, *, straight: bool) -> RowCounts:
    """Complete a window, in the transaction of its last rows."""
    deleted = finish_straight(connection, table) if straight else 0
    if moves_cursor(loading.mode) and _has_every_field(connection, loading, table):
        if read_cursor(connection, loading.org.org, loading.object).first_loaded_at is None:
            index_cursor(connection, table)
        move_cursor(connection, loading.org.org, loading.object, window.high, back=loading.sets_back)
    return RowCounts(deleted=deleted)


def _warned(loading: Loading, warning: str) -> Loading:
    return replace(loading, warning="; ".join(filter(None, (loading.warning, warning))))


def _has_every_field(connection: Connection, loading: Loading, table: Table) -> bool:
    """Return whether no field was added while the load ran; if one was, the next run reads from the beginning."""
    describe = stored_describe(connection, loading.org.org, loading.object)
    assert describe is not None
    return table_of(table.org, table.schema, describe).columns.keys() <= table.columns.keys()


def _write(
    connection: Connection, loading: Loading, window: Window, plan: Plan, counts: RowCounts, *, last: bool
) -> None:
    org, object = loading.org.org, loading.object
    total = add_to_extract(
        connection, loading.run_id, org, object, mode=loading.mode, window=window, plan=plan.value, counts=counts
    )
    drop_probe(connection, org, loading.run, object)
    if last:
        state: EndState = "degraded" if total.rejected or loading.warning else "success"
        finish_run(connection, loading.run_id, state, say(total, loading.warning))


def say(counts: RowCounts, warning: str = "") -> str:
    """Return one sentence about what a load did."""
    return (
        f"{counts.changed:,} rows changed ({counts.inserted:,} new, {counts.updated:,} updated, {counts.deleted:,} of"
        f" them deleted), {counts.unchanged:,} known already, {counts.rejected:,} rejected"
    ) + (f"; {warning}" if warning else "")
