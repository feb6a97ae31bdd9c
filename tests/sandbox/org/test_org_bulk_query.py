"""Bulk 2.0 query jobs, as clients meet them."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable

import pytest
import urllib3

from tests.sandbox.org.conftest import RunningOrg, V, sign_in

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
        (
            "SELECT Id, Body FROM Attachment", "API_ERROR",
            "Blob field not supported in Bulk V2 Query with CSV content type",
        ),
        (
            "SELECT TYPEOF Who WHEN Contact THEN Email END FROM Task", "API_ERROR",
            "Implementation restriction: TYPEOF is not supported in Bulk V2 Query",
        ),
        (
            "SELECT FIELDS(ALL) FROM Contact LIMIT 200", "API_ERROR",
            "Implementation restriction: FIELDS(ALL) and FIELDS(CUSTOM) are not supported in Bulk V2 Query",
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


def test_words_in_quotes_are_no_clauses(org: RunningOrg) -> None:
    """A name may be called what Bulk can't do."""
    job = org.bulk("SELECT Id FROM Contact WHERE LastName = 'O\\'FIELDS(ALL) TYPEOF'")
    assert org.http.get(f"{V}/jobs/query/{job}").json()["state"] == "JobComplete"


def test_standard_fields_are_those_that_bulk_can_read(org: RunningOrg) -> None:
    """No compound ones."""
    header = _rows(_page(org, org.bulk("SELECT FIELDS(STANDARD) FROM Contact")).data)[0]
    assert "MailingCity" in header
    assert "MailingAddress" not in header


def test_columns_stand_as_asked_or_sorted(org: RunningOrg) -> None:
    """Versions before 50.0 sort them; before 47.0 there are no such jobs."""
    url = "/services/data/v49.0/jobs/query"
    made = org.http.post(url, json={"operation": "query", "query": "SELECT LastName, Id FROM Contact"}).json()
    while org.http.get(f"{url}/{made['id']}").json()["state"] != "JobComplete":
        pass
    assert org.http.get(f"{url}/{made['id']}/results").text.startswith('"Id","LastName"\n"003')
    assert org.http.get(f"{url}/{made['id']}/resultPages").status_code == 404
    assert org.http.post("/services/data/v46.0/jobs/query", json={}).status_code == 404


def test_jobs_and_results_count_against_the_day(org: RunningOrg) -> None:
    """When nothing is left, no job is taken."""
    left = org.http.get(f"{V}/limits").json()["DailyBulkV2QueryJobs"]["Remaining"]
    org.bulk("SELECT Id FROM Contact")
    assert org.http.get(f"{V}/limits").json()["DailyBulkV2QueryJobs"]["Remaining"] == left - 1
    org.org.allocation.set_work("DailyBulkV2QueryJobs", used=10_000)
    refused = org.http.post(f"{V}/jobs/query", json={"operation": "query", "query": "SELECT Id FROM Contact"})
    org.org.allocation.set_work("DailyBulkV2QueryJobs", used=0)
    assert (refused.status_code, refused.json()) == (
        400,
        [{
            "message": "Max bulk v2 query jobs (10000) per 24 hrs has been reached (10000)",
            "errorCode": "LIMIT_EXCEEDED",
        }],
    )  # fmt: skip


def test_a_job_that_runs_can_be_aborted(org: RunningOrg) -> None:
    """It has no results then, and can be deleted."""
    org.command("faults", bulk_job="Stuck", seconds=60)
    made = org.http.post(f"{V}/jobs/query", json={"operation": "query", "query": SOQL}).json()
    url = f"{V}/jobs/query/{made['id']}"
    unended = org.http.delete(url)
    assert (unended.status_code, unended.json()) == (
        400,
        [{
            "message": "Error encountered when deleting the job because the job is not terminated",
            "errorCode": "API_ERROR",
        }],
    )  # fmt: skip
    assert org.http.patch(url, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert org.http.get(f"{url}/results").status_code == 400
    assert org.http.delete(url).status_code == 204


def test_a_job_can_be_made_to_fail(org: RunningOrg) -> None:
    """Then it has no results, and a message."""
    org.command("faults", bulk_job="Failed")
    job = org.bulk(SOQL)
    shown = org.http.get(f"{V}/jobs/query/{job}").json()
    assert shown["state"] == "Failed"
    assert shown["errorMessage"] == "Unexpected exception encountered while processing the query"
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


def test_jobs_survive_a_restart(org: RunningOrg) -> None:
    """A finished job's result is served by the next process too."""
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
    assert org.http.get(f"{V}/jobs/query?jobType=V2Query&isPkChunkingEnabled=true").json()["records"] == []
    assert org.http.get(f"{V}/jobs/query?jobType=V2Query&concurrencyMode=serial").json()["records"] == []
    assert org.http.get(f"{V}/jobs/query?jobType=Other").status_code == 400


def test_jobs_are_listed_a_thousand_at_a_time(org: RunningOrg) -> None:
    """The link to the rest leads to the ingest jobs, as Salesforce's does."""
    for _ in range(1001):
        org.org.loads.create(
            operation="insert", target="Lead", version="63.0", user=org.org.jobs.all()[0].created_by,
            delimiter="COMMA", ending="LF",
        )  # fmt: skip
    first = org.http.get(f"{V}/jobs/ingest?jobType=V2Ingest").json()
    assert (first["done"], len(first["records"])) == (False, 1000)
    assert first["nextRecordsUrl"].startswith(f"{V}/jobs/ingest?queryLocator=")
    rest = org.http.get(first["nextRecordsUrl"]).json()
    assert (rest["done"], len(rest["records"]), rest["nextRecordsUrl"]) == (True, 1, None)


def test_a_week_later_a_job_is_gone(org: RunningOrg) -> None:
    """By the org's clock, which stays there: this is the last test."""
    job = org.bulk(SOQL)
    org.command("clock", offset=7 * 86_400 + 60)
    org.http.headers["Authorization"] = f"Bearer {sign_in(org.url).json()['access_token']}"
    gone = org.http.get(f"{V}/jobs/query/{job}")
    assert (gone.status_code, gone.json()) == (
        404,
        [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}],
    )
    assert org.http.get(f"{V}/jobs/query/{job}/results").status_code == 404
