"""Put the platform's endpoints and the control plane into one application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.intercom.api import Workspace
from include.sandbox.intercom.errors import BODIES
from include.sandbox.intercom.store import Store
from include.sandbox.platform.control import Control, json_response
from include.sandbox.platform.database import entry_of
from include.sandbox.platform.endpoint import Endpoint
from include.sandbox.platform.faults import Faults
from include.sandbox.platform.rate import Window


def make_app(
    home: Path, *, requests: int = 1_666, window_seconds: float = 10.0, search_delay_seconds: float = 0.0
) -> Starlette:
    """Return the application over the store in `home`."""
    store, faults = Store(home), Faults()
    workspace = Workspace(store, Window(requests, window_seconds), search_delay_seconds=search_delay_seconds)
    endpoint = Endpoint(faults=faults, answer=workspace.answer, line=entry_of, log=store.log, bodies=BODIES).__call__

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        store.database.close()

    async def set_search_delay(request: Request) -> Response:
        workspace.search_delay_seconds = float(orjson.loads(await request.body())["seconds"])
        return json_response({"search_delay_seconds": workspace.search_delay_seconds})

    control = Control(
        service="intercom",
        faults=faults,
        counts=store.counts,
        reset=store.reset,
        pages={"contacts": store.contacts, "events": store.events, "requests": store.database.requests},
    )
    routes = [
        Route("/contacts", endpoint, methods=["POST"]),
        Route("/contacts/search", endpoint, methods=["POST"]),
        Route("/contacts/merge", endpoint, methods=["POST"]),
        Route("/contacts/find_by_external_id/{external_id:path}", endpoint, methods=["GET"]),
        Route("/contacts/{contact_id}", endpoint, methods=["GET", "PUT", "DELETE"]),
        Route("/contacts/{contact_id}/archive", endpoint, methods=["POST"]),
        Route("/contacts/{contact_id}/unarchive", endpoint, methods=["POST"]),
        Route("/events", endpoint, methods=["GET", "POST"]),
        Route("/data_attributes", endpoint, methods=["GET", "POST"]),
        Route("/me", endpoint, methods=["GET"]),
        *control.routes(),
        Route("/sandbox/search_delay", set_search_delay, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
