"""The older Bulk API over HTTP, below /services/async/XX.X: the session, the way to each resource, the response."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from include.sandbox.org.http import bulk1_batches, bulk1_jobs, versions
from include.sandbox.org.http.bulk1_bodies import JSON, XML, AsyncError, preferred, refused
from include.sandbox.org.http.bulk1_call import AsyncCall
from include.sandbox.org.http.call import Answer
from include.sandbox.org.http.gate import Handler, log_call
from include.sandbox.org.org import Org

_METHODS = ("GET", "POST")


def answer_async(org: Org, request: Request, body: bytes) -> Response:
    """Answer a request."""
    headers = dict(request.headers)
    try:
        answer = _find(org, request, headers, body)
    except AsyncError as error:
        answer = refused(error, error_form(org, request, headers))
        answer.cost = 0 if error.code in ("InvalidSessionId", "ExceededQuota") else 1
    org.allocation.spend(answer.cost)
    log_call(org, request.method, request.url.path, answer)
    if answer.length is not None:
        answer.headers["Content-Length"] = str(answer.length)
    chunks = answer.stream() if answer.stream is not None else iter(())
    return StreamingResponse(chunks, answer.status, answer.headers)


def error_form(org: Org, request: Request, headers: Mapping[str, str]) -> str:
    """Return in which format to refuse: the job's, or what the request asks for when there is no such job."""
    named = re.match(r"job/(\w+)", request.path_params.get("rest", ""), re.IGNORECASE)
    job = org.classic.find(named[1]) if named else None
    if job is None:
        return preferred(headers, XML)
    return JSON if job.content == JSON else XML


def _find(org: Org, request: Request, headers: dict[str, str], body: bytes) -> Answer:
    session = org.sessions.use(headers.get("x-sfdc-session", ""))
    if session is None:
        raise AsyncError("InvalidSessionId", "Invalid session id")
    version = request.path_params["version"]
    if versions.known_version(version) is None:
        raise AsyncError("InvalidVersion", f"Unsupported API version: {version}")
    if org.allocation.exhausted():
        raise AsyncError("ExceededQuota", "TotalRequests Limit exceeded.", 403)
    rest = request.path_params["rest"].strip("/")
    for route in _ROUTES:
        match = route.path.fullmatch(rest)
        if match is not None and request.method == route.method:
            call = AsyncCall(
                org=org, user_id=session.user_id, version=version, headers=headers, body=body, path=match.groupdict()
            )
            return route.resource(call)
    if rest.partition("/")[0].lower() != "job":
        raise AsyncError("InvalidOperation", f"Invalid operation: {rest}")
    raise AsyncError("InvalidUrl", f"Destination URL not reset. The URL returned from login must be set: {rest}")


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    path: re.Pattern[str]
    resource: Callable[[AsyncCall], Answer]


def _route(method: str, template: str, resource: Callable[[AsyncCall], Answer]) -> _Route:
    return _Route(method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>\\w+)", template), re.IGNORECASE), resource)


_ROUTES = (
    _route("POST", "job", bulk1_jobs.create),
    _route("GET", "job/{job}", bulk1_jobs.show),
    _route("POST", "job/{job}", bulk1_jobs.change),
    _route("GET", "job/{job}/batch", bulk1_batches.list_batches),
    _route("POST", "job/{job}/batch", bulk1_batches.add),
    _route("GET", "job/{job}/batch/{batch}", bulk1_batches.show),
    _route("GET", "job/{job}/batch/{batch}/request", bulk1_batches.show_request),
    _route("GET", "job/{job}/batch/{batch}/result", bulk1_batches.show_results),
    _route("GET", "job/{job}/batch/{batch}/result/{result}", bulk1_batches.show_result),
)
ENDPOINTS: tuple[tuple[str, Handler, tuple[str, ...]], ...] = (
    ("/services/async/{version}/{rest:path}", answer_async, _METHODS),
)
