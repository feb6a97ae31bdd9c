"""How long an address and its headers may be; beyond that it isn't the API that answers, but the server before it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

_MOST = 16_384  # bytes, of the address alone and together with all headers


def oversized(request: Request) -> Response | None:
    """Return the answer to a request whose address or headers are too long, or None."""
    scope = request.scope
    address = len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"") + 1
    if address > _MOST:
        return _bad_message(414, "URI Too Long")
    if address + sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > _MOST:
        return _bad_message(431, "Request Header Fields Too Large")
    return None


def _bad_message(status: int, reason: str) -> Response:
    body = f"<h1>Bad Message {status}</h1><pre>reason: {reason}</pre>"
    return Response(body, status, {"Content-Type": "text/html;charset=iso-8859-1"})
