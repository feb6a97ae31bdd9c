"""Sign-in as HTTP: token, revoke, and who is signed in."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from include.sandbox.org.http import oauth
from include.sandbox.org.http.call import Answer
from include.sandbox.org.http.gate import Handler, base_url, bearer, json_response, log_call, meet_fault
from include.sandbox.org.org import Org


def answer_token(org: Org, request: Request, body: bytes) -> Response:
    """Answer POST /services/oauth2/token."""
    faulty = meet_fault(org, request.method, request.url.path)
    if faulty is not None:
        return faulty
    form = dict(request.query_params) | dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    try:
        granted = oauth.grant_token(org, form, request.headers.get("authorization", ""), base_url(request))
    except oauth.SignInRefusal as refusal:
        log_call(org, request.method, request.url.path, Answer(status=refusal.status, cost=0))
        return json_response(refusal.body, refusal.status)
    log_call(org, request.method, request.url.path, Answer(cost=0))
    return json_response(granted, headers={"Cache-Control": "no-store"})


def answer_revoke(org: Org, request: Request, body: bytes) -> Response:
    """Answer a call of /services/oauth2/revoke."""
    form = dict(request.query_params) | dict(parse_qsl(body.decode(errors="replace")))
    log_call(org, request.method, request.url.path, Answer(cost=0))
    try:
        oauth.revoke(org, form.get("token", ""))
    except oauth.SignInRefusal as refusal:
        return json_response(refusal.body, refusal.status)
    return Response(status_code=200)


def answer_userinfo(org: Org, request: Request, _body: bytes) -> Response:
    """Answer /services/oauth2/userinfo and the identity URL."""
    session = org.sessions.use(bearer(request) or request.query_params.get("oauth_token", ""))
    if session is None:
        return Response("Bad_OAuth_Token", 403)
    return json_response(oauth.userinfo(base_url(request), session.user_id))


ENDPOINTS: tuple[tuple[str, Handler, tuple[str, ...]], ...] = (
    ("/services/oauth2/token", answer_token, ("POST",)),
    ("/services/oauth2/revoke", answer_revoke, ("GET", "POST")),
    ("/services/oauth2/userinfo", answer_userinfo, ("GET", "POST")),
    ("/id/{org_id}/{user_id}", answer_userinfo, ("GET",)),
)
