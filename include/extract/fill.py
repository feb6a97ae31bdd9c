"""Fill the columns of new fields for the records that were here before them: Ids, stamps and those fields alone.

The org moves no stamp for a new field, so no window ever shows it. A row that changed meanwhile bears another stamp
than the list and is left to the next window, which reads every field.
"""

from __future__ import annotations

from functools import partial

from include.errors import ConnectionLost
from include.extract.ask import known_table
from include.extract.listing import list_records
from include.extract.loading import Loading, forget_older_pictures
from include.extract.plan import Plan
from include.extract.queries import conditions
from include.records import RowCounts, RunMode, Window
from include.salesforce.query import is_long
from include.salesforce.soql import select_all
from include.warehouse.describes import note_all_read, note_filled, unfilled_fields
from include.warehouse.engine import transaction
from include.warehouse.extracts.comparison import (
    UnfitValue,
    add_to_list,
    close_list,
    listed_columns,
    open_list,
    refresh_calculated,
)
from include.warehouse.extracts.cursors import forget_cursor, read_cursor
from include.warehouse.extracts.ledger import add_to_extract
from include.warehouse.extracts.quantiles import middle_id
from include.warehouse.runs import note_more
from include.warehouse.tables import Table


def complete_fields(loading: Loading, window: Window | None) -> RowCounts:
    """Fill what a run leaves without values, once it has read its window; return how many rows that changed.

    A run that read everything has brought every field. In one transaction; costs a Bulk job, or a page for each 2,000
    records of a small object. If a value does not fit its column, the next run reads the object from the beginning,
    where such records are put aside one by one.

    Raises:
        FatalError, RetryableError: from the client; the next run fills.
    """
    org, object = loading.org.org, loading.object
    with transaction(loading.engine) as connection:
        fields = unfilled_fields(connection, org, object)
        cursor = read_cursor(connection, org, object)
        read_all = window is not None and window.low is None and cursor.at == window.high
        if fields and read_all:
            note_all_read(connection, org, object, loading.run_id)
    if not fields or read_all or cursor.at is None or loading.mode is not RunMode.CHANGES:
        return RowCounts()
    return _filled(loading, fields, Window(low=None, high=cursor.at))


def _filled(loading: Loading, fields: tuple[str, ...], window: Window) -> RowCounts:
    org, object = loading.org.org, loading.object
    table = known_table(loading.engine, loading.org, object)
    assert table is not None  # fields are noted for tables that are there
    columns = listed_columns(table, fields)
    where = conditions(loading.org, object)
    long = is_long(select_all(object, columns, where=where))
    bulk = long or _rows_here(loading, table) > loading.org.bulk_above_rows
    # A Bulk job has ended when this returns: no transaction waits for it with a lock on the table.
    pages = list_records(
        loading.client,
        object,
        columns,
        where=where,
        middle=partial(middle_id, loading.engine, table),
        bulk=bulk,
        on_job=lambda job_id: None,
        sleep=loading.sleep,
        purpose="extract",
    )
    try:
        with transaction(loading.engine) as connection:
            open_list(connection, table, columns)
            for page in pages:
                page.check(add_to_list(connection, table, page.source))
            if close_list(connection):
                raise ConnectionLost(
                    f"the org listed records of {object} twice, so others may be missing from the list; the new fields"
                    f" {', '.join(fields)} were not filled, the next try lists again"
                )
            changed = refresh_calculated(connection, table, fields, loading.run_id)
            counts = RowCounts(read=changed, updated=changed)
            add_to_extract(
                connection,
                loading.run_id,
                org,
                object,
                mode=loading.mode,
                window=window,
                plan=Plan.BULK.value if bulk else Plan.REST.value,
                counts=counts,
            )
            words = f"{', '.join(fields)} filled for {changed:,} records that were here before"
            note_more(connection, loading.run_id, words)
            note_filled(connection, org, object, fields)
            forget_older_pictures(connection, org, object)
    except UnfitValue:
        with transaction(loading.engine) as connection:
            forget_cursor(connection, org, object)
        return RowCounts()
    return counts


def _rows_here(loading: Loading, table: Table) -> int:
    with transaction(loading.engine) as connection:
        rows: int = connection.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar_one()
    return rows
