"""The older Bulk API, as clients meet it."""

from __future__ import annotations

import csv
import gzip
import io
import re
import time
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from tests.sandbox.org.conftest import RunningOrg, V

ASYNC = "/services/async/61.0/job"
NS = "http://www.force.com/2009/06/asyncapi/dataload"
JSON, XML, CSV = "application/json", "application/xml; charset=UTF-8", "text/csv; charset=UTF-8"


def _call(org: RunningOrg, method: str, path: str, body: str = "", kind: str = "", **headers: str) -> httpx.Response:
    token = org.http.headers["Authorization"].removeprefix("Bearer ")
    given = {"X-SFDC-Session": token, "Authorization": "", **headers}
    if kind:
        given["Content-Type"] = kind
    return org.http.request(method, f"{ASYNC}{path}", content=body.encode(), headers=given)


def _local(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]


def _facts(answer: httpx.Response) -> dict[str, str]:
    root = ElementTree.fromstring(answer.content)
    return {_local(each): each.text or "" for each in root}


def _job(org: RunningOrg, operation: str, name: str, content: str, **headers: str) -> str:
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><jobInfo xmlns="{NS}"><operation>{operation}</operation>'
        f"<object>{name}</object><contentType>{content}</contentType></jobInfo>"
    )
    answer = _call(org, "POST", "", body, XML, **headers)
    assert answer.status_code == 201, answer.text
    return _facts(answer)["id"]


def _batch(org: RunningOrg, job: str, body: str, content: str = "CSV") -> str:
    kind = {"CSV": CSV, "JSON": JSON, "XML": XML}[content]
    answer = _call(org, "POST", f"/{job}/batch", body, kind)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"] if content == "JSON" else _facts(answer)["id"])


def _batches(org: RunningOrg, job: str) -> list[dict[str, Any]]:
    """Wait until all batches of a job have ended."""
    for _ in range(500):
        answer = _call(org, "GET", f"/{job}/batch")
        if answer.headers["Content-Type"] == JSON:
            found = answer.json()["batchInfo"]
        else:
            root = ElementTree.fromstring(answer.content)
            found = [{_local(one): one.text for one in each} for each in root]
        if not {"Queued", "InProgress"} & {each["state"] for each in found}:
            return list(found)
        time.sleep(0.02)
    raise AssertionError("the batches don't end")


def _result(org: RunningOrg, job: str, batch: str, **headers: str) -> httpx.Response:
    listed = _call(org, "GET", f"/{job}/batch/{batch}/result")
    (result,) = listed.json() if listed.headers["Content-Type"] == JSON else re.findall("<result>(.*?)<", listed.text)
    return _call(org, "GET", f"/{job}/batch/{batch}/result/{result}", **headers)


def _query(org: RunningOrg, soql: str, content: str, name: str = "Contact", operation: str = "query") -> httpx.Response:
    job = _job(org, operation, name, content)
    batch = _batch(org, job, soql, content)
    (ended,) = _batches(org, job)
    assert ended["state"] == "Completed", ended
    return _result(org, job, batch)


def test_a_job_speaks_the_format_it_was_asked_in(org: RunningOrg) -> None:
    """XML in the order of the guide, JSON by the alphabet; the version is a number."""
    body = f'<jobInfo xmlns="{NS}"><operation>query</operation><object>contact</object></jobInfo>'
    made = _call(org, "POST", "", body, XML)
    assert (made.status_code, made.headers["Content-Type"]) == (201, "application/xml")
    facts = _facts(made)
    assert list(facts) == [
        "id", "operation", "object", "createdById", "createdDate", "systemModstamp", "state", "concurrencyMode",
        "contentType", "numberBatchesQueued", "numberBatchesInProgress", "numberBatchesCompleted",
        "numberBatchesFailed", "numberBatchesTotal", "numberRecordsProcessed", "numberRetries", "apiVersion",
        "numberRecordsFailed", "totalProcessingTime", "apiActiveProcessingTime", "apexProcessingTime",
    ]  # fmt: skip
    assert (facts["object"], facts["contentType"], facts["apiVersion"]) == ("Contact", "XML", "61.0")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", facts["createdDate"])
    made = _call(org, "POST", "", '{"operation": "queryAll", "object": "Contact", "contentType": "CSV"}', JSON)
    assert (made.status_code, made.headers["Content-Type"]) == (201, JSON)
    shown = made.json()
    assert list(shown) == sorted(shown)
    assert (shown["state"], shown["apiVersion"], shown["concurrencyMode"]) == ("Open", 61.0, "Parallel")
    assert shown["createdDate"].endswith(".000+0000")
    closed = _call(org, "POST", f"/{shown['id']}", f'<jobInfo xmlns="{NS}"><state>Closed</state></jobInfo>', CSV)
    assert (closed.status_code, _facts(closed)["state"]) == (200, "Closed")
    late = _call(org, "POST", f"/{shown['id']}/batch", "SELECT Id FROM Contact", CSV)
    assert (late.status_code, _facts(late)["exceptionCode"]) == (400, "InvalidJobState")


