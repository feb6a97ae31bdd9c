"""The token endpoint, and who is signed in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable

import httpx
import jwt
import pytest

from include.sandbox.org import credentials
from tests.sandbox.org.conftest import RunningOrg, V, sign_in

ALWAYS = {"access_token", "instance_url", "id", "token_type"}


def _assertion(**claims: object) -> str:
    filled = {
        "iss": credentials.CLIENT_ID,
        "sub": credentials.USERNAME,
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 180,
    }
    return jwt.encode({**filled, **claims}, credentials.JWT_PRIVATE_KEY.read_text(), algorithm="RS256")


def _jwt(url: str, assertion: str) -> httpx.Response:
    return sign_in(url, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=assertion)


@pytest.fixture(scope="module")
def left(org: RunningOrg) -> str:
    """Return the username of somebody who left the company."""
    (user,) = org.query("SELECT Username FROM User WHERE IsActive = FALSE ORDER BY Id LIMIT 1")["records"]
    return str(user["Username"])


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
    assert answer.json()["id"] == f"{org.url}/id/{org.org.org_id}/{credentials.USER_ID}"


def test_a_token_has_the_shape_that_the_cli_insists_on(org: RunningOrg) -> None:
    """The org's Id, an exclamation mark, then word characters and dots; the signature proves id and issued_at."""
    given = sign_in(org.url).json()
    assert re.fullmatch(r"00D\w{12,15}![.\w]*", given["access_token"])
    assert given["access_token"].startswith(org.org.org_id[:15] + "!")
    signed = (given["id"] + given["issued_at"]).encode()
    digest = hmac.new(credentials.CLIENT_SECRET.encode(), signed, hashlib.sha256).digest()
    assert given["signature"] == base64.b64encode(digest).decode()


def test_a_client_may_sign_in_by_basic_authorization(org: RunningOrg) -> None:
    """Client credentials may come in the header, with only grant_type in the form."""
    answer = httpx.post(
        f"{org.url}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(credentials.CLIENT_ID, credentials.CLIENT_SECRET),
    )
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache, no-store"


def test_the_password_may_have_the_security_token_behind_it(org: RunningOrg) -> None:
    """And the username may be spelt in any case."""
    form = {"grant_type": "password", "username": credentials.USERNAME.upper()}
    assert sign_in(org.url, password=credentials.PASSWORD + credentials.SECURITY_TOKEN, **form).status_code == 200


@pytest.mark.parametrize(
    "expiry",
    [lambda: str(int(time.time()) + 180), lambda: int(time.time()), lambda: int(time.time() * 1000) + 300],
    ids=["text", "this second", "milliseconds"],
)
def test_a_jwt_signs_in_with_the_expiry_that_real_clients_send(org: RunningOrg, expiry: Callable[[], object]) -> None:
    """Text, the present second and milliseconds are all taken; no refresh token comes back."""
    answer = _jwt(org.url, _assertion(exp=expiry()))
    assert set(answer.json()) == ALWAYS | {"scope"}


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://test.salesforce.com/"},
        {"aud": "https://headwater.my.salesforce.com"},
        {"sub": None, "prn": credentials.USERNAME},
    ],
)
def test_a_jwt_signs_in_for_each_known_audience(org: RunningOrg, claims: dict[str, object]) -> None:
    """The login hosts, a My Domain, the org's own address; the user may stand in the older claim."""
    assert _jwt(org.url, _assertion(**claims)).status_code == 200
    assert _jwt(org.url, _assertion(aud=org.url)).status_code == 200


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"aud": "https://example.com"}, "invalid_grant", "audience is invalid"),
        ({"sub": "nobody@example.com"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"iss": "other"}, "invalid_client_id", "client identifier invalid"),
        ({"exp": 1_700_000_000}, "invalid_grant", "expired authorization code"),
        ({"exp": None}, "invalid_grant", "invalid assertion"),
    ],
)
def test_a_wrong_jwt_is_refused(org: RunningOrg, claims: dict[str, object], error: str, description: str) -> None:
    """Each wrong claim has its own error."""
    answer = _jwt(org.url, _assertion(**claims))
    assert (answer.status_code, answer.json()) == (400, {"error": error, "error_description": description})


