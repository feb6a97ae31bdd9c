"""Read a Bulk result page by page as sources of CSV, and fetch the next ones while one is loaded.

Where a page begins stands in the header of the one before, so that the next can be asked for long before this one has
arrived. What is fetched ahead waits in files of a bounded size; what does not fit stays in its connection.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import chain
from tempfile import TemporaryFile
from typing import IO

from include.errors import ConnectionLost, JobFailed
from include.salesforce.bulk import BulkPage
from include.salesforce.client import SalesforceClient

# Rows of a Bulk result page: each costs a call, is loaded in seconds, and is what a killed load repeats.
BULK_PAGE_ROWS = 250_000
# So many pages are fetched besides the one that is loaded: an org sends each at a pace of its own, slower than COPY.
PAGES_AHEAD = 2
SPOOL_BYTES = 96 * 1024 * 1024  # the most of one page that waits in a file
_CHUNK_BYTES = 256 * 1024


class ResultPage:
    """Open one page of a Bulk result, as often as the loader asks, and keep what its headers say.

    `on_header` is called once, by the thread that first hears from the org.
    """

    def __init__(
        self,
        client: SalesforceClient,
        job_id: str,
        locator: str,
        page_rows: int,
        object: str,
        on_header: Callable[[ResultPage], None] | None = None,
    ) -> None:
        self._client = client
        self._job_id = job_id
        self._page_rows = page_rows
        self._object = object
        self._on_header = on_header
        self._fetched: tuple[ExitStack, Iterator[bytes]] | None = None
        self.locator = locator
        self.next_locator: str | None = None
        self.number_of_records = 0

    @contextmanager
    def opened(self) -> Iterator[Iterable[bytes]]:
        """Yield the page's bytes, from its beginning: as they were fetched, the first time."""
        fetched, self._fetched = self._fetched, None
        if fetched is None:
            with self._asked() as page:
                yield page.chunks
            return
        held, chunks = fetched
        with held:
            yield chunks

    def fetch(self, stopped: threading.Event, spool_bytes: int) -> None:
        """Fetch the page, about so many bytes of it at most, for whoever opens it first.

        A full disk ends that early: the rest of the page stays in its connection.
        """
        with ExitStack() as stack:
            page = stack.enter_context(self._asked())
            spool = stack.enter_context(TemporaryFile(buffering=0))
            rest: Iterable[bytes] = page.chunks
            for chunk in page.chunks:
                if not _kept(spool, chunk):
                    rest = chain((chunk,), page.chunks)
                    break
                if spool.tell() >= spool_bytes or stopped.is_set():
                    break
            spool.seek(0)
            self._fetched = stack.pop_all(), chain(iter(partial(spool.read, _CHUNK_BYTES), b""), rest)

    def discard(self) -> None:
        """Let go of what was fetched and not opened."""
        if self._fetched is not None:
            self._fetched[0].close()
            self._fetched = None

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

    @contextmanager
    def _asked(self) -> Iterator[BulkPage]:
        with self._client.bulk_results(
            self._job_id, locator=self.locator, max_records=self._page_rows, object=self._object
        ) as page:
            self.next_locator = page.next_locator
            self.number_of_records = page.number_of_records
            on_header, self._on_header = self._on_header, None
            if on_header is not None:
                on_header(self)
            yield page


def _kept(spool: IO[bytes], chunk: bytes) -> bool:
    """Return whether a chunk is in the file now: whole, or not at all."""
    before = spool.tell()
    try:
        whole = spool.write(chunk) == len(chunk)
    except OSError:
        whole = False
    if not whole:
        spool.seek(before)
        spool.truncate()
    return whole


@contextmanager
def result_pages(
    client: SalesforceClient,
    job_id: str,
    locator: str,
    page_rows: int,
    object: str,
    *,
    spool_bytes: int = SPOOL_BYTES,
) -> Iterator[Iterator[ResultPage]]:
    """Yield the pages of a job's result from a locator on, each to be loaded before the next is taken.

    An error of a page that is fetched ahead is raised when that page is taken: what came before it can be kept.

    Raises:
        JobFailed: a page is said to be followed by one that came before.
    """
    room, stopped = threading.Semaphore(PAGES_AHEAD), threading.Event()
    ahead: dict[str, tuple[ResultPage, Future[None]]] = {}
    known = {locator}

    def fetch(page: ResultPage) -> None:
        room.acquire()
        if not stopped.is_set():
            page.fetch(stopped, spool_bytes)

    def fetch_behind(page: ResultPage) -> None:
        if page.next_locator in known:
            raise JobFailed(
                f"Bulk job {job_id} for {object} leads from page {page.locator!r} of its result to the same page again"
                " or to one before; the next try makes a new job"
            )
        if page.next_locator is not None and not stopped.is_set():
            known.add(page.next_locator)
            behind = ResultPage(client, job_id, page.next_locator, page_rows, object, fetch_behind)
            ahead[page.next_locator] = behind, pool.submit(fetch, behind)

    def taken() -> Iterator[ResultPage]:
        page = ResultPage(client, job_id, locator, page_rows, object, fetch_behind)
        yield page
        while page.next_locator is not None:
            page, fetching = ahead.pop(page.next_locator)
            fetching.result()
            yield page
            room.release()

    pool = ThreadPoolExecutor(PAGES_AHEAD, thread_name_prefix="result-pages")
    try:
        yield taken()
    finally:
        stopped.set()
        room.release(PAGES_AHEAD)
        pool.shutdown(cancel_futures=True)
        for page, _ in ahead.values():
            page.discard()
