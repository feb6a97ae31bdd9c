"""The sign-in in a browser: login, consent, a code, and tokens for it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import jwt
import pytest

from include.sandbox.org import credentials
from tests.sandbox.org.conftest import RunningOrg, sign_in

AUTHORIZE = "/services/oauth2/authorize"
CALLBACK = "http://localhost:1717/OauthRedirect"
VERIFIER = "v" * 171  # longer than the RFC allows, as real clients send it
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ASK = {
    "response_type": "code",
    "client_id": credentials.CLIENT_ID,
    "redirect_uri": CALLBACK,
    "state": "abc 1&2",
    "scope": "refresh_token api web",
}


class Browser:
    """Do what a person with a browser does: follow, keep cookies, fill forms and press buttons."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, follow_redirects=False)

    def open(self, **params: str) -> httpx.Response:
        return self._follow(self.http.get(AUTHORIZE, params={**ASK, **params}))

    def send(self, page: httpx.Response, **filled: str) -> httpx.Response:
        return self._follow(self.http.post(AUTHORIZE, data={**hidden(page), **filled}))

    def log_in(self, page: httpx.Response, password: str = credentials.PASSWORD) -> httpx.Response:
        return self.send(page, username=credentials.USERNAME, password=password)

    def _follow(self, answer: httpx.Response) -> httpx.Response:
        while answer.is_redirect and answer.headers["location"].startswith("/"):
            answer = self.http.get(answer.headers["location"])
        return answer


def hidden(page: httpx.Response) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)
    return {name: unescape(value) for name, value in found}


def sent_back(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    where = urlsplit(answer.headers["location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == CALLBACK
    return dict(parse_qsl(where.query))


@pytest.fixture
def visit() -> Iterator[Callable[[RunningOrg], Browser]]:
    """Yield a function that opens a browser which nobody has signed in with."""
    opened: list[Browser] = []

    def go(org: RunningOrg) -> Browser:
        opened.append(Browser(org.url))
        return opened[-1]

    yield go
    for each in opened:
        each.http.close()


@pytest.fixture
def browser(org: RunningOrg, visit: Callable[[RunningOrg], Browser]) -> Browser:
    """Return a browser at the org that all tests share."""
    return visit(org)


def _code(browser: Browser, **params: str) -> str:
    page = browser.open(prompt="consent", **params)
    page = browser.log_in(page) if 'name="password"' in page.text else page
    return sent_back(browser.send(page, decision="allow"))["code"]


def _redeem(url: str, code: str, **form: str) -> httpx.Response:
    return sign_in(url, grant_type="authorization_code", code=code, redirect_uri=CALLBACK, **form)


def test_a_person_signs_in_and_allows(org: RunningOrg, browser: Browser) -> None:
    """Login, consent, back to the app with a code, tokens for the code; a refresh token that works."""
    page = browser.open(login_hint=credentials.USERNAME)
    assert f'value="{credentials.USERNAME}"' in page.text
    consent = browser.log_in(page)
    assert "<strong>Sandbox Integration</strong> is asking to:" in consent.text
    assert re.findall(r"<li>(.*)</li>", consent.text) == [
        "Perform requests at any time",
        "Manage user data via APIs",
        "Manage user data via Web browsers",
    ]
    told = sent_back(browser.send(consent, decision="allow"))
    assert set(told) == {"code", "state"}
    assert told["state"] == "abc 1&2"
    assert re.fullmatch(r"aPrx.*==", told["code"])
    given = _redeem(org.url, told["code"]).json()
    assert list(given) == [
        "access_token", "refresh_token", "instance_url", "id", "token_type", "scope", "issued_at", "signature",
    ]  # fmt: skip
    assert given["scope"] == "refresh_token api web"
    again = sign_in(org.url, grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert again.json()["scope"] == "refresh_token api web"


def test_a_person_denies(browser: Browser) -> None:
    """The app is told so."""
    consent = browser.log_in(browser.open(prompt="consent"))
    assert sent_back(browser.send(consent, decision="deny")) == {
        "error": "access_denied",
        "error_description": "end-user denied authorization",
        "state": "abc 1&2",
    }


def test_a_wrong_password_stays_on_the_login_page(browser: Browser) -> None:
    """With Salesforce's words, and the username still there."""
    page = browser.log_in(browser.open(), password="wrong")
    assert page.status_code == 200
    assert 'role="alert">Please check your username and password.' in page.text
    assert f'value="{credentials.USERNAME}"' in page.text
    assert "sid" not in browser.http.cookies


def test_a_signed_in_browser_is_asked_for_consent_alone(org: RunningOrg, browser: Browser) -> None:
    """And for nothing where all was granted before, unless the app wants the user asked or signed in anew."""
    code = _code(browser, scope="refresh_token api id")
    assert _redeem(org.url, code).status_code == 200
    assert "Allow Access?" in browser.open(scope="refresh_token api full").text
    assert "code" in sent_back(browser.open(scope="api"))
    assert "Allow Access?" in browser.open(scope="api", prompt="consent").text
    assert 'name="password"' in browser.open(prompt="login").text


def test_an_app_that_wants_nobody_bothered_is_told_that_somebody_must_be(browser: Browser) -> None:
    """prompt=none without a session."""
    assert sent_back(browser.open(prompt="none"))["error"] == "immediate_unsuccessful"


@pytest.mark.parametrize("way", ["another browser", "without a seal", "changed request"])
def test_a_form_that_was_forged_is_refused(
    org: RunningOrg, browser: Browser, visit: Callable[[RunningOrg], Browser], way: str
) -> None:
    """A form counts only in the browser that it was made for, as it was made."""
    consent = browser.log_in(browser.open(prompt="consent"))
    form = hidden(consent)
    sender = browser
    if way == "another browser":
        sender = visit(org)
    elif way == "without a seal":
        form["seal"] = ""
    else:
        form["request"] = hidden(browser.open(prompt="consent", state="other"))["request"]
    answer = sender.http.post(AUTHORIZE, data={**form, "decision": "allow"})
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert "invalid_request : this page has expired, start again from the app" in answer.text


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"client_id": "x"}, "invalid_client_id : client identifier invalid"),
        ({"redirect_uri": ""}, "redirect_uri_missing : redirect_uri not provided"),
        ({"redirect_uri": "https://evil.example/"}, "redirect_uri_mismatch : redirect_uri must match configuration"),
        ({"redirect_uri": CALLBACK + "/x"}, "redirect_uri_mismatch : redirect_uri must match configuration"),
    ],
)
def test_a_question_that_nobody_could_be_sent_back_from_ends_on_a_page(
    browser: Browser, params: dict[str, str], text: str
) -> None:
    """The browser is never sent to an address that isn't registered."""
    answer = browser.open(**params)
    assert (answer.status_code, text in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("params", "error", "description"),
    [
        ({"response_type": "token"}, "unsupported_response_type", "response type not supported"),
        ({"scope": "api everything"}, "invalid_scope", "the requested scope is invalid, unknown, or malformed"),
        ({"code_challenge_method": "S512"}, "invalid_request", "code challenge method not supported"),
    ],
)
def test_the_app_is_told_what_was_wrong_with_its_question(
    browser: Browser, params: dict[str, str], error: str, description: str
) -> None:
    """By its callback."""
    told = sent_back(browser.open(**params))
    assert told == {"error": error, "error_description": description, "state": "abc 1&2"}


