"""Calls to an org over real HTTP: metering, sessions, repeats, pages, composite and describe."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from include.errors import (
    AuthError,
    BudgetPaused,
    ConnectionLost,
    OrgChanged,
    QueryRefused,
    RateLimited,
    ServerFault,
)
from include.records import OrgIdentity
from include.salesforce.auth import Credentials
from include.salesforce.client import SalesforceClient
from include.salesforce.composite import SubRequest, count_in, describe_in, page_in
from include.salesforce.query import QueryPage
from include.salesforce.transport import Transport
from tests.salesforce.drawer import Drawer

ROOT = "/services/data/v63.0"
QUERY_ALL = f"{ROOT}/queryAll"
LIMITS = f"{ROOT}/limits"
LOST = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
EMPTY = {"totalSize": 0, "done": True, "records": []}


class Ledger:
    """A meter that remembers, and refuses when told to."""

    def __init__(self) -> None:
        self.spent: list[tuple[int, str, str]] = []
        self.observed: list[tuple[int, int]] = []
        self.closed = False

    def spend(self, calls: int, *, purpose: str, object: str = "") -> None:
        if self.closed:
            raise BudgetPaused("no more today", until=datetime(2026, 1, 1, tzinfo=UTC))
        self.spent.append((calls, purpose, object))

    def observe(self, used: int, limit: int) -> None:
        self.observed.append((used, limit))

    def close(self) -> None:
        """Have nothing to settle."""


def _record(id: str) -> dict[str, Any]:
    return {"attributes": {"type": "Contact", "url": f"{ROOT}/sobjects/Contact/{id}"}, "Id": id}


def test_the_org_is_known_without_an_api_call(org: Any, client: SalesforceClient) -> None:
    """By the session's id URL."""
    assert client.identity() == OrgIdentity(org_id="00D000000000001EAA", instance_url=org.url)
    assert org.paths() == ["/services/oauth2/token"]


def test_the_orgs_clock_is_its_date_header(org: Any, answer: Any, client: SalesforceClient) -> None:
    """In whole seconds, from a page that needs no session."""
    org.answer("GET", "/services/data", answer(json=[]))
    now = client.org_now()
    assert now.tzinfo is UTC
    assert now.microsecond == 0
    assert "authorization" not in org.asked[-1].headers


def test_pages_follow_each_other_until_the_last(org: Any, answer: Any, client: SalesforceClient) -> None:
    """Records come without their attributes."""
    following = f"{ROOT}/query/01gRO-2000"
    org.answer(
        "GET",
        QUERY_ALL,
        answer(json={"totalSize": 2, "done": False, "nextRecordsUrl": following, "records": [_record("003A")]}),
    )
    org.answer("GET", following, answer(json={"totalSize": 2, "done": True, "records": [_record("003B")]}))
    pages = list(client.query_pages("SELECT Id FROM Contact", all_rows=True, purpose="extract", object="Contact"))
    assert pages == [
        QueryPage(total=2, records=[{"Id": "003A"}], next_url=following),
        QueryPage(total=2, records=[{"Id": "003B"}], next_url=None),
    ]
    asked = urlsplit(org.asked[1].path)
    assert parse_qs(asked.query) == {"q": ["SELECT Id FROM Contact"]}


def test_a_query_too_long_for_a_url_goes_in_a_body(org: Any, answer: Any, client: SalesforceClient) -> None:
    """The org refuses more than 16 KB of URL and headers."""
    org.answer(
        "POST",
        f"{ROOT}/composite",
        answer(json={"compositeResponse": [{"body": EMPTY, "httpStatusCode": 200, "referenceId": "query"}]}),
    )
    soql = f"SELECT {','.join(f'Field_{n}__c' for n in range(1500))} FROM Contact"
    assert next(client.query_pages(soql, all_rows=True, purpose="extract", object="Contact")).total == 0
    assert len(org.asked[-1].path) < 100


def test_records_are_counted_by_one_call(org: Any, answer: Any, client: SalesforceClient) -> None:
    """totalSize is the count."""
    org.answer("GET", f"{ROOT}/query", answer(json={"totalSize": 17, "done": True, "records": []}))
    assert client.count("SELECT COUNT() FROM Contact") == 17


