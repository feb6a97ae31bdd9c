"""List some fields of every record of an object, deleted ones included, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from include.errors import ConnectionLost, JobFailed, QueryRefused
from include.extract.ask import batches
from include.extract.plan import is_too_slow, lacks_bulk
from include.extract.queries import ids_within
from include.extract.result_page import BULK_PAGE_ROWS, ResultPage
from include.extract.split import MOST_HALVINGS, by_ids
from include.records import Bounds
from include.salesforce.bulk import BulkJob
from include.salesforce.client import SalesforceClient
from include.salesforce.query import is_long
from include.salesforce.soql import select_all, select_ids
from include.warehouse.loading.stream import CsvSource, csv_source, records_csv
from include.warehouse.tables import Table

# A GET's path and query stay below the org's 16,384 bytes; an Id in a list takes 27 of them once it is encoded.
_MOST_URL = 14_000
_ID_IN_URL = 27
_MOST_IDS = 400
_FEWEST_IDS = 50  # a URL that has not even room for these is better a job
_MOST_IDS_OF_A_JOB = 2000  # below the 100,000 characters of a query, beside 800 fields


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """Hold a page of the list, and what checks after its reading that all of its rows came."""

    source: CsvSource
    check: Callable[[int], None]


def list_records(
    client: SalesforceClient,
    object: str,
    fields: Sequence[str],
    *,
    where: Sequence[str] = (),
    middle: Callable[[Bounds], str | None],
    bulk: bool,
    on_job: Callable[[str], None],
    sleep: Callable[[float], None],
    purpose: str = "reconcile",
) -> Iterator[ListPage]:
    """Return the pages of the list; a Bulk job has ended when this returns, so that nothing is held open for it.

    A list that ends too early raises from the iteration: a hole in it would look like records that vanished. A job that
    takes the org too long is made anew for each half of its Ids.

    Args:
        client: the org's.
        object: its API name.
        fields: what to list of each record.
        where: conditions that hold for all of them.
        middle: returns the Id that halves a part, or None where it cannot be halved.
        bulk: by Bulk; else by REST.
        on_job: is told the Id of each job once it is made.
        sleep: waits.
        purpose: what the calls are metered as.

    Raises:
        ConnectionLost: the org sent fewer records than it announced.
        FatalError, RetryableError: from the client.
    """

    def ended_jobs(part: Bounds, halvings: int) -> list[BulkJob]:
        job = client.bulk_create(select_all(object, fields, where=[*where, *ids_within(part)]), object=object)
        on_job(job.id)
        try:
            return [client.bulk_wait(job.id, sleep=sleep, object=object)]
        except JobFailed as error:
            may_help = is_too_slow(error.code) and halvings < MOST_HALVINGS
            cut = middle(part) if may_help else None
            if cut is None:
                raise
        return [ended for half in by_ids([cut], part) for ended in ended_jobs(half, halvings + 1)]

    if bulk:
        try:
            jobs = ended_jobs(Bounds(), 0)
        except QueryRefused as error:
            if not lacks_bulk(error.code):
                raise
        else:
            return chain.from_iterable(_by_bulk(client, object, job) for job in jobs)
    return _by_rest(client, object, fields, select_all(object, fields, where=where), purpose)


def read_by_id(
    client: SalesforceClient, table: Table, record_ids: Sequence[str], *, sleep: Callable[[float], None]
) -> Iterator[ListPage]:
    """Yield the records of these Ids, whole: one call for each 400, or one Bulk job for 2,000 if they are very wide.

    A record that the org does not show any more is left out.
    """
    columns = list(table.columns)
    wide = is_long(select_ids(table.object, columns, record_ids[:_FEWEST_IDS]))
    room = (_MOST_URL - sum(len(name) + 3 for name in columns)) // _ID_IN_URL
    for batch in batches(record_ids, _MOST_IDS_OF_A_JOB if wide else min(_MOST_IDS, room)):
        soql = select_ids(table.object, columns, batch)
        if wide:
            yield from _by_bulk_or_rest(client, table.object, columns, soql, sleep)
        else:
            yield from _unchecked(client, table.object, columns, soql)


def _by_bulk_or_rest(
    client: SalesforceClient, object: str, fields: Sequence[str], soql: str, sleep: Callable[[float], None]
) -> Iterator[ListPage]:
    try:
        job = client.bulk_create(soql, object=object)
    except QueryRefused as error:
        if not lacks_bulk(error.code):
            raise
        yield from _unchecked(client, object, fields, soql)
        return
    yield from _by_bulk(client, object, client.bulk_wait(job.id, sleep=sleep, object=object))


def _unchecked(client: SalesforceClient, object: str, fields: Sequence[str], soql: str) -> Iterator[ListPage]:
    for page in client.query_pages(soql, all_rows=True, purpose="reconcile", object=object):
        yield ListPage(source=csv_source(records_csv(page.records, fields)), check=lambda rows: None)


def _by_rest(
    client: SalesforceClient, object: str, fields: Sequence[str], soql: str, purpose: str
) -> Iterator[ListPage]:
    announced = read = 0
    pages = client.query_pages(soql, all_rows=True, purpose=purpose, object=object)
    for number, page in enumerate(pages):
        announced = announced if number else page.total
        read += len(page.records)
        yield ListPage(source=csv_source(records_csv(page.records, fields)), check=lambda rows: None)
    _check_whole(object, announced, read)


def _by_bulk(client: SalesforceClient, object: str, job: BulkJob) -> Iterator[ListPage]:
    locator: str | None = ""
    read = 0
    while locator is not None:
        page = ResultPage(client, job.id, locator, 10 * BULK_PAGE_ROWS, object)
        yield ListPage(source=page.opened, check=page.check)
        locator = page.next_locator
        read += page.number_of_records
    _check_whole(object, job.records, read)


def _check_whole(object: str, announced: int, read: int) -> None:
    if read != announced:
        raise ConnectionLost(
            f"the org announced {announced:,} Ids of {object} and sent {read:,}; nothing was changed, it can be tried"
            " again"
        )
