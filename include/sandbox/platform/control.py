"""Let people and tests look into a sandbox and order faults; no endpoint of a platform has these paths."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.platform.faults import Faults

LONGEST_PAGE = 10_000

Page = Callable[[int, int], list[dict[str, Any]]]


class Control:
    """Be the endpoints below ``/sandbox/``.

    Args:
        service: the platform's name.
        faults: the orders.
        counts: counts what is held and what was received.
        reset: forgets everything.
        pages: what can be leafed through, by the last part of its path: a call with limit and offset.
    """

    def __init__(
        self,
        *,
        service: str,
        faults: Faults,
        counts: Callable[[], Mapping[str, Any]],
        reset: Callable[[], None],
        pages: Mapping[str, Page],
    ) -> None:
        self._service = service
        self._faults = faults
        self._counts = counts
        self._forget = reset
        self._pages = pages

    def routes(self) -> list[Route]:
        """Return the routes of the control plane."""
        return [
            Route("/sandbox/health", self._health),
            Route("/sandbox/counts", self._show_counts),
            *(Route(f"/sandbox/{name}", _paged(name, page)) for name, page in self._pages.items()),
            Route("/sandbox/reset", self._reset, methods=["POST"]),
            Route("/sandbox/faults", self._show_faults),
            Route("/sandbox/faults", self._order_faults, methods=["POST"]),
            Route("/sandbox/faults", self._clear_faults, methods=["DELETE"]),
        ]

    async def _health(self, request: Request) -> Response:
        return json_response({"status": "ok", "service": self._service})

    async def _show_counts(self, request: Request) -> Response:
        return json_response(self._counts())

    async def _reset(self, request: Request) -> Response:
        self._forget()
        self._faults.clear()
        return json_response(self._counts())

    async def _show_faults(self, request: Request) -> Response:
        return json_response({"faults": self._faults.waiting()})

    async def _order_faults(self, request: Request) -> Response:
        try:
            wishes = orjson.loads(await request.body())
            for wish in wishes if isinstance(wishes, list) else [wishes]:
                self._faults.order(wish)
        except (ValueError, TypeError) as error:
            return json_response({"error": str(error)}, 400)
        return await self._show_faults(request)

    async def _clear_faults(self, request: Request) -> Response:
        self._faults.clear()
        return await self._show_faults(request)


def json_response(content: Any, status: int = 200) -> Response:
    """Return JSON of the control plane."""
    return Response(orjson.dumps(content), status, media_type="application/json")


def _paged(name: str, page: Page) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def show(request: Request) -> Response:
        try:
            limit = min(int(request.query_params.get("limit", "100")), LONGEST_PAGE)
            offset = int(request.query_params.get("offset", "0"))
        except ValueError:
            return json_response({"error": "limit and offset are whole numbers"}, 400)
        return json_response({name: page(max(limit, 0), max(offset, 0)), "limit": limit, "offset": offset})

    return show
