"""Signing in: five kinds of credentials, and a refusal that names the key of the connection to mend."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from include.errors import AuthError, RateLimited, ServerFault, Unreachable
from include.salesforce.auth import (
    Credentials,
    Session,
    long_id,
    read_session,
    session_key,
    sign_in,
    write_session,
)
from include.salesforce.transport import Transport

TOKEN = "/services/oauth2/token"
SOAP = "/services/Soap/u/49.0"


@pytest.fixture
def transport(slept: list[float]) -> Transport:
    return Transport(sleep=slept.append)


@pytest.fixture(scope="module")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _form(org: Any) -> dict[str, str]:
    return dict(parse_qsl(org.asked[-1].body.decode()))


def test_client_credentials_become_a_session(org: Any, credentials: Credentials, transport: Transport) -> None:
    """Whose org and user stand in the id URL."""
    assert sign_in(credentials, transport) == Session(
        access_token="00D000000000001!token1",
        instance_url=org.url,
        org_id="00D000000000001EAA",
        user_id="005000000000001AAA",
    )
    assert _form(org) == {"grant_type": "client_credentials", "client_id": "app", "client_secret": "app-secret"}


def test_a_refresh_token_becomes_a_session(org: Any, transport: Transport) -> None:
    """The client secret goes along when there is one."""
    sign_in(Credentials(kind="refresh_token", login_url=org.url, client_id="app", refresh_token="r1"), transport)
    assert _form(org) == {"grant_type": "refresh_token", "client_id": "app", "refresh_token": "r1"}


def test_a_rotated_refresh_token_is_kept_in_the_session(org: Any, answer: Any, transport: Transport) -> None:
    """The old one is dead."""
    org.answer(
        "POST",
        TOKEN,
        answer(json={"access_token": "t", "instance_url": org.url, "id": "x/id/00D/005", "refresh_token": "r2"}),
    )
    credentials = Credentials(kind="refresh_token", login_url=org.url, client_id="app", refresh_token="r1")
    session = sign_in(credentials, transport)
    assert session.refresh_token == "r2"
    sign_in(credentials, transport, rotated=session.refresh_token)
    assert _form(org)["refresh_token"] == "r2"


def test_a_password_is_followed_by_the_security_token(org: Any, transport: Transport) -> None:
    """As Salesforce wants it."""
    sign_in(
        Credentials(
            kind="password",
            login_url=org.url,
            client_id="app",
            client_secret="s",
            username="u@x.example",
            password="pass",
            security_token="TOKEN",
        ),
        transport,
    )
    assert _form(org)["password"] == "passTOKEN"


def test_a_jwt_assertion_is_signed_by_the_private_key(
    org: Any, transport: Transport, private_key: rsa.RSAPrivateKey
) -> None:
    """RS256, good for three minutes, for this login host."""
    pem = _pem(private_key)
    now = datetime.now(UTC)
    sign_in(
        Credentials(
            kind="jwt_bearer", login_url=org.url + "/", client_id="app", username="u@x.example", private_key=pem
        ),
        transport,
        now=now,
    )
    claims = jwt.decode(_form(org)["assertion"], private_key.public_key(), algorithms=["RS256"], audience=org.url)
    assert claims == {"iss": "app", "sub": "u@x.example", "aud": org.url, "exp": int(now.timestamp()) + 180}


def test_a_broken_private_key_names_its_key(org: Any, transport: Transport) -> None:
    """Without showing it."""
    credentials = Credentials(
        kind="jwt_bearer", login_url=org.url, client_id="app", username="u@x.example", private_key="half a key"
    )
    with pytest.raises(AuthError, match="private_key") as caught:
        sign_in(credentials, transport)
    assert "half a key" not in str(caught.value)


def test_a_given_session_needs_no_request(org: Any, transport: Transport) -> None:
    """The org's Id is the beginning of its tokens."""
    credentials = Credentials(kind="session", access_token="00D000000000001!abc", instance_url=org.url)
    assert sign_in(credentials, transport).org_id == "00D000000000001EAA"
    assert org.asked == []


def test_a_given_token_of_another_make_is_looked_up(org: Any, answer: Any, transport: Transport) -> None:
    """Tokens in JWT form do not show the org."""
    org.answer("GET", "/services/oauth2/userinfo", answer(json={"organization_id": "00D000000000001EAA"}))
    session = sign_in(Credentials(kind="session", access_token="eyJ0.x.y", instance_url=org.url), transport)
    assert session.org_id == "00D000000000001EAA"


