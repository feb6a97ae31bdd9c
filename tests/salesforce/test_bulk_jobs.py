"""Bulk API 2.0 query jobs over real HTTP: few questions, streamed pages, and never a short end taken for the end."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from include.errors import BudgetPaused, ConnectionLost, JobFailed, QueryRefused, ServerFault, Unreachable
from include.salesforce.auth import Credentials
from include.salesforce.bulk import BulkJob
from include.salesforce.client import SalesforceClient

JOBS = "/services/data/v63.0/jobs/query"
JOB = f"{JOBS}/750A"
RESULTS = f"{JOB}/results"
CSV = {"Content-Type": "text/csv", "Sforce-NumberOfRecords": "2", "Sforce-Locator": "null"}
ROWS = b'"Id","Name"\n"003A","Ada"\n"003B","Two\nlines"\n'


def _job(state: str, **more: Any) -> dict[str, Any]:
    return {"id": "750A", "state": state, "object": "Contact", "operation": "queryAll", "apiVersion": 63.0, **more}


def test_a_job_is_created_for_all_rows(org: Any, answer: Any, client: SalesforceClient) -> None:
    """Deleted ones included, as LF-ended CSV."""
    org.answer("POST", JOBS, answer(json=_job("UploadComplete")))
    assert client.bulk_create("SELECT Id FROM Contact", object="Contact") == BulkJob(
        id="750A", state="UploadComplete", object="Contact"
    )
    assert orjson.loads(org.asked[-1].body) == {
        "operation": "queryAll",
        "query": "SELECT Id FROM Contact",
        "contentType": "CSV",
        "lineEnding": "LF",
    }


def test_creating_a_job_is_never_repeated(org: Any, answer: Any, client: SalesforceClient) -> None:
    """A lost answer may hide a job that runs."""
    org.answer("POST", JOBS, answer(hang_up=True), answer(json=_job("UploadComplete")))
    with pytest.raises(ConnectionLost):
        client.bulk_create("SELECT Id FROM Contact", object="Contact")
    assert org.paths().count(JOBS) == 1


@pytest.mark.parametrize(
    ("code", "expected"),
    [("API_ERROR", QueryRefused), ("INVALIDENTITY", QueryRefused), ("LIMIT_EXCEEDED", BudgetPaused)],
)
def test_a_refused_job_says_why(
    org: Any, answer: Any, client: SalesforceClient, code: str, expected: type[Exception]
) -> None:
    """Not for Bulk, or no jobs left today."""
    org.answer("POST", JOBS, answer(status=400, json=[{"errorCode": code, "message": "…"}]))
    with pytest.raises(expected):
        client.bulk_create("SELECT Id FROM Contact", object="Contact")


@pytest.mark.parametrize(
    "told",
    [{}, [], None, "750A", {"id": "750A"}, {"id": None, "state": "Open"}, _job("Open", numberRecordsProcessed="x")],
)
def test_an_answer_that_is_no_job_is_a_fault(org: Any, answer: Any, client: SalesforceClient, told: Any) -> None:
    """When it is made and when it is asked for; a proxy or a bad day of the org is worth another try."""
    body = orjson.dumps(told)
    org.answer("POST", JOBS, answer(body=body))
    org.answer("GET", JOB, answer(body=body))
    with pytest.raises(ServerFault, match="no job"):
        client.bulk_create("SELECT Id FROM Contact", object="Contact")
    with pytest.raises(ServerFault, match="no job"):
        client.bulk_state("750A", object="Contact")


def test_a_result_whose_number_of_records_is_no_number_is_a_fault(
    org: Any, answer: Any, client: SalesforceClient
) -> None:
    """Without it nobody could tell a whole page from a part of one."""
    org.answer("GET", RESULTS, answer(body=ROWS, headers=CSV | {"Sforce-NumberOfRecords": "many"}))
    with pytest.raises(ServerFault), client.bulk_results("750A"):
        pass


def _wait(client: SalesforceClient) -> None:
    client.bulk_wait("750A", sleep=lambda seconds: None, object="Contact")


def _open_result(client: SalesforceClient) -> None:
    with client.bulk_results("750A", object="Contact"):
        pass


@pytest.mark.parametrize("ask", [_wait, _open_result, lambda client: client.bulk_state("750A", object="Contact")])
def test_an_org_that_goes_away_under_its_job_is_a_lost_connection(ask: Callable[[SalesforceClient], object]) -> None:
    """It was there when it made the job, so the next try may find it again; any other call says nobody is there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        credentials = Credentials(kind="session", access_token="00D000000000001!x", instance_url=url)
        with SalesforceClient(credentials) as client:
            with pytest.raises(ConnectionLost, match="goes on with it"):
                ask(client)
            with pytest.raises(Unreachable):
                client.limits()


