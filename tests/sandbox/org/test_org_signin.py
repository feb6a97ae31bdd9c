"""The token endpoint, sessions and their end."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import jwt
import pytest

from include.sandbox.org import credentials
from tests.sandbox.org.conftest import RunningOrg, V, sign_in

DEAD = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
ALWAYS = {"access_token", "instance_url", "id", "token_type"}


def _assertion(**claims: object) -> str:
    filled = {"iss": credentials.CLIENT_ID, "sub": credentials.USERNAME, "aud": "https://login.salesforce.com"}
    return jwt.encode({**filled, **claims}, credentials.JWT_PRIVATE_KEY.read_text(), algorithm="RS256")


def _jwt(url: str, assertion: str) -> httpx.Response:
    return sign_in(url, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=assertion)


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ({}, {"scope", "issued_at", "signature", "api_instance_url"}),
        (
            {"grant_type": "refresh_token", "refresh_token": credentials.REFRESH_TOKEN},
            {"scope", "issued_at", "signature"},
        ),
        (
            {"grant_type": "password", "username": credentials.USERNAME, "password": credentials.PASSWORD},
            {"issued_at", "signature"},
        ),
    ],
)
def test_each_grant_answers_with_its_fields(org: RunningOrg, form: dict[str, str], names: set[str]) -> None:
    """The set of fields differs by grant; there is never an expires_in."""
    answer = sign_in(org.url, **form)
    assert answer.status_code == 200
    assert set(answer.json()) == ALWAYS | names
    assert answer.json()["instance_url"] == org.url
    assert answer.json()["id"].endswith(f"/id/{credentials.ORG_ID}/{credentials.USER_ID}")


def test_a_client_may_sign_in_by_basic_authorization(org: RunningOrg) -> None:
    """Client credentials may come in the header, with only grant_type in the form."""
    answer = httpx.post(
        f"{org.url}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(credentials.CLIENT_ID, credentials.CLIENT_SECRET),
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "expiry",
    [str(int(time.time()) + 180), int(time.time()), int(time.time() * 1000) + 300],
    ids=["text", "this second", "milliseconds"],
)
def test_a_jwt_signs_in_with_the_expiry_that_real_clients_send(org: RunningOrg, expiry: object) -> None:
    """Text, the present second and milliseconds are all taken; no refresh token comes back."""
    answer = _jwt(org.url, _assertion(exp=expiry))
    assert set(answer.json()) == ALWAYS | {"scope"}


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"aud": "https://example.com"}, "invalid_grant", "audience is invalid"),
        ({"sub": "nobody@example.com"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"iss": "other"}, "invalid_client_id", "client identifier invalid"),
    ],
)
def test_a_wrong_jwt_is_refused(org: RunningOrg, claims: dict[str, str], error: str, description: str) -> None:
    """Each wrong claim has its own error."""
    answer = _jwt(org.url, _assertion(**claims))
    assert (answer.status_code, answer.json()) == (400, {"error": error, "error_description": description})


@pytest.mark.parametrize(
    ("form", "error", "description"),
    [
        ({"client_id": "x"}, "invalid_client_id", "client identifier invalid"),
        ({"client_secret": "x"}, "invalid_client", "invalid client credentials"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant", "expired access/refresh token"),
        ({"grant_type": "password", "username": "x", "password": "y"}, "invalid_grant", "authentication failure"),
        ({"grant_type": "device"}, "unsupported_grant_type", "grant type not supported"),
    ],
)
def test_wrong_credentials_are_refused(org: RunningOrg, form: dict[str, str], error: str, description: str) -> None:
    """The body is the OAuth error object, not the REST array."""
    answer = sign_in(org.url, **form)
    assert (answer.status_code, answer.json()) == (400, {"error": error, "error_description": description})


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer nothing"}])
def test_a_call_without_a_session_is_refused_whole(org: RunningOrg, header: dict[str, str]) -> None:
    """401 with the exact body."""
    answer = httpx.get(f"{org.url}{V}/limits", headers=header)
    assert (answer.status_code, answer.json()) == (401, DEAD)


def test_a_session_dies_of_inactivity(start_org: Callable[..., RunningOrg]) -> None:
    """Every call makes it live longer; a long pause ends it."""
    org = start_org(contacts=1, idle_seconds=100)
    org.command("clock", offset=90)
    assert org.http.get(f"{V}/limits").status_code == 200
    org.command("clock", offset=180)
    assert org.http.get(f"{V}/limits").status_code == 200
    org.command("clock", offset=300)
    assert org.http.get(f"{V}/limits").json() == DEAD


def test_sessions_can_be_expired_on_demand(start_org: Callable[..., RunningOrg]) -> None:
    """The control plane ends all sessions; signing in again works."""
    org = start_org(contacts=1)
    assert org.command("expire-sessions")["ended"] == 1
    assert org.http.get(f"{V}/limits").json() == DEAD
    assert sign_in(org.url).status_code == 200


def test_revoking_the_refresh_token_ends_its_sessions(start_org: Callable[..., RunningOrg]) -> None:
    """Its access tokens die with it, and it can't be redeemed again."""
    org = start_org(contacts=1)
    form = {"grant_type": "refresh_token", "refresh_token": credentials.REFRESH_TOKEN}
    token = sign_in(org.url, **form).json()["access_token"]
    answer = httpx.post(f"{org.url}/services/oauth2/revoke", data={"token": credentials.REFRESH_TOKEN})
    assert (answer.status_code, answer.text) == (200, "")
    assert httpx.get(f"{org.url}{V}/limits", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert sign_in(org.url, **form).json()["error"] == "invalid_grant"
    assert org.http.get(f"{V}/limits").status_code == 200, "other sessions go on"


def test_userinfo_names_user_and_org(org: RunningOrg) -> None:
    """What clients read right after signing in."""
    shown = org.http.get("/services/oauth2/userinfo").json()
    assert (shown["user_id"], shown["organization_id"]) == (credentials.USER_ID, credentials.ORG_ID)
