"""Put the platform's endpoints and the control plane into one application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from include.sandbox.hubspot.api import Account
from include.sandbox.hubspot.errors import BODIES
from include.sandbox.hubspot.store import Store
from include.sandbox.platform.control import Control
from include.sandbox.platform.database import entry_of
from include.sandbox.platform.endpoint import Endpoint
from include.sandbox.platform.faults import Faults
from include.sandbox.platform.rate import Window

_CONTACTS = "/crm/v3/objects/contacts"


def make_app(home: Path, *, requests: int = 100, window_seconds: float = 10.0, daily: int = 0) -> Starlette:
    """Return the application over the store in `home`."""
    store, faults = Store(home), Faults()
    account = Account(store, Window(requests, window_seconds), daily=daily)
    endpoint = Endpoint(
        faults=faults, answer=account.answer, line=entry_of, log=store.database.log, bodies=BODIES
    ).__call__

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        store.database.close()

    control = Control(
        service="hubspot",
        faults=faults,
        counts=store.counts,
        reset=store.reset,
        pages={"contacts": store.contacts, "events": store.events, "requests": store.database.requests},
    )
    verbs = ("upsert", "update", "read", "archive")
    routes = [
        Route(_CONTACTS, endpoint, methods=["GET"]),
        *(Route(f"{_CONTACTS}/batch/{verb}", endpoint, methods=["POST"]) for verb in verbs),
        Route("/crm/v3/properties/contacts", endpoint, methods=["GET", "POST"]),
        Route("/events/v3/send/batch", endpoint, methods=["POST"]),
        *control.routes(),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
