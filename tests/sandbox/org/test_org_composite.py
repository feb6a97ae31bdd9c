"""Several requests in one, and what they cost."""

from __future__ import annotations

from typing import Any

from tests.sandbox.org.conftest import RunningOrg, V


def _composite(org: RunningOrg, *requests: dict[str, Any], **more: Any) -> Any:
    filled = [{"method": "GET", "referenceId": f"r{place}", **each} for place, each in enumerate(requests)]
    return org.http.post(f"{V}/composite", json={"compositeRequest": filled, **more})


def _query(soql: str) -> dict[str, Any]:
    return {"url": f"{V}/queryAll?q={soql}"}


def test_composite_costs_one_call_whatever_is_in_it(org: RunningOrg) -> None:
    """Five queries and a describe are one call."""
    before = org.used()
    requests = [_query("SELECT Id FROM Contact LIMIT 1")] * 5 + [{"url": f"{V}/sobjects/Contact/describe"}]
    answer = _composite(org, *requests)
    assert [each["httpStatusCode"] for each in answer.json()["compositeResponse"]] == [200] * 6
    assert org.used() == before + 1


def test_composite_takes_no_sixth_query(org: RunningOrg) -> None:
    """The whole call is refused."""
    answer = _composite(org, *[_query("SELECT Id FROM Contact LIMIT 1")] * 6)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")


def test_composite_takes_25_parts_at_most(org: RunningOrg) -> None:
    """The 26th is too many."""
    assert _composite(org, *[{"url": f"{V}/limits"}] * 25).status_code == 200
    assert _composite(org, *[{"url": f"{V}/limits"}] * 26).status_code == 400


def test_a_part_can_refer_to_an_earlier_one(org: RunningOrg) -> None:
    """`@{r0.records[0].Id}` is the Id that the first query found."""
    answer = _composite(
        org,
        _query("SELECT Id, Name FROM Account LIMIT 1"),
        {"url": f"{V}/sobjects/Account/@{{r0.records[0].Id}}?fields=Name"},
    )
    first, second = (each["body"] for each in answer.json()["compositeResponse"])
    assert second["Name"] == first["records"][0]["Name"]


def test_a_part_that_depends_on_a_failed_one_is_halted(org: RunningOrg) -> None:
    """400 PROCESSING_HALTED, while the call itself is fine."""
    answer = _composite(org, _query("SELECT Nope FROM Account"), {"url": f"{V}/sobjects/Account/@{{r0.records[0].Id}}"})
    first, second = answer.json()["compositeResponse"]
    assert (first["httpStatusCode"], first["body"][0]["errorCode"]) == (400, "INVALID_FIELD")
    assert (second["httpStatusCode"], second["body"][0]["errorCode"]) == (400, "PROCESSING_HALTED")


def test_a_part_has_headers_of_its_own(org: RunningOrg) -> None:
    """A describe inside can answer 304."""
    url = f"{V}/sobjects/Contact/describe"
    fresh = _composite(org, {"url": url}).json()["compositeResponse"][0]
    since = {"If-Modified-Since": fresh["httpHeaders"]["Last-Modified"]}
    again = _composite(org, {"url": url, "httpHeaders": since}).json()["compositeResponse"][0]
    assert (again["httpStatusCode"], again["body"]) == (304, None)


def test_batch_costs_a_call_for_each_part(org: RunningOrg) -> None:
    """Three parts are three calls; a wrong one is told apart."""
    before = org.used()
    parts = [{"method": "GET", "url": "v63.0/limits"}, {"method": "GET", "url": f"{V}/sobjects/Contact/describe"}]
    answer = org.http.post(f"{V}/composite/batch", json={"batchRequests": [*parts, {"method": "GET", "url": f"{V}/x"}]})
    assert answer.json()["hasErrors"] is True
    assert [each["statusCode"] for each in answer.json()["results"]] == [200, 200, 404]
    assert org.used() == before + 3


def test_batch_halts_on_the_first_error_if_asked(org: RunningOrg) -> None:
    """What follows is not run."""
    parts = [{"method": "GET", "url": f"{V}/x"}, {"method": "GET", "url": f"{V}/limits"}]
    answer = org.http.post(f"{V}/composite/batch", json={"haltOnError": True, "batchRequests": parts}).json()
    assert [each["statusCode"] for each in answer["results"]] == [404, 412]
    assert answer["results"][1]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"


def test_all_or_none_takes_everything_back(org: RunningOrg) -> None:
    """What was created before the failure isn't there; the others say PROCESSING_HALTED."""
    account = {"method": "POST", "url": f"{V}/sobjects/Account", "body": {"Name": "Taken back"}}
    bad = {"method": "POST", "url": f"{V}/sobjects/Contact", "body": {"AccountId": "@{r0.id}"}}
    answer = _composite(org, account, bad, account, allOrNone=True)
    message = "The transaction was rolled back since another operation in the same transaction failed."
    halted = {
        "body": [{"errorCode": "PROCESSING_HALTED", "message": message}], "httpHeaders": {}, "httpStatusCode": 400,
    }  # fmt: skip
    first, second, third = answer.json()["compositeResponse"]
    assert answer.status_code == 200
    assert first == {**halted, "referenceId": "r0"}
    assert (second["httpStatusCode"], second["body"][0]["errorCode"]) == (400, "REQUIRED_FIELD_MISSING")
    assert third == {**halted, "referenceId": "r2"}
    assert org.query("SELECT COUNT() FROM Account WHERE Name = 'Taken back'")["totalSize"] == 0


def test_all_or_none_holds_for_the_records_of_a_collection_too(org: RunningOrg) -> None:
    """The collection answers as by its own switch, and yet nothing was written."""
    rows = [{"attributes": {"type": "Account"}, **fields} for fields in ({"Name": "Inner"}, {"Phone": "1"})]
    collection = {"method": "POST", "url": f"{V}/composite/sobjects", "body": {"allOrNone": False, "records": rows}}
    contact = {"method": "POST", "url": f"{V}/sobjects/Contact", "body": {"LastName": "Inner"}}
    first, second = _composite(org, collection, contact, allOrNone=True).json()["compositeResponse"]
    assert (first["httpStatusCode"], [each["success"] for each in first["body"]]) == (200, [True, False])
    assert second["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert org.query("SELECT COUNT() FROM Account WHERE Name = 'Inner'")["totalSize"] == 0


def test_without_all_or_none_only_what_depends_on_a_failure_fails(org: RunningOrg) -> None:
    """The message names the reference that has no value."""
    bad = {"method": "POST", "url": f"{V}/sobjects/Account", "body": {}}
    child = {"method": "POST", "url": f"{V}/sobjects/Contact", "body": {"LastName": "x", "AccountId": "@{r0.id}"}}
    good = {"method": "POST", "url": f"{V}/sobjects/Contact", "body": {"LastName": "y"}}
    first, second, third = _composite(org, bad, child, good).json()["compositeResponse"]
    assert (first["httpStatusCode"], third["httpStatusCode"]) == (400, 201)
    message = "Invalid reference specified. No value for r0.id found in r0."
    assert second["body"] == [{"errorCode": "PROCESSING_HALTED", "message": message}]
