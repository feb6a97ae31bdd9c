"""Put the platform's endpoints and the control plane into one application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from include.sandbox.klaviyo.api import Platform
from include.sandbox.klaviyo.store import Store
from include.sandbox.platform.control import Control
from include.sandbox.platform.faults import Faults


def make_app(home: Path, *, job_seconds: float = 1.0, pace: float = 1.0) -> Starlette:
    """Return the application over the store in `home`.

    Args:
        home: folder of the database.
        job_seconds: how long an import job takes.
        pace: how many times the platform's own rates are allowed.
    """
    store, faults = Store(home, job_seconds=job_seconds), Faults()
    endpoint = Platform(store, faults, pace=pace).endpoint.__call__

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        store.database.close()

    control = Control(
        service="klaviyo",
        faults=faults,
        counts=store.counts,
        reset=store.reset,
        pages={"profiles": store.profiles, "events": store.events, "requests": store.database.requests},
    )
    routes = [
        Route("/api/profile-bulk-import-jobs", endpoint, methods=["GET", "POST"]),
        Route("/api/profile-bulk-import-jobs/{job}", endpoint, methods=["GET"]),
        Route("/api/profile-bulk-import-jobs/{job}/import-errors", endpoint, methods=["GET"]),
        Route("/api/profile-import", endpoint, methods=["POST"]),
        Route("/api/event-bulk-create-jobs", endpoint, methods=["POST"]),
        Route("/api/events", endpoint, methods=["POST"]),
        Route("/api/data-privacy-deletion-jobs", endpoint, methods=["POST"]),
        *control.routes(),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
