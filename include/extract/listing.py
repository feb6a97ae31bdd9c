"""List some fields of every record of an object, deleted ones included, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from include.errors import ConnectionLost, QueryRefused
from include.extract.load import BULK_PAGE_ROWS, ResultPage
from include.salesforce.client import SalesforceClient
from include.salesforce.soql import select_all
from include.warehouse.load_stream import CsvSource, csv_source, records_csv


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
    bulk: bool,
    sleep: Callable[[float], None],
) -> Iterator[ListPage]:
    """Return the pages of the list; a Bulk job has ended when this returns, so that nothing is held open for it.

    A list that ends too early raises from the iteration: a hole in it would look like records that vanished.

    Raises:
        ConnectionLost: the org sent fewer records than it announced.
        FatalError, RetryableError: from the client.
    """
    soql = select_all(object, fields, where=where)
    if not bulk:
        return _by_rest(client, object, fields, soql)
    try:
        job = client.bulk_create(soql, object=object)
    except QueryRefused:  # some objects have no Bulk API
        return _by_rest(client, object, fields, soql)
    client.bulk_wait(job.id, sleep=sleep, object=object)
    return _by_bulk(client, object, job.id)


def _by_rest(client: SalesforceClient, object: str, fields: Sequence[str], soql: str) -> Iterator[ListPage]:
    announced = read = 0
    pages = client.query_pages(soql, all_rows=True, purpose="reconcile", object=object)
    for number, page in enumerate(pages):
        announced = announced if number else page.total
        read += len(page.records)
        yield ListPage(source=csv_source(records_csv(page.records, fields)), check=lambda rows: None)
    if read != announced:
        raise ConnectionLost(
            f"the org announced {announced:,} Ids of {object} and sent {read:,}; nothing was changed, it can be tried"
            " again"
        )


def _by_bulk(client: SalesforceClient, object: str, job_id: str) -> Iterator[ListPage]:
    locator: str | None = ""
    while locator is not None:
        page = ResultPage(client, job_id, locator, 10 * BULK_PAGE_ROWS, object)
        yield ListPage(source=page.opened, check=page.check)
        locator = page.next_locator