def test_every_call_is_metered_before_it_is_made(org: Any, answer: Any, credentials: Credentials) -> None:
    """With purpose and object; sign-in and clock are free; the org's own count is taken note of."""
    ledger = Ledger()
    org.answer("GET", "/services/data", answer(json=[]))
    org.answer("GET", LIMITS, answer(json={}, headers={"Sforce-Limit-Info": "api-usage=18/5000"}))
    org.answer("GET", QUERY_ALL, answer(json=EMPTY))
    with SalesforceClient(credentials, meter=ledger) as client:
        client.identity()
        client.org_now()
        client.limits()
        list(client.query_pages("SELECT Id FROM Lead", all_rows=True, purpose="extract", object="Lead"))
    assert ledger.spent == [(1, "limits", ""), (1, "extract", "Lead")]
    assert ledger.observed == [(18, 5000)]


def test_a_call_that_the_budget_forbids_is_not_made(org: Any, credentials: Credentials) -> None:
    """The meter's word goes before."""
    ledger = Ledger()
    ledger.closed = True
    with SalesforceClient(credentials, meter=ledger) as client, pytest.raises(BudgetPaused):
        client.limits()
    assert org.paths() == ["/services/oauth2/token"]


def test_each_repeat_is_metered_too(org: Any, answer: Any, credentials: Credentials, slept: list[float]) -> None:
    """The org counts them."""
    ledger = Ledger()
    org.answer("GET", LIMITS, answer(status=503), answer(json={}))
    with SalesforceClient(credentials, meter=ledger, transport=Transport(sleep=slept.append)) as client:
        assert client.limits() == {}
    assert len(ledger.spent) == 2


def test_a_lost_session_is_renewed_once_and_the_call_made_again(
    org: Any, answer: Any, client: SalesforceClient
) -> None:
    """Also in the middle of a query."""
    following = f"{ROOT}/query/01gRO-2000"
    first = {"totalSize": 2, "done": False, "nextRecordsUrl": following, "records": []}
    org.answer("GET", QUERY_ALL, answer(json=first))
    org.answer("GET", following, answer(status=401, json=LOST), answer(json=EMPTY))
    assert len(list(client.query_pages("SELECT Id FROM Lead", all_rows=True, purpose="x", object="Lead"))) == 2
    assert org.tokens_given == 2
    assert org.asked[-1].headers["authorization"].endswith("token2")


def test_a_session_that_stays_refused_is_an_auth_error(org: Any, answer: Any, client: SalesforceClient) -> None:
    """After one renewal, not in a loop."""
    org.answer("GET", LIMITS, answer(status=401, json=LOST))
    with pytest.raises(AuthError, match="after a fresh sign-in"):
        client.limits()
    assert org.tokens_given == 2


def test_a_given_token_that_is_refused_names_its_key(org: Any, answer: Any) -> None:
    """It cannot be renewed."""
    org.answer("GET", LIMITS, answer(status=401, json=LOST))
    credentials = Credentials(kind="session", access_token="00D000000000001!x", instance_url=org.url)
    with SalesforceClient(credentials) as client, pytest.raises(AuthError, match="access_token"):
        client.limits()


@pytest.mark.parametrize("shared", [True, False])
def test_another_org_that_answers_a_renewal_is_refused(
    org: Any, answer: Any, credentials: Credentials, shared: bool
) -> None:
    """Whoever pinned the lost session must not read from another org; the next client meets the other one at once."""
    drawer = Drawer() if shared else None
    org.answer("GET", LIMITS, answer(json={}), answer(status=401, json=LOST), answer(json={}))
    with SalesforceClient(credentials, tokens=drawer) as client:
        client.limits()
        other = {"access_token": "b", "instance_url": org.url, "id": f"{org.url}/id/00D000000000002EAA/005A"}
        org.answer("POST", "/services/oauth2/token", answer(json=other))
        with pytest.raises(OrgChanged, match=r"(?s)00D000000000001EAA.*00D000000000002EAA.*Point the connection back"):
            client.limits()
        assert org.paths().count(LIMITS) == 2
    with SalesforceClient(credentials, tokens=drawer) as client:
        assert client.identity().org_id == "00D000000000002EAA"


