"""Bulk 2.0 ingest jobs, as clients meet them."""

from __future__ import annotations

import csv
import gzip
import io
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from include.sandbox.org.credentials import USER_ID
from include.sandbox.org.jobs import LoadJobs, Numbers, Runner
from include.sandbox.org.loading.load import run_load
from tests.sandbox.org.conftest import RunningOrg, V, sign_in

JOBS = f"{V}/jobs/ingest"
CSV = {"Content-Type": "text/csv; charset=UTF-8"}


def _open(org: RunningOrg, operation: str, name: str = "Lead", **more: str) -> dict[str, Any]:
    answer = org.http.post(JOBS, json={"operation": operation, "object": name, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _ended(org: RunningOrg, job: str) -> dict[str, Any]:
    for _ in range(500):
        shown = dict(org.http.get(f"{JOBS}/{job}").json())
        if shown["state"] not in ("UploadComplete", "InProgress"):
            return shown
        time.sleep(0.02)
    raise AssertionError("the job doesn't end")


def _load(org: RunningOrg, operation: str, text: str, name: str = "Lead", **more: str) -> dict[str, Any]:
    job = _open(org, operation, name, **more)
    uploaded = org.http.put(f"/{job['contentUrl']}", content=text.encode(), headers=CSV)
    assert (uploaded.status_code, uploaded.content) == (201, b"")
    closed = org.http.patch(f"{JOBS}/{job['id']}", json={"state": "UploadComplete"})
    assert (closed.status_code, closed.json()["state"]) == (200, "UploadComplete")
    return _ended(org, job["id"])


def _file(org: RunningOrg, job: dict[str, Any], kind: str) -> str:
    answer = org.http.get(f"{JOBS}/{job['id']}/{kind}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/csv;charset=UTF-8")
    return answer.text


def _rows(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def test_a_job_is_opened_as_documented(org: RunningOrg) -> None:
    """The link for its data has no leading slash; counts appear only when there is something to count."""
    job = _open(org, "insert", "Contact", lineEnding="CRLF", columnDelimiter="TAB")
    assert list(job) == [
        "id", "operation", "object", "createdById", "createdDate", "systemModstamp", "state", "concurrencyMode",
        "contentType", "apiVersion", "contentUrl", "lineEnding", "columnDelimiter",
    ]  # fmt: skip
    assert job["state"] == "Open"
    assert job["apiVersion"] == 63.0
    assert job["contentUrl"] == f"services/data/v63.0/jobs/ingest/{job['id']}/batches"
    shown = org.http.get(f"{JOBS}/{job['id'][:15]}").json()
    assert list(shown) == [
        "id", "operation", "object", "createdById", "createdDate", "systemModstamp", "state", "concurrencyMode",
        "contentType", "apiVersion", "jobType", "contentUrl", "lineEnding", "columnDelimiter", "retries",
        "totalProcessingTime", "apiActiveProcessingTime", "apexProcessingTime",
    ]  # fmt: skip
    assert shown["jobType"] == "V2Ingest"


def test_every_record_ends_in_one_of_two_files(org: RunningOrg) -> None:
    """Completed is a job even when records failed; both files say everything that was sent."""
    job = _load(org, "insert", 'LastName,Company,Title\nBulk One,"Smith, Jones ""& Co""",a\n,No Name,\n')
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 2, 1)
    assert "contentUrl" not in job
    (made,) = org.query("SELECT Id FROM Lead WHERE LastName = 'Bulk One'")["records"]
    assert _file(org, job, "successfulResults/") == (
        '"sf__Id","sf__Created","LastName","Company","Title"\n'
        f'"{made["Id"]}","true","Bulk One","Smith, Jones ""& Co""","a"\n'
    )
    assert _file(org, job, "failedResults/") == (
        '"sf__Id","sf__Error","LastName","Company","Title"\n'
        '"","REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --","","No Name",""\n'
    )
    assert _file(org, job, "unprocessedrecords/") == '"LastName","Company","Title"\n'
    assert _file(org, job, "unprocessedRecords") == '"LastName","Company","Title"\n'


def test_blank_leaves_alone_and_na_clears(org: RunningOrg) -> None:
    """Text keeps its blanks and its newlines."""
    made = _load(org, "insert", 'LastName,Company,Title,City,Description\nBlank,B Ltd,boss,Ulm,"a\nb"\n')
    (row,) = _rows(_file(org, made, "successfulResults"))
    assert row["Description"] == "a\nb"
    job = _load(org, "update", f"Id,Title,City,Company\n{row['sf__Id'][:15]},,#N/A, B GmbH\n")
    assert (job["state"], job["numberRecordsFailed"]) == ("JobComplete", 0), _file(org, job, "failedResults")
    (after,) = org.query(f"SELECT Title, City, Company FROM Lead WHERE Id = '{row['sf__Id']}'")["records"]
    assert (after["Title"], after["City"]) == ("boss", None)
    (updated,) = _rows(_file(org, job, "successfulResults"))
    assert (updated["sf__Created"], updated["City"]) == ("false", "#N/A")


def test_delimiters_and_endings_are_as_the_job_says(org: RunningOrg) -> None:
    """Results are written as the data was."""
    text = "LastName|Company\r\nPiped|P, Ltd\r\n"
    job = _load(org, "insert", text, columnDelimiter="PIPE", lineEnding="CRLF")
    assert _file(org, job, "successfulResults").startswith('"sf__Id"|"sf__Created"|"LastName"|"Company"\r\n"00Q')


def test_parents_are_found_by_their_own_keys(org: RunningOrg) -> None:
    """An unknown key spoils its record alone."""
    (boss,) = org.query("SELECT Id, Email FROM Contact WHERE Email != null ORDER BY Id LIMIT 1")["records"]
    key = f"found.by.key.{boss['Id'].lower()}@example.com"
    org.http.patch(f"{V}/sobjects/Contact/{boss['Id']}", json={"Email": key})
    job = _load(org, "insert", f"LastName,ReportsTo.Email\nChild,{key.upper()}\nOrphan,nobody@example.com\n", "Contact")
    (good,) = _rows(_file(org, job, "successfulResults"))
    (child,) = org.query(f"SELECT ReportsToId FROM Contact WHERE Id = '{good['sf__Id']}'")["records"]
    assert child["ReportsToId"] == boss["Id"]
    assert _file(org, job, "failedResults") == (
        '"sf__Id","sf__Error","LastName","ReportsTo.Email"\n'
        '"","INVALID_FIELD:Foreign key external ID: nobody@example.com not found for field Email in entity Contact:--",'
        '"Orphan","nobody@example.com"\n'
    )


def test_a_parent_of_several_kinds_needs_its_kind(org: RunningOrg) -> None:
    """And one of a single kind must not have it."""
    (lead,) = org.query("SELECT Id FROM Lead WHERE IsConverted = false LIMIT 1")["records"]
    job = _load(org, "insert", f"Subject,Status,Priority,Lead:Who.Id\nCall,Not Started,Normal,{lead['Id']}\n", "Task")
    assert (job["state"], job["numberRecordsFailed"]) == ("JobComplete", 0), _file(org, job, "failedResults")
    assert org.query(f"SELECT Id FROM Task WHERE WhoId = '{lead['Id']}' AND Subject = 'Call'")["totalSize"] >= 1


@pytest.mark.parametrize(
    ("operation", "text", "message"),
    [
        ("insert", "LastName,Company,Nonsense__c\na,b,c\n", "InvalidBatch : Field name not found : Nonsense__c"),
        ("insert", "LastName,Address\na,b\n", "InvalidBatch : Field name not found : Address"),
        ("update", "LastName\na\n", "InvalidBatch : Field name not found : Id"),
        ("delete", "Id,LastName\na,b\n", "InvalidBatch : The 'delete' batch must contain only ids"),
        (
            "insert", "LastName,User:CreatedBy.Id\na,b\n",
            "InvalidBatch : type is not needed for non polymorphic foreign key references: CreatedBy",
        ),
        ("insert", "LastName,Boss.Id\na,b\n", "InvalidBatch : Unable to find relationship: Boss"),
        (
            "insert", "LastName,Company\r\na,b\r\n",
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF",
        ),
        (
            "insert", 'LastName,Company\n"a" ,b\n',
            "InvalidBatch : Failed to parse CSV. Found unescaped quote. A value with quote should be within a quote",
        ),
        (
            "insert", 'LastName,Company\na,"b\n',
            "InvalidBatch : Failed to parse CSV. EOF reached before closing an opened quote",
        ),
    ],
)  # fmt: skip
def test_data_that_cannot_be_read_fails_the_job(org: RunningOrg, operation: str, text: str, message: str) -> None:
    """Nothing is processed, everything is handed back."""
    job = _load(org, operation, text)
    assert (job["state"], job["errorMessage"]) == ("Failed", message)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (0, 0)
    answer = org.http.get(f"{JOBS}/{job['id']}/unprocessedrecords")
    assert answer.content == text.encode()
    assert _file(org, job, "failedResults") == '"sf__Id","sf__Error"\n'


def test_records_are_deleted(org: RunningOrg) -> None:
    """Softly; an Id of another object is no good."""
    made = _load(org, "insert", "LastName,Company\nGone,G\nGone,G\n")
    ids = [row["sf__Id"] for row in _rows(_file(org, made, "successfulResults"))]
    (account,) = org.query("SELECT Id FROM Account LIMIT 1")["records"]
    job = _load(org, "delete", "\n".join(["Id", *ids, account["Id"], ""]))
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (3, 1)
    assert org.query("SELECT Id FROM Lead WHERE LastName = 'Gone'")["totalSize"] == 0
    assert org.query("SELECT Id FROM Lead WHERE LastName = 'Gone' AND IsDeleted = true", deleted=True)["totalSize"] == 2


def test_everything_comes_in_one_request(org: RunningOrg) -> None:
    """A request of two parts needs no upload and no closing."""
    body = (
        '--BOUNDARY\nContent-Type: application/json\nContent-Disposition: form-data; name="job"\n\n'
        '{"object":"Lead","contentType":"CSV","operation":"insert"}\n\n'
        '--BOUNDARY\nContent-Type: text/csv\nContent-Disposition: form-data; name="content"; filename="content"\n\n'
        "LastName,Company\nIn Parts,P\n--BOUNDARY--\n"
    )
    for text in (
        body,
        body.replace("\n", "\r\n").replace("LastName,Company\r\nIn Parts,P\r\n", "LastName,Company\nIn Parts,P\r\n"),
    ):
        answer = org.http.post(JOBS, content=text, headers={"Content-Type": 'multipart/form-data; boundary="BOUNDARY"'})
        assert (answer.status_code, answer.json()["state"]) == (200, "UploadComplete"), answer.text
        job = _ended(org, answer.json()["id"])
        assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 1, 0), job


def test_an_upload_may_be_packed_and_happens_once(org: RunningOrg) -> None:
    """It must be CSV, for an open job."""
    job = _open(org, "insert")
    url = f"/{job['contentUrl']}"
    assert org.http.put(url, content=b"{}", headers={"Content-Type": "application/json"}).status_code == 415
    packed = gzip.compress(b"LastName,Company\nPacked,P\n")
    assert org.http.put(url, content=packed, headers={**CSV, "Content-Encoding": "gzip"}).status_code == 201
    again = org.http.put(url, content=b"LastName\n", headers=CSV)
    assert (again.status_code, again.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    org.http.patch(f"{JOBS}/{job['id']}", json={"state": "UploadComplete"})
    assert _ended(org, job["id"])["numberRecordsProcessed"] == 1


def test_a_job_can_be_aborted_and_deleted(org: RunningOrg) -> None:
    """What was uploaded is handed back as unprocessed; an open job can't be deleted."""
    job = _open(org, "insert")
    refused = org.http.delete(f"{JOBS}/{job['id']}")
    assert (refused.status_code, refused.json()) == (
        400,
        [{
            "message": "Error encountered when deleting the job because the job is not terminated",
            "errorCode": "API_ERROR",
        }],
    )  # fmt: skip
    org.http.put(f"/{job['contentUrl']}", content=b"LastName,Company\nNever,N\n", headers=CSV)
    assert org.http.patch(f"{JOBS}/{job['id']}", json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert _file(org, job, "unprocessedrecords") == "LastName,Company\nNever,N\n"
    again = org.http.patch(f"{JOBS}/{job['id']}", json={"state": "Aborted"})
    assert (again.status_code, again.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    assert org.http.delete(f"{JOBS}/{job['id']}").status_code == 204
    gone = org.http.get(f"{JOBS}/{job['id']}")
    assert (gone.status_code, gone.json()) == (
        404,
        [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}],
    )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"operation": "INSERT", "object": "Lead"}, "InvalidJob : Unsupported operation: INSERT"),
        ({"operation": "insert", "object": "Nothing"}, "InvalidJob : Unable to find object: Nothing"),
        ({"operation": "upsert", "object": "Lead"}, "InvalidJob : External ID was blank for upsert operation"),
        (
            {"operation": "upsert", "object": "Lead", "externalIdFieldName": "Title"},
            "InvalidJob : Field name provided, Title does not match an External ID, Salesforce Id, or indexed field "
            "for Lead",
        ),
    ],
)
def test_what_is_no_job_is_refused(org: RunningOrg, asked: dict[str, str], message: str) -> None:
    """Before anything is uploaded."""
    answer = org.http.post(JOBS, json=asked)
    assert (answer.status_code, answer.json()) == (400, [{"message": message, "errorCode": "INVALIDJOB"}])


