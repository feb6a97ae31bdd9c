"""The control plane as HTTP; it answers this machine alone unless told otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from include.sandbox.org.http import control
from include.sandbox.org.http.control_truth import truth_of
from include.sandbox.org.http.gate import METHODS, Handler, json_response
from include.sandbox.org.http.local import Admits
from include.sandbox.org.http.pages.controls import from_elsewhere
from include.sandbox.org.http.pages.serving import control_pages
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal, not_found

Command = Callable[[Org, dict[str, Any]], dict[str, Any]]


def endpoints(admits: Admits) -> tuple[tuple[str, Handler, tuple[str, ...]], ...]:
    """Return the paths of the control plane."""

    def controlled(org: Org, request: Request, body: bytes) -> Response:
        if not admits(request):
            return json_response(Refusal(403, "FORBIDDEN", "The control plane answers this machine alone").body(), 403)
        if request.method not in ("GET", "HEAD") and from_elsewhere(request.headers):
            refusal = Refusal(403, "FORBIDDEN", "A page of another site can't use the control plane")
            return json_response(refusal.body(), 403)
        return _answer(org, request, body)

    def healthy(org: Org, _request: Request, _body: bytes) -> Response:
        return json_response(control.health(org))

    return (
        ("/sandbox/health", healthy, ("GET",)),
        *control_pages(admits),
        ("/sandbox/{command:path}", controlled, METHODS),
    )


def _answer(org: Org, request: Request, body: bytes) -> Response:
    command = request.path_params["command"].strip("/")
    try:
        if request.method == "POST":
            run = control.COMMANDS.get(command)
            if run is None:
                raise not_found(f"no command is called {command}")
            return json_response(_run(org, run, _parsed(body)))
        return json_response(_look(org, command, request))
    except Refusal as refusal:
        return json_response(refusal.body(), refusal.status)


def _run(org: Org, command: Command, body: dict[str, Any]) -> dict[str, Any]:
    """Run a command; a body whose parts are of the wrong type is refused with what Python says of it."""
    try:
        return command(org, body)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise Refusal(400, "INVALID_INPUT", f"This can't be done: {error}") from error


def _look(org: Org, command: str, request: Request) -> Any:
    if command.startswith("truth/"):
        return truth_of(org, command.removeprefix("truth/"))
    look = control.LOOKS.get(command)
    if look is None:
        raise not_found(f"nothing is called {command}")
    return look(org, request.query_params)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        parsed = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise Refusal(400, "JSON_PARSER_ERROR", str(error)) from error
    if not isinstance(parsed, dict):
        raise Refusal(400, "JSON_PARSER_ERROR", "expected a JSON object")
    return parsed
