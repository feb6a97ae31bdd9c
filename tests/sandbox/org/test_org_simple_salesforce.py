"""simple-salesforce, unmodified, against the org: only https is turned to http on the way."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from include.sandbox.org import credentials
from tests.sandbox.org.conftest import RunningOrg


class Rewrite(HTTPAdapter):
    """Send every request to one place."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = urlsplit(base)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        url = urlsplit(str(request.url))
        request.url = urlunsplit((self.base.scheme, self.base.netloc, url.path, url.query, ""))
        return super().send(request, **options)


@pytest.fixture(scope="module")
def client(org: RunningOrg) -> Any:
    """Return a client that signed in by client credentials."""
    from simple_salesforce import Salesforce

    session = requests.Session()
    session.mount("https://", Rewrite(org.url))
    return Salesforce(
        consumer_key=credentials.CLIENT_ID,
        consumer_secret=credentials.CLIENT_SECRET,
        domain="headwater.my",
        session=session,
    )


def test_it_signs_in_with_a_jwt(org: RunningOrg) -> None:
    """Its exp is a text."""
    from simple_salesforce import Salesforce

    session = requests.Session()
    session.mount("https://", Rewrite(org.url))
    signed_in = Salesforce(
        username=credentials.USERNAME,
        consumer_key=credentials.CLIENT_ID,
        privatekey_file=str(credentials.JWT_PRIVATE_KEY),
        session=session,
    )
    assert signed_in.query("SELECT COUNT() FROM Contact")["totalSize"] == 400


def test_it_describes(client: Any) -> None:
    """Globally and by object."""
    assert "Contact" in {each["name"] for each in client.describe()["sobjects"]}
    assert len(client.Contact.describe()["fields"]) > 50


def test_it_reads_by_rest(client: Any) -> None:
    """All pages, deleted ones too."""
    assert len(client.query_all("SELECT Id FROM Contact")["records"]) == 400
    assert len(list(client.query_all_iter("SELECT Id FROM Contact", include_deleted=True))) == 400


def test_it_reads_by_bulk(client: Any) -> None:
    """Page by page."""
    pages = list(client.bulk2.Contact.query("SELECT Id, LastName FROM Contact", max_records=150))
    assert [page.count('"003') for page in pages] == [150, 150, 100]


def test_it_writes(client: Any) -> None:
    """Create, get, update, delete; a refusal becomes its exception."""
    from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

    made = client.Lead.create({"LastName": "By client", "Company": "Client Ltd."})
    assert made["success"] is True
    assert client.Lead.update(made["id"], {"Title": "new"}) == 204
    assert client.Lead.get(made["id"])["Title"] == "new"
    assert client.Lead.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        client.Lead.get(made["id"])
    with pytest.raises(SalesforceMalformedRequest):
        client.Lead.create({"LastName": "No company"})


def test_it_knows_its_limits_and_that_it_is_in_a_sandbox(client: Any) -> None:
    """Usage from the header, limits, Organization."""
    assert client.limits()["DailyApiRequests"]["Max"] == 100_000
    assert client.api_usage["api-usage"].total == 100_000
    assert client.is_sandbox() is True


def test_it_signs_in_again_when_its_session_died(org: RunningOrg, client: Any) -> None:
    """401 with INVALID_SESSION_ID makes it ask for a new token."""
    org.command("expire-sessions")
    assert client.query("SELECT COUNT() FROM User")["totalSize"] == 25
