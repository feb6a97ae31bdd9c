"""The proxy that leads Salesforce's host names to the org."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

import httpx
import pytest

from include.sandbox.org import credentials
from include.sandbox.org.tls.proxy import refusal_of
from tests.sandbox.org.secured import SecuredOrg


def through(org: SecuredOrg) -> httpx.Client:
    return httpx.Client(proxy=org.proxy, verify=ssl.create_default_context(cafile=str(org.authority)))


def said(org: SecuredOrg, *pieces: bytes) -> bytes:
    """Return all that the proxy says to some bytes."""
    address = urlsplit(org.proxy)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10) as connection:
        for piece in pieces:
            connection.sendall(piece)
        answer = b""
        while more := connection.recv(65536):
            answer += more
    return answer


def test_who_signs_in_where_all_do_is_sent_to_the_orgs_own_host(secured_org: SecuredOrg) -> None:
    """As Salesforce does; the My Domain answers then, and the token is good there."""
    form = {
        "grant_type": "refresh_token", "client_id": credentials.CLIENT_ID, "client_secret": credentials.CLIENT_SECRET,
        "refresh_token": credentials.REFRESH_TOKEN,
    }  # fmt: skip
    with through(secured_org) as client:
        for host in ("login.salesforce.com", "test.salesforce.com"):
            granted = client.post(f"https://{host}/services/oauth2/token", data=form).json()
            assert granted["instance_url"] == "https://headwater.my.salesforce.com"
        bearer = {"Authorization": f"Bearer {granted['access_token']}"}
        path = "/services/data/v63.0/query?q=SELECT COUNT() FROM Contact"
        assert client.get(granted["instance_url"] + path, headers=bearer).json()["totalSize"] == 200


def test_any_my_domain_is_the_org_and_stays_in_its_answers(secured_org: SecuredOrg) -> None:
    """Scheme and host as the client wrote them."""
    form = {
        "grant_type": "client_credentials", "client_id": credentials.CLIENT_ID,
        "client_secret": credentials.CLIENT_SECRET,
    }  # fmt: skip
    with through(secured_org) as client:
        granted = client.post("https://acme.my.salesforce.com/services/oauth2/token", data=form).json()
    assert granted["instance_url"] == "https://acme.my.salesforce.com"


def test_a_large_answer_comes_through_whole(secured_org: SecuredOrg) -> None:
    """More than any buffer holds."""
    form = {
        "grant_type": "client_credentials", "client_id": credentials.CLIENT_ID,
        "client_secret": credentials.CLIENT_SECRET,
    }  # fmt: skip
    path = "/services/data/v63.0/sobjects/Contact/describe"
    with through(secured_org) as client:
        token = client.post("https://x.my.salesforce.com/services/oauth2/token", data=form).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        far = client.get(f"https://x.my.salesforce.com{path}", headers=bearer)
    near = httpx.get(f"{secured_org.url}{path}", headers=bearer)
    assert len(far.content) > 50_000
    assert far.json()["fields"] == near.json()["fields"]


@pytest.mark.parametrize(
    "target",
    ["example.com:443", "login.salesforce.com:22", "salesforce.com.example.com:443", "127.0.0.1:22", "[::1]:443"],
)
def test_it_leads_nowhere_else(secured_org: SecuredOrg, target: str) -> None:
    """It is no open proxy."""
    head, _, body = said(secured_org, f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()).partition(
        b"\r\n\r\n"
    )
    assert head.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert body.decode() == (
        f"The sandbox org's proxy leads to Salesforce's hosts alone, on port 443; {target} is none of them.\n"
    )


def test_plain_http_is_refused(secured_org: SecuredOrg) -> None:
    """Even to a host of Salesforce's."""
    with httpx.Client(proxy=secured_org.proxy) as client:
        refused = client.get("http://login.salesforce.com/services/data")
    assert refused.status_code == 403
    assert refused.text == (
        "The sandbox org's proxy takes CONNECT alone: use it for https, and plain http without a proxy.\n"
    )


def test_nonsense_is_refused(secured_org: SecuredOrg) -> None:
    """And does no harm to those who come later."""
    assert said(secured_org, b"\x16\x03\x01\x02\x00 no request\r\n\r\n").startswith(b"HTTP/1.1 400 Bad Request")
    assert said(secured_org, b"CONNECT " + b"x" * 40_000 + b"\r\n\r\n")[:12] in (b"HTTP/1.1 400", b"")
    with through(secured_org) as client:
        assert client.get("https://login.salesforce.com/services/data").status_code == 200


def test_a_request_that_arrives_in_pieces_is_one_request(secured_org: SecuredOrg) -> None:
    """TCP keeps no borders."""
    answer = said(secured_org, b"CONNECT exam", b"ple.com:443 HT", b"TP/1.1\r\n", b"\r\n")
    assert answer.startswith(b"HTTP/1.1 403")


def test_the_line_of_a_request_decides() -> None:
    """Nothing behind it is looked at."""
    assert refusal_of("CONNECT login.salesforce.com:443 HTTP/1.1") is None
    assert refusal_of("CONNECT LOGIN.SALESFORCE.COM:443 HTTP/1.0") is None
    for line in ("GET / HTTP/1.1", "CONNECT login.salesforce.com HTTP/1.1", "CONNECT :443 HTTP/1.1", "CONNECT", ""):
        assert refusal_of(line) is not None