def test_all_ways_of_reading_give_the_same_values(org: RunningOrg) -> None:
    """REST, Bulk 2.0, and the older API in three formats: only dates are written in ways of their own."""
    soql = (
        "SELECT Id, Name, Account.Name, Description, Birthdate, SystemModstamp, Score__c, Newsletter__c FROM Contact"
        " ORDER BY Id"
    )
    rest = org.query(soql)["records"]
    as_json = _query(org, soql, "JSON").json()
    as_csv = _query(org, soql, "CSV")
    assert as_csv.headers["Content-Type"] == "text/csv;charset=UTF-8"
    assert as_csv.content == org.http.get(f"{V}/jobs/query/{org.bulk(soql)}/results").content
    rows = list(csv.DictReader(io.StringIO(as_csv.text, newline="")))
    root = ElementTree.fromstring(_query(org, soql, "XML").content)
    assert len(rest) == len(as_json) == len(rows) == len(root) == 400
    for one, two, row, node in zip(rest, as_json, rows, root, strict=True):
        assert two["attributes"] == {
            "type": "Contact", "url": f"/services/data/v61.0/sobjects/Contact/{one['Id']}",
        }  # fmt: skip
        for name in ("Id", "Name", "Description", "Score__c", "Newsletter__c"):
            assert two[name] == one[name]
            found = node.find(f"{{{NS}}}{name}")
            assert (found.text or "") == row[name].replace("\r", ""), name
        assert (two["Account"] or {}).get("Name") == (one["Account"] or {}).get("Name")
        assert two["SystemModstamp"] == _milliseconds(row["SystemModstamp"])
        assert two["Birthdate"] == (_milliseconds(f"{row['Birthdate']}T00:00:00.000Z") if row["Birthdate"] else None)
        assert [each.text for each in node.findall(f"{{{NS}}}Id")] == [one["Id"], one["Id"]]


@pytest.mark.parametrize("name", ["Everything__c", "Account", "Opportunity", "Task", "User", "Case"])
def test_every_field_reads_alike(org: RunningOrg, name: str) -> None:
    """REST and the older API in JSON; and its CSV is that of Bulk 2.0, byte by byte."""
    target = org.org.catalogue.objects[name]
    kinds = {each.name: each.type for each in target.fields if each.type not in ("address", "location", "base64")}
    soql = f"SELECT {', '.join(kinds)} FROM {name} ORDER BY Id LIMIT 300"
    rest = org.query(soql)["records"]
    for one, two in zip(rest, _query(org, soql, "JSON", name).json(), strict=True):
        for field, kind in kinds.items():
            value = one[field]
            if value is not None and kind == "date":
                value = _milliseconds(f"{value}T00:00:00.000Z")
            elif value is not None and kind == "datetime":
                value = _milliseconds(value.replace("+0000", "Z"))
            assert two[field] == value, field
    newer = org.http.get(f"{V}/jobs/query/{org.bulk(soql)}/results").content
    assert _query(org, soql, "CSV", name).content == newer
    assert len(ElementTree.fromstring(_query(org, soql, "XML", name).content)) == len(rest) > 0


def _milliseconds(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC).timestamp() * 1000)


def test_records_below_stand_inside_their_parents(org: RunningOrg) -> None:
    """In JSON; their times are milliseconds too."""
    soql = "SELECT Id, (SELECT Id, CreatedDate FROM Contacts ORDER BY Id) FROM Account ORDER BY Id LIMIT 20"
    found = _query(org, soql, "JSON", "Account").json()
    for one, two in zip(org.query(soql)["records"], found, strict=True):
        below = [each["Id"] for each in (one["Contacts"] or {"records": []})["records"]]
        assert [each["Id"] for each in (two["Contacts"] or {"records": []})["records"]] == below
        assert all(isinstance(each["CreatedDate"], int) for each in (two["Contacts"] or {"records": []})["records"])