def test_a_session_of_another_org_that_another_task_stored_is_refused(
    org: Any, answer: Any, credentials: Credentials
) -> None:
    """It is taken over from the store only if it belongs to the org of the lost one."""
    drawer = Drawer()
    org.answer("GET", LIMITS, answer(json={}), answer(status=401, json=LOST), answer(json={}))
    with SalesforceClient(credentials, tokens=drawer) as client:
        client.limits()
        [key] = drawer
        drawer[key] = drawer[key].replace("00D000000000001EAA", "00D000000000002EAA").replace("token1", "token9")
        with pytest.raises(OrgChanged):
            client.limits()


@pytest.mark.parametrize("rows", [[], [_record("003A")]])
def test_a_query_that_says_more_follows_but_not_where_is_a_fault(
    org: Any, answer: Any, client: SalesforceClient, rows: list[Any]
) -> None:
    """A short answer is no end."""
    org.answer("GET", QUERY_ALL, answer(json={"totalSize": 6, "done": False, "records": rows}))
    with pytest.raises(ServerFault, match="not where"):
        list(client.query_pages("SELECT Id FROM Lead", all_rows=True, purpose="extract", object="Lead"))


def test_clients_share_one_sign_in_through_the_token_store(org: Any, answer: Any, credentials: Credentials) -> None:
    """And no secret lies in the store's keys."""
    drawer = Drawer()
    org.answer("GET", LIMITS, answer(json={}))
    for _ in range(3):
        with SalesforceClient(credentials, tokens=drawer) as client:
            client.limits()
    assert org.tokens_given == 1
    assert all("app-secret" not in key for key in drawer)


def test_a_session_that_another_task_renewed_is_taken_over(org: Any, answer: Any, credentials: Credentials) -> None:
    """Instead of signing in again, which may end the other's session."""
    drawer = Drawer()
    first, second = (SalesforceClient(credentials, tokens=drawer) for _ in range(2))
    org.answer("GET", LIMITS, answer(json={}))
    first.limits()
    second.limits()
    org.answer("GET", LIMITS, *[answer(status=401, json=LOST), answer(json={})] * 2)
    first.limits()
    second.limits()
    assert org.tokens_given == 2
    first.close()
    second.close()


@pytest.mark.parametrize("status", [420, 429, 500, 502, 503, 504])
def test_what_passes_by_itself_is_repeated_shortly(
    org: Any, answer: Any, client: SalesforceClient, slept: list[float], status: int
) -> None:
    """Two failures and then an answer."""
    org.answer("GET", LIMITS, answer(status=status), answer(status=status), answer(json={"A": {"Max": 1}}))
    assert client.limits() == {"A": {"Max": 1}}
    assert len(slept) == 2
    assert all(0.1 < pause < 1.0 for pause in slept)


def test_a_locked_row_is_repeated(org: Any, answer: Any, client: SalesforceClient) -> None:
    """Told by its code."""
    locked = answer(status=400, json=[{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "…"}])
    org.answer("GET", LIMITS, locked, answer(json={}))
    assert client.limits() == {}


def test_repeats_end_after_three(org: Any, answer: Any, client: SalesforceClient) -> None:
    """The task's own retry takes over."""
    org.answer("GET", LIMITS, answer(status=503))
    with pytest.raises(ServerFault):
        client.limits()
    assert org.paths().count(LIMITS) == 4


def test_a_short_retry_after_is_kept(org: Any, answer: Any, client: SalesforceClient, slept: list[float]) -> None:
    """The org says how long."""
    org.answer("GET", LIMITS, answer(status=429, headers={"Retry-After": "3"}), answer(json={}))
    client.limits()
    assert slept == [3.0]


def test_a_long_retry_after_is_handed_up(org: Any, answer: Any, client: SalesforceClient, slept: list[float]) -> None:
    """A task does not sleep for minutes."""
    org.answer("GET", LIMITS, answer(status=429, headers={"Retry-After": "120"}))
    with pytest.raises(RateLimited) as caught:
        client.limits()
    assert caught.value.retry_after_seconds == 120
    assert slept == []


