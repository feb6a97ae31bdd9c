"""How sessions and grants live and end: inactivity, revoke, rotation, introspection, a restart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from include.sandbox.org import credentials
from include.sandbox.org.generator.run import generate
from include.sandbox.org.grants import Approval
from include.sandbox.org.org import Org, open_org
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.store.database import Database
from tests.sandbox.org.conftest import RunningOrg, V, sign_in

DEAD = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
GONE = {"error": "invalid_grant", "error_description": "expired access/refresh token"}
CLIENT = {"client_id": credentials.CLIENT_ID, "client_secret": credentials.CLIENT_SECRET}
FIXED = {"grant_type": "refresh_token", "refresh_token": credentials.REFRESH_TOKEN}


def _alive(url: str, token: str) -> bool:
    answer = httpx.get(f"{url}{V}/limits", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code == 200


def _introspect(url: str, token: str, **form: str) -> httpx.Response:
    return httpx.post(f"{url}/services/oauth2/introspect", data={"token": token, **CLIENT, **form})


@pytest.fixture
def own(start_org: Callable[..., RunningOrg]) -> RunningOrg:
    """Return an org of the test's own."""
    return start_org(contacts=1)


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


def test_how_long_a_session_lives_can_be_changed(own: RunningOrg) -> None:
    """The control plane sets it, and shows how many are signed in."""
    assert own.command("signin", idle_seconds=50) == {
        "rotate": False,
        "idle_seconds": 50.0,
        "sessions": 1,
        "grants": 1,
        "redirect_uris": [],
    }
    own.command("clock", offset=60)
    assert own.http.get(f"{V}/limits").json() == DEAD
    assert own.http.get("/sandbox/signin").json()["sessions"] == 0


def test_sessions_can_be_expired_on_demand(own: RunningOrg) -> None:
    """The control plane ends all sessions; signing in again works."""
    assert own.command("expire-sessions")["ended"] == 1
    assert own.http.get(f"{V}/limits").json() == DEAD
    assert sign_in(own.url).status_code == 200


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_revoking_an_access_token_ends_that_session_alone(org: RunningOrg, method: str) -> None:
    """By form or by address; the answer is empty."""
    token, other = (sign_in(org.url, **FIXED).json()["access_token"] for _ in range(2))
    place = {"data": {"token": token}} if method == "POST" else {"params": {"token": token}}
    sent: Any = place
    answer = httpx.request(method, f"{org.url}/services/oauth2/revoke", **sent)
    assert (answer.status_code, answer.text) == (200, "")
    assert (_alive(org.url, token), _alive(org.url, other)) == (False, True)


def test_revoking_the_refresh_token_ends_its_sessions(own: RunningOrg) -> None:
    """Its access tokens die with it, and it can't be redeemed again until it is forgiven."""
    token = sign_in(own.url, **FIXED).json()["access_token"]
    answer = httpx.post(f"{own.url}/services/oauth2/revoke", data={"token": credentials.REFRESH_TOKEN})
    assert (answer.status_code, answer.text) == (200, "")
    assert not _alive(own.url, token)
    assert sign_in(own.url, **FIXED).json() == GONE
    assert own.http.get(f"{V}/limits").status_code == 200, "other sessions go on"
    own.command("expire-sessions", forgive=True)
    assert sign_in(own.url, **FIXED).status_code == 200


def test_revoking_what_is_no_token_is_refused(org: RunningOrg) -> None:
    """As JSON, or to a script in a browser."""
    answer = httpx.post(f"{org.url}/services/oauth2/revoke", data={"token": "nothing"})
    refused = {"error": "invalid_token", "error_description": "invalid token"}
    assert (answer.status_code, answer.json()) == (400, refused)
    script = httpx.get(f"{org.url}/services/oauth2/revoke", params={"token": "nothing", "callback": "done"})
    assert script.text == 'done({"error":"invalid_token"});'


def test_a_refresh_token_can_be_redeemed_again_and_again(org: RunningOrg) -> None:
    """Without rotation it is reusable, and absent from the answer."""
    first, second = (sign_in(org.url, **FIXED).json() for _ in range(2))
    assert "refresh_token" not in first
    assert first["access_token"] != second["access_token"]


def test_with_rotation_each_redemption_brings_a_new_refresh_token(start_org: Callable[..., RunningOrg]) -> None:
    """The new one works once, and so on."""
    org = start_org(contacts=1, rotate=True)
    token = credentials.REFRESH_TOKEN
    for _ in range(3):
        given = sign_in(org.url, grant_type="refresh_token", refresh_token=token).json()
        assert given["refresh_token"] != token
        token = given["refresh_token"]