def test_waiting_asks_seldom_and_more_seldom(org: Any, answer: Any, client: SalesforceClient) -> None:
    """Each question costs a call."""
    running = answer(json=_job("InProgress"))
    org.answer("GET", JOB, *[running] * 5, answer(json=_job("JobComplete", numberRecordsProcessed=2)))
    pauses: list[float] = []
    job = client.bulk_wait("750A", sleep=pauses.append)
    assert job == BulkJob(id="750A", state="JobComplete", records=2, object="Contact")
    assert pauses == [0.25, 1.0, 2.0, 5.0, 10.0, 10.0]


@pytest.mark.parametrize("state", ["Failed", "Aborted"])
def test_a_job_that_ends_badly_is_a_failed_job(org: Any, answer: Any, client: SalesforceClient, state: str) -> None:
    """With the code of its cause; the org's text may quote the query."""
    org.answer("GET", JOB, answer(json=_job(state, errorMessage="InvalidBatch : WHERE Email = 'ada@example.com'")))
    with pytest.raises(JobFailed, match=rf"750A for Contact ended {state} \(InvalidBatch\)") as caught:
        client.bulk_wait("750A", sleep=lambda seconds: None)
    assert "ada@example.com" not in str(caught.value)


def test_a_job_that_does_not_end_in_time_is_a_failed_job(org: Any, answer: Any, client: SalesforceClient) -> None:
    """Waiting has an end."""
    org.answer("GET", JOB, answer(json=_job("InProgress")))
    with pytest.raises(JobFailed, match="InProgress after"):
        client.bulk_wait("750A", sleep=lambda seconds: None, timeout_seconds=60)


def test_a_job_that_the_org_does_not_know_is_a_failed_job(client: SalesforceClient) -> None:
    """It may have been deleted."""
    with pytest.raises(JobFailed):
        client.bulk_state("750A")


def test_a_result_streams_and_names_the_next_page(org: Any, answer: Any, client: SalesforceClient) -> None:
    """Locator and size are asked for as given."""
    org.answer("GET", RESULTS, answer(body=ROWS, headers={**CSV, "Sforce-Locator": "MTAw"}))
    with client.bulk_results("750A", locator="ABC=", max_records=50) as page:
        assert b"".join(page.chunks) == ROWS
        assert (page.next_locator, page.number_of_records) == ("MTAw", 2)
    assert org.asked[-1].path == f"{RESULTS}?locator=ABC%3D&maxRecords=50"


def test_the_word_null_means_the_last_page(org: Any, answer: Any, client: SalesforceClient) -> None:
    """A literal string, as the org sends it."""
    org.answer("GET", RESULTS, answer(body=ROWS, headers=CSV))
    with client.bulk_results("750A") as page:
        assert page.next_locator is None
    assert org.asked[-1].path == RESULTS


