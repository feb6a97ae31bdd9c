"""The sign-in in a browser: sign in, say yes or no, and back to the app with a code.

Nothing is remembered between the pages. The request travels in the forms, and with it a seal over the request and the
browser's cookies: a form that another site sends, or that was made for another browser, has no seal that fits.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from include.sandbox.org.connected_apps import SCOPES, ConnectedApp, find_app
from include.sandbox.org.grants import SCOPE, Approval
from include.sandbox.org.http.call import Answer
from include.sandbox.org.http.consent import pages
from include.sandbox.org.http.gate import Handler, base_url, log_call
from include.sandbox.org.org import Org
from include.sandbox.org.users import User, password_fits, user_by_id, user_by_name

PATH = "/services/oauth2/authorize"
_BROWSER, _SESSION = "BrowserId", "sid"
_KEPT = ("response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method",
         "prompt", "login_hint", "display", "nonce")  # fmt: skip
_WRONG_PASSWORD = (
    "Please check your username and password. If you still can't log in, contact your Salesforce administrator."
)
_BROKEN_SEAL = ("invalid_request", "this page has expired, start again from the app")


class _Unanswerable(Exception):
    """Carry an error that can't be sent back to the app, because where to send it is what is wrong."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error, self.description = error, description


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Hold what an app asks for, and the browser that it asks through."""

    app: ConnectedApp
    params: Mapping[str, str]
    browser: str
    session: str
    user: User | None

    @property
    def redirect_uri(self) -> str:
        return self.params["redirect_uri"]

    @property
    def scope(self) -> str:
        return self.params.get("scope", "").strip() or SCOPE

    @property
    def prompts(self) -> set[str]:
        return set(self.params.get("prompt", "").split())

    @property
    def packed(self) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(dict(self.params))).decode()

    def seal(self, org: Org, step: str) -> str:
        return org.token_store.seal(step, self.packed, self.browser, self.session)


def answer_authorize(org: Org, request: Request, body: bytes) -> Response:
    """Answer a call of /services/oauth2/authorize: the app's question, or one of our own forms."""
    form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    step = form.get("step", "") if request.method == "POST" else ""
    try:
        params = _unpacked(form["request"]) if step and "request" in form else {**request.query_params, **form}
        asked = _asked(org, request, params)
        response = _step(org, asked, form, step) if step else _begin(org, asked)
        if _BROWSER not in request.cookies:
            response.set_cookie(_BROWSER, asked.browser, httponly=True, samesite="lax", path="/")
    except _Unanswerable as refusal:
        response = pages.show("refusal.html", status=400, error=refusal.error, description=refusal.description)
    log_call(org, request.method, PATH, Answer(status=response.status_code, cost=0))
    return response


def answer_success(_org: Org, _request: Request, _body: bytes) -> Response:
    """Answer /services/oauth2/success, the callback of apps that have no address of their own."""
    return pages.show("success.html")


def _step(org: Org, asked: _Asked, form: Mapping[str, str], step: str) -> Response:
    """Answer one of our own forms."""
    if not hmac.compare_digest(asked.seal(org, step).encode(), form.get("seal", "").encode()):
        raise _Unanswerable(*_BROKEN_SEAL)
    if step == "login":
        return _sign_in(org, asked, form)
    return _begin(org, asked) if asked.user is None else _decide(org, asked, asked.user, form)


def _asked(org: Org, request: Request, params: Mapping[str, str]) -> _Asked:
    """Return what is asked, or refuse a question whose answer nobody could be trusted with."""
    app = find_app(params.get("client_id", ""))
    if app is None:
        raise _Unanswerable("invalid_client_id", "client identifier invalid")
    redirect_uri = params.get("redirect_uri", "")
    if not redirect_uri:
        raise _Unanswerable("redirect_uri_missing", "redirect_uri not provided")
    own = f"{base_url(request)}/services/oauth2/success"
    if redirect_uri not in (*app.callbacks, *org.grants.known_callbacks(), own):
        raise _Unanswerable("redirect_uri_mismatch", "redirect_uri must match configuration")
    session = request.cookies.get(_SESSION, "")
    found = org.sessions.use(session) if session else None
    user = user_by_id(org.database, found.user_id) if found else None
    return _Asked(
        app=app, params={name: params[name] for name in _KEPT if params.get(name)},
        browser=request.cookies.get(_BROWSER) or secrets.token_urlsafe(16), session=session,
        user=user if user and user.active else None,
    )  # fmt: skip