def test_records_are_found_by_an_external_id(org: RunningOrg) -> None:
    """The same key again changes the record; parents may be named by their own external Id."""
    key = {"externalIdFieldName": "External_Key__c"}
    made = _load(org, "upsert", "External_Key__c,Name\nkey-1,First\nkey-2,Second\n", "Account", **key)
    assert {row["sf__Created"] for row in _rows(_file(org, made, "successfulResults"))} == {"true"}
    again = _load(org, "upsert", "External_Key__c,Name\nKEY-1,Renamed\nkey-3,Third\n", "Account", **key)
    rows = {row["Name"]: row["sf__Created"] for row in _rows(_file(org, again, "successfulResults"))}
    assert rows == {"Renamed": "false", "Third": "true"}, _file(org, again, "failedResults")
    job = _load(org, "insert", "LastName,Account.External_Key__c\nBelow,key-1\nBelow,key-9\n", "Contact")
    (below,) = org.query("SELECT Account.Name FROM Contact WHERE LastName = 'Below'")["records"]
    assert below["Account"]["Name"] == "Renamed"
    (failed,) = _rows(_file(org, job, "failedResults"))
    assert failed["sf__Error"] == (
        "INVALID_FIELD:Foreign key external ID: key-9 not found for field External_Key__c in entity Account:--"
    )