def test_a_compressed_result_streams_as_well(org: Any, answer: Any, client: SalesforceClient) -> None:
    """In chunked encoding."""
    org.answer("GET", RESULTS, answer(body=ROWS * 9999, headers={**CSV, "Content-Encoding": "gzip"}, chunked=True))
    with client.bulk_results("750A") as page:
        assert b"".join(page.chunks) == ROWS * 9999


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"body": ROWS * 50, "headers": CSV, "cut_at": 100}, id="shorter than its length"),
        pytest.param({"body": ROWS * 50, "headers": CSV, "cut_at": 100, "chunked": True}, id="no last chunk"),
        pytest.param(
            {"body": ROWS * 50, "headers": {**CSV, "Connection": "close"}, "cut_at": 99}, id="no length, half a line"
        ),
        pytest.param(
            {"body": ROWS * 50, "headers": {**CSV, "Content-Encoding": "gzip"}, "cut_at": 30}, id="half a gzip stream"
        ),
    ],
)
def test_a_result_that_breaks_off_is_a_lost_connection(
    org: Any, answer: Any, client: SalesforceClient, broken: dict[str, Any]
) -> None:
    """Never a short end."""
    org.answer("GET", RESULTS, answer(**broken))
    with pytest.raises(ConnectionLost), client.bulk_results("750A") as page:
        b"".join(page.chunks)


def test_a_result_left_half_read_does_not_spoil_the_next_call(org: Any, answer: Any, client: SalesforceClient) -> None:
    """Its connection is given up."""
    org.answer("GET", RESULTS, answer(body=ROWS * 100_000, headers=CSV))
    org.answer("GET", JOB, answer(json=_job("JobComplete")))
    with client.bulk_results("750A") as page:
        next(page.chunks)
    assert client.bulk_state("750A").state == "JobComplete"


def test_a_result_read_to_its_end_leaves_its_connection_to_the_next(
    org: Any, answer: Any, client: SalesforceClient
) -> None:
    """One connection for many pages."""
    org.answer("GET", RESULTS, answer(body=ROWS, headers=CSV))
    for _ in range(3):
        with client.bulk_results("750A") as page:
            list(page.chunks)
    assert len({each.connection for each in org.asked}) == 1


@pytest.mark.parametrize("missing", ["Sforce-NumberOfRecords", "Sforce-Locator", "Content-Type"])
def test_a_result_without_its_headers_is_a_fault(org: Any, answer: Any, client: SalesforceClient, missing: str) -> None:
    """A missing locator does not mean the last page."""
    org.answer("GET", RESULTS, answer(body=ROWS, headers={key: value for key, value in CSV.items() if key != missing}))
    with pytest.raises(ServerFault), client.bulk_results("750A"):
        pass


def test_a_lost_session_is_renewed_before_a_result_streams(org: Any, answer: Any, client: SalesforceClient) -> None:
    """Once."""
    lost = answer(status=401, json=[{"errorCode": "INVALID_SESSION_ID", "message": "…"}])
    org.answer("GET", RESULTS, lost, answer(body=ROWS, headers=CSV))
    with client.bulk_results("750A") as page:
        assert b"".join(page.chunks) == ROWS
    assert org.tokens_given == 2


def test_a_busy_org_is_asked_again_before_a_result_streams(org: Any, answer: Any, client: SalesforceClient) -> None:
    """As for any other read."""
    org.answer("GET", RESULTS, answer(status=503), answer(body=ROWS, headers=CSV))
    with client.bulk_results("750A") as page:
        assert b"".join(page.chunks) == ROWS


@pytest.mark.parametrize("status", [404, 409])
def test_a_result_that_is_gone_or_of_another_version_is_a_failed_job(
    org: Any, answer: Any, client: SalesforceClient, status: int
) -> None:
    """A new job can be made."""
    org.answer("GET", RESULTS, answer(status=status, json=[{"errorCode": "X", "message": "…"}]))
    with pytest.raises(JobFailed), client.bulk_results("750A"):
        pass


def test_aborting_a_job_that_has_ended_is_fine(org: Any, answer: Any, client: SalesforceClient) -> None:
    """Or that is gone."""
    client.bulk_abort("750A")
    org.answer("PATCH", JOB, answer(status=400, json=[{"errorCode": "INVALIDJOBSTATE", "message": "…"}]))
    client.bulk_abort("750A")
    org.answer("PATCH", JOB, answer(json=_job("Aborted")))
    client.bulk_abort("750A")
    assert orjson.loads(org.asked[-1].body) == {"state": "Aborted"}
