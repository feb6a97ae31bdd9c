"""Faults on demand: what each kind answers, and which calls it befalls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.sandbox.org.conftest import RunningOrg, V, sign_in

_CONTACTS = f"{V}/query?q=SELECT+Id+FROM+Contact"
_ACCOUNTS = f"{V}/query?q=SELECT+Id+FROM+Account"
_REFUSALS = {
    "server_error": (
        500,
        "UNKNOWN_EXCEPTION",
        "An unexpected error occurred. Please include this ErrorId if you contact support: "
        "1788120445-21400 (-1532607341)",
    ),
    "server_unavailable": (503, "SERVER_UNAVAILABLE", "Server unavailable"),
    "request_limit": (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "concurrent_limit": (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
    ),
    "query_timeout": (400, "QUERY_TIMEOUT", "Your query request was running for too long."),
}


@pytest.fixture(autouse=True)
def _calm_afterwards(org: RunningOrg) -> Iterator[None]:
    yield
    org.command("faults", clear=True)


def _statuses(org: RunningOrg, path: str, times: int) -> list[int]:
    return [org.http.get(path).status_code for _ in range(times)]


def _small_page(org: RunningOrg, soql: str) -> dict[str, Any]:
    headers = {"Sforce-Query-Options": "batchSize=200"}
    return dict(org.http.get(f"{V}/query", params={"q": soql}, headers=headers).json())


@pytest.mark.parametrize("kind", sorted(_REFUSALS))
def test_the_org_refuses_in_its_own_words(org: RunningOrg, kind: str) -> None:
    """The error array with status, code and message."""
    status, code, message = _REFUSALS[kind]
    org.command("faults", kind=kind)
    answer = org.http.get(_CONTACTS)
    assert (answer.status_code, answer.json()) == (status, [{"message": message, "errorCode": code}])
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert org.http.get(_CONTACTS).status_code == 200


@pytest.mark.parametrize(
    ("kind", "status"),
    [("no_route", 420), ("too_many_requests", 429), ("bad_gateway", 502), ("maintenance", 503), ("html_200", 200)],
)
def test_a_proxy_answers_with_a_page(org: RunningOrg, kind: str, status: int) -> None:
    """HTML where a client waits for JSON, with Retry-After where there is a use in waiting."""
    org.command("faults", kind=kind)
    answer = org.http.get(_CONTACTS)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "text/html;charset=UTF-8"
    assert answer.text.startswith("<!DOCTYPE html>")
    assert answer.headers.get("Retry-After") == ("1" if status in (429, 503) else None)
    assert "Sforce-Limit-Info" not in answer.headers


def test_token_calls_fail_in_the_words_of_oauth(org: RunningOrg) -> None:
    """The object with error and error_description."""
    org.command("faults", kind="server_error", match="/services/oauth2/token")
    answer = sign_in(org.url)
    assert (answer.status_code, answer.json()) == (
        500,
        {"error": "unknown_error", "error_description": "retry your request"},
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/services/Soap/u/59.0/00D", "<sf:exceptionCode>SERVER_UNAVAILABLE</sf:exceptionCode>"),
        ("/services/async/59.0/job", "<exceptionCode>Unknown</exceptionCode>"),
    ],
)
def test_xml_apis_are_refused_in_xml(org: RunningOrg, path: str, body: str) -> None:
    """A SOAP fault is always a 500; Bulk 1.0 has an error element."""
    org.command("faults", kind="server_unavailable", match="/services/")
    answer = org.http.post(path, content="<x/>", headers={"Content-Type": "text/xml"})
    assert answer.status_code == (500 if "Soap" in path else 503)
    assert body in answer.text


def test_a_locked_row_refuses_writes_only(org: RunningOrg) -> None:
    """Reads go through; the write names its record."""
    contact = org.query("SELECT Id FROM Contact LIMIT 1")["records"][0]["Id"]
    org.command("faults", kind="lock_row")
    assert org.http.get(f"{V}/sobjects/Contact/{contact}").status_code == 200
    answer = org.http.patch(f"{V}/sobjects/Contact/{contact}", json={"Title": "Other"})
    message = f"unable to obtain exclusive access to this record or 1 records: {contact}"
    assert (answer.status_code, answer.json()) == (400, [{"message": message, "errorCode": "UNABLE_TO_LOCK_ROW"}])
    assert org.http.patch(f"{V}/sobjects/Contact/{contact}", json={"Title": "Other"}).status_code == 204


def test_an_answer_ordered_word_for_word(org: RunningOrg) -> None:
    """Status, body and headers are those of the order."""
    org.command("faults", match=V, status=418, body={"tea": True}, headers={"X-Pot": "1"})
    answer = org.http.get(_CONTACTS)
    assert (answer.status_code, answer.json(), answer.headers["X-Pot"]) == (418, {"tea": True}, "1")


def test_a_fault_waits_for_its_call(org: RunningOrg) -> None:
    """After two matching calls, each second one, twice; then it is gone."""
    org.command("faults", kind="server_error", match=V, after=2, every=2, times=2)
    assert _statuses(org, _CONTACTS, 8) == [200, 200, 200, 500, 200, 500, 200, 200]


def test_faults_look_at_object_and_soql(org: RunningOrg) -> None:
    """By the object that a call is about, in the path, the query, the job or behind a locator."""
    org.command("faults", kind="server_error", object="account", times=None)
    assert [org.http.get(path).status_code for path in (_CONTACTS, _ACCOUNTS)] == [200, 500]
    assert org.http.get(f"{V}/sobjects/Account/describe").status_code == 500
    assert org.http.post(f"{V}/jobs/query", json={"query": "SELECT Id FROM Account"}).status_code == 500
    org.command("faults", clear=True)
    job = org.bulk("SELECT Id FROM Contact WHERE Email LIKE '%example%'")
    first = _small_page(org, "SELECT Id FROM Contact")
    org.command("faults", kind="server_error", object="Contact", times=None)
    assert org.http.get(f"{V}/jobs/query/{job}").status_code == 500
    assert org.http.get(first["nextRecordsUrl"]).status_code == 500
    assert org.http.get(_ACCOUNTS).status_code == 200
    org.command("faults", clear=True)
    org.command("faults", kind="query_timeout", soql="where lastname =", times=1)
    assert org.http.get(_CONTACTS).status_code == 200
    assert org.http.get(_CONTACTS + "+WHERE+LastName+=+'x'").status_code == 400


def test_probability_is_drawn_by_seed(org: RunningOrg) -> None:
    """The same seed strikes the same calls."""
    seen = []
    for seed in (1, 1, 2):
        org.command("faults", kind="server_error", match=V, probability=0.5, seed=seed, times=None)
        seen.append(_statuses(org, f"{V}/limits", 16))
        org.command("faults", clear=True)
    assert seen[0] == seen[1] != seen[2]
    assert set(seen[0]) == {200, 500}


def test_sessions_end_in_mid_run(org: RunningOrg) -> None:
    """After n calls the session is dead for good, in the words of every API."""
    org.command("faults", kind="expire_sessions", match=V, after=2)
    assert _statuses(org, _CONTACTS, 4) == [200, 200, 401, 401]
    assert org.http.get(_CONTACTS).json() == [
        {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    ]
    org.http.headers["Authorization"] = f"Bearer {sign_in(org.url).json()['access_token']}"
    assert org.http.get(_CONTACTS).status_code == 200


@pytest.mark.parametrize("state", ["Failed", "Aborted"])
def test_a_bulk_job_ends_as_ordered(org: RunningOrg, state: str) -> None:
    """The next job only."""
    org.command("faults", bulk_job=state)
    job = org.bulk("SELECT Id FROM Contact")
    assert org.http.get(f"{V}/jobs/query/{job}").json()["state"] == state
    assert org.http.get(f"{V}/jobs/query/{org.bulk('SELECT Id FROM Contact')}").json()["state"] == "JobComplete"


def test_a_job_of_a_planned_kind_fails_by_its_creation(org: RunningOrg) -> None:
    """`job_failed` befalls the call that makes the job."""
    org.command("faults", kind="job_failed", object="Account")
    contacts, accounts = org.bulk("SELECT Id FROM Contact"), org.bulk("SELECT Id FROM Account")
    states = [org.http.get(f"{V}/jobs/query/{each}").json()["state"] for each in (contacts, accounts)]
    assert states == ["JobComplete", "Failed"]


def test_a_stuck_job_is_in_progress_and_then_goes_on(org: RunningOrg) -> None:
    """It can be aborted meanwhile, too."""
    org.command("faults", bulk_job="Stuck", seconds=60)
    job = org.http.post(f"{V}/jobs/query", json={"operation": "query", "query": "SELECT Id FROM Contact"}).json()["id"]
    assert org.http.get(f"{V}/jobs/query/{job}").json()["state"] in ("UploadComplete", "InProgress")
    assert org.http.patch(f"{V}/jobs/query/{job}", json={"state": "Aborted"}).json()["state"] == "Aborted"
    org.command("faults", bulk_job="Stuck", seconds=0.05)
    job = org.bulk("SELECT Id FROM Contact")
    assert org.http.get(f"{V}/jobs/query/{job}").json()["state"] == "JobComplete"


def test_a_job_can_be_lost_while_it_is_read(org: RunningOrg) -> None:
    """As after its seven days: 404."""
    job = org.bulk("SELECT Id FROM Contact")
    org.command("faults", kind="job_lost", match=f"{V}/jobs/query/{job}/results")
    answer = org.http.get(f"{V}/jobs/query/{job}/results")
    assert (answer.status_code, answer.json()) == (
        404,
        [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}],
    )


def test_a_late_commit_shows_after_a_read_with_a_stamp_from_before(org: RunningOrg) -> None:
    """The reader is past that second when the records turn up in it."""
    began = org.command("clock", rate=0, advance=10)["now"][:19] + "Z"
    org.command("faults", kind="late_commit", match=f"{V}/query", object="Lead", n=4, seconds=300, seed=5)
    soql = f"SELECT count() FROM Lead WHERE SystemModstamp = {began}"
    seen = [org.query(soql)["totalSize"]]
    org.command("clock", advance=290)
    seen.append(org.query(soql)["totalSize"])
    org.command("clock", advance=20)
    seen.append(org.query(soql)["totalSize"])
    org.command("clock", reset=True)
    assert seen == [0, 0, 4]


def test_equal_stamps_lie_across_a_page_edge(org: RunningOrg) -> None:
    """So many records share one second that no page ends between two seconds."""
    given = org.command("stamps", object="Contact", n=300, seed=3)
    stamp = given["stamp"].replace("Z", ".000Z")
    soql = f"SELECT Id FROM Contact WHERE SystemModstamp = {stamp} ORDER BY SystemModstamp"
    page = _small_page(org, soql)
    assert (page["totalSize"], len(page["records"]), page["done"]) == (300, 200, False)


def test_any_command_can_be_run_in_mid_run(org: RunningOrg) -> None:
    """After the second call records vanish between two pages."""
    made = org.command("create", object="Lead", n=2)["ids"]
    body: dict[str, Any] = {"object": "Lead", "ids": made}
    org.command("faults", kind="command", command="delete", body=body, match=V, after=1)
    path = f"{V}/query?q=SELECT+Id+FROM+Lead+WHERE+Id+IN+('{made[0]}','{made[1]}')"
    assert [org.http.get(path).json()["totalSize"] for _ in range(2)] == [2, 0]


def test_the_schema_changes_in_mid_run(org: RunningOrg) -> None:
    """The same query is refused, and answered from the third call on."""
    change = {"change": "add_field", "object": "Lead", "name": "Mid_Run__c", "type": "text", "length": 20}
    order = {"kind": "schema_change", "match": f"{V}/query", "after": 2, **change}
    assert org.http.post("/sandbox/faults", json=order).json() == {"ordered": True}
    assert _statuses(org, f"{V}/query?q=SELECT+Mid_Run__c+FROM+Lead+LIMIT+1", 4) == [400, 400, 200, 200]


def test_an_unknown_kind_is_refused(org: RunningOrg) -> None:
    """With the names of those that exist."""
    answer = org.http.post("/sandbox/faults", json={"kind": "earthquake"})
    assert answer.status_code == 400
    assert "reset_in_body" in answer.json()[0]["message"]


def test_the_board_shows_what_is_ordered_and_met(org: RunningOrg) -> None:
    """Ordered ones with their counts, and what was met so far."""
    before = org.http.get("/sandbox/faults").json()["met"].get("server_error", 0)
    org.command("faults", kind="server_error", match=V, times=3)
    _statuses(org, _CONTACTS, 2)
    board = org.http.get("/sandbox/faults").json()
    assert board["ordered"] == [
        {
            "kind": "server_error", "match": V, "times": 3, "after": 0, "every": 1, "probability": 1.0,
            "matched": 2, "met": 2,
        }
    ]  # fmt: skip
    assert board["met"]["server_error"] == before + 2
    assert board["latest"][-1] | {"time": ""} == {
        "time": "", "kind": "server_error", "method": "GET", "path": f"{V}/query"
    }  # fmt: skip


def test_a_faulty_call_stands_in_the_log(org: RunningOrg) -> None:
    """With its status, and 0 for a connection that broke."""
    org.command("calls/reset")
    org.command("faults", kind="bad_gateway", match=V)
    org.http.get(_CONTACTS)
    org.command("faults", kind="reset", match=V)
    with pytest.raises(httpx.ReadError):
        org.http.get(_CONTACTS)
    assert [each["status"] for each in org.http.get("/sandbox/calls").json()["calls"]] == [502, 0]
