"""What a turn at signing in adds: a new app is waited for, a lost token is named, a right address is not blamed."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from include.errors import AppUnknown, AuthError, RetryableError, ServerFault
from include.salesforce.auth import Credentials, sign_in
from include.salesforce.client import SalesforceClient
from include.salesforce.transport import Transport
from tests.salesforce.drawer import Drawer

TOKEN = "/services/oauth2/token"
SOAP = "/services/Soap/u/49.0"
UNKNOWN = {"error": "invalid_client_id", "error_description": "client identifier invalid"}


def fault(answer: Any, code: str) -> Any:
    body = f"<x><detail><sf:exceptionCode>{code}</sf:exceptionCode></detail></x>".encode()
    return answer(status=500, body=body, headers={"Content-Type": "text/xml"})


def password(org: Any) -> Credentials:
    return Credentials(kind="password", login_url=org.url, username="u@x.example", password="hush")


def test_an_app_in_its_first_ten_minutes_is_waited_for(org: Any, answer: Any, credentials: Credentials) -> None:
    """The org says of it what it says of a wrong key, so the time decides."""
    org.answer("POST", TOKEN, answer(status=400, json=UNKNOWN))
    drawer = Drawer()
    with SalesforceClient(credentials, tokens=drawer) as client:
        with pytest.raises(
            AppUnknown, match=r"tried again until \d\d:\d\d UTC. If it is not new, mend consumer_key"
        ) as at:
            client.identity()
        assert at.value.retry_after_seconds == 200.0
        drawer.refused_ago = timedelta(minutes=9, seconds=30)
        with pytest.raises(AppUnknown) as late:
            client.identity()
        assert late.value.retry_after_seconds == pytest.approx(30)
        drawer.refused_ago = timedelta(minutes=10)
        with pytest.raises(AuthError, match="mend consumer_key"):
            client.identity()
    assert drawer.notes == ["refused"] * 3


def test_an_app_that_was_known_before_is_not_new(org: Any, answer: Any, credentials: Credentials) -> None:
    """It was deleted, or the connection changed: waiting would not help."""
    drawer = Drawer()
    with SalesforceClient(credentials, tokens=drawer) as client:
        client.identity()
        org.answer("POST", TOKEN, answer(status=400, json=UNKNOWN))
        org.answer("GET", "/services/data/v63.0/limits", answer(status=401, json=[]))
        with pytest.raises(AuthError, match="mend consumer_key"):
            client.limits()


def test_a_refresh_whose_answer_broke_off_leaves_its_note(org: Any, answer: Any) -> None:
    """The org may have spent the token; a refusal for being too busy says that it did not."""
    drawer = Drawer()
    refresh = Credentials(kind="refresh_token", login_url=org.url, client_id="app", refresh_token="r1")
    org.answer("POST", TOKEN, answer(status=503), answer(status=400, json={"error": "rate_limit_exceeded"}))
    with SalesforceClient(refresh, tokens=drawer) as client:
        with pytest.raises(ServerFault):
            client.identity()
        assert drawer.notes == ["sending"]
        with pytest.raises(RetryableError):
            client.identity()
        assert drawer.notes == ["sending", "sending", "unspent"]


def test_a_session_that_another_task_stored_is_tried_before_signing_in(
    org: Any, answer: Any, credentials: Credentials
) -> None:
    """And when that one has ended as well, a fresh one follows."""
    lost, fine = answer(status=401, json=[]), answer(json={})
    drawer = Drawer()
    with SalesforceClient(credentials, tokens=drawer) as slow, SalesforceClient(credentials, tokens=drawer) as quick:
        slow.identity()
        org.answer("GET", "/services/data/v63.0/limits", lost, fine)
        quick.limits()
        org.answer("GET", "/services/data/v63.0/limits", lost, lost, fine)
        slow.limits()
    assert org.tokens_given == 3


def test_a_salesforce_that_offers_no_soap_is_not_called_none(org: Any, answer: Any) -> None:
    """Its address is right; what is missing is a connected app."""
    org.answer("GET", "/services/data", answer(json=[{"version": "64.0"}]))
    with pytest.raises(AuthError, match="offers no SOAP login") as caught:
        sign_in(password(org), Transport())
    assert "login_url" not in str(caught.value)


def test_a_host_without_soap_and_versions_is_no_salesforce(org: Any) -> None:
    """Then login_url is to be mended."""
    with pytest.raises(AuthError, match="mend login_url"):
        sign_in(password(org), Transport())


def test_a_salesforce_that_answers_no_token_is_not_called_none(org: Any, answer: Any, credentials: Credentials) -> None:
    """A proxy or a policy refuses."""
    org.answer("GET", "/services/data", answer(json=[{"version": "64.0"}]))
    org.answer("POST", TOKEN, answer(status=403, body=b"<html>"))
    with pytest.raises(AuthError, match="login_url is right"):
        sign_in(credentials, Transport())


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("INVALID_OPERATION", "offers no SOAP login"),
        ("LOGIN_MUST_USE_SECURITY_TOKEN", "put the security_token"),
        ("PASSWORD_LOCKOUT", "locked out"),
        ("SOMETHING_NEW", "mend Username, Password or security_token"),
    ],
)
def test_each_soap_refusal_says_what_to_do(org: Any, answer: Any, code: str, says: str) -> None:
    """None of them blames the address."""
    org.answer("POST", SOAP, fault(answer, code))
    with pytest.raises(AuthError, match=says) as caught:
        sign_in(password(org), Transport())
    assert "login_url" not in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(("client_id", "date"), [("", "June 2027"), ("app", "20 February 2027")])
def test_a_password_warns_of_its_end(
    org: Any, answer: Any, caplog: pytest.LogCaptureFixture, client_id: str, date: str
) -> None:
    """With the date, and what to use instead; it works until then."""
    session = "<sessionId>00D!s</sessionId><organizationId>00D000000000001EAA</organizationId>"
    soap = f"<serverUrl>{org.url}/x</serverUrl>{session}"
    org.answer("POST", SOAP, answer(body=soap.encode()))
    credentials = Credentials(
        kind="password", login_url=org.url, client_id=client_id, username="u@x.example", password="hush"
    )
    with caplog.at_level(logging.WARNING), SalesforceClient(credentials) as client:
        client.identity()
    assert date in caplog.text
    assert "docs/connections.md" in caplog.text
    assert "hush" not in caplog.text