def test_a_rotated_refresh_token_that_comes_back_ends_the_whole_grant(own: RunningOrg) -> None:
    """Old and new token and all sessions die; other grants go on."""
    own.command("signin", rotate=True)
    given = sign_in(own.url, **FIXED).json()
    assert sign_in(own.url, **FIXED).json() == GONE
    assert not _alive(own.url, given["access_token"])
    assert sign_in(own.url, grant_type="refresh_token", refresh_token=given["refresh_token"]).json() == GONE
    assert own.http.get(f"{V}/limits").status_code == 200


def test_introspection_tells_of_a_live_access_token(own: RunningOrg) -> None:
    """Asserted whole; its end moves with its use."""
    token = sign_in(own.url, **FIXED).json()["access_token"]
    told = _introspect(own.url, token).json()
    now = int(own.org.clock.epoch())
    assert told["exp"] - told["iat"] == 7200
    assert abs(told["iat"] - now) <= 5
    assert told == {
        "active": True,
        "scope": "api refresh_token id web",
        "client_id": credentials.CLIENT_ID,
        "username": credentials.USERNAME,
        "sub": f"{own.url}/id/{own.org.org_id}/{credentials.USER_ID}",
        "token_type": "access_token",
        "exp": told["exp"],
        "iat": told["iat"],
        "nbf": told["iat"],
    }
    own.command("clock", offset=7000)
    assert _alive(own.url, token)
    assert _introspect(own.url, token).json()["exp"] >= now + 14_000


def test_introspection_tells_of_a_refresh_token(org: RunningOrg) -> None:
    """Which has no end."""
    assert _introspect(org.url, credentials.REFRESH_TOKEN, token_type_hint="refresh_token").json() == {
        "active": True,
        "scope": "api refresh_token id web",
        "client_id": credentials.CLIENT_ID,
        "username": credentials.USERNAME,
        "sub": f"{org.url}/id/{org.org.org_id}/{credentials.USER_ID}",
        "token_type": "refresh_token",
    }


def test_introspection_says_nothing_of_a_dead_token(own: RunningOrg) -> None:
    """Ended, or never there: 200 and not active."""
    token = sign_in(own.url).json()["access_token"]
    own.command("expire-sessions")
    for dead in (token, "nothing"):
        answer = _introspect(own.url, dead)
        assert (answer.status_code, answer.json()) == (200, {"active": False})


def test_introspection_wants_to_know_who_asks(org: RunningOrg) -> None:
    """A client that can't prove itself is refused."""
    answer = _introspect(org.url, "x", client_secret="wrong")
    refused = {"error": "invalid_client", "error_description": "invalid client credentials"}
    assert (answer.status_code, answer.json()) == (400, refused)


def _open(home: Path) -> Org:
    return open_org(home, Database(home / "org.duckdb", Catalogue(), memory="300MB", threads=1), Catalogue())


def test_sign_in_state_survives_a_restart(tmp_path: Path) -> None:
    """Sessions, grants, codes and the tokens that were rotated away; on disk there are hashes alone."""
    database = Database(tmp_path / "org.duckdb", Catalogue(), memory="300MB", threads=1)
    generate(database, Catalogue(), contacts=1, seed=3, today=date(2026, 6, 1), say=lambda _text: None)
    database.close()
    org = _open(tmp_path)
    session = org.sessions.open(credentials.USER_ID, client_id=credentials.CLIENT_ID, scope="api")
    org.grants.rotate = True
    _, spent = org.grants.open(credentials.CLIENT_ID, credentials.USER_ID, "api refresh_token")
    renewed = org.grants.redeem(spent, credentials.CLIENT_ID)
    _, kept = org.grants.open(credentials.CLIENT_ID, credentials.USER_ID, "api refresh_token")
    code = org.grants.issue_code(
        Approval(client_id=credentials.CLIENT_ID, user_id=credentials.USER_ID, scope="api", redirect_uri="https://x")
    )
    org_id = org.org_id
    org.close()
    assert renewed is not None
    stored = b"".join(each.read_bytes() for each in tmp_path.glob("sign-in.sqlite*"))
    for token in (session.token, kept, code):
        assert token.encode() not in stored

    again = _open(tmp_path)
    found = again.sessions.use(session.token)
    assert (found and found.user_id, again.org_id) == (credentials.USER_ID, org_id)
    assert again.grants.find(kept) is not None
    assert again.grants.redeem(spent, credentials.CLIENT_ID) is None, "it was rotated away before the restart"
    assert again.grants.find(renewed[1] or "") is None
    first, second = again.grants.spend_code(code), again.grants.spend_code(code)
    assert first is not None
    assert second is not None
    assert (first.dead, second.dead) == (False, True)
    again.close()
