"""The web application: which path is answered by whom; every answer tells the org's time."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.org.http import authorize, bulk1, control_plane, rest, signing_in, soap
from include.sandbox.org.http.broken_off import OrgApplication
from include.sandbox.org.http.disturbed import answer_call
from include.sandbox.org.http.fault_answers import refuse
from include.sandbox.org.http.gate import METHODS, Handler, json_response
from include.sandbox.org.http.header_names import HeaderNames
from include.sandbox.org.http.local import admission
from include.sandbox.org.http.pages.serving import record_pages
from include.sandbox.org.http.upload import discard, receive
from include.sandbox.org.loading.batch import begin_batches
from include.sandbox.org.loading.load import begin_loads
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import not_found

_LOG = logging.getLogger("uvicorn.error")


def build_app(org: Org, *, control_from_anywhere: bool = False, host: str = "127.0.0.1") -> Starlette:
    """Return the web application of an org that listens at a host."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        org.close()

    admits = admission(from_anywhere=control_from_anywhere, host=host)
    begin_loads(org)
    begin_batches(org)
    endpoints = (
        *control_plane.endpoints(admits),
        *signing_in.ENDPOINTS,
        *authorize.ENDPOINTS,
        *soap.ENDPOINTS,
        *rest.ENDPOINTS,
        *bulk1.ENDPOINTS,
        *record_pages(admits),
        ("/{anything:path}", _nothing, METHODS),
    )
    return OrgApplication(
        routes=[Route(path, _on_thread(org, handler), methods=list(methods)) for path, handler, methods in endpoints],
        lifespan=lifespan,
        middleware=[Middleware(HeaderNames)],
    )


def _on_thread(org: Org, handler: Handler) -> Callable[[Request], Any]:
    def dated(request: Request, body: bytes) -> Response:
        response = handler(org, request, body)
        response.headers["Date"] = org.clock.http_date()
        return response

    async def endpoint(request: Request) -> Response:
        try:
            return await answer_call(org, request, await receive(org, request), dated)
        except ClientDisconnect:
            raise
        except Exception:  # an error that came through to the server would cost the client its connection
            _LOG.exception("%s %s", request.method, request.url.path)
            return _broken(org, request)
        finally:
            discard(request)

    return endpoint


def _broken(org: Org, request: Request) -> Response:
    """Answer like Salesforce when it breaks."""
    response = refuse(request, 500, "UNKNOWN_EXCEPTION", "An unexpected error occurred.")
    response.headers["Date"] = org.clock.http_date()
    return response


def _nothing(_org: Org, _request: Request, _body: bytes) -> Response:
    return json_response(not_found().body(), 404)
