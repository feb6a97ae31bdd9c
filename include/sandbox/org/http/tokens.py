"""Tokens told of: the answer of the token endpoint, id tokens, revoke, and introspection."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import jwt

from include.sandbox.org.connected_apps import find_app
from include.sandbox.org.credentials import JWT_PRIVATE_KEY
from include.sandbox.org.http.oauth import Form, Granted, SignInRefusal, check_client, with_basic
from include.sandbox.org.org import Org
from include.sandbox.org.users import user_by_id

_ID_TOKEN_SECONDS = 120
KEY_ID = "local-1"


def identity_url(org: Org, user_id: str, base_url: str) -> str:
    """Return the URL that tells who a user is; clients read org and user off its end."""
    return f"{base_url}/id/{org.org_id}/{user_id}"


def token_body(org: Org, granted: Granted, base_url: str) -> dict[str, Any]:
    """Return the answer of the token endpoint; which fields it has differs by grant, and none is `expires_in`."""
    session = granted.session
    identity = identity_url(org, session.user_id, base_url)
    issued_at = str(org.clock.milliseconds())
    app = find_app(session.client_id)
    key = (app.secret or "" if app else "").encode() or b"public"
    digest = hmac.new(key, (identity + issued_at).encode(), hashlib.sha256).digest()
    optional = {
        "scope": session.scope,
        "issued_at": issued_at,
        "signature": base64.b64encode(digest).decode(),
        "api_instance_url": base_url,
    }
    body = {"access_token": session.token}
    if granted.refresh_token is not None:
        body["refresh_token"] = granted.refresh_token
    if "openid" in session.scope.split():
        body["id_token"] = _id_token(org, granted, identity, base_url)
    body |= {"instance_url": base_url, "id": identity, "token_type": "Bearer"}
    return body | {name: optional[name] for name in granted.fields}


def _id_token(org: Org, granted: Granted, identity: str, base_url: str) -> str:
    now = int(org.clock.epoch())
    half = hashlib.sha256(granted.session.token.encode()).digest()[:16]
    claims = {
        "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="), "sub": identity,
        "aud": granted.session.client_id, "iss": base_url, "exp": now + _ID_TOKEN_SECONDS, "iat": now,
    } | ({"nonce": granted.nonce} if granted.nonce else {})  # fmt: skip
    return jwt.encode(claims, JWT_PRIVATE_KEY.read_bytes(), algorithm="RS256", headers={"kid": KEY_ID})


def revoke(org: Org, token: str) -> None:
    """End a session, or a refresh token's whole grant; refuse what is neither."""
    if not org.sessions.end(token) and not org.grants.revoke(token):
        raise SignInRefusal("invalid_token", "invalid token")


def introspect(org: Org, form: Form, authorization: str, base_url: str) -> dict[str, Any]:
    """Return the state of a token; one that is dead, unknown or another app's is not active, and no more is said."""
    form = with_basic(form, authorization)
    app = check_client(form, secret_needed=True)
    token = form.get("token", "")
    if not token:
        raise SignInRefusal("invalid_request", "token is required")
    session = org.sessions.find(token)
    if session is not None and session.client_id == app.client_id:
        body = _active(org, app.client_id, session.user_id, session.scope, "access_token", base_url)
        moments = {"exp": int(session.used + org.sessions.idle_seconds)}
        return body | moments | {"iat": int(session.opened), "nbf": int(session.opened)}
    grant = org.grants.find(token)
    if grant is not None and grant.client_id == app.client_id:
        return _active(org, app.client_id, grant.user_id, grant.scope, "refresh_token", base_url)
    return {"active": False}


def _active(org: Org, client_id: str, user_id: str, scope: str, kind: str, base_url: str) -> dict[str, Any]:
    user = user_by_id(org.database, user_id)
    return {
        "active": True, "scope": scope, "client_id": client_id, "username": user.username if user else "",
        "sub": identity_url(org, user_id, base_url), "token_type": kind,
    }  # fmt: skip
