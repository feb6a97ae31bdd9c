"""Put the platform's endpoints and the control plane into one application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from include.sandbox.insider_one.api import UPSERT, Platform
from include.sandbox.insider_one.control import Control
from include.sandbox.insider_one.faults import Faults
from include.sandbox.insider_one.store import Store


def make_app(home: Path, *, requests_per_minute: int = 25_000) -> Starlette:
    """Return the application over the store in `home`."""
    store, faults = Store(home), Faults()
    platform = Platform(store, faults, requests_per_minute=requests_per_minute)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    routes = [
        Route(UPSERT, platform.__call__, methods=["POST"]),
        Route("/api/user/v1/attribute/delete", platform.__call__, methods=["POST"]),
        Route("/api/user/v1/identity", platform.__call__, methods=["PATCH", "DELETE"]),
        Route("/api/user/v1/profile", platform.__call__, methods=["POST"]),
        Route("/api/user/v1/delete", platform.__call__, methods=["POST"]),
        Route("/api/user/v3/metadata/columns", platform.__call__, methods=["POST"]),
        *Control(store, faults).routes(),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
