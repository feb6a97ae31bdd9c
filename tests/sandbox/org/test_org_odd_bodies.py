"""Bodies that no client means to send: of the wrong shape, absurd, or from another site."""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.sandbox.org.allocation import MAXIMA, Allocation
from include.sandbox.org.clock import Clock
from include.sandbox.org.jobs import Job
from include.sandbox.org.jobs.shelf import Shelf
from tests.sandbox.org import soap_client as soap
from tests.sandbox.org.conftest import RunningOrg, V

PARSER = "JSON_PARSER_ERROR"

# Every resource that takes JSON: a method, a path, and a body of the right shape.
BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/sobjects/Contact", {"LastName": "x", "Score__c": 1.5, "Account": {"External_Key__c": "A-1"}}),
    ("PATCH", "/sobjects/Contact/External_Key__c/odd", {"LastName": "x", "attributes": {"type": "Contact"}}),
    ("POST", "/sobjects/Everything__c", {"Name": "x", "Whole__c": 1, "Date__c": "2026-01-01", "Flag__c": True}),
    ("POST", "/composite/sobjects", {"allOrNone": False, "records": [{"attributes": {"type": "Lead"}, "City": "x"}]}),
    ("PATCH", "/composite/sobjects", {"records": [{"attributes": {"type": "Lead"}, "Id": "00Q000000000001AAA"}]}),
    ("PATCH", "/composite/sobjects/Lead/External_Key__c", {
        "records": [{"attributes": {"type": "Lead"}, "External_Key__c": "k", "LastName": "x", "Company": "y"}]}),
    ("POST", "/composite/sobjects/Contact", {"ids": ["003000000000001AAA"], "fields": ["Id", "Name"]}),
    ("POST", "/composite/tree/Account", {"records": [{
        "attributes": {"type": "Account", "referenceId": "a"}, "Name": "x",
        "Contacts": {"records": [{"attributes": {"type": "Contact", "referenceId": "b"}, "LastName": "y"}]}}]}),
    ("POST", "/composite", {"allOrNone": True, "compositeRequest": [{
        "method": "GET", "url": f"{V}/limits", "referenceId": "a", "httpHeaders": {"x": "y"},
        "body": {"a": "@{b.c}"}}]}),
    ("POST", "/composite/batch", {"haltOnError": True, "batchRequests": [{
        "method": "POST", "url": "v63.0/sobjects/Contact", "richInput": {"LastName": "x"}}]}),
    ("POST", "/composite/graph", {"graphs": [{"graphId": "1", "compositeRequest": [{
        "method": "GET", "url": f"{V}/limits", "referenceId": "a", "body": {}}]}]}),
    ("POST", "/parameterizedSearch", {
        "q": "smith", "in": "NAME", "fields": ["Id"], "defaultLimit": 5, "overallLimit": 5,
        "sobjects": [{"name": "Contact", "fields": ["Id"], "limit": 5, "where": "Id != null", "orderBy": "Id"}]}),
    ("POST", "/jobs/query", {"operation": "query", "query": "SELECT Id FROM User", "contentType": "CSV",
                             "columnDelimiter": "COMMA", "lineEnding": "LF"}),
    ("POST", "/jobs/ingest", {"operation": "upsert", "object": "Lead", "externalIdFieldName": "Id",
                              "contentType": "CSV", "lineEnding": "LF", "assignmentRuleId": "x"}),
]  # fmt: skip
COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("touch", {"object": "Lead", "n": 1, "seed": 1, "ids": [], "fields": {}, "visible_after_seconds": 0}),
    ("delete", {"object": "Lead", "n": 0, "ids": []}),
    ("undelete", {"ids": ["00Q000000000001AAA"]}),
    ("merge", {"object": "Lead", "master": "a", "loser": "b", "fields": {}}),
    ("create", {"object": "Campaign", "n": 1, "records": [{"Name": "x"}]}),
    ("allocation", {"max": 100_000, "used": 0, "others": {"a": 1}, "quotas": {"b": 5}, "long_calls": {"max": 25},
                    "work": {"DailyBulkV2QueryJobs": {"max": 10_000, "used": 0}}}),
    ("clock", {"reset": True, "rate": 1, "set": 1_900_000_000, "offset": 0, "advance": 0, "skew": 0}),
    ("faults", {"match": "/nowhere", "kind": "slow", "delay": 0, "times": 1, "after": 0, "headers": {"A": "b"},
                "seconds": 0, "status": 503, "probability": 1}),
    ("faults/plan", {"seed": 1, "rate": 0, "kinds": ["slow"], "seconds": 0, "calm": 0, "options": {"slow": {}}}),
    ("latency", {"profile": "none", "seed": 1, "rest": [0, 0], "megabyte": 0}),
    ("life", {"stop": True, "weights": {"delete": 1}, "changes_per_minute": 1, "late_share": 0}),
    ("stamps", {"object": "Lead", "n": 1, "ids": [], "ago": 0, "seed": 1}),
    ("metadata", {"changes": [{"change": "label", "object": "Lead"}]}),
    ("rules", {"duplicates": "off", "validation": False}),
    ("signin", {"idle_seconds": 7200, "rotate": False}),
]  # fmt: skip
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 5, 2.5, 1e300, "", "text", "1e400", "@{a.b}", "\x00", "😀", [], [[]], [None], [1],
     {}, {"a": {}}, {"records": 1}, [{}], [{"attributes": "x"}]]
)  # fmt: skip