def test_a_jwt_of_another_key_is_refused(org: RunningOrg) -> None:
    """And so is anything that is no JWT at all."""
    for wrong in (jwt.encode({"sub": credentials.USERNAME}, "x" * 40, algorithm="HS256"), "nonsense", ""):
        answer = _jwt(org.url, wrong)
        refused = {"error": "invalid_grant", "error_description": "invalid assertion"}
        assert (answer.status_code, answer.json()) == (400, refused)


@pytest.mark.parametrize(
    ("form", "error", "description"),
    [
        ({"client_id": "x"}, "invalid_client_id", "client identifier invalid"),
        ({"client_secret": "x"}, "invalid_client", "invalid client credentials"),
        ({"client_secret": ""}, "invalid_client", "invalid client credentials"),
        ({"client_id": "PlatformCLI"}, "invalid_client", "invalid client credentials"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant", "expired access/refresh token"),
        (
            {
                "grant_type": "refresh_token",
                "refresh_token": credentials.REFRESH_TOKEN,
                "client_id": "PlatformCLI",
                "client_secret": "",
            },
            "invalid_grant",
            "expired access/refresh token",
        ),
        ({"grant_type": "password", "username": "x", "password": "y"}, "invalid_grant", "authentication failure"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_grant", "invalid authorization code"),
        ({"grant_type": "device"}, "unsupported_grant_type", "grant type not supported"),
    ],
)
def test_wrong_credentials_are_refused(org: RunningOrg, form: dict[str, str], error: str, description: str) -> None:
    """The body is the OAuth error object, not the REST array."""
    answer = sign_in(org.url, **form)
    assert (answer.status_code, answer.json()) == (400, {"error": error, "error_description": description})


def test_somebody_who_left_is_refused(org: RunningOrg, left: str) -> None:
    """By password and by JWT."""
    refused = {"error": "inactive_user", "error_description": "user is inactive"}
    answers = (
        sign_in(org.url, grant_type="password", username=left, password=credentials.PASSWORD),
        _jwt(org.url, _assertion(sub=left)),
    )
    assert [(answer.status_code, answer.json()) for answer in answers] == [(400, refused)] * 2


def test_the_token_endpoint_wants_a_post(org: RunningOrg) -> None:
    """Tokens don't belong into addresses."""
    answer = httpx.get(f"{org.url}/services/oauth2/token", params={"grant_type": "client_credentials"})
    refused = {"error": "invalid_request", "error_description": "must use HTTP POST"}
    assert (answer.status_code, answer.json()) == (400, refused)


def test_userinfo_names_user_and_org(org: RunningOrg) -> None:
    """What clients read right after signing in, asserted whole."""
    shown = org.http.get("/services/oauth2/userinfo").json()
    user, org_id = credentials.USER_ID, org.org.org_id
    data = f"{org.url}/services/data/v{{version}}/"
    modified = org.query("SELECT LastModifiedDate FROM User LIMIT 1")["records"][0]["LastModifiedDate"]
    assert shown == {
        "sub": f"{org.url}/id/{org_id}/{user}",
        "user_id": user,
        "organization_id": org_id,
        "preferred_username": credentials.USERNAME,
        "nickname": "user1",
        "name": "Integration User",
        "email": credentials.USERNAME,
        "email_verified": True,
        "given_name": "Integration",
        "family_name": "User",
        "zoneinfo": "GMT",
        "photos": {"picture": f"{org.url}/profilephoto/005/F", "thumbnail": f"{org.url}/profilephoto/005/T"},
        "profile": f"{org.url}/{user}",
        "picture": f"{org.url}/profilephoto/005/F",
        "address": {},
        "is_salesforce_integration_user": False,
        "urls": {
            "enterprise": f"{org.url}/services/Soap/c/{{version}}/{org_id[:15]}",
            "metadata": f"{org.url}/services/Soap/m/{{version}}/{org_id[:15]}",
            "partner": f"{org.url}/services/Soap/u/{{version}}/{org_id[:15]}",
            "rest": data,
            "sobjects": f"{data}sobjects/",
            "search": f"{data}search/",
            "query": f"{data}query/",
            "recent": f"{data}recent/",
            "tooling_rest": f"{data}tooling/",
            "feeds": f"{data}chatter/feeds",
            "groups": f"{data}chatter/groups",
            "users": f"{data}chatter/users",
            "feed_items": f"{data}chatter/feed-items",
            "feed_elements": f"{data}chatter/feed-elements",
            "tooling_soap": f"{org.url}/services/Soap/T/{{version}}/{org_id[:15]}",
            "profile": f"{org.url}/{user}",
            "custom_domain": org.url,
            "search_rest": f"{data}search/",
        },
        "active": True,
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
        "utcOffset": 0,
        "updated_at": modified,
        "is_app_installed": True,
    }


def test_the_identity_url_tells_of_its_user(org: RunningOrg) -> None:
    """The token may be a parameter, and the URLs can be had with a version in them."""
    given = sign_in(org.url).json()
    params = {"format": "json", "oauth_token": given["access_token"], "version": "latest"}
    shown = httpx.get(given["id"], params=params).json()
    assert (shown["id"], shown["asserted_user"]) == (given["id"], True)
    assert (shown["user_id"], shown["organization_id"]) == (credentials.USER_ID, org.org.org_id)
    assert (shown["username"], shown["display_name"]) == (credentials.USERNAME, "Integration User")
    assert shown["urls"]["query"] == f"{org.url}/services/data/v67.0/query/"
    script = httpx.get(given["id"], params={**params, "callback": "told"})
    assert script.text.startswith('told({"id":"')


@pytest.mark.parametrize(
    ("path", "token", "status", "code"),
    [
        ("{org}/{user}", "", 403, "Missing_OAuth_Token"),
        ("{org}/{user}", "nothing", 403, "Bad_OAuth_Token"),
        ("00D000000000001EAA/{user}", "live", 403, "Wrong_Org"),
        ("nonsense/{user}", "live", 404, "Bad_Id"),
        ("{org}/0055g00002000zzEAA", "live", 404, "Bad_Id"),
        ("{org}/{left}", "live", 404, "Inactive"),
    ],
)
def test_the_identity_url_refuses_with_a_word(org: RunningOrg, path: str, token: str, status: int, code: str) -> None:
    """Not with JSON."""
    found = org.query("SELECT Id FROM User WHERE IsActive = FALSE LIMIT 1")["records"][0]["Id"]
    filled = path.format(org=org.org.org_id, user=credentials.USER_ID, left=found)
    given = sign_in(org.url).json()["access_token"] if token == "live" else token
    answer = httpx.get(f"{org.url}/id/{filled}", headers={"Authorization": f"Bearer {given}"} if given else {})
    assert (answer.status_code, answer.text) == (status, code)


def test_userinfo_wants_a_token(org: RunningOrg) -> None:
    """403 with a word."""
    answer = httpx.get(f"{org.url}/services/oauth2/userinfo")
    assert (answer.status_code, answer.text) == (403, "Bad_OAuth_Token")


def test_two_sandboxes_are_two_orgs(start_org: Callable[..., RunningOrg], org: RunningOrg) -> None:
    """The seed makes the org's Id, which record, tokens and URLs share; seed 1 has the Id that is written down."""
    first = start_org(contacts=1, seed=1)
    assert first.org.org_id == credentials.ORG_ID
    assert org.org.org_id != credentials.ORG_ID
    for each in (first, org):
        (record,) = each.query("SELECT Id FROM Organization")["records"]
        resources = each.http.get(V).json()
        assert record["Id"] == each.org.org_id
        assert resources["identity"] == f"{each.url}/id/{each.org.org_id}/{credentials.USER_ID}"


def test_an_openid_client_finds_everything(org: RunningOrg) -> None:
    """The discovery document leads to the endpoints and to the keys."""
    found = httpx.get(f"{org.url}/.well-known/openid-configuration").json()
    assert found["issuer"] == org.url
    assert found["introspection_endpoint"] == f"{org.url}/services/oauth2/introspect"
    (key,) = httpx.get(found["jwks_uri"]).json()["keys"]
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