def test_a_query_without_records_says_so(org: RunningOrg) -> None:
    """In CSV by a sentence instead of a header."""
    nobody = "SELECT Id FROM Contact WHERE LastName = 'nobody at all'"
    assert _query(org, nobody, "CSV").text == "Records not found for this query"
    assert _query(org, nobody, "JSON").json() == []


def test_deleted_records_are_read_too(org: RunningOrg) -> None:
    """By queryAll."""
    (gone,) = org.command("delete", object="Lead", n=1)["ids"]
    soql = f"SELECT Id, IsDeleted FROM Lead WHERE Id = '{gone}'"
    assert _query(org, soql, "CSV", "Lead", "queryAll").text == f'"Id","IsDeleted"\n"{gone}","true"\n'


def test_results_are_packed_for_who_takes_it(org: RunningOrg) -> None:
    """The same bytes."""
    job = _job(org, "query", "Contact", "CSV")
    batch = _batch(org, job, "SELECT Id FROM Contact ORDER BY Id")
    _batches(org, job)
    plain = _result(org, job, batch, **{"Accept-Encoding": "identity"})
    packed = _result(org, job, batch, **{"Accept-Encoding": "gzip"})
    assert (plain.headers.get("Content-Encoding"), packed.headers["Content-Encoding"]) == (None, "gzip")
    assert plain.content == packed.content
    assert _call(org, "GET", f"/{job}/batch/{batch}/request").text == "SELECT Id FROM Contact ORDER BY Id"


def test_ranges_of_ids_are_batches(org: RunningOrg) -> None:
    """The first batch is left alone, the others together are the result."""
    job = _job(org, "query", "Contact", "CSV", **{"Sforce-Enable-PKChunking": "true; chunkSize=150"})
    first = _batch(org, job, "SELECT Id FROM Contact")
    before, *others = _batches(org, job)
    while not others or len(others) < 3:
        time.sleep(0.05)
        before, *others = _batches(org, job)
    assert (before["id"], before["state"]) == (first, "NotProcessed")
    assert {each["state"] for each in others} == {"Completed"}
    ids = [line for each in others for line in _result(org, job, str(each["id"])).text.splitlines()[1:]]
    assert sorted(ids) == sorted(f'"{each["Id"]}"' for each in org.query("SELECT Id FROM Contact")["records"])
    shown = _facts(_call(org, "GET", f"/{job}"))
    assert (shown["numberBatchesTotal"], shown["numberRecordsProcessed"]) == (str(len(others)), str(len(ids)))
    asked = _call(org, "GET", f"/{job}/batch/{others[0]['id']}/request").text
    assert re.fullmatch(r"SELECT Id FROM Contact WHERE Id >= '003\w{12}' AND Id < '003\w{12}'", asked)


@pytest.mark.parametrize(
    ("soql", "message"),
    [
        (
            "SELECT MailingAddress FROM Contact",
            "FUNCTIONALITY_NOT_ENABLED: Selecting compound data not supported in Bulk Query",
        ),
        (
            "SELECT Id FROM Account",
            "INVALID_TYPE_FOR_OPERATION: The root entity of the requested query (Account) does not match the entity of "
            "the requested Bulk API Job (Contact).",
        ),
        (
            "SELECT Id, (SELECT Id FROM Tasks) FROM Contact",
            "API_ERROR: Aggregate Relationships not supported in Bulk Query with CSV content type",
        ),
    ],
)
def test_a_query_that_cannot_be_run_fails_its_batch(org: RunningOrg, soql: str, message: str) -> None:
    """The batch was taken all the same."""
    job = _job(org, "query", "Contact", "CSV")
    batch = _batch(org, job, soql)
    (ended,) = _batches(org, job)
    assert (ended["state"], ended["stateMessage"]) == ("Failed", f"InvalidBatch : Failed to process query: {message}")
    refused = _call(org, "GET", f"/{job}/batch/{batch}/result")
    assert (refused.status_code, _facts(refused)) == (
        400,
        {"exceptionCode": "InvalidBatch", "exceptionMessage": "Records not processed"},
    )


def test_errors_have_a_shape_of_their_own(org: RunningOrg) -> None:
    """XML unless JSON is asked for."""
    dead = _call(org, "POST", "", "", XML, **{"X-SFDC-Session": "00Dnone!dead"})
    assert (dead.status_code, dead.text) == (
        400,
        f'<?xml version="1.0" encoding="UTF-8"?><error\n   xmlns="{NS}">\n'
        " <exceptionCode>InvalidSessionId</exceptionCode>\n <exceptionMessage>Invalid session id</exceptionMessage>\n"
        "</error>",
    )
    missing = _call(org, "GET", "/7509x0000000001AAA", kind=JSON)
    assert (missing.status_code, missing.headers["Content-Type"], missing.json()) == (
        400,
        JSON,
        {"exceptionCode": "InvalidJob", "exceptionMessage": "Unable to find object: jobId: 7509x0000000001AAA"},
    )
    job = _job(org, "query", "Contact", "CSV")
    empty = _call(org, "POST", f"/{job}/batch", "", CSV)
    assert _facts(empty) == {
        "exceptionCode": "ClientInputError", "exceptionMessage": "Unable to find any data to create batch",
    }  # fmt: skip


