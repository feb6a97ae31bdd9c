"""Sign-in as HTTP: token, revoke, introspection, and who is signed in."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response

from include.sandbox.org.http import identity, oauth, tokens
from include.sandbox.org.http.call import Answer
from include.sandbox.org.http.gate import Handler, base_url, bearer, json_response, log_call
from include.sandbox.org.http.versions import LAST, known_version
from include.sandbox.org.ids import canonical
from include.sandbox.org.org import Org
from include.sandbox.org.users import user_by_id

_UNSTORED = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache"}
_FUNCTION = re.compile(r"[A-Za-z_$][\w$.]*")


def answer_token(org: Org, request: Request, body: bytes) -> Response:
    """Answer POST /services/oauth2/token."""
    base = base_url(request)
    try:
        _check_posted(request)
        granted = oauth.grant_token(org, _form(request, body), request.headers.get("authorization", ""), base)
    except oauth.SignInRefusal as refusal:
        return _refused(org, request, refusal)
    log_call(org, request.method, request.url.path, Answer(cost=0))
    return json_response(tokens.token_body(org, granted, base), headers=_UNSTORED)


def answer_revoke(org: Org, request: Request, body: bytes) -> Response:
    """Answer a call of /services/oauth2/revoke; with `callback`, as a script for a browser."""
    form = _form(request, body)
    callback = form.get("callback", "")
    try:
        tokens.revoke(org, form.get("token", ""))
    except oauth.SignInRefusal as refusal:
        if _FUNCTION.fullmatch(callback):
            return _script(callback, {"error": refusal.body["error"]})
        return _refused(org, request, refusal)
    log_call(org, request.method, request.url.path, Answer(cost=0))
    return _script(callback, {}) if _FUNCTION.fullmatch(callback) else Response(status_code=200)


def answer_introspect(org: Org, request: Request, body: bytes) -> Response:
    """Answer POST /services/oauth2/introspect."""
    try:
        _check_posted(request)
        header = request.headers.get("authorization", "")
        told = tokens.introspect(org, _form(request, body), header, base_url(request))
    except oauth.SignInRefusal as refusal:
        return _refused(org, request, refusal)
    log_call(org, request.method, request.url.path, Answer(cost=0))
    return json_response(told, headers=_UNSTORED)


def answer_userinfo(org: Org, request: Request, body: bytes) -> Response:
    """Answer /services/oauth2/userinfo."""
    session = org.sessions.use(_given_token(request, body))
    user = user_by_id(org.database, session.user_id) if session else None
    if user is None:
        return _untold(org, request, 403, "Bad_OAuth_Token")
    log_call(org, request.method, request.url.path, Answer(cost=0))
    return _versioned(request, identity.userinfo(org, user, base_url(request)))


def answer_identity(org: Org, request: Request, body: bytes) -> Response:
    """Answer GET /id/<org>/<user>."""
    token = _given_token(request, body)
    if not token:
        return _untold(org, request, 403, "Missing_OAuth_Token")
    if org.sessions.use(token) is None:
        return _untold(org, request, 403, "Bad_OAuth_Token")
    org_id, user_id = (canonical(request.path_params[name]) for name in ("org_id", "user_id"))
    if org_id is None or user_id is None:
        return _untold(org, request, 404, "Bad_Id")
    if org_id != org.org_id:
        return _untold(org, request, 403, "Wrong_Org")
    user = user_by_id(org.database, user_id)
    if user is None or not user.active:
        return _untold(org, request, 404, "Bad_Id" if user is None else "Inactive")
    log_call(org, request.method, request.url.path, Answer(cost=0))
    return _versioned(request, identity.identity(org, user, base_url(request)))


def answer_openid_configuration(_org: Org, request: Request, _body: bytes) -> Response:
    """Answer GET /.well-known/openid-configuration."""
    return json_response(identity.openid_configuration(base_url(request)))


def answer_keys(_org: Org, _request: Request, _body: bytes) -> Response:
    """Answer GET /id/keys."""
    return json_response(identity.keys())


def _check_posted(request: Request) -> None:
    if request.method != "POST":
        raise oauth.SignInRefusal("invalid_request", "must use HTTP POST")


def _form(request: Request, body: bytes) -> dict[str, str]:
    """Return the parameters of the address and of the form; the form's win."""
    filled = parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
    return dict(request.query_params) | dict(filled)


def _given_token(request: Request, body: bytes) -> str:
    """Return the access token, which may also be a parameter."""
    form = _form(request, body) if request.method == "POST" else dict(request.query_params)
    return bearer(request) or form.get("oauth_token", "") or form.get("access_token", "")


def _versioned(request: Request, told: dict[str, Any]) -> Response:
    """Return who a user is, with the version that was asked for in its URLs, perhaps as a script."""
    asked = request.query_params.get("version", "")
    version = f"{LAST}.0" if asked == "latest" else known_version(asked)
    if version is not None:
        told = told | {"urls": {name: url.replace("{version}", version) for name, url in told["urls"].items()}}
    callback = request.query_params.get("callback", "")
    return _script(callback, told) if _FUNCTION.fullmatch(callback) else json_response(told)


def _script(callback: str, told: dict[str, Any]) -> Response:
    code = f"{callback}({orjson.dumps(told).decode()});"
    return Response(code, headers={"Content-Type": "application/javascript;charset=UTF-8"})


def _refused(org: Org, request: Request, refusal: oauth.SignInRefusal) -> Response:
    log_call(org, request.method, request.url.path, Answer(status=refusal.status, cost=0))
    return json_response(refusal.body, refusal.status, _UNSTORED)


def _untold(org: Org, request: Request, status: int, code: str) -> Response:
    log_call(org, request.method, request.url.path, Answer(status=status, cost=0))
    return Response(code, status, {"Content-Type": "text/html;charset=UTF-8"})


ENDPOINTS: tuple[tuple[str, Handler, tuple[str, ...]], ...] = (
    ("/services/oauth2/token", answer_token, ("GET", "POST")),
    ("/services/oauth2/revoke", answer_revoke, ("GET", "POST")),
    ("/services/oauth2/introspect", answer_introspect, ("GET", "POST")),
    ("/services/oauth2/userinfo", answer_userinfo, ("GET", "POST")),
    ("/.well-known/openid-configuration", answer_openid_configuration, ("GET",)),
    ("/id/keys", answer_keys, ("GET",)),
    ("/id/{org_id}/{user_id}", answer_identity, ("GET", "POST")),
)
