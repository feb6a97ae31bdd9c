"""Read a page of a Bulk result as a source of CSV, and check that all of its rows came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from include.errors import ConnectionLost
from include.salesforce.client import SalesforceClient

# Rows of a Bulk result page: each costs a call, is loaded in a second or so, and is what a killed load repeats.
BULK_PAGE_ROWS = 100_000


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