def test_records_can_be_deleted_for_good(org: RunningOrg) -> None:
    """Then no recycle bin has them."""
    made = _load(org, "insert", "LastName,Company\nFor Good,G\n")
    (row,) = _rows(_file(org, made, "successfulResults"))
    job = _load(org, "hardDelete", f"Id\n{row['sf__Id']}\n")
    assert (job["state"], job["numberRecordsFailed"]) == ("JobComplete", 0)
    assert org.query("SELECT Id FROM Lead WHERE LastName = 'For Good'", deleted=True)["totalSize"] == 0


def test_a_large_file_comes_in_as_a_stream(org: RunningOrg) -> None:
    """Its batches count against the day's allocation, its calls too."""

    def rows() -> Iterator[bytes]:
        yield b"LastName,Company,Description\n"
        for number in range(10_001):
            yield f'Stream {number},S,"line one\nline ""two"""\n'.encode()

    before = org.http.get(f"{V}/limits").json()["DailyBulkApiBatches"]["Remaining"]
    job = _open(org, "insert")
    assert org.http.put(f"/{job['contentUrl']}", content=rows(), headers=CSV).status_code == 201
    org.http.patch(f"{JOBS}/{job['id']}", json={"state": "UploadComplete"})
    ended = _ended(org, job["id"])
    assert (ended["state"], ended["numberRecordsProcessed"], ended["numberRecordsFailed"]) == ("JobComplete", 10_001, 0)
    assert len(_rows(_file(org, job, "successfulResults"))) == 10_001
    assert before - org.http.get(f"{V}/limits").json()["DailyBulkApiBatches"]["Remaining"] == 2


