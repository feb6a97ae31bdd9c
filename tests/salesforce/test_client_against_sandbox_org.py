"""The client and the sandbox org, which keeps Salesforce's contract by itself, understand each other."""

from __future__ import annotations

import csv
import io
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
import urllib3

from include.errors import AuthError, JobFailed, QueryRefused
from include.fields import cursor_field, fields_to_read
from include.records import Window
from include.salesforce.auth import Credentials, read_session, sign_in
from include.salesforce.client import SalesforceClient
from include.salesforce.composite import count_in, describe_in, page_in
from include.salesforce.soql import condition, count_before, in_window, select_all
from include.salesforce.transport import Transport
from include.sandbox.org import credentials as sandbox
from include.sandbox.org.identity import org_number
from include.sandbox.org.ids import make_id
from tests.salesforce.drawer import Drawer

CONTACTS = 2500
SEED = 7
NEVER = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def org_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a sandbox org with some more contacts than one page holds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("org")
    arguments = ["--port", str(port), "--home", str(home), "--contacts", str(CONTACTS), "--seed", str(SEED)]
    with (home / "org.log").open("w") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "include.sandbox.org", *arguments], stdout=log, stderr=subprocess.STDOUT
        )
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for(url, running, home / "org.log")
            yield url
        finally:
            running.terminate()
            running.wait(20)


def _wait_for(url: str, running: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert running.poll() is None, log.read_text()
        try:
            if urllib3.request("GET", f"{url}/services/data", retries=False, timeout=5).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def _credentials(kind: str, url: str) -> Credentials:
    app = {"login_url": url, "client_id": sandbox.CLIENT_ID}
    match kind:
        case "client_credentials":
            return Credentials(kind="client_credentials", client_secret=sandbox.CLIENT_SECRET, **app)
        case "refresh_token":
            return Credentials(
                kind="refresh_token", client_secret=sandbox.CLIENT_SECRET, refresh_token=sandbox.REFRESH_TOKEN, **app
            )
        case "jwt_bearer":
            key = sandbox.JWT_PRIVATE_KEY.read_text()
            return Credentials(kind="jwt_bearer", username=sandbox.USERNAME, private_key=key, **app)
        case _:
            return Credentials(
                kind="password",
                client_secret=sandbox.CLIENT_SECRET,
                username=sandbox.USERNAME,
                password=sandbox.PASSWORD,
                security_token=sandbox.SECURITY_TOKEN,
                **app,
            )


class Counter:
    """A meter that adds up."""

    def __init__(self) -> None:
        self.spent = 0
        self.seen: list[tuple[int, int]] = []

    def spend(self, calls: int, *, purpose: str, object: str = "") -> None:
        self.spent += calls

    def observe(self, used: int, limit: int) -> None:
        self.seen.append((used, limit))

    def close(self) -> None:
        """Have nothing to settle."""


@pytest.fixture(scope="module")
def meter() -> Counter:
    return Counter()


@pytest.fixture(scope="module")
def client(org_url: str, meter: Counter) -> Iterator[SalesforceClient]:
    with SalesforceClient(_credentials("client_credentials", org_url), meter=meter) as opened:
        yield opened


def _bulk_rows(client: SalesforceClient, soql: str, object: str, max_records: int) -> list[dict[str, str]]:
    job = client.bulk_create(soql, object=object)
    client.bulk_wait(job.id, sleep=time.sleep, object=object)
    rows: list[dict[str, str]] = []
    locator: str | None = ""
    while locator is not None:
        with client.bulk_results(job.id, locator=locator, max_records=max_records, object=object) as page:
            text = b"".join(page.chunks).decode()
            found = list(csv.DictReader(io.StringIO(text, newline="")))
            assert len(found) == page.number_of_records
            rows += found
            locator = page.next_locator
    return rows


@pytest.mark.parametrize("kind", ["client_credentials", "refresh_token", "jwt_bearer", "password"])
def test_each_kind_of_credentials_signs_in(org_url: str, kind: str) -> None:
    """And meets the same org."""
    session = sign_in(_credentials(kind, org_url), Transport())
    assert (session.org_id, session.user_id) == (make_id("00D", org_number(SEED)), sandbox.USER_ID)


def test_a_wrong_secret_is_refused_with_its_key(org_url: str) -> None:
    """Before any call is made."""
    wrong = Credentials(
        kind="client_credentials", login_url=org_url, client_id=sandbox.CLIENT_ID, client_secret="wrong"
    )
    with pytest.raises(AuthError, match="consumer_secret"):
        sign_in(wrong, Transport())


def test_the_orgs_clock_runs_with_ours_on_one_machine(client: SalesforceClient) -> None:
    """In whole seconds."""
    now = client.org_now()
    assert now.microsecond == 0
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_clock_that_goes_ahead_is_followed(org_url: str, client: SalesforceClient) -> None:
    """Windows end by the org's clock, not by ours."""
    try:
        urllib3.request("POST", f"{org_url}/sandbox/clock", json={"offset": 7200})
        assert client.org_now() - datetime.now(UTC) > timedelta(hours=1, minutes=55)
    finally:
        urllib3.request("POST", f"{org_url}/sandbox/clock", json={"offset": 0})


def test_a_bulk_job_that_the_org_fails_is_a_failed_job(org_url: str, client: SalesforceClient) -> None:
    """While it is waited for."""
    urllib3.request("POST", f"{org_url}/sandbox/faults", json={"bulk_job": "Failed"})
    job = client.bulk_create("SELECT Id FROM Lead", object="Lead")
    with pytest.raises(JobFailed, match="for Lead ended Failed"):
        client.bulk_wait(job.id, sleep=time.sleep, object="Lead")


def test_an_object_is_described_once(client: SalesforceClient) -> None:
    """And not again while it stays the same."""
    described = client.describe("Contact")
    assert described is not None
    assert described.last_modified is not None
    assert cursor_field(described) == "SystemModstamp"
    assert {"Id", "LastName", "Email", "SystemModstamp", "IsDeleted"} <= {each.name for each in described.fields}
    assert client.describe("Contact", if_modified_since=described.last_modified) is None


def test_the_objects_of_the_org_are_listed(client: SalesforceClient) -> None:
    """The usual ones among them."""
    assert {"Account", "Contact", "Lead", "Opportunity"} <= {each.name for each in client.list_objects()}


def test_rest_and_bulk_read_the_same_records(client: SalesforceClient) -> None:
    """Page by page, each record once, with all the fields that are read."""
    described = client.describe("Contact")
    assert described is not None
    names = [field.name for field in fields_to_read(described)]
    soql = select_all("Contact", names, where=in_window("SystemModstamp", Window(low=None, high=client.org_now())))
    pages = list(client.query_pages(soql, all_rows=True, purpose="extract", object="Contact"))
    by_rest = [record for page in pages for record in page.records]
    by_bulk = _bulk_rows(client, soql, "Contact", max_records=1000)
    assert len(pages) > 1
    assert len(by_rest) == pages[0].total >= CONTACTS
    assert sorted(each["Id"] for each in by_rest) == sorted(each["Id"] for each in by_bulk)
    last_names = {each["Id"]: each["LastName"] for each in by_rest}
    assert {each["Id"]: each["LastName"] for each in by_bulk} == {key: text or "" for key, text in last_names.items()}


def test_one_composite_call_carries_rows_count_and_describe(client: SalesforceClient, meter: Counter) -> None:
    """And costs one."""
    described = client.describe("Lead")
    assert described is not None
    before = meter.spent
    rows, count, same, wrong = client.composite(
        [
            client.probe_request(f"SELECT Id FROM Lead WHERE {condition('CreatedDate', '<', NEVER)}", "rows"),
            client.count_request(count_before("Lead", NEVER), "count", object="Lead"),
            client.describe_request("Lead", described.last_modified, "same"),
            client.probe_request("SELECT Nope FROM Lead", "wrong", object="Lead"),
        ],
        purpose="extract",
    )
    assert meter.spent == before + 1
    assert page_in(rows).total >= count_in(count) > 0
    assert describe_in(same) is None
    with pytest.raises(QueryRefused, match="Lead has no field Nope"):
        page_in(wrong)


def test_what_we_meter_is_what_the_org_counts(client: SalesforceClient, meter: Counter) -> None:
    """Call for call."""
    client.count("SELECT COUNT() FROM Account")
    spent, (used, _) = meter.spent, meter.seen[-1]
    client.org_now()
    client.identity()
    client.count("SELECT COUNT() FROM Account")
    client.composite([client.count_request("SELECT COUNT() FROM Lead", "count")], purpose="count")
    _bulk_rows(client, "SELECT Id FROM Account", "Account", max_records=100_000)
    client.limits()
    assert meter.spent - spent == meter.seen[-1][0] - used


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FROM Nope__c", "INVALID_TYPE"),
        ("SELECT Nope FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FORM Contact", "MALFORMED_QUERY"),
    ],
)
def test_a_wrong_query_is_refused_with_its_code(client: SalesforceClient, soql: str, code: str) -> None:
    """By REST and by Bulk."""
    with pytest.raises(QueryRefused) as by_rest:
        next(client.query_pages(soql, all_rows=True, purpose="extract", object="Contact"))
    assert by_rest.value.code == code
    with pytest.raises(QueryRefused):
        client.bulk_create(soql, object="Contact")