def test_a_connection_without_an_app_signs_in_by_soap(org: Any, answer: Any, transport: Transport) -> None:
    """Username, password and token are enough, as for the provider's hook."""
    org.answer(
        "POST",
        SOAP,
        answer(
            body=f"<e><serverUrl>{org.url}/services/Soap/u/49.0/00D</serverUrl><sessionId>00D!s&amp;t</sessionId>"
            "<userId>005000000000001AAA</userId><organizationId>00D000000000001EAA</organizationId></e>".encode(),
            headers={"Content-Type": "text/xml"},
        ),
    )
    session = sign_in(
        Credentials(kind="password", login_url=org.url, username="u&v@x.example", password="p<w", security_token="T"),
        transport,
    )
    assert session == Session(
        access_token="00D!s&t", instance_url=org.url, org_id="00D000000000001EAA", user_id="005000000000001AAA"
    )
    assert b"<n1:username>u&amp;v@x.example</n1:username><n1:password>p&lt;wT</n1:password>" in org.asked[-1].body


def test_a_soap_fault_says_what_to_mend(org: Any, answer: Any, transport: Transport) -> None:
    """Without the user's name."""
    fault = b"<x><detail><sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode></detail></x>"
    org.answer("POST", SOAP, answer(status=500, body=fault, headers={"Content-Type": "text/xml"}))
    credentials = Credentials(kind="password", login_url=org.url, username="u@x.example", password="p")
    with pytest.raises(AuthError, match=r"INVALID_LOGIN: mend Username, Password or security_token") as caught:
        sign_in(credentials, transport)
    assert "u@x.example" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "description", "kind", "mend"),
    [
        ("invalid_client_id", "client identifier invalid", "client_credentials", "mend consumer_key"),
        ("invalid_client", "invalid client credentials", "client_credentials", "mend consumer_secret"),
        ("invalid_grant", "expired access/refresh token", "refresh_token", "refresh_token has expired or was revoked"),
        ("invalid_grant", "authentication failure", "password", "mend Username, Password or security_token"),
        ("invalid_grant", "no client credentials user enabled", "client_credentials", "run as"),
        ("invalid_grant", "user hasn't approved this consumer", "jwt_bearer", "pre-authorise"),
        ("invalid_grant", "audience is invalid", "jwt_bearer", "mend login_url"),
        ("invalid_grant", "invalid assertion", "jwt_bearer", "mend Username, consumer_key or private_key"),
        ("unsupported_grant_type", "grant type not supported", "password", "switched off"),
        ("inactive_user", "", "jwt_bearer", "reactivate"),
        ("inactive_org", "", "jwt_bearer", "locked"),
        ("invalid_app_access", "", "jwt_bearer", "assign"),
        ("invalid_request", "", "client_credentials", "consumer_secret"),
    ],
)
def test_a_refused_sign_in_says_what_to_mend(
    org: Any,
    answer: Any,
    transport: Transport,
    private_key: rsa.RSAPrivateKey,
    error: str,
    description: str,
    kind: Any,
    mend: str,
) -> None:
    """For every documented OAuth error."""
    org.answer("POST", TOKEN, answer(status=400, json={"error": error, "error_description": description}))
    credentials = Credentials(
        kind=kind,
        login_url=org.url,
        client_id="app",
        client_secret="hush",
        refresh_token="hush",
        username="u@x.example",
        password="hush",
        private_key=_pem(private_key),
    )
    with pytest.raises(AuthError, match=mend) as caught:
        sign_in(credentials, transport)
    assert error in str(caught.value)
    assert "hush" not in str(caught.value)


def test_too_many_sign_ins_can_be_tried_again(
    org: Any, answer: Any, credentials: Credentials, transport: Transport
) -> None:
    """Login rate is limited by hour."""
    org.answer("POST", TOKEN, answer(status=400, json={"error": "rate_limit_exceeded"}))
    with pytest.raises(RateLimited):
        sign_in(credentials, transport)


def test_a_fault_of_the_login_host_can_be_tried_again(
    org: Any, answer: Any, credentials: Credentials, transport: Transport
) -> None:
    """After the short repeats."""
    org.answer("POST", TOKEN, answer(status=503))
    with pytest.raises(ServerFault):
        sign_in(credentials, transport)
    assert len(org.asked) == 4


