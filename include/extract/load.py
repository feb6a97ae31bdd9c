"""Load one object's window by REST or by Bulk API 2.0: each commit holds rows and the record of how far they reach.

A small load is one transaction. A large one is one for each page of a Bulk result (`load_slices`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from include.errors import ConnectionLost, QueryTooSlow
from include.extract.absent import mark_what_is_gone
from include.extract.ask import Answer, known_table
from include.extract.load_slices import LargeLoad, NoBulk, close_load, open_load
from include.extract.loading import Loaded, Loading, complete_window, goes_straight, write_load
from include.extract.plan import Leftover, Plan, decide_leftover
from include.extract.queries import query_of, reads_deleted
from include.extract.slicing import halves
from include.extract.split import MOST_HALVINGS
from include.records import Bounds, Window
from include.warehouse.engine import transaction
from include.warehouse.extracts.cursors import read_cursor
from include.warehouse.extracts.slices import Slice, count_slices, open_slices
from include.warehouse.loading.load import load_rows
from include.warehouse.loading.room import refuse_full_disk
from include.warehouse.loading.stream import CsvSource, csv_source, records_csv
from include.warehouse.tables import Table


def load_answer(loading: Loading, answer: Answer) -> Loaded:
    """Load the window that the org was asked about."""
    assert answer.window is not None
    assert answer.table is not None
    loading = replace(loading, sets_back=answer.sets_back, warning=answer.warning)
    refuse_full_disk(loading.engine, answer.table, answer.total, loading.disk)
    if answer.plan is Plan.REST:
        return _load_rest(loading, answer.table, answer.window, answer.page)
    slices = open_load(loading, answer.table, answer.window, answer.soql, answer.total)
    try:
        return LargeLoad(loading, answer.table, slices).load()
    except NoBulk:
        # Some objects have no Bulk API. If the query itself is at fault, REST refuses it too, and that is the error.
        close_load(loading, slices)
        return _load_rest(loading, answer.table, answer.window, None)


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
    for slices in _loads(left):
        first = slices[0]
        decided = decide_leftover(
            mode=loading.mode,
            window=window,
            cursor=cursor.at,
            left_mode=first.mode,
            left_window=first.window,
            same_query=all(each.soql == query_of(loading.org, table, each.window, each.bounds) for each in slices),
        )
        if decided is Leftover.ADOPT and loaded is None and _is_worth_it(loading, slices):
            loaded = _gone_on(loading, table, slices)
        elif decided is not Leftover.LEAVE:
            close_load(loading, slices)
    return loaded


def _gone_on(loading: Loading, table: Table, slices: Sequence[Slice]) -> Loaded | None:
    try:
        return LargeLoad(loading, table, slices).load()
    except NoBulk:
        close_load(loading, slices)
        return None


def _loads(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Return the slices of each load together."""
    roots: dict[int, list[Slice]] = {}
    for each in slices:
        roots.setdefault(each.root_id, []).append(each)
    return list(roots.values())


def _is_worth_it(loading: Loading, slices: Sequence[Slice]) -> bool:
    """Return whether anything of a load is left to go on with: rows that are here, or a job that has begun."""
    if any(each.job_id for each in slices):
        return True
    with transaction(loading.engine) as connection:
        return count_slices(connection, slices[0].root_id).done > 0


def _load_rest(loading: Loading, table: Table, window: Window, page: bytes | None) -> Loaded:
    source = csv_source(page) if page is not None else _pages(loading, table, window)
    with transaction(loading.engine) as connection:
        straight = goes_straight(connection, loading, table)
        counts = load_rows(connection, table, source, run_id=loading.run_id, straight=straight)
        gone, warning = mark_what_is_gone(
            connection, loading.org, table, counts, run_id=loading.run_id, straight=straight
        )
        loading = loading.warned(warning)
        counts += gone + complete_window(connection, loading, table, window, straight=straight)
        write_load(connection, loading, window, Plan.REST, counts, last=True)
    return Loaded(window=window, plan=Plan.REST, counts=counts)


def _pages(loading: Loading, table: Table, window: Window) -> CsvSource:
    columns = list(table.columns)

    def chunks(bounds: Bounds, halvings: int, header: bool) -> Iterator[bytes]:
        soql, deleted_too = query_of(loading.org, table, window, bounds), reads_deleted(loading.org, loading.object)
        pages = loading.client.query_pages(soql, all_rows=deleted_too, purpose="extract", object=loading.object)
        announced = read = 0
        try:
            for number, page in enumerate(pages):
                announced = announced if number else page.total
                read += len(page.records)
                yield records_csv(page.records, columns, header=header and number == 0)
        except QueryTooSlow:
            parts = halves(loading, table, window, bounds) if halvings < MOST_HALVINGS and not announced else []
            if not parts:
                raise
            for number, part in enumerate(parts):
                yield from chunks(part, halvings + 1, header and number == 0)
            return
        if read != announced:
            raise ConnectionLost(
                f"the org announced {announced} records of {loading.object} and sent {read}; nothing of them was kept,"
                " the next try reads them again"
            )

    @contextmanager
    def opened() -> Iterator[Iterable[bytes]]:
        yield chunks(Bounds(), 0, True)

    return opened