def _places(body: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every member of a body, however deep."""
    found = [path] if path else []
    inside = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    return found + [each for key, value in inside for each in _places(value, (*path, key))]


def _changed(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copied = dict(body) if isinstance(body, dict) else list(body)
    copied[path[0]] = _changed(copied[path[0]], path[1:], value)
    return copied


@st.composite
def _odd_calls(draw: st.DrawFn) -> tuple[str, str, Any]:
    method, path, body = draw(st.sampled_from(BODIES))
    for _ in range(draw(st.integers(1, 2))):
        places = _places(body)
        body = _changed(body, draw(st.sampled_from(places)), draw(ODD)) if places else draw(ODD)
    return method, path, body


@st.composite
def _odd_commands(draw: st.DrawFn) -> tuple[str, Any]:
    name, body = draw(st.sampled_from(COMMANDS))
    return name, _changed(body, draw(st.sampled_from(_places(body))), draw(ODD))


@pytest.fixture(scope="module")
def small(start_org: Callable[..., RunningOrg]) -> RunningOrg:
    return start_org(contacts=40)


FUZZ = settings(
    deadline=None, max_examples=60, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@FUZZ
@given(call=_odd_calls())
def test_no_body_breaks_a_resource(small: RunningOrg, call: tuple[str, str, Any]) -> None:
    """Whatever type its members have; parts of a composite neither."""
    method, path, body = call
    answer = small.http.request(method, f"{V}{path}", json=body)
    assert answer.status_code < 500, answer.text
    assert "UNKNOWN_EXCEPTION" not in answer.text


@FUZZ
@given(command=_odd_commands())
def test_no_body_breaks_a_control_command(small: RunningOrg, command: tuple[str, Any]) -> None:
    """The org still answers afterwards."""
    name, body = command
    answer = small.http.post(f"/sandbox/{name}", json=body)
    small.command("faults", clear=True)
    small.command("faults/plan", clear=True)
    small.command("life", stop=True)
    small.command("latency", profile="none")
    small.command("signin", idle_seconds=7200)
    small.command("allocation", max=100_000, used=0, others={}, quotas={}, long_calls={"max": 25, "others": 0})
    small.command("clock", reset=True, skew=0, rate=1)
    assert answer.status_code < 500, answer.text
    assert small.http.get(f"{V}/limits").status_code in (200, 401)


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("batch", {"batchRequests": [["x"]]},
         "Can not deserialize batchRequests: unexpected array, expected an object"),
        ("sobjects/Contact", {"ids": ["003000000000001AAA"], "fields": 5},
         "Can not deserialize fields: unexpected value, expected an array"),
        ("sobjects", {"records": [{"attributes": "Contact"}]},
         "Can not deserialize attributes: unexpected value, expected an object"),
        ("sobjects", {"records": [{"attributes": ["Contact"]}]},
         "Can not deserialize attributes: unexpected array, expected an object"),
        ("graph", {"graphs": [{"graphId": "1", "compositeRequest": True}]},
         "Can not deserialize compositeRequest: unexpected value, expected an array"),
    ],
)  # fmt: skip
def test_a_member_of_the_wrong_type_is_a_parsers_error(
    small: RunningOrg, path: str, body: dict[str, Any], message: str
) -> None:
    """It names the member."""
    answer = small.http.post(f"{V}/composite/{path}", json=body)
    assert (answer.status_code, answer.json()) == (400, [{"message": message, "errorCode": PARSER}])


@pytest.mark.parametrize(
    ("command", "body", "reason"),
    [
        ("clock", '{"advance": 1e300}', "advance is a number from"),
        ("clock", '{"advance": 1e11}', "advance is a number from"),
        ("clock", '{"set": "9000-01-01T00:00:00Z"}', "The org's clock goes from 1970-01-01 to 3900-01-01"),
        ("clock", '{"offset": "nan"}', "offset is a number from"),
        ("clock", '{"rate": -1}', "rate is a number from"),
        ("clock", '{"skew": "inf"}', "skew is a number from"),
        ("allocation", '{"max": "many"}', "max is a number from"),
        ("allocation", '{"long_calls": {"max": 1e99}}', "max is a number from"),
        ("faults", '{"match": "/", "status": 99999}', "status is a number from"),
        ("faults", '{"match": "/", "headers": {"A": "b\\r\\nC: d"}}', "'A' can't be a header"),
        ("faults", '{"kind": "hang", "seconds": "long"}', "seconds is a number from"),
        ("faults/plan", '{"rate": 7}', "rate is a number from"),
        ("latency", '{"rest": [0, 1e30]}', "rest is a number from"),
        ("life", '{"changes_per_minute": 1e30}', "changes_per_minute is a number from"),
        ("touch", '{"object": "Lead", "n": 1e30}', "n is a number from"),
        ("touch", '{"object": "Lead", "visible_after_seconds": 1e30}', "visible_after_seconds is a number from"),
        ("signin", '{"idle_seconds": "never"}', "idle_seconds is a number from"),
    ],
)
def test_absurd_numbers_are_refused_and_change_nothing(small: RunningOrg, command: str, body: str, reason: str) -> None:
    """Every one with its bounds; what the command would have changed is as it was."""
    looks = [name for name in ("allocation", "latency", "signin") if name == command]
    before = [small.http.get(f"/sandbox/{name}").json() for name in looks]
    answer = small.http.post(f"/sandbox/{command}", content=body)
    (error,) = answer.json()
    assert (answer.status_code, error["errorCode"]) == (400, "INVALID_INPUT")
    assert error["message"].startswith(reason)
    assert [small.http.get(f"/sandbox/{name}").json() for name in looks] == before
    clock = small.http.get("/sandbox/clock").json()
    assert (clock["rate"], clock["skew"], math.isclose(clock["offset"], 0, abs_tol=1)) == (1, 0, True)


def test_a_call_that_breaks_the_org_leaves_the_connection_whole(small: RunningOrg) -> None:
    """The next call comes over it and is answered."""
    with httpx.Client(base_url=small.url, headers=small.http.headers) as client:
        small.org.allocation.maxima.clear()  # what no command can do
        try:
            job = {"operation": "query", "query": "SELECT Id FROM User"}
            broken = client.post(f"{V}/jobs/query", json=job)
        finally:
            small.org.allocation.maxima.update(MAXIMA)
        whole = client.get(f"{V}/limits")
        places = {each.extensions["network_stream"].get_extra_info("client_addr") for each in (broken, whole)}
    assert len(places) == 1
    body = [{"message": "An unexpected error occurred.", "errorCode": "UNKNOWN_EXCEPTION"}]
    assert (broken.status_code, broken.json(), whole.status_code) == (500, body, 200)


@pytest.mark.parametrize("path", ["/sandbox/", "/sandbox/truth", "/lightning/r/Contact/003000000000001AAA/view"])
def test_a_site_whose_name_leads_here_is_sent_away(small: RunningOrg, path: str) -> None:
    """A browser takes it for that site, so the Host alone shows whose page asks."""
    port = small.url.rpartition(":")[2]
    for host in (f"evil.example:{port}", "127.0.0.1.evil.example", "", "10.0.0.1"):
        headers = {"Host": host, "Origin": f"http://{host}"}
        assert small.http.get(path, headers=headers).status_code == 403
        assert small.http.post("/sandbox/calls/reset", json={}, headers=headers).status_code == 403
    for host in (f"localhost:{port}", "127.0.0.1", "127.9.9.9", f"[::1]:{port}"):
        assert small.http.get(path, headers={"Host": host}).status_code in (200, 404)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("sobjects/Contact", '{"LastName": "x"}'),
        ("composite", '{"compositeRequest": []}'),
        ("jobs/query", '{"operation": "query", "query": "SELECT Id FROM User"}'),
    ],
)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_a_body_that_is_said_to_be_no_json_is_refused(small: RunningOrg, path: str, body: str, kind: str) -> None:
    """Whatever it is; only a body of which nothing is said is taken for JSON."""
    answer = small.http.post(f"{V}/{path}", content=body, headers={"Content-Type": kind})
    message = f"Content-Type header specified in HTTP request is not supported: {kind}"
    assert (answer.status_code, answer.json()) == (415, [{"message": message, "errorCode": "UNSUPPORTED_MEDIA_TYPE"}])
    assert small.http.post(f"{V}/{path}", content=body).status_code != 415
    json = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert small.http.post(f"{V}/{path}", content=body, headers=json).status_code != 415


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'<?xml version="1.0" encoding="nope"?><a/>', "UNKNOWN_EXCEPTION"),
        (b"<a>" + b"<b/>" * 200_001 + b"</a>", "UNKNOWN_EXCEPTION"),
        (b"<a>" + b" " * (50 * 1024 * 1024) + b"</a>", "EXCEEDED_MAX_SIZE_REQUEST"),
    ],
    ids=["unknown encoding", "too many elements", "too large"],
)
def test_an_envelope_that_nobody_sends_is_a_fault(small: RunningOrg, content: bytes, code: str) -> None:
    """It is refused while it is read."""
    answer = httpx.post(f"{small.url}/services/Soap/u/{soap.VERSION}", content=content, timeout=60)
    assert answer.status_code == 500
    assert f"<faultcode>sf:{code}</faultcode>" in answer.text


def test_what_unpacks_to_far_too_much_is_not_unpacked(small: RunningOrg) -> None:
    """It is refused as what it came as; a body that may be that large is read."""
    head = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    bomb = gzip.compress(b" " * (80 << 20), 1)
    answer = small.http.post(f"{V}/composite", content=bomb, headers=head)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, PARSER)
    whole = small.http.post(f"{V}/composite", content=gzip.compress(b'{"compositeRequest": []}'), headers=head)
    assert whole.json()[0]["errorCode"] == "INVALID_INPUT"


def test_torn_files_are_no_obstacle(tmp_path: Path) -> None:
    """A clock, an allocation or a job that a crash tore is as if it had never been kept."""
    kept, jobs = tmp_path / "kept.json", tmp_path / "jobs"
    jobs.mkdir()
    for content in (b"", b'{"machine": 1', b"[]", b"null"):
        kept.write_bytes(content)
        (jobs / "job.json").write_bytes(content)
        assert Clock(kept).offset == pytest.approx(0, abs=1)
        assert Allocation(Clock(), 100, kept).used() == 0
        assert Shelf(jobs, Clock(), lambda found: Job(**found)).all() == []


def test_an_absurd_clock_that_was_kept_stops_at_its_end(tmp_path: Path) -> None:
    """The org starts all the same."""
    kept = tmp_path / "clock.json"
    kept.write_bytes(b'{"machine": 0, "org": 1e300, "rate": 1, "skew": 0}')
    assert Clock(kept).now().year == 3900
