"""The token endpoint: every way of getting an access token, and what each is refused with."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from include.sandbox.org.connected_apps import ConnectedApp, find_app
from include.sandbox.org.credentials import JWT_PUBLIC_KEY, USERNAME
from include.sandbox.org.grants import SCOPE, Approval
from include.sandbox.org.org import Org
from include.sandbox.org.sessions import Session
from include.sandbox.org.users import User, password_fits, user_by_id, user_by_name

Form = Mapping[str, str]
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
_MY_DOMAIN = re.compile(r"https://[A-Za-z0-9.-]+\.my\.salesforce\.com")
_LATE_ASSERTION = 180.0


class SignInRefusal(Exception):
    """Carry an OAuth error: an object, not the array of the REST API."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """Hold what a grant gives: a session, which optional fields its answer has, and tokens beside the session's."""

    session: Session
    fields: tuple[str, ...]
    refresh_token: str | None = None
    nonce: str = ""


def grant_token(org: Org, form: Form, authorization: str, base_url: str) -> Granted:
    """Return what a filled form is granted, or refuse it."""
    form = with_basic(form, authorization)
    grants: dict[str, Callable[[], Granted]] = {
        "client_credentials": lambda: _client_credentials(org, form),
        "authorization_code": lambda: _authorization_code(org, form),
        "refresh_token": lambda: _refresh(org, form),
        "password": lambda: _password(org, form),
        _JWT_GRANT: lambda: _jwt_bearer(org, form, base_url),
    }
    grant = grants.get(form.get("grant_type", ""))
    if grant is None:
        raise SignInRefusal("unsupported_grant_type", "grant type not supported")
    return grant()


def with_basic(form: Form, authorization: str) -> Form:
    """Return the form with the client's credentials from the Authorization header, if they came that way."""
    kind, _, encoded = authorization.partition(" ")
    if kind.lower() != "basic":
        return form
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise SignInRefusal("invalid_client", "invalid client credentials") from error
    return {**form, "client_id": client_id, "client_secret": secret}


def check_client(form: Form, *, secret_needed: bool) -> ConnectedApp:
    """Return the app that a form names, or refuse: unknown, or not able to prove itself."""
    app = find_app(form.get("client_id", ""))
    if app is None:
        raise SignInRefusal("invalid_client_id", "client identifier invalid")
    secret = form.get("client_secret")
    if not secret and (app.secret is None or not secret_needed):
        return app
    if app.secret is None or not hmac.compare_digest((secret or "").encode(), app.secret.encode()):
        raise SignInRefusal("invalid_client", "invalid client credentials")
    return app


def _client_credentials(org: Org, form: Form) -> Granted:
    app = check_client(form, secret_needed=True)
    if app.secret is None:
        raise SignInRefusal("invalid_client", "invalid client credentials")
    user = _allowed(user_by_name(org.database, USERNAME))
    session = org.sessions.open(user.id, client_id=app.client_id, scope=SCOPE)
    return Granted(session=session, fields=("scope", "issued_at", "signature", "api_instance_url"))


def _authorization_code(org: Org, form: Form) -> Granted:
    app = check_client(form, secret_needed=False)
    code = org.grants.spend_code(form.get("code", ""))
    if code is None or code.approval.client_id != app.client_id:
        raise SignInRefusal("invalid_grant", "invalid authorization code")
    if code.dead:
        raise SignInRefusal("invalid_grant", "expired authorization code")
    if form.get("redirect_uri") != code.approval.redirect_uri:
        raise SignInRefusal("redirect_uri_mismatch", "redirect_uri must match configuration")
    _check_verifier(code.approval, form.get("code_verifier", ""))
    approval = code.approval
    _allowed(user_by_id(org.database, approval.user_id))
    grant_id, refresh_token = None, None
    if {"refresh_token", "offline_access"} & set(approval.scope.split()):
        grant, refresh_token = org.grants.open(app.client_id, approval.user_id, approval.scope)
        grant_id = grant.id
    session = org.sessions.open(
        approval.user_id, client_id=app.client_id, scope=approval.scope, grant_id=grant_id
    )  # fmt: skip
    fields = ("scope", "issued_at", "signature")
    return Granted(session=session, fields=fields, refresh_token=refresh_token, nonce=approval.nonce)


