"""Answer what nobody foresaw, and write down where it happened without what it says: an error's words may hold values.

Left to the server, an error would be logged with its words, and with those of the errors that it came from.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from headwater.ui.api.problems import is_for_api, problem
from headwater.ui.rendering import show
from headwater.ui.security import HEADERS

log = logging.getLogger(__name__)

MESSAGE = "This page failed. The log of the api-server says where."


class BrokenOff(Exception):
    """Say that an answer ended before it was whole."""


class QuietFailures:
    """Turn an error of ours into an answer and a line of the log that holds no value."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; an answer that has begun is broken off."""
        begun = False

        async def noted(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as error:
            place = place_of(scope)
            log.error("no answer to %s: %s", place, _without_words(error))  # noqa: TRY400  it would add the words
            if begun or scope["type"] != "http":
                raise BrokenOff(f"the answer to {place} ended before it was whole: {type(error).__name__}") from None
            await _answer(Request(scope))(scope, receive, send)


def place_of(scope: Scope) -> str:
    """Return which of our routes was asked, without what stood in its place: that may be what somebody typed."""
    return f"{scope.get('method', '')} {getattr(scope.get('route'), 'path', 'of no route')}"


def _without_words(error: BaseException) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    told = f"{type(error).__name__}\n{frames}" + "".join(
        _without_words(each) for each in getattr(error, "exceptions", ())
    )
    return f"{told}after {_without_words(before)}" if before else told


def _answer(request: Request) -> Response:
    answer: Response = problem(500, MESSAGE)
    if not is_for_api(request) and "text/html" in request.headers.get("accept", ""):
        answer = show(request, "refused.html", status=500, code=500, detail=MESSAGE)
    elif not is_for_api(request):
        answer = JSONResponse({"detail": MESSAGE}, status_code=500)
    answer.headers.update(HEADERS)
    return answer
