"""Bulk 2.0 query jobs, as clients meet them."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable

import pytest
import urllib3

from tests.sandbox.org.conftest import RunningOrg, V

SOQL = "SELECT Id, Name, Account.Name, Description, SystemModstamp, Score__c, Newsletter__c FROM Contact"


def _page(org: RunningOrg, job: str, encoding: str = "identity", **params: str) -> urllib3.BaseHTTPResponse:
    headers = {"Authorization": org.http.headers["Authorization"], "Accept-Encoding": encoding}
    url = f"{org.url}{V}/jobs/query/{job}/results"
    return urllib3.request("GET", url, fields=params, headers=headers, decode_content=False)


def _rows(text: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode(), newline="")))


def test_a_job_is_created_as_documented(org: RunningOrg) -> None:
    """The version is a number; counts appear on GET alone."""
    body = {"operation": "queryAll", "query": SOQL, "contentType": "CSV"}
    job = org.http.post(f"{V}/jobs/query", json=body, headers={"Accept": "text/csv; charset=UTF-8"}).json()
    assert job["state"] == "UploadComplete"
    assert job["apiVersion"] == 63.0
    assert set(job) == {
        "id", "operation", "object", "createdById", "createdDate", "systemModstamp", "state", "concurrencyMode",
        "contentType", "apiVersion", "lineEnding", "columnDelimiter",
    }  # fmt: skip
    shown = org.http.get(f"{V}/jobs/query/{job['id']}").json()
    assert set(shown) - set(job) == {
        "jobType", "numberRecordsProcessed", "retries", "totalProcessingTime", "isPkChunkingSupported",
    }  # fmt: skip


@pytest.mark.parametrize("size", [53, 399, 400, 401])
def test_pages_of_any_size_give_every_record_once(org: RunningOrg, size: int) -> None:
    """Each page repeats the header, says how many records it has, and the last one's locator is `null`."""
    job = org.bulk(SOQL)
    rows, locator, params = [], "", {"maxRecords": str(size)}
    while locator != "null":
        page = _page(org, job, **params)
        header, *records = _rows(page.data)
        assert header == ["Id", "Name", "Account.Name", "Description", "SystemModstamp", "Score__c", "Newsletter__c"]
        assert int(page.headers["Sforce-NumberOfRecords"]) == len(records) <= size
        rows += records
        locator = page.headers["Sforce-Locator"]
        params["locator"] = locator
    assert len({each[0] for each in rows}) == len(rows) == 400
    assert rows == _rows(_page(org, job).data)[1:]


def test_every_cell_is_quoted_and_null_is_empty(org: RunningOrg) -> None:
    """Quotes are doubled, newlines kept."""
    text = _page(org, org.bulk("SELECT Id, Title, Description FROM Contact")).data.decode()
    assert text.startswith('"Id","Title","Description"\n"003')
    assert '""Hannover Messe"", wants a call\nback next week' in text
    assert ',"",' in text or ',""\n' in text