def test_a_query_that_takes_too_long_is_not_repeated_at_once(org: Any, answer: Any, client: SalesforceClient) -> None:
    """It would take as long again."""
    org.answer("GET", QUERY_ALL, answer(status=500, json=[{"errorCode": "QUERY_TIMEOUT", "message": "…"}]))
    with pytest.raises(Exception, match="too long"):
        list(client.query_pages("SELECT Id FROM Lead", all_rows=True, purpose="x", object="Lead"))
    assert len(org.asked) == 2


def test_a_hung_up_connection_is_tried_again(org: Any, answer: Any, client: SalesforceClient) -> None:
    """For what only reads."""
    org.answer("GET", LIMITS, answer(hang_up=True), answer(json={}))
    assert client.limits() == {}


def test_an_answer_that_keeps_breaking_off_is_a_lost_connection(
    org: Any, answer: Any, client: SalesforceClient
) -> None:
    """Half a JSON never counts as an answer."""
    org.answer("GET", QUERY_ALL, answer(json={**EMPTY, "filler": "x" * 1000}, cut_at=200))
    with pytest.raises(ConnectionLost, match=r"could not query Lead: the connection to 127\.0\.0\.1"):
        list(client.query_pages("SELECT Id FROM Lead", all_rows=True, purpose="x", object="Lead"))
    assert org.paths()[1:] == [org.paths()[1]] * 4


@pytest.mark.parametrize("body", [b"<html>Maintenance</html>", b"", b'{"totalSize": 1', b'{"other": 1}', b"[]"])
def test_a_page_with_status_200_is_a_fault_of_the_server(
    org: Any, answer: Any, client: SalesforceClient, body: bytes
) -> None:
    """Not an empty result."""
    org.answer("GET", QUERY_ALL, answer(body=body, headers={"Content-Type": "text/html"}))
    with pytest.raises(ServerFault, match="could not query Lead"):
        list(client.query_pages("SELECT Id FROM Lead", all_rows=True, purpose="x", object="Lead"))


@pytest.mark.parametrize(("compress", "encoding"), [(None, "identity"), (True, "gzip"), (False, "identity")])
def test_answers_are_compressed_except_on_loopback(
    org: Any, answer: Any, credentials: Credentials, compress: bool | None, encoding: str
) -> None:
    """Unless told otherwise; a compressed one is read as well."""
    org.answer("GET", LIMITS, answer(json={"A": {}}, headers={"Content-Encoding": "gzip"} if compress else {}))
    with SalesforceClient(credentials, compress=compress) as client:
        assert client.limits() == {"A": {}}
    assert org.asked[-1].headers["accept-encoding"] == encoding


def test_one_composite_call_asks_several_things(org: Any, answer: Any, credentials: Credentials) -> None:
    """Counted once; each answer is read for itself, in the order of the questions."""
    ledger = Ledger()
    described = {"name": "Lead", "label": "Lead", "keyPrefix": "00Q", "fields": []}
    refused = [{"errorCode": "INVALID_FIELD", "message": "No such column 'Nope' on entity 'Account'."}]
    org.answer(
        "POST",
        f"{ROOT}/composite",
        answer(
            json={
                "compositeResponse": [
                    {"body": refused, "httpHeaders": {}, "httpStatusCode": 400, "referenceId": "bad"},
                    {
                        "body": {"totalSize": 9, "done": True, "records": []},
                        "httpStatusCode": 200,
                        "referenceId": "count",
                    },
                    {"body": None, "httpHeaders": {}, "httpStatusCode": 304, "referenceId": "same"},
                    {
                        "body": described,
                        "httpHeaders": {"Last-Modified": "Mon, 01 Jun 2026 10:00:00 GMT"},
                        "httpStatusCode": 200,
                        "referenceId": "lead",
                    },
                    {
                        "body": {"totalSize": 1, "done": True, "records": [_record("003A")]},
                        "httpStatusCode": 200,
                        "referenceId": "probe",
                    },
                ]
            }
        ),
    )
    with SalesforceClient(credentials, meter=ledger) as client:
        probe, lead, same, count, bad = client.composite(
            [
                client.probe_request("SELECT Id FROM Contact", "probe", object="Contact"),
                client.describe_request("Lead", None, "lead"),
                client.describe_request("Account", "Mon, 01 Jun 2026 10:00:00 GMT", "same"),
                client.count_request("SELECT COUNT() FROM Lead", "count", object="Lead"),
                client.probe_request("SELECT Nope FROM Account", "bad", object="Account"),
            ],
            purpose="extract",
        )
    assert page_in(probe) == QueryPage(total=1, records=[{"Id": "003A"}], next_url=None)
    found = describe_in(lead)
    assert found is not None
    assert (found.object, found.last_modified) == ("Lead", "Mon, 01 Jun 2026 10:00:00 GMT")
    assert describe_in(same) is None
    assert count_in(count) == 9
    with pytest.raises(QueryRefused, match=r"could not query Account.*Account has no field Nope"):
        page_in(bad)
    assert ledger.spent == [(1, "extract", "")]
    sent = orjson.loads(org.asked[-1].body)
    assert sent["compositeRequest"][0]["url"] == f"{QUERY_ALL}?q=SELECT%20Id%20FROM%20Contact"
    assert sent["compositeRequest"][2]["httpHeaders"] == {"If-Modified-Since": "Mon, 01 Jun 2026 10:00:00 GMT"}


