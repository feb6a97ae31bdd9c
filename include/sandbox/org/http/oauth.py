"""Sign-in: the token endpoint with its grants, revoke, userinfo and the identity URL."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any

import jwt

from include.sandbox.org import credentials
from include.sandbox.org.org import Org
from include.sandbox.org.sessions import Session

Form = Mapping[str, str]
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SCOPE = "api refresh_token id web"
_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")


class SignInRefusal(Exception):
    """Carry an OAuth error: an object, not the array of the REST API."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


def grant_token(org: Org, form: Form, authorization: str, base_url: str) -> dict[str, Any]:
    """Return the token response for a filled form, or refuse."""
    form = _with_basic(form, authorization)
    grants: dict[str, Callable[[], tuple[Session, tuple[str, ...]]]] = {
        "client_credentials": lambda: _client_credentials(org, form),
        "refresh_token": lambda: _refresh(org, form),
        "password": lambda: _password(org, form),
        _JWT_GRANT: lambda: _jwt_bearer(org, form, base_url),
    }
    grant = grants.get(form.get("grant_type", ""))
    if grant is None:
        raise SignInRefusal("unsupported_grant_type", "grant type not supported")
    session, names = grant()
    return _token_body(org, session, names, base_url)


def revoke(org: Org, token: str) -> None:
    """End a session or a refresh token with its sessions, or refuse an unknown one."""
    if not org.sessions.revoke(token):
        raise SignInRefusal("unsupported_token_type", "this token is not supported")


def userinfo(base_url: str, user_id: str) -> dict[str, Any]:
    """Return what `/services/oauth2/userinfo` and the identity URL say of a user."""
    org_id, username = credentials.ORG_ID, credentials.USERNAME
    data = f"{base_url}/services/data/v{{version}}/"
    return {
        "id": f"{base_url}/id/{org_id}/{user_id}",
        "sub": f"{base_url}/id/{org_id}/{user_id}",
        "user_id": user_id,
        "organization_id": org_id,
        "username": username,
        "preferred_username": username,
        "nickname": "integration",
        "name": "Integration User",
        "email": username,
        "email_verified": True,
        "given_name": "Integration",
        "family_name": "User",
        "zoneinfo": "GMT",
        "photos": {},
        "profile": f"{base_url}/{user_id}",
        "picture": f"{base_url}/profilephoto/005/F",
        "address": {},
        "urls": {
            "rest": data,
            "sobjects": f"{data}sobjects/",
            "query": f"{data}query/",
            "search_rest": f"{data}search/",
            "recent": f"{data}recent/",
            "enterprise": f"{base_url}/services/Soap/c/{{version}}/{org_id[:15]}",
            "metadata": f"{base_url}/services/Soap/m/{{version}}/{org_id[:15]}",
            "partner": f"{base_url}/services/Soap/u/{{version}}/{org_id[:15]}",
        },
        "active": True,
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
        "utcOffset": 0,
    }


def _with_basic(form: Form, authorization: str) -> Form:
    """Return the form with the client's credentials from the Authorization header, if they came that way."""
    kind, _, encoded = authorization.partition(" ")
    if kind.lower() != "basic":
        return form
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise SignInRefusal("invalid_client", "invalid client credentials") from error
    return {**form, "client_id": client_id, "client_secret": secret}


def _check_client(form: Form, *, secret_needed: bool) -> None:
    if form.get("client_id") != credentials.CLIENT_ID:
        raise SignInRefusal("invalid_client_id", "client identifier invalid")
    secret = form.get("client_secret")
    if (secret is None and secret_needed) or (secret is not None and secret != credentials.CLIENT_SECRET):
        raise SignInRefusal("invalid_client", "invalid client credentials")


def _client_credentials(org: Org, form: Form) -> tuple[Session, tuple[str, ...]]:
    _check_client(form, secret_needed=True)
    return org.sessions.open(credentials.USER_ID), ("scope", "issued_at", "signature", "api_instance_url")


def _refresh(org: Org, form: Form) -> tuple[Session, tuple[str, ...]]:
    _check_client(form, secret_needed=False)
    token = form.get("refresh_token", "")
    if not org.sessions.grants(token):
        raise SignInRefusal("invalid_grant", "expired access/refresh token")
    return org.sessions.open(credentials.USER_ID, token), ("scope", "issued_at", "signature")


def _password(org: Org, form: Form) -> tuple[Session, tuple[str, ...]]:
    _check_client(form, secret_needed=True)
    right = (credentials.PASSWORD, credentials.PASSWORD + credentials.SECURITY_TOKEN)
    if form.get("username") != credentials.USERNAME or form.get("password") not in right:
        raise SignInRefusal("invalid_grant", "authentication failure")
    return org.sessions.open(credentials.USER_ID), ("issued_at", "signature")


def _jwt_bearer(org: Org, form: Form, base_url: str) -> tuple[Session, tuple[str, ...]]:
    key = credentials.JWT_PUBLIC_KEY.read_bytes()
    # Expiry is not looked at: real clients send it as text, in milliseconds, or as this very second.
    unchecked: dict[str, Any] = {
        "verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False, "verify_sub": False,
    }  # fmt: skip
    try:
        claims = jwt.decode(form.get("assertion", ""), key, algorithms=["RS256"], options=unchecked)  # type: ignore[arg-type]
    except jwt.PyJWTError as error:
        raise SignInRefusal("invalid_grant", "invalid assertion") from error
    if claims.get("iss") != credentials.CLIENT_ID:
        raise SignInRefusal("invalid_client_id", "client identifier invalid")
    if str(claims.get("aud", "")).rstrip("/") not in (*_AUDIENCES, base_url):
        raise SignInRefusal("invalid_grant", "audience is invalid")
    if credentials.USERNAME not in (claims.get("sub"), claims.get("prn")):
        raise SignInRefusal("invalid_grant", "user hasn't approved this consumer")
    return org.sessions.open(credentials.USER_ID), ("scope",)


def _token_body(org: Org, session: Session, names: tuple[str, ...], base_url: str) -> dict[str, Any]:
    identity = f"https://login.salesforce.com/id/{credentials.ORG_ID}/{session.user_id}"
    issued_at = str(org.clock.milliseconds())
    digest = hmac.new(credentials.CLIENT_SECRET.encode(), (identity + issued_at).encode(), hashlib.sha256).digest()
    optional = {
        "scope": _SCOPE,
        "issued_at": issued_at,
        "signature": base64.b64encode(digest).decode(),
        "api_instance_url": base_url,
    }
    return {
        "access_token": session.token,
        "instance_url": base_url,
        "id": identity,
        "token_type": "Bearer",
        **{name: optional[name] for name in names},
    }