def _check_verifier(approval: Approval, verifier: str) -> None:
    """Refuse a code whose taker can't show the verifier behind its challenge, or shows one that was not asked for."""
    if not approval.challenge:
        if verifier:
            raise SignInRefusal("invalid_grant", "code verifier not expected")
        return
    if not verifier:
        raise SignInRefusal("invalid_grant", "missing code verifier")
    if approval.method == "plain":
        shown = verifier
    else:
        shown = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    if not hmac.compare_digest(shown.encode(), approval.challenge.rstrip("=").encode()):
        raise SignInRefusal("invalid_request", "invalid code verifier")


def _refresh(org: Org, form: Form) -> Granted:
    app = check_client(form, secret_needed=False)
    redeemed = org.grants.redeem(form.get("refresh_token", ""), app.client_id)
    if redeemed is None:
        raise SignInRefusal("invalid_grant", "expired access/refresh token")
    grant, refresh_token = redeemed
    _allowed(user_by_id(org.database, grant.user_id))
    session = org.sessions.open(grant.user_id, client_id=app.client_id, scope=grant.scope, grant_id=grant.id)
    return Granted(session=session, fields=("scope", "issued_at", "signature"), refresh_token=refresh_token)


def _password(org: Org, form: Form) -> Granted:
    app = check_client(form, secret_needed=True)
    user = user_by_name(org.database, form.get("username", ""))
    if user is None or not password_fits(form.get("password", "")):
        raise SignInRefusal("invalid_grant", "authentication failure")
    session = org.sessions.open(_allowed(user).id, client_id=app.client_id, scope=SCOPE)
    return Granted(session=session, fields=("issued_at", "signature"))


def _jwt_bearer(org: Org, form: Form, base_url: str) -> Granted:
    # Claims are looked at below: real clients send the expiry as text, in milliseconds, or as this very second.
    unchecked: dict[str, Any] = {
        "verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False, "verify_sub": False,
    }  # fmt: skip
    try:
        claims = jwt.decode(form.get("assertion", ""), JWT_PUBLIC_KEY.read_bytes(), algorithms=["RS256"],
                            options=unchecked)  # type: ignore[arg-type]  # fmt: skip
    except jwt.PyJWTError as error:
        raise SignInRefusal("invalid_grant", "invalid assertion") from error
    app = find_app(str(claims.get("iss", "")))
    if app is None:
        raise SignInRefusal("invalid_client_id", "client identifier invalid")
    audience = str(claims.get("aud", "")).rstrip("/")
    if audience not in (*_AUDIENCES, base_url) and not _MY_DOMAIN.fullmatch(audience):
        raise SignInRefusal("invalid_grant", "audience is invalid")
    user = user_by_name(org.database, str(claims.get("sub") or claims.get("prn") or ""))
    if user is None:
        raise SignInRefusal("invalid_grant", "user hasn't approved this consumer")
    _check_expiry(claims.get("exp"))
    session = org.sessions.open(_allowed(user).id, client_id=app.client_id, scope=SCOPE)
    return Granted(session=session, fields=("scope",))


def _check_expiry(expiry: object) -> None:
    """Refuse an assertion that was good once, by the machine's time: clients don't follow the org's clock."""
    try:
        moment = float(str(expiry))
    except ValueError as error:
        raise SignInRefusal("invalid_grant", "invalid assertion") from error
    if moment < time.time() - _LATE_ASSERTION:
        raise SignInRefusal("invalid_grant", "expired authorization code")


def _allowed(user: User | None) -> User:
    """Return a user who may sign in, or refuse one who left."""
    if user is None or not user.active:
        raise SignInRefusal("inactive_user", "user is inactive")
    return user
