"""simple-salesforce, unmodified, against the org at Salesforce's own host names."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.sandbox.org import credentials
from tests.sandbox.org.secured import SecuredOrg

USER = {"username": credentials.USERNAME, "password": credentials.PASSWORD}
KEY = {"consumer_key": credentials.CLIENT_ID}
BOTH = {**KEY, "consumer_secret": credentials.CLIENT_SECRET}
WAYS: dict[str, dict[str, str]] = {
    "SOAP": {**USER, "security_token": credentials.SECURITY_TOKEN},
    "SOAP in a sandbox": {**USER, "security_token": credentials.SECURITY_TOKEN, "domain": "test"},
    "password": {**USER, **BOTH},
    "JWT": {**KEY, "username": credentials.USERNAME, "privatekey_file": str(credentials.JWT_PRIVATE_KEY)},
    "client credentials": {**BOTH, "domain": "headwater.my"},
}


@pytest.fixture(autouse=True)
def _surroundings(secured_org: SecuredOrg, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in secured_org.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def client() -> Any:
    from simple_salesforce import Salesforce

    return Salesforce(**WAYS["SOAP"])


@pytest.fixture
def contact(client: Any) -> Iterator[str]:
    """Yield a contact's Id, and take the contact away."""
    made = client.Contact.create({"LastName": "By client"})["id"]
    yield made
    client.Contact.delete(made)


@pytest.mark.parametrize("way", WAYS)
def test_it_signs_in(way: str) -> None:
    """By each of its ways; afterwards it speaks to the org's own host."""
    from simple_salesforce import Salesforce

    signed_in = Salesforce(**WAYS[way])
    assert signed_in.sf_instance == "headwater.my.salesforce.com"
    assert signed_in.query("SELECT COUNT() FROM Contact")["totalSize"] == 200


def test_it_takes_a_session_to_the_tls_port(secured_org: SecuredOrg, client: Any) -> None:
    """Without a proxy, by name and port."""
    from simple_salesforce import Salesforce

    direct = Salesforce(session_id=client.session_id, instance_url=secured_org.tls_url)
    assert direct.query("SELECT COUNT() FROM Contact")["totalSize"] == 200


def test_a_wrong_password_is_its_own_exception() -> None:
    """It reads code and message from the fault, letter by letter."""
    from simple_salesforce import Salesforce
    from simple_salesforce.exceptions import SalesforceAuthenticationFailed

    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        Salesforce(username=credentials.USERNAME, password="wrong", security_token="wrong")
    assert refused.value.code == "INVALID_LOGIN"
    said = "Invalid username, password, security token; or user locked out."
    assert str(refused.value) == f"Authentication failed (code: INVALID_LOGIN): {said}"


def test_it_describes(client: Any) -> None:
    """Globally and by object."""
    assert "Contact" in {each["name"] for each in client.describe()["sobjects"]}
    assert len(client.Contact.describe()["fields"]) > 50


def test_all_its_ways_to_read_give_the_same_values(client: Any) -> None:
    """REST in pages, Bulk 1.0 in JSON, Bulk 2.0 in CSV."""
    soql = "SELECT Id, LastName, Email, MailingStreet, Description FROM Contact"
    rest = [{**row, "attributes": None} for row in client.query_all_iter(soql)]
    classic = [{**row, "attributes": None} for row in client.bulk.Contact.query(soql, wait=1)]
    pages = list(client.bulk2.Contact.query(soql, max_records=150, wait=1))
    lines = [row for page in pages for row in csv.DictReader(io.StringIO(page, newline=""))]
    assert len(pages) == 2
    assert len(rest) == 200
    assert by_id(rest) == by_id(classic)
    assert by_id([{name: value or "" for name, value in row.items() if name != "attributes"} for row in rest]) == by_id(
        lines
    )


def by_id(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["Id"]: row for row in rows}


def test_it_writes(client: Any) -> None:
    """Create, get, update, upsert, delete; a refusal becomes its exception."""
    from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

    made = client.Lead.create({"LastName": "By client", "Company": "Client Ltd."})
    assert made["success"] is True
    assert client.Lead.update(made["id"], {"Title": "new"}) == 204
    assert client.Lead.get(made["id"])["Title"] == "new"
    assert client.Lead.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        client.Lead.get(made["id"])
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.Lead.create({"LastName": "No company"})
    assert refused.value.content == [
        {
            "message": "Required fields are missing: [Company]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": ["Company"],
        }
    ]


def test_it_writes_by_bulk(client: Any) -> None:
    """Insert, update and delete by Bulk 2.0, with the files of what came of each row."""
    made = [{"LastName": f"By bulk {n}", "Email": f"by.bulk.{n}@example.com"} for n in range(3)]
    (inserted,) = client.bulk2.Contact.insert(records=made, wait=1)
    assert (inserted["numberRecordsProcessed"], inserted["numberRecordsFailed"]) == (3, 0)
    told = client.bulk2.Contact.get_successful_records(inserted["job_id"])
    ids = [row["sf__Id"] for row in csv.DictReader(io.StringIO(told))]
    assert len(ids) == 3
    (deleted,) = client.bulk2.Contact.delete(records=[{"Id": each} for each in ids], wait=1)
    assert (deleted["numberRecordsProcessed"], deleted["numberRecordsFailed"]) == (3, 0)


def test_it_hears_what_changed_and_what_went(secured_org: SecuredOrg, client: Any, contact: str) -> None:
    """updated() and deleted() of a window; what is gone stays visible to queryAll."""
    gone = client.Contact.create({"LastName": "Soon gone"})["id"]
    client.Contact.delete(gone)
    now = datetime.now(tz=UTC)
    window = (now - timedelta(minutes=10), now + timedelta(minutes=2))
    assert contact in client.Contact.updated(*window)["ids"]
    assert gone in {each["id"] for each in client.Contact.deleted(*window)["deletedRecords"]}
    found = client.query_all(f"SELECT Id, IsDeleted FROM Contact WHERE Id = '{gone}'", include_deleted=True)
    assert [row["IsDeleted"] for row in found["records"]] == [True]


def test_it_knows_its_limits_and_that_it_is_in_a_sandbox(client: Any) -> None:
    """Usage from the header, limits, Organization."""
    assert client.limits()["DailyApiRequests"]["Max"] == 100_000
    assert client.api_usage["api-usage"].total == 100_000
    assert client.is_sandbox() is True


def test_a_query_that_is_wrong_is_told_where(client: Any) -> None:
    """Row, column and caret."""
    from simple_salesforce.exceptions import SalesforceMalformedRequest

    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.query("SELECT Nonsense FROM Contact")
    (error,) = refused.value.content
    assert error["errorCode"] == "INVALID_FIELD"
    assert error["message"].startswith("\nSELECT Nonsense FROM Contact\n       ^\nERROR at Row:1:Column:8\n")


def test_it_signs_in_again_when_its_session_died(secured_org: SecuredOrg, client: Any) -> None:
    """401 with INVALID_SESSION_ID makes it ask for a new token."""
    secured_org.command("expire-sessions")
    assert client.query("SELECT COUNT() FROM User")["totalSize"] > 0