def test_a_composite_call_beyond_its_limits_is_not_made(org: Any, client: SalesforceClient) -> None:
    """25 sub-requests, five queries, no reference twice, not none."""
    queries = [client.probe_request("SELECT Id FROM Lead", f"q{n}") for n in range(6)]
    others = [SubRequest(url="/x", reference=f"r{n}") for n in range(26)]
    for requests in (queries, others, [others[0], others[0]], []):
        with pytest.raises(ValueError):
            client.composite(requests, purpose="extract")
    assert org.asked == []


def test_a_composite_answer_with_a_hole_is_a_fault(org: Any, answer: Any, client: SalesforceClient) -> None:
    """A missing answer is never an empty one."""
    org.answer("POST", f"{ROOT}/composite", answer(json={"compositeResponse": []}))
    with pytest.raises(ServerFault):
        client.composite([client.probe_request("SELECT Id FROM Lead", "probe")], purpose="extract")


def test_a_describe_that_did_not_change_is_none(org: Any, answer: Any, client: SalesforceClient) -> None:
    """By If-Modified-Since."""
    path = f"{ROOT}/sobjects/Lead/describe"
    described = {"name": "Lead", "label": "Lead", "keyPrefix": "00Q", "fields": []}
    org.answer("GET", path, answer(json=described, headers={"Last-Modified": "then"}), answer(status=304))
    first = client.describe("Lead")
    assert first is not None
    assert first.last_modified == "then"
    assert client.describe("Lead", if_modified_since=first.last_modified) is None
    assert org.asked[-1].headers["if-modified-since"] == "then"


def test_an_object_that_is_not_there_is_named(org: Any, client: SalesforceClient) -> None:
    """With what to do."""
    with pytest.raises(QueryRefused, match=r"could not describe Nope__c.*there is no Nope__c") as caught:
        client.describe("Nope__c")
    assert caught.value.code == "NOT_FOUND"


def test_the_objects_of_the_org_are_listed(org: Any, answer: Any, client: SalesforceClient) -> None:
    """In its order."""
    org.answer(
        "GET",
        f"{ROOT}/sobjects",
        answer(
            json={
                "sobjects": [
                    {"name": "Lead", "label": "Lead", "keyPrefix": "00Q", "custom": False, "queryable": True},
                    {"name": "Visit__c", "label": "Visit", "keyPrefix": None, "custom": True, "queryable": False},
                ]
            }
        ),
    )
    assert [(each.name, each.custom, each.queryable) for each in client.list_objects()] == [
        ("Lead", False, True),
        ("Visit__c", True, False),
    ]


def test_a_redirect_is_not_followed(org: Any, answer: Any, client: SalesforceClient) -> None:
    """The token would go to whoever is named."""
    org.answer("GET", LIMITS, answer(status=302, headers={"Location": "http://127.0.0.1:1/"}))
    with pytest.raises(Exception, match="another address"):
        client.limits()
