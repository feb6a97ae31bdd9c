"""The REST API as HTTP: a session, something left of the allocation, then the resource."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request
from starlette.responses import Response

from include.sandbox.org.allocation import NO_APP
from include.sandbox.org.connected_apps import find_app
from include.sandbox.org.http import versions
from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.http.gate import (
    METHODS,
    Handler,
    answer_response,
    base_url,
    bearer,
    json_response,
    log_call,
)  # fmt: skip
from include.sandbox.org.http.routes import dispatch
from include.sandbox.org.http.sizes import oversized
from include.sandbox.org.http.upload import UPLOAD
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.sessions import Session

_DEAD_SESSION = Refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
_EXHAUSTED = Refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def answer_rest(org: Org, request: Request, body: bytes) -> Response:
    """Answer a request below /services/data/vXX.X."""
    method = request.query_params.get("_HttpMethod", request.method).upper()
    path = request.url.path
    too_long = oversized(request)
    if too_long is not None:
        return too_long
    session = org.sessions.use(bearer(request))
    if session is None:
        log_call(org, method, path, Answer(status=401, cost=0))
        return json_response(_DEAD_SESSION.body(), 401)
    app = _app_of(session)
    if org.allocation.exhausted(app):
        answer = Answer(status=403, body=_EXHAUSTED.body(), cost=0)
    else:
        call = Call(
            org=org, user_id=session.user_id, version=request.path_params["version"], base_url=base_url(request),
            method=method, rest=_rest(request),
            params=dict(parse_qsl(request.url.query, keep_blank_values=True)), headers=dict(request.headers), body=body,
            upload=request.scope.get(UPLOAD),
        )  # fmt: skip
        answer = dispatch(call)
    org.allocation.spend(answer.cost, app)
    log_call(org, method, path, answer)
    return answer_response(org, answer, app)


def _app_of(session: Session) -> str:
    """Return the name of the connected app that a session was opened for; SOAP logins are for none."""
    app = find_app(session.client_id)
    return app.name if app else NO_APP


def _rest(request: Request) -> str:
    """Return the path behind the version; a slash inside a value stays escaped, so that it ends no part of the path."""
    raw = request.scope.get("raw_path") or b""
    if b"%2f" not in raw.lower():
        return "/" + str(request.path_params.get("rest", ""))
    kept = re.sub("%2f", "%252F", raw.decode("ascii", "replace"), flags=re.IGNORECASE)
    return "/" + unquote(kept).split("/", 4)[4]


def answer_versions(org: Org, request: Request, _body: bytes) -> Response:
    """Answer GET /services/data, which needs no session and costs nothing."""
    log_call(org, request.method, request.url.path, Answer(cost=0))
    return json_response(versions.list_versions())


ENDPOINTS: tuple[tuple[str, Handler, tuple[str, ...]], ...] = (
    ("/services/data", answer_versions, ("GET",)),
    ("/services/data/", answer_versions, ("GET",)),
    ("/services/data/v{version}", answer_rest, METHODS),
    ("/services/data/v{version}/{rest:path}", answer_rest, METHODS),
)