def test_a_refresh_token_is_sent_once_only(org: Any, answer: Any, transport: Transport) -> None:
    """A rotating token used twice would revoke the whole grant."""
    org.answer("POST", TOKEN, answer(status=503))
    with pytest.raises(ServerFault):
        sign_in(Credentials(kind="refresh_token", login_url=org.url, client_id="a", refresh_token="r"), transport)
    assert len(org.asked) == 1


def test_a_host_that_is_no_salesforce_is_said_to_be_none(
    org: Any, answer: Any, credentials: Credentials, transport: Transport
) -> None:
    """A page in place of a token."""
    org.answer("POST", TOKEN, answer(body=b"<html>Welcome</html>", headers={"Content-Type": "text/html"}))
    with pytest.raises(AuthError, match="no Salesforce at this address"):
        sign_in(credentials, transport)


def test_a_page_in_place_of_a_token_passes_where_a_salesforce_stands(
    org: Any, answer: Any, credentials: Credentials, transport: Transport
) -> None:
    """Proxies say with status 200 that the org is in maintenance: no reason to wake anybody."""
    org.answer("POST", TOKEN, answer(body=b"<html>Maintenance</html>", headers={"Content-Type": "text/html"}))
    org.answer("GET", "/services/data", answer(body=b'[{"version": "63.0", "url": "/services/data/v63.0"}]'))
    with pytest.raises(ServerFault, match="a page instead of a token"):
        sign_in(credentials, transport)


def test_where_nobody_listens_is_unreachable_at_once(transport: Transport, slept: list[float]) -> None:
    """One quick second try, no more."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    credentials = Credentials(
        kind="client_credentials", login_url=f"http://127.0.0.1:{port}", client_id="a", client_secret="s"
    )
    with pytest.raises(Unreachable, match=f"nobody answers at 127.0.0.1:{port}; mend host and port"):
        sign_in(credentials, transport)
    assert slept == [0.2]


def test_an_unknown_host_is_unreachable(transport: Transport) -> None:
    """Names ending in .invalid never resolve."""
    credentials = Credentials(
        kind="client_credentials", login_url="https://acme.invalid", client_id="a", client_secret="s"
    )
    with pytest.raises(Unreachable, match=r"acme\.invalid"):
        sign_in(credentials, transport)


@pytest.mark.parametrize("url", ["", "acme.my.salesforce.com", "ftp://x"])
def test_a_login_url_that_is_none_is_said_to_be_none(transport: Transport, url: str) -> None:
    """Before anything is sent."""
    with pytest.raises(AuthError, match="login_url"):
        sign_in(Credentials(kind="client_credentials", login_url=url, client_id="a", client_secret="s"), transport)


def test_a_missing_key_is_named_as_it_is_written_in_the_connection(org: Any, transport: Transport) -> None:
    """The person reads the connection, not our code."""
    with pytest.raises(AuthError, match="consumer_secret is missing"):
        sign_in(Credentials(kind="client_credentials", login_url=org.url, client_id="a"), transport)


def test_secrets_do_not_show(credentials: Credentials) -> None:
    """In a repr, which ends up in tracebacks."""
    secretive = replace(credentials, password="hush", refresh_token="hush", private_key="hush", access_token="hush")
    assert "hush" not in repr(secretive)
    assert "app-secret" not in repr(secretive)
    assert "hush" not in repr(
        Session(access_token="hush", instance_url="", org_id="", user_id="", refresh_token="hush")
    )


def test_the_key_of_a_session_changes_with_the_secret_and_shows_none(credentials: Credentials) -> None:
    """A mended connection does not meet the session of its broken self."""
    key = session_key(credentials)
    assert key == session_key(replace(credentials))
    assert key != session_key(replace(credentials, client_secret="other"))
    assert key != session_key(replace(credentials, username="other"))
    assert "app-secret" not in key


def test_a_session_comes_back_from_its_text() -> None:
    """And a text of another make is no session."""
    session = Session(access_token="a", instance_url="b", org_id="c", user_id="d", refresh_token="e")
    assert read_session(write_session(session)) == session
    assert [read_session(text) for text in (None, "", "no json", '{"other": 1}', "[]")] == [None] * 5


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("001RM000003oLnn", "001RM000003oLnnYAE"),
        ("0015500001QdQWa", "0015500001QdQWaAAN"),
        ("750R0000000zlh9", "750R0000000zlh9IAA"),
        ("012000000000000", "012000000000000AAA"),
        ("012000000000000AAA", "012000000000000AAA"),
    ],
)
def test_a_short_id_is_completed(short: str, long: str) -> None:
    """By real pairs."""
    assert long_id(short) == long
