"""The web application: HTTP in, calls out; signs in, meters, logs, and meets ordered faults."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from include.sandbox.org.http import control, oauth, versions
from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.http.routes import dispatch
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal, not_found

_JSON = "application/json;charset=UTF-8"
_DEAD_SESSION = Refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
_EXHAUSTED = Refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
_METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]


def build_app(org: Org, *, control_from_anywhere: bool = False) -> Starlette:
    """Return the web application of an org."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        org.close()

    def on_org(handler: Callable[[Org, Request, bytes], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            return await run_in_threadpool(_with_date, org, handler, request, body)

        return endpoint

    def controlled(org: Org, request: Request, body: bytes) -> Response:
        if not control_from_anywhere and not _is_local(request):
            return _json(Refusal(403, "FORBIDDEN", "The control plane answers this machine alone").body(), 403)
        return _control(org, request, body)

    return Starlette(
        routes=[
            Route("/sandbox/health", on_org(lambda org, _request, _body: _json(control.health(org)))),
            Route("/sandbox/{command:path}", on_org(controlled), methods=_METHODS),
            Route("/services/oauth2/token", on_org(_token), methods=["POST"]),
            Route("/services/oauth2/revoke", on_org(_revoke), methods=["GET", "POST"]),
            Route("/services/oauth2/userinfo", on_org(_userinfo), methods=["GET", "POST"]),
            Route("/id/{org_id}/{user_id}", on_org(_userinfo)),
            Route("/services/data", on_org(_versions)),
            Route("/services/data/", on_org(_versions)),
            Route("/services/data/v{version}", on_org(_rest), methods=_METHODS),
            Route("/services/data/v{version}/{rest:path}", on_org(_rest), methods=_METHODS),
            Route("/{anything:path}", on_org(_nothing), methods=_METHODS),
        ],
        lifespan=lifespan,
        exception_handlers={Exception: _broken},
    )


async def _broken(_request: Request, _error: Exception) -> Response:
    """Answer like Salesforce when it breaks; the server logs the cause."""
    return _json([{"message": "An unexpected error occurred.", "errorCode": "UNKNOWN_EXCEPTION"}], 500)


def _with_date(org: Org, handler: Callable[[Org, Request, bytes], Response], request: Request, body: bytes) -> Response:
    response = handler(org, request, body)
    response.headers["Date"] = org.clock.http_date()
    return response


# -- REST


def _rest(org: Org, request: Request, body: bytes) -> Response:
    method = request.query_params.get("_HttpMethod", request.method).upper()
    path = request.url.path
    faulty = _fault(org, method, path)
    if faulty is not None:
        return faulty
    token = request.headers.get("authorization", "").removeprefix("Bearer ").removeprefix("OAuth ").strip()
    session = org.sessions.use(token)
    if session is None:
        _log(org, method, path, Answer(status=401, cost=0))
        return _json(_DEAD_SESSION.body(), 401)
    if org.allocation.exhausted():
        answer = Answer(status=403, body=_EXHAUSTED.body(), cost=0)
    else:
        call = Call(
            org=org, user_id=session.user_id, version=request.path_params["version"], base_url=_base_url(request),
            method=method, rest="/" + request.path_params.get("rest", ""),
            params=dict(parse_qsl(request.url.query, keep_blank_values=True)), headers=dict(request.headers), body=body,
        )  # fmt: skip
        answer = dispatch(call)
    org.allocation.spend(answer.cost)
    _log(org, method, path, answer)
    return _response(org, answer)


def _response(org: Org, answer: Answer) -> Response:
    headers = {**answer.headers, "Sforce-Limit-Info": f"api-usage={org.allocation.used()}/{org.allocation.maximum}"}
    if answer.stream is not None:
        if answer.length is not None:
            headers["Content-Length"] = str(answer.length)
        return StreamingResponse(answer.stream(), status_code=answer.status, headers=headers)
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    return _json(answer.body, answer.status, headers)


def _fault(org: Org, method: str, path: str) -> Response | None:
    fault = org.faults.meet(method, path)
    if fault is None:
        return None
    time.sleep(fault.delay)
    if fault.status == 0:
        return None  # slow, but right
    _log(org, method, path, Answer(status=fault.status, cost=0))
    if isinstance(fault.body, str):
        return Response(fault.body, fault.status, {"Content-Type": "text/html;charset=UTF-8", **fault.headers})
    return _json(fault.body if fault.body is not None else [], fault.status, fault.headers)


def _log(org: Org, method: str, path: str, answer: Answer) -> None:
    org.calls.add(
        time=org.clock.now().isoformat(timespec="milliseconds"), method=method, path=path, status=answer.status,
        cost=answer.cost, parts=answer.parts,
    )  # fmt: skip


def _versions(org: Org, request: Request, _body: bytes) -> Response:
    faulty = _fault(org, request.method, request.url.path)
    if faulty is not None:
        return faulty
    _log(org, request.method, request.url.path, Answer(cost=0))
    return _json(versions.list_versions())


def _nothing(_org: Org, _request: Request, _body: bytes) -> Response:
    return _json(not_found().body(), 404)


# -- sign-in


def _token(org: Org, request: Request, body: bytes) -> Response:
    faulty = _fault(org, request.method, request.url.path)
    if faulty is not None:
        return faulty
    form = dict(request.query_params) | dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    try:
        granted = oauth.grant_token(org, form, request.headers.get("authorization", ""), _base_url(request))
    except oauth.SignInRefusal as refusal:
        _log(org, request.method, request.url.path, Answer(status=refusal.status, cost=0))
        return _json(refusal.body, refusal.status)
    _log(org, request.method, request.url.path, Answer(cost=0))
    return _json(granted, headers={"Cache-Control": "no-store"})


def _revoke(org: Org, request: Request, body: bytes) -> Response:
    form = dict(request.query_params) | dict(parse_qsl(body.decode(errors="replace")))
    _log(org, request.method, request.url.path, Answer(cost=0))
    try:
        oauth.revoke(org, form.get("token", ""))
    except oauth.SignInRefusal as refusal:
        return _json(refusal.body, refusal.status)
    return Response(status_code=200)


def _userinfo(org: Org, request: Request, _body: bytes) -> Response:
    token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    session = org.sessions.use(token or request.query_params.get("oauth_token", ""))
    if session is None:
        return Response("Bad_OAuth_Token", 403)
    return _json(oauth.userinfo(_base_url(request), session.user_id))


# -- control plane


def _control(org: Org, request: Request, body: bytes) -> Response:
    command = request.path_params["command"].strip("/")
    try:
        if request.method == "POST":
            run = control.COMMANDS.get(command)
            if run is None:
                raise not_found(f"no command is called {command}")
            return _json(run(org, _control_body(body)))
        return _json(_look(org, command, request))
    except Refusal as refusal:
        return _json(refusal.body(), refusal.status)


def _look(org: Org, command: str, request: Request) -> Any:
    if command == "counts":
        return control.counts(org)
    if command == "calls":
        return {"calls": org.calls.since(request.query_params.get("since", "0"))}
    if command == "truth":
        return control.truth(org)
    if command == "allocation":
        return {"max": org.allocation.maximum, "used": org.allocation.used()}
    if command.startswith("truth/"):
        return control.truth_of(org, command.removeprefix("truth/"))
    raise not_found(f"nothing is called {command}")


def _control_body(body: bytes) -> dict[str, Any]:
    try:
        parsed = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise Refusal(400, "JSON_PARSER_ERROR", str(error)) from error
    if not isinstance(parsed, dict):
        raise Refusal(400, "JSON_PARSER_ERROR", "expected a JSON object")
    return parsed


def _is_local(request: Request) -> bool:
    host = request.client.host if request.client else ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _base_url(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, {"Content-Type": _JSON, **(headers or {})})