def test_gzip_is_sent_to_who_takes_it(org: RunningOrg) -> None:
    """The same bytes, packed."""
    job = org.bulk(SOQL)
    packed = _page(org, job, "gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == _page(org, job).data


def test_an_empty_result_is_a_header(org: RunningOrg) -> None:
    """No records, no further page."""
    page = _page(org, org.bulk("SELECT Id FROM Contact WHERE LastName = 'nobody at all'"))
    assert (page.data, page.headers["Sforce-NumberOfRecords"], page.headers["Sforce-Locator"]) == (
        b'"Id"\n',
        "0",
        "null",
    )


def test_delimiter_and_line_ending_are_as_asked(org: RunningOrg) -> None:
    """PIPE and CRLF."""
    job = org.bulk("SELECT Id, LastName FROM Contact", columnDelimiter="PIPE", lineEnding="CRLF")
    assert _page(org, job).data.startswith(b'"Id"|"LastName"\r\n"003')


def test_result_pages_can_be_fetched_apart(org: RunningOrg) -> None:
    """Five at a time; together they are the result."""
    job = org.bulk(SOQL)
    url, rows = f"{V}/jobs/query/{job}/resultPages?maxRecords=60", []
    while url:
        listed = org.http.get(url).json()
        assert len(listed["resultPages"]) <= 5
        for page in listed["resultPages"]:
            rows += _rows(org.http.get(page["resultUrl"]).content)[1:]
        assert listed["done"] is ("nextRecordsUrl" not in listed)
        url = listed.get("nextRecordsUrl")
    assert rows == _rows(_page(org, job).data)[1:]


def test_results_must_be_read_with_the_version_of_the_job(org: RunningOrg) -> None:
    """Another version is a conflict."""
    job = org.bulk(SOQL)
    assert org.http.get(f"/services/data/v62.0/jobs/query/{job}/results").status_code == 409


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        (
            "SELECT MailingAddress FROM Contact", "FUNCTIONALITY_NOT_ENABLED",
            "Selecting compound data not supported in Bulk Query",
        ),
        (
            "SELECT Id, (SELECT Id FROM Contacts) FROM Account", "API_ERROR",
            "Aggregate Relationships not supported in Bulk V2 Query with CSV content type",
        ),
        (
            "SELECT COUNT() FROM Contact", "API_ERROR",
            "Implementation restriction: aggregate functions and GROUP BY are not supported in Bulk Query",
        ),
        (
            "SELECT Id FROM Contact OFFSET 1", "API_ERROR",
            "Implementation restriction: OFFSET is not supported in Bulk Query",
        ),
    ],
)  # fmt: skip
def test_what_bulk_cannot_do_is_refused(org: RunningOrg, soql: str, code: str, message: str) -> None:
    """In the words that clients look for."""
    answer = org.http.post(f"{V}/jobs/query", json={"operation": "query", "query": soql})
    assert (answer.status_code, answer.json()) == (400, [{"message": message, "errorCode": code}])


def test_an_ended_job_cannot_be_aborted_but_deleted(org: RunningOrg) -> None:
    """After that it is gone."""
    job = org.bulk(SOQL)
    answer = org.http.patch(f"{V}/jobs/query/{job}", json={"state": "Aborted"})
    assert (answer.status_code, answer.json()) == (
        400,
        [{"message": "Aborting already Completed Job not allowed", "errorCode": "INVALIDJOBSTATE"}],
    )
    assert org.http.delete(f"{V}/jobs/query/{job}").status_code == 204
    assert org.http.get(f"{V}/jobs/query/{job}").status_code == 404


def test_a_job_can_be_made_to_fail(org: RunningOrg) -> None:
    """Then it has no results."""
    org.command("faults", bulk_job="Failed")
    job = org.bulk(SOQL)
    assert org.http.get(f"{V}/jobs/query/{job}").json()["state"] == "Failed"
    assert org.http.get(f"{V}/jobs/query/{job}/results").status_code == 400


def test_the_result_is_a_snapshot(start_org: Callable[..., RunningOrg]) -> None:
    """Changes after the job ran are not in it; every call of it was counted."""
    org = start_org(contacts=50)
    before = org.used()
    job = org.http.post(f"{V}/jobs/query", json={"operation": "query", "query": "SELECT Id, Title FROM Contact"}).json()
    polls = 1
    while org.http.get(f"{V}/jobs/query/{job['id']}").json()["state"] != "JobComplete":
        polls += 1
    first = _page(org, job["id"]).data
    org.command("touch", object="Contact", n=50)
    assert _page(org, job["id"]).data == first
    assert org.used() == before + 1 + polls + 2


def test_jobs_survive_a_restart(start_org: Callable[..., RunningOrg]) -> None:
    """A finished job's result is served by the next process too."""
    org = start_org(contacts=20)
    job = org.bulk(SOQL)
    again = type(org.org.jobs)(
        org.org.home / "jobs", org.org.database, org.org.catalogue, org.org.clock, org.org.faults
    )
    assert again.find(job) == org.org.jobs.find(job)
    again.close()


def test_jobs_are_listed(org: RunningOrg) -> None:
    """All of them, with where to go on."""
    org.bulk(SOQL)
    listed = org.http.get(f"{V}/jobs/query?jobType=V2Query").json()
    assert listed["done"] is True
    assert listed["nextRecordsUrl"] is None
    assert {"id", "state", "jobType"} <= set(listed["records"][0])
