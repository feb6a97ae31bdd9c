"""Stand in for the pages until somebody asks for one.

Airflow imports plugins in every process, tasks included. FastAPI and Airflow's security module cost more than a second
there, so the app is built at the first request, which only the api-server gets.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from fastapi import FastAPI

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class LazyPages:
    """Be an ASGI application that builds the pages when the first request comes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to the pages, and leave them Airflow's own app, which mounted them."""
        scope["headwater.airflow"] = scope.get("app")
        await _pages()(scope, receive, send)


@cache
def _pages() -> FastAPI:
    from headwater.hooks import metrics_token, warehouse_engine
    from headwater.ui.app import build_pages

    return build_pages(warehouse_engine, metrics_token=metrics_token)


def path_below_airflow(path: str) -> str:
    """Return a path as a browser must ask for it when Airflow itself lives below a path (`[api] base_url`)."""
    from airflow.configuration import conf

    base = urlsplit(conf.get("api", "base_url", fallback="") or "").path
    return base.rstrip("/") + path