@pytest.mark.parametrize("content", ["CSV", "JSON", "XML"])
def test_records_are_written_in_batches(org: RunningOrg, content: str) -> None:
    """Each gets its own result, in the order in which they were sent."""
    job = _job(org, "insert", "Lead", content)
    body = {
        "CSV": f'LastName,Company,Title\n{content} Batch,B,"a ""b"""\n,No Name,\n',
        "JSON": '[{"LastName": "JSON Batch", "Company": "B"}, {"LastName": null, "Company": "No Name"}]',
        "XML": f'<sObjects xmlns="{NS}"><sObject><LastName>XML Batch</LastName><Company>B</Company></sObject>'
        "<sObject><Company>No Name</Company></sObject></sObjects>",
    }[content]
    batch = _batch(org, job, body, content)
    (ended,) = _batches(org, job)
    assert (ended["state"], int(ended["numberRecordsProcessed"]), int(ended["numberRecordsFailed"])) == (
        "Completed", 2, 1,
    )  # fmt: skip
    (made,) = org.query(f"SELECT Id FROM Lead WHERE LastName = '{content} Batch'")["records"]
    answer = _call(org, "GET", f"/{job}/batch/{batch}/result")
    missing = "Required fields are missing: [LastName]"
    expected: Any = {
        "CSV": (
            f'"Id","Success","Created","Error"\n"{made["Id"]}","true","true",""\n'
            f'"","false","false","REQUIRED_FIELD_MISSING:{missing}:LastName --"\n'
        ),
        "JSON": [
            {"success": True, "created": True, "id": made["Id"], "errors": []},
            {"success": False, "created": False, "id": None, "errors": [{
                "message": missing, "fields": ["LastName"], "statusCode": "REQUIRED_FIELD_MISSING",
                "extendedErrorDetails": None,
            }]},
        ],
        "XML": (
            f'<?xml version="1.0" encoding="UTF-8"?><results xmlns="{NS}"><result><id>{made["Id"]}</id>'
            "<success>true</success><created>true</created></result><result><errors><fields>LastName</fields>"
            f"<message>{missing}</message><statusCode>REQUIRED_FIELD_MISSING</statusCode></errors>"
            "<success>false</success><created>false</created></result></results>"
        ),
    }[content]  # fmt: skip
    assert (answer.json() if content == "JSON" else answer.text) == expected


def test_a_batch_of_unknown_fields_fails(org: RunningOrg) -> None:
    """As a whole, before any record."""
    job = _job(org, "insert", "Lead", "CSV")
    _batch(org, job, "LastName,Nonsense__c\na,b\n")
    (ended,) = _batches(org, job)
    assert (ended["state"], ended["stateMessage"]) == ("Failed", "InvalidBatch : Field name not found : Nonsense__c")


def test_a_packed_body_is_unpacked(org: RunningOrg) -> None:
    """Requests may be gzip too."""
    token = org.http.headers["Authorization"].removeprefix("Bearer ")
    body = gzip.compress(b'{"operation": "query", "object": "Contact", "contentType": "JSON"}')
    headers = {"X-SFDC-Session": token, "Content-Type": JSON, "Content-Encoding": "gzip"}
    assert org.http.post(ASYNC, content=body, headers=headers).json()["contentType"] == "JSON"


def test_aborted_jobs_take_no_more(org: RunningOrg) -> None:
    """And classic jobs stand in the lists of the newer API."""
    job = _job(org, "query", "Contact", "JSON")
    aborted = _call(org, "POST", f"/{job}", '{"state": "Aborted"}', JSON).json()
    assert aborted["state"] == "Aborted"
    again = _call(org, "POST", f"/{job}", '{"state": "Aborted"}', JSON)
    assert (again.status_code, again.json()["exceptionCode"]) == (400, "InvalidJobState")
    listed = org.http.get(f"{V}/jobs/query?jobType=Classic").json()["records"]
    assert {"Classic"} == {each["jobType"] for each in listed}
    assert job in {each["id"] for each in listed}
