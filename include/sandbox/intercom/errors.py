"""What Intercom says when it refuses: a list of errors, each with a code."""

from __future__ import annotations

import uuid
from typing import Any

from include.sandbox.platform.answer import Answer


class Refused(Exception):
    """Say that a request is refused, and with what."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.answer = refusal(status, code, message, field)


def refusal(
    status: int, code: str, message: str, field: str | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """Return an answer that refuses."""
    return Answer(status=status, body=_list(code, message, field), headers=headers or {})


def invalid(message: str, field: str | None = None) -> Refused:
    """Return the refusal of a value."""
    return Refused(400, "parameter_invalid", message, field)


def _list(code: str, message: str, field: str | None) -> dict[str, Any]:
    error = {"code": code, "message": message} | ({"field": field} if field else {})
    return {"type": "error.list", "request_id": str(uuid.uuid4()), "errors": [error]}


BODIES: dict[int, Any] = {
    400: _list("parameter_invalid", "a value is invalid", None),
    401: _list("unauthorized", "Access Token Invalid", None),
    403: _list("api_plan_restricted", "Active subscription needed.", None),
    404: _list("not_found", "User Not Found", None),
    409: _list("conflict", "A contact matching those details already exists with id=000000000000000000000000", None),
    429: _list("rate_limit_exceeded", "The rate limit for the App has been exceeded", None),
    500: _list("server_error", "Server Error", None),
    503: _list("service_unavailable", "Sorry, the API service is temporarily unavailable", None),
    504: "<html><body><h1>504 Gateway Time-out</h1></body></html>",
}