def _begin(org: Org, asked: _Asked) -> Response:
    """Return the page that is next, or send the browser back at once."""
    wrong = _wrong_with(asked.params)
    if wrong is not None:
        return _back(asked, error=wrong[0], error_description=wrong[1])
    if asked.user is None or "login" in asked.prompts:
        if "none" in asked.prompts:
            return _back(asked, error="immediate_unsuccessful", error_description="immediate unsuccessful")
        return _login_page(org, asked, asked.params.get("login_hint", ""))
    covered = org.grants.covers(asked.app.client_id, asked.user.id, asked.scope)
    if covered and "consent" not in asked.prompts:
        return _approve(org, asked, asked.user)
    if "none" in asked.prompts:
        return _back(asked, error="immediate_unsuccessful", error_description="immediate unsuccessful")
    return _consent_page(org, asked, asked.user)


def _wrong_with(params: Mapping[str, str]) -> tuple[str, str] | None:
    """Return what the app has to be told about its question, or None."""
    if params.get("response_type") != "code":
        return "unsupported_response_type", "response type not supported"
    if params.get("code_challenge_method", "S256") not in ("S256", "plain"):
        return "invalid_request", "code challenge method not supported"
    if not set(params.get("scope", "").split()) <= SCOPES:
        return "invalid_scope", "the requested scope is invalid, unknown, or malformed"
    return None


def _login_page(org: Org, asked: _Asked, username: str, wrong: str = "") -> Response:
    return pages.show(
        "login.html", leads_to=asked.redirect_uri, request=asked.packed, seal=asked.seal(org, "login"),
        username=username, wrong=wrong,
    )  # fmt: skip


def _consent_page(org: Org, asked: _Asked, user: User) -> Response:
    texts = dict.fromkeys(pages.SCOPE_TEXTS.get(each, each) for each in asked.scope.split())
    other = f"{PATH}?{urlencode({**asked.params, 'prompt': 'login'})}"
    return pages.show(
        "consent.html", leads_to=asked.redirect_uri, request=asked.packed, seal=asked.seal(org, "consent"),
        app=asked.app.name, texts=list(texts), username=user.username, other=other,
    )  # fmt: skip


def _sign_in(org: Org, asked: _Asked, form: Mapping[str, str]) -> Response:
    """Check the login form; from there on the browser has a session."""
    username = form.get("username", "")
    user = user_by_name(org.database, username)
    if user is None or not user.active or not password_fits(form.get("password", "")):
        return _login_page(org, asked, username, wrong=_WRONG_PASSWORD)
    session = org.sessions.open(user.id, scope="web")
    prompt = " ".join(sorted(asked.prompts - {"login", "select_account"}))
    params = {**asked.params, "prompt": prompt}
    answer = RedirectResponse(f"{PATH}?{urlencode({name: value for name, value in params.items() if value})}", 303)
    answer.set_cookie(_SESSION, session.token, httponly=True, samesite="lax", path="/")
    return answer


def _decide(org: Org, asked: _Asked, user: User, form: Mapping[str, str]) -> Response:
    """Send the browser back with what the user decided."""
    if form.get("decision") == "allow":
        return _approve(org, asked, user)
    return _back(asked, error="access_denied", error_description="end-user denied authorization")


def _approve(org: Org, asked: _Asked, user: User) -> Response:
    params = asked.params
    code = org.grants.issue_code(
        Approval(
            client_id=asked.app.client_id, user_id=user.id, scope=asked.scope, redirect_uri=asked.redirect_uri,
            challenge=params.get("code_challenge", ""), method=params.get("code_challenge_method", "S256"),
            nonce=params.get("nonce", ""),
        )
    )  # fmt: skip
    return _back(asked, code=code)


def _back(asked: _Asked, **told: str) -> Response:
    """Send the browser back to the app."""
    parts = urlsplit(asked.redirect_uri)
    state = {"state": asked.params["state"]} if "state" in asked.params else {}
    query = "&".join(each for each in (parts.query, urlencode(told | state)) if each)
    return RedirectResponse(urlunsplit(parts._replace(query=query)), 302, {"Cache-Control": "no-cache, no-store"})


def _unpacked(text: str) -> dict[str, str]:
    """Return the request that a form carries; its seal is checked later."""
    try:
        found = orjson.loads(base64.urlsafe_b64decode(text))
    except ValueError as error:
        raise _Unanswerable(*_BROKEN_SEAL) from error
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


ENDPOINTS: tuple[tuple[str, Handler, tuple[str, ...]], ...] = (
    (PATH, answer_authorize, ("GET", "POST")),
    ("/services/oauth2/success", answer_success, ("GET",)),
)
