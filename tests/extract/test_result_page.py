"""Result pages that are fetched while another one is loaded."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator

import pytest

from include.errors import ConnectionLost
from include.extract.result_page import PAGES_AHEAD, SPOOL_BYTES, ResultPage, result_pages
from include.salesforce.client import SalesforceClient
from tests.extract.small_org import SmallOrg, running_org

PAGE, ROWS = 5, 33


@pytest.fixture
def org() -> Iterator[SmallOrg]:
    """Yield an org whose job has 33 rows in pages of five."""
    with running_org() as org:
        org.add_object("Contact", LastName="string")
        for number in range(ROWS):
            org.put("Contact", number, LastName=f"Name {number} " + "x" * 1000)
        org.bulk_page_rows = PAGE
        yield org


@pytest.fixture
def client(org: SmallOrg) -> Iterator[SalesforceClient]:
    """Yield a client of the org."""
    with SalesforceClient(org.credentials()) as client:
        yield client


def job_of(client: SalesforceClient) -> str:
    return client.bulk_create("SELECT Id,LastName FROM Contact", object="Contact").id


def read(pages: Iterator[ResultPage]) -> Iterator[str]:
    """Read the pages and yield the locator of each that came whole."""
    for page in pages:
        with page.opened() as chunks:
            list(chunks)
        yield page.locator


def fail_after_a_page(client: SalesforceClient) -> None:
    with result_pages(client, job_of(client), "", PAGE, "Contact") as pages:
        next(read(pages))
        raise ZeroDivisionError


@pytest.mark.parametrize("spool_bytes", [1, SPOOL_BYTES], ids=["most of it waits in its connection", "all in files"])
def test_pages_come_whole_and_in_order(client: SalesforceClient, spool_bytes: int) -> None:
    """Whether they were fetched into a file or are still on their way."""
    found = []
    with result_pages(client, job_of(client), "", PAGE, "Contact", spool_bytes=spool_bytes) as pages:
        for page in pages:
            with page.opened() as chunks:
                lines = b"".join(chunks).splitlines()
            page.check(len(lines) - 1)
            found += [line.split(b",")[0].strip(b'"').decode() for line in lines[1:]]
    assert found == [f"CON{number:015d}" for number in range(ROWS)]


@pytest.mark.parametrize("room", [0, 100, 3_000], ids=["no room", "for a part of a chunk", "for a part of a page"])
def test_a_full_disk_only_ends_the_fetching_ahead(client: SalesforceClient, room: int) -> None:
    """What the files do not take stays in its connection, and comes in its place."""
    job = job_of(client)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))  # a file that grows past it is refused
    try:
        with result_pages(client, job, "", PAGE, "Contact") as pages:
            found = []
            for page in pages:
                with page.opened() as chunks:
                    found.append(b"".join(chunks))
                page.check(found[-1].count(b"\n") - 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [page.count(b"CON0") for page in found] == [PAGE] * (ROWS // PAGE) + [ROWS % PAGE]


def test_a_page_can_be_opened_again(client: SalesforceClient) -> None:
    """A load that fails is tried in another way: what was fetched is used up then, and the org is asked again."""
    with result_pages(client, job_of(client), "", PAGE, "Contact") as pages:
        next(pages).opened().__enter__()
        second = next(pages)
        with second.opened() as chunks:
            once = b"".join(chunks)
        with second.opened() as chunks:
            assert b"".join(chunks) == once


def test_only_so_many_pages_are_asked_for_ahead(org: SmallOrg, client: SalesforceClient) -> None:
    """What waits on the disk is bounded, however slow the load is."""
    asked: list[str] = []
    enough = threading.Event()

    def note(locator: str) -> None:
        asked.append(locator)
        if len(asked) == 1 + PAGES_AHEAD:
            enough.set()

    org.before_result = note
    with result_pages(client, job_of(client), "", PAGE, "Contact") as pages, next(pages).opened() as chunks:
        list(chunks)
        assert enough.wait(20)
    assert asked == ["0", "5", "10"]


def test_an_error_comes_with_its_own_page(org: SmallOrg, client: SalesforceClient) -> None:
    """What came before it can be committed."""
    org.before_result = lambda locator: setattr(org, "cut_results", int(locator == "15"))
    loaded: list[str] = []
    with result_pages(client, job_of(client), "", PAGE, "Contact") as pages, pytest.raises(ConnectionLost):
        loaded.extend(read(pages))
    assert loaded == ["", "5", "10"]


def test_a_load_that_fails_leaves_no_thread(client: SalesforceClient) -> None:
    """Nor a file."""
    with pytest.raises(ZeroDivisionError):
        fail_after_a_page(client)
    assert not [each for each in threading.enumerate() if each.name.startswith("result-pages")]
