"""What every way into the org shares: the session, the log of calls, the response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from include.sandbox.org.allocation import OWN_APP
from include.sandbox.org.http.call import Answer
from include.sandbox.org.org import Org
from include.sandbox.org.tls.hosts import own_host

Handler = Callable[[Org, Request, bytes], Response]
JSON = "application/json;charset=UTF-8"
METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE")


def bearer(request: Request) -> str:
    """Return the access token of the Authorization header, or an empty text."""
    return request.headers.get("authorization", "").removeprefix("Bearer ").removeprefix("OAuth ").strip()


def log_call(org: Org, method: str, path: str, answer: Answer) -> None:
    """Note a call and what it cost."""
    org.calls.add(
        time=org.clock.now().isoformat(timespec="milliseconds"), method=method, path=path, status=answer.status,
        cost=answer.cost, parts=answer.parts,
    )  # fmt: skip


def answer_response(org: Org, answer: Answer, app: str = OWN_APP) -> Response:
    """Return an answer of the API as a response, with what is left of the allocation."""
    headers = {**answer.headers, "Sforce-Limit-Info": org.allocation.header(app)}
    if answer.stream is not None:
        if answer.length is not None:
            headers["Content-Length"] = str(answer.length)
        return StreamingResponse(answer.stream(), status_code=answer.status, headers=headers)
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    return json_response(answer.body, answer.status, headers)


def base_url(request: Request) -> str:
    """Return scheme, host and port as the client wrote them; the shared sign-in hosts point to the org's own host."""
    return f"{request.url.scheme}://{own_host(request.headers.get('host', request.url.netloc))}"


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON response."""
    return Response(orjson.dumps(body), status, {"Content-Type": JSON, **(headers or {})})
