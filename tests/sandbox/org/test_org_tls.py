"""TLS with an authority of the org's own."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509

from include.sandbox.org import credentials
from include.sandbox.org.tls.authority import open_certificate
from include.sandbox.org.tls.hosts import is_salesforce
from tests.sandbox.org.secured import SecuredOrg

FORM = {
    "grant_type": "client_credentials",
    "client_id": credentials.CLIENT_ID,
    "client_secret": credentials.CLIENT_SECRET,
}


def trusting(org: SecuredOrg) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(org.authority))


def test_both_ports_are_one_org(secured_org: SecuredOrg) -> None:
    """A token from the TLS port works at the plain one; answers carry the address that the client used."""
    with httpx.Client(verify=trusting(secured_org)) as client:
        granted = client.post(f"{secured_org.tls_url}/services/oauth2/token", data=FORM).json()
        assert granted["instance_url"] == secured_org.tls_url
        bearer = {"Authorization": f"Bearer {granted['access_token']}"}
        for url in (secured_org.url, secured_org.tls_url):
            found = client.get(f"{url}/services/data/v63.0/query?q=SELECT COUNT() FROM Contact", headers=bearer)
            assert found.json() == {"totalSize": 200, "done": True, "records": []}
    plain = httpx.post(f"{secured_org.url}/services/oauth2/token", data=FORM).json()
    assert plain["instance_url"] == secured_org.url


def test_nobody_who_does_not_trust_the_authority_is_served(secured_org: SecuredOrg) -> None:
    """The machine's own trust store doesn't know it."""
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{secured_org.tls_url}/sandbox/health")


def test_the_strictest_check_accepts_the_chain(secured_org: SecuredOrg) -> None:
    """As Python 3.13 checks by default; the address works as well as the name."""
    context = trusting(secured_org)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    port = urlsplit(secured_org.tls_url).port
    for host in ("localhost", "127.0.0.1"):
        assert httpx.get(f"https://{host}:{port}/sandbox/health", verify=context).status_code == 200


def test_header_names_are_spelt_as_salesforce_spells_them(secured_org: SecuredOrg) -> None:
    """Airbyte's source looks for them letter by letter."""
    for url in (secured_org.url, secured_org.tls_url):
        answer = httpx.get(f"{url}/services/data", verify=trusting(secured_org))
        names = [name.decode() for name, _ in answer.headers.raw]
        assert "Content-Type" in names
        assert "Date" in names


@pytest.mark.parametrize(
    "host",
    [
        "login.salesforce.com", "test.salesforce.com", "headwater.my.salesforce.com", "LOGIN.salesforce.com",
        "acme--dev.sandbox.my.salesforce.com", "na1.salesforce.com",
    ],
)  # fmt: skip
def test_the_certificate_names_salesforces_hosts(host: str, tmp_path: Path) -> None:
    """Those at which clients sign in and read; one name for each label."""
    assert is_salesforce(host)
    files = open_certificate(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.chain, files.key)
    client = ssl.create_default_context(cafile=str(files.authority))
    shake_hands(server, client, host)


@pytest.mark.parametrize(
    "host", ["example.com", "salesforce.com", "login.salesforce.com.example.com", "a.b.salesforce.com"]
)
def test_no_other_host_is_named(host: str, tmp_path: Path) -> None:
    """The certificate is refused for it."""
    assert not is_salesforce(host)
    files = open_certificate(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.chain, files.key)
    client = ssl.create_default_context(cafile=str(files.authority))
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(server, client, host)


def test_the_authority_can_stand_in_for_no_other_host(tmp_path: Path) -> None:
    """Whoever trusts it trusts it for these names alone; the keys are their owner's."""
    files = open_certificate(tmp_path)
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    permitted = [str(each.value) for each in limits.value.permitted_subtrees or ()]
    assert permitted == ["localhost", "salesforce.com", "127.0.0.1/32", "::1/128"]
    for key in (files.key, tmp_path / "ca.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_the_authority_stays_and_the_certificate_is_renewed(tmp_path: Path) -> None:
    """Clients that trust it keep working; a certificate whose key is gone is made anew."""
    first = open_certificate(tmp_path)
    authority, chain = first.authority.read_bytes(), first.chain.read_bytes()
    assert open_certificate(tmp_path).chain.read_bytes() == chain
    first.key.unlink()
    second = open_certificate(tmp_path)
    assert second.authority.read_bytes() == authority
    assert second.chain.read_bytes() != chain
    certificate = x509.load_pem_x509_certificates(second.chain.read_bytes())[0]
    assert certificate.not_valid_after_utc - datetime.now(tz=UTC) < timedelta(days=398)


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> None:
    """Do a handshake in memory."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(down, up, server_hostname=host)
    answering = server.wrap_bio(up, down, server_side=True)
    for _ in range(4):
        for side in (asking, answering):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert asking.version() == "TLSv1.3"