def test_the_question_may_be_posted(browser: Browser) -> None:
    """As a form instead of an address."""
    page = browser.http.post(AUTHORIZE, data=ASK)
    assert 'name="password"' in page.text


@pytest.mark.parametrize("method", [None, "S256", "plain"])
def test_a_code_with_a_challenge_is_for_the_one_with_its_verifier(
    org: RunningOrg, browser: Browser, method: str | None
) -> None:
    """Clients that don't name the method mean S256; no secret is needed then."""
    asked = {"code_challenge": VERIFIER if method == "plain" else CHALLENGE}
    code = _code(browser, **asked, **({"code_challenge_method": method} if method else {}))
    assert _redeem(org.url, code, code_verifier=VERIFIER, client_secret="").status_code == 200


@pytest.mark.parametrize(
    ("params", "form", "error", "description"),
    [
        ({"code_challenge": CHALLENGE}, {"code_verifier": "w" * 50}, "invalid_request", "invalid code verifier"),
        ({"code_challenge": CHALLENGE}, {}, "invalid_grant", "missing code verifier"),
        ({}, {"code_verifier": VERIFIER}, "invalid_grant", "code verifier not expected"),
        ({}, {"client_id": "PlatformCLI", "client_secret": ""}, "invalid_grant", "invalid authorization code"),
        (
            {},
            {"redirect_uri": "http://localhost:8080/callback"},
            "redirect_uri_mismatch",
            "redirect_uri must match configuration",
        ),
    ],
)
def test_a_code_in_wrong_hands_is_refused(
    org: RunningOrg, browser: Browser, params: dict[str, str], form: dict[str, str], error: str, description: str
) -> None:
    """Each wrong part has its own error, and the code is spent."""
    code = _code(browser, **params)
    answer = sign_in(org.url, **{"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, **form})
    assert (answer.status_code, answer.json()) == (400, {"error": error, "error_description": description})
    assert _redeem(org.url, code).json()["error_description"] == "expired authorization code"


def test_a_code_dies_when_it_was_used_and_when_it_is_old(
    start_org: Callable[..., RunningOrg], visit: Callable[[RunningOrg], Browser]
) -> None:
    """A quarter of an hour is too old."""
    org = start_org(contacts=1)
    browser = visit(org)
    used, old = _code(browser), _code(browser)
    dead = {"error": "invalid_grant", "error_description": "expired authorization code"}
    assert _redeem(org.url, used).status_code == 200
    assert _redeem(org.url, used).json() == dead
    org.command("clock", offset=901)
    assert _redeem(org.url, old).json() == dead


def test_the_sixth_approval_ends_the_oldest(
    start_org: Callable[..., RunningOrg], visit: Callable[[RunningOrg], Browser]
) -> None:
    """Five live grants of one app are a user's limit; the fixed refresh token is none of them."""
    org = start_org(contacts=1)
    browser = visit(org)
    tokens = [_redeem(org.url, _code(browser)).json()["refresh_token"] for _ in range(6)]
    fixed = credentials.REFRESH_TOKEN
    alive = [sign_in(org.url, grant_type="refresh_token", refresh_token=each).status_code for each in [*tokens, fixed]]
    assert alive == [400, 200, 200, 200, 200, 200, 200]


def test_openid_brings_an_id_token(org: RunningOrg, browser: Browser) -> None:
    """Signed with the key that the discovery document leads to; without refresh_token there is none."""
    given = _redeem(org.url, _code(browser, scope="openid api", nonce="n-1")).json()
    assert "refresh_token" not in given
    (key,) = httpx.get(f"{org.url}/id/keys").json()["keys"]
    claims: dict[str, Any] = jwt.decode(
        given["id_token"], jwt.PyJWK(key), audience=credentials.CLIENT_ID, issuer=org.url, algorithms=["RS256"]
    )
    assert (claims["sub"], claims["nonce"]) == (given["id"], "n-1")
    half = hashlib.sha256(given["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).decode().rstrip("=")


def test_the_cli_signs_in_with_the_app_it_brings_along(org: RunningOrg, browser: Browser) -> None:
    """No secret, a challenge without a method, prompt=login, and the verifier again with every later call."""
    cli = {"client_id": "PlatformCLI", "scope": "refresh_token api web", "prompt": "login"}
    page = browser.open(**cli, code_challenge=CHALLENGE)
    consent = browser.log_in(page)
    assert "<strong>Salesforce CLI</strong>" in consent.text
    code = sent_back(browser.send(consent, decision="allow"))["code"]
    form = {"client_id": "PlatformCLI", "client_secret": "", "code_verifier": VERIFIER}
    given = _redeem(org.url, code, **form).json()
    again = sign_in(org.url, grant_type="refresh_token", refresh_token=given["refresh_token"], **form)
    assert again.status_code == 200


def test_a_callback_can_be_added(start_org: Callable[..., RunningOrg], visit: Callable[[RunningOrg], Browser]) -> None:
    """By the control plane, for an app that is being tried out; its own query stays."""
    org = start_org(contacts=1)
    address = "https://app.example/back?tenant=1"
    assert org.command("signin", redirect_uri=address)["redirect_uris"] == [address]
    browser = visit(org)
    consent = browser.log_in(browser.open(redirect_uri=address))
    where = browser.send(consent, decision="deny").headers["location"]
    assert where.startswith("https://app.example/back?tenant=1&error=access_denied&")


def test_the_pages_are_safe_and_plain(browser: Browser) -> None:
    """No script, nothing from elsewhere, no frame around them; a hint is escaped; the form may lead to the callback."""
    page = browser.open(login_hint='"><script>')
    assert "<script" not in page.text
    assert "&#34;&gt;&lt;script&gt;" in page.text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("frame-ancestors 'none'; form-action 'self' http://localhost:1717")
    assert page.headers["x-frame-options"] == "DENY"
    assert {"httponly", "samesite=lax"} <= {each.strip().lower() for each in page.headers["set-cookie"].split(";")}
    assert "prefers-color-scheme: dark" in page.text


def test_success_is_a_page(org: RunningOrg, browser: Browser) -> None:
    """The callback of apps without an address of their own, which is registered for all of them."""
    own = f"{org.url}/services/oauth2/success"
    consent = browser.log_in(browser.open(redirect_uri=own, prompt="consent"))
    where = browser.send(consent, decision="allow").headers["location"]
    assert where.startswith(own + "?code=aPrx")
    assert "You have successfully authorized the application." in httpx.get(where).text