def test_a_job_that_is_held_up_can_be_aborted(org: RunningOrg) -> None:
    """Nothing of it is written; its results can't be read before its end."""
    org.command("faults", bulk_job="Stuck", seconds=60)
    job = _open(org, "insert")
    org.http.put(f"/{job['contentUrl']}", content=b"LastName,Company\nStuck,S\n", headers=CSV)
    org.http.patch(f"{JOBS}/{job['id']}", json={"state": "UploadComplete"})
    early = org.http.get(f"{JOBS}/{job['id']}/successfulResults")
    assert (early.status_code, early.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    org.http.patch(f"{JOBS}/{job['id']}", json={"state": "Aborted"})
    assert _ended(org, job["id"])["state"] == "Aborted"
    assert _file(org, job, "unprocessedrecords") == "LastName,Company\nStuck,S\n"
    assert org.query("SELECT Id FROM Lead WHERE LastName = 'Stuck'")["totalSize"] == 0


def test_an_aborted_load_loses_no_row(org: RunningOrg) -> None:
    """Wherever it was: each row is written, refused or handed back."""
    job = _open(org, "insert")
    text = "LastName,Company\n" + "".join(f"Half {number},H\n" for number in range(9000))
    org.http.put(f"/{job['contentUrl']}", content=text.encode(), headers=CSV)
    org.http.patch(f"{JOBS}/{job['id']}", json={"state": "UploadComplete"})
    while org.http.get(f"{JOBS}/{job['id']}").json()["numberRecordsProcessed"] == 0:
        time.sleep(0.01)
    org.http.patch(f"{JOBS}/{job['id']}", json={"state": "Aborted"})
    files = ("successfulResults", "failedResults", "unprocessedrecords")
    written, refused, left = (len(_rows(_file(org, job, each))) for each in files)
    assert written + refused + left == 9000
    assert org.query("SELECT COUNT() FROM Lead WHERE LastName LIKE 'Half %'")["totalSize"] == written > 0


def test_a_job_can_be_made_to_fail(org: RunningOrg) -> None:
    """With a message; its records are handed back."""
    org.command("faults", bulk_job="Failed")
    job = _load(org, "insert", "LastName,Company\nFailed,F\n")
    assert (job["state"], job["errorMessage"]) == (
        "Failed", "TooManyLockFailure : Too many lock failures while processing the job",
    )  # fmt: skip
    assert _file(org, job, "unprocessedrecords") == "LastName,Company\nFailed,F\n"


def test_a_session_may_die_under_a_job(org: RunningOrg) -> None:
    """The job goes on; a new session reads what came of it."""
    job = _open(org, "insert")
    org.http.put(f"/{job['contentUrl']}", content=b"LastName,Company\nAlive,A\n", headers=CSV)
    org.http.patch(f"{JOBS}/{job['id']}", json={"state": "UploadComplete"})
    org.command("expire-sessions")
    dead = org.http.get(f"{JOBS}/{job['id']}")
    assert (dead.status_code, dead.json()) == (
        401,
        [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}],
    )
    org.http.headers["Authorization"] = f"Bearer {sign_in(org.url).json()['access_token']}"
    assert _ended(org, job["id"])["numberRecordsProcessed"] == 1


