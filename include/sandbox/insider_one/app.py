"""Put the platform's endpoints and the control plane into one application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from include.sandbox.insider_one.api import UPSERT, Platform
from include.sandbox.insider_one.control import control_routes
from include.sandbox.insider_one.store import Store
from include.sandbox.platform.faults import Faults


def make_app(home: Path, *, requests_per_minute: int = 25_000) -> Starlette:
    """Return the application over the store in `home`."""
    store, faults = Store(home), Faults()
    endpoint = Platform(store, requests_per_minute=requests_per_minute).endpoint(faults)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    routes = [
        Route(UPSERT, endpoint, methods=["POST"]),
        Route("/api/user/v1/attribute/delete", endpoint, methods=["POST"]),
        Route("/api/user/v1/identity", endpoint, methods=["PATCH", "DELETE"]),
        Route("/api/user/v1/profile", endpoint, methods=["POST"]),
        Route("/api/user/v1/delete", endpoint, methods=["POST"]),
        Route("/api/user/v3/metadata/columns", endpoint, methods=["POST"]),
        *control_routes(store, faults),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