def test_quoted_text_finds_what_it_says(client: SalesforceClient) -> None:
    """Quotes, backslashes and non-ASCII letters change nothing."""
    for text in ("O'Brien", 'a "b" \\ c', "Jürgen\n\t“x”", "' OR Id != '"):
        assert client.count(f"SELECT COUNT() FROM Contact WHERE {condition('LastName', '=', text)}") < CONTACTS


def test_a_revoked_session_is_renewed_in_the_middle_of_a_query(org_url: str) -> None:
    """The caller does not notice."""
    sessions = Drawer()
    with SalesforceClient(_credentials("client_credentials", org_url), tokens=sessions) as client:
        pages = client.query_pages("SELECT Id FROM Contact", all_rows=True, purpose="extract", object="Contact")
        first = next(pages)
        (kept,) = sessions.values()
        session = read_session(kept)
        assert session is not None
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        form = urlencode({"token": session.access_token})
        revoked = urllib3.request("POST", f"{org_url}/services/oauth2/revoke", body=form, headers=headers)
        assert revoked.status == 200
        assert len(first.records) + sum(len(page.records) for page in pages) == first.total
    (renewed,) = sessions.values()
    assert renewed != kept


def test_a_job_that_was_deleted_is_a_failed_job(org_url: str) -> None:
    """An administrator may delete it while somebody waits for its result; aborting it then does no harm."""
    sessions = Drawer()
    with SalesforceClient(_credentials("client_credentials", org_url), tokens=sessions) as client:
        job = client.bulk_create("SELECT Id FROM Account", object="Account")
        client.bulk_wait(job.id, sleep=time.sleep)
        (kept,) = sessions.values()
        session = read_session(kept)
        assert session is not None
        headers = {"Authorization": f"Bearer {session.access_token}"}
        deleted = urllib3.request("DELETE", f"{org_url}/services/data/v63.0/jobs/query/{job.id}", headers=headers)
        assert deleted.status == 204
        client.bulk_abort(job.id)
        with pytest.raises(JobFailed), client.bulk_results(job.id):
            pass