def test_a_load_goes_on_after_a_restart(org: RunningOrg, tmp_path: Path) -> None:
    """Where it stood: rows that were noted are not written again."""
    runner = Runner()
    first = LoadJobs(tmp_path, org.org.clock, runner, Numbers(tmp_path))
    job = first.create(operation="insert", target="Lead", version="63.0", user=USER_ID, delimiter="COMMA", ending="LF")
    first.upload(job, b"LastName,Company\nAgain 1,A\nAgain 2,A\n")
    first.change(job.id, lambda each: replace(each, state="InProgress", processed=1))
    again = LoadJobs(tmp_path, org.org.clock, runner, Numbers(tmp_path))
    again.begin(lambda each: run_load(replace(org.org, loads=again), each))
    while not again.over(job.id):
        time.sleep(0.02)
    runner.close()
    found = again.find(job.id)
    assert found is not None
    assert (found.state, found.processed) == ("JobComplete", 2)
    written = org.query("SELECT LastName FROM Lead WHERE LastName LIKE 'Again%'")["records"]
    assert [each["LastName"] for each in written] == ["Again 2"]


def test_a_week_later_a_job_is_gone(org: RunningOrg) -> None:
    """By the org's clock, which stays there: this is the last test."""
    job = _load(org, "insert", "LastName,Company\nOld,O\n")
    org.command("clock", offset=7 * 86_400 + 60)
    org.http.headers["Authorization"] = f"Bearer {sign_in(org.url).json()['access_token']}"
    assert org.http.get(f"{JOBS}/{job['id']}").status_code == 404
    assert org.http.get(f"{JOBS}?jobType=V2Ingest").json() == {"done": True, "records": [], "nextRecordsUrl": None}
