"""The web application: which path is answered by whom; every answer tells the org's time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.org.http import authorize, bulk1, control_plane, rest, signing_in, soap
from include.sandbox.org.http.broken_off import OrgApplication
from include.sandbox.org.http.disturbed import answer_call
from include.sandbox.org.http.gate import METHODS, Handler, json_response
from include.sandbox.org.http.header_names import HeaderNames
from include.sandbox.org.http.pages.serving import record_pages
from include.sandbox.org.http.upload import discard, receive
from include.sandbox.org.loading.batch import begin_batches
from include.sandbox.org.loading.load import begin_loads
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import not_found


def build_app(org: Org, *, control_from_anywhere: bool = False) -> Starlette:
    """Return the web application of an org."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        org.close()

    begin_loads(org)
    begin_batches(org)
    endpoints = (
        *control_plane.endpoints(from_anywhere=control_from_anywhere),
        *signing_in.ENDPOINTS,
        *authorize.ENDPOINTS,
        *soap.ENDPOINTS,
        *rest.ENDPOINTS,
        *bulk1.ENDPOINTS,
        *record_pages(from_anywhere=control_from_anywhere),
        ("/{anything:path}", _nothing, METHODS),
    )
    return OrgApplication(
        routes=[Route(path, _on_thread(org, handler), methods=list(methods)) for path, handler, methods in endpoints],
        lifespan=lifespan,
        middleware=[Middleware(HeaderNames)],
        exception_handlers={Exception: _broken},
    )


def _on_thread(org: Org, handler: Handler) -> Callable[[Request], Any]:
    def dated(request: Request, body: bytes) -> Response:
        response = handler(org, request, body)
        response.headers["Date"] = org.clock.http_date()
        return response

    async def endpoint(request: Request) -> Response:
        try:
            return await answer_call(org, request, await receive(org, request), dated)
        finally:
            discard(request)

    return endpoint


async def _broken(_request: Request, _error: Exception) -> Response:
    """Answer like Salesforce when it breaks; the server logs the cause."""
    return json_response([{"message": "An unexpected error occurred.", "errorCode": "UNKNOWN_EXCEPTION"}], 500)


def _nothing(_org: Org, _request: Request, _body: bytes) -> Response:
    return json_response(not_found().body(), 404)
