"""Put the platform's endpoints and the control plane into one application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from include.sandbox.braze.api import Platform
from include.sandbox.braze.store import Store
from include.sandbox.platform.control import Control
from include.sandbox.platform.faults import Faults


def make_app(home: Path, *, pace: float = 1.0) -> Starlette:
    """Return the application over the store in `home`; `pace` times the platform's own rates are allowed."""
    store, faults = Store(home), Faults()
    endpoint = Platform(store, faults, pace=pace).endpoint.__call__

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        store.database.close()

    control = Control(
        service="braze",
        faults=faults,
        counts=store.counts,
        reset=store.reset,
        pages={"users": store.users, "events": store.events, "requests": store.database.requests},
    )
    routes = [
        Route("/users/track", endpoint, methods=["POST"]),
        Route("/users/delete", endpoint, methods=["POST"]),
        *control.routes(),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
