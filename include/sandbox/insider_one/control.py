"""Let people and tests look into the sandbox and order faults; no endpoint of the platform has these paths."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.insider_one.faults import Faults
from include.sandbox.insider_one.store import Store, insider_id

_LONGEST_PAGE = 10_000


class Control:
    """Be the endpoints below ``/sandbox/``."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    def routes(self) -> list[Route]:
        """Return the routes of the control plane."""
        return [
            Route("/sandbox/health", self._health),
            Route("/sandbox/counts", self._counts),
            Route("/sandbox/profiles", _paged("profiles", self._store.profiles)),
            Route("/sandbox/profile", self._profile),
            Route("/sandbox/events", _paged("events", self._store.events)),
            Route("/sandbox/requests", _paged("requests", self._store.requests)),
            Route("/sandbox/reset", self._reset, methods=["POST"]),
            Route("/sandbox/faults", self._show_faults),
            Route("/sandbox/faults", self._order_faults, methods=["POST"]),
            Route("/sandbox/faults", self._clear_faults, methods=["DELETE"]),
        ]

    async def _health(self, request: Request) -> Response:
        return _json({"status": "ok", "service": "insider_one"})

    async def _counts(self, request: Request) -> Response:
        return _json(self._store.counts())

    async def _profile(self, request: Request) -> Response:
        query = request.query_params
        identifiers = {kind: query[kind] for kind in ("uuid", "email", "phone_number") if kind in query}
        found = self._store.find({"insider_id": query.get("insider_id"), "identifiers": identifiers})
        if found is None:
            return _json({"error": "no such profile"}, 404)
        number, content = found
        events = self._store.events(_LONGEST_PAGE, 0, number)
        return _json({"insider_id": insider_id(number), **content, "events": events})

    async def _reset(self, request: Request) -> Response:
        self._store.reset()
        self._faults.clear()
        return _json(self._store.counts())

    async def _show_faults(self, request: Request) -> Response:
        return _json({"faults": self._faults.waiting()})

    async def _order_faults(self, request: Request) -> Response:
        try:
            wishes = orjson.loads(await request.body())
            for wish in wishes if isinstance(wishes, list) else [wishes]:
                self._faults.order(wish)
        except (ValueError, TypeError) as error:
            return _json({"error": str(error)}, 400)
        return await self._show_faults(request)

    async def _clear_faults(self, request: Request) -> Response:
        self._faults.clear()
        return await self._show_faults(request)


def _paged(
    name: str, page: Callable[[int, int], list[dict[str, Any]]]
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def show(request: Request) -> Response:
        try:
            limit = min(int(request.query_params.get("limit", "100")), _LONGEST_PAGE)
            offset = int(request.query_params.get("offset", "0"))
        except ValueError:
            return _json({"error": "limit and offset are whole numbers"}, 400)
        return _json({name: page(max(limit, 0), max(offset, 0)), "limit": limit, "offset": offset})

    return show


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
