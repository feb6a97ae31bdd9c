"""Hold what a platform answers, turn it into bytes, or hang up without any."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Hold a status, headers, and what becomes JSON (or stays text; None is an empty body)."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


def response(answer: Answer) -> Response:
    """Return the answer as the server sends it."""
    headers = dict(answer.headers)
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    if isinstance(answer.body, str):
        kind = "text/html" if answer.body.lstrip().startswith("<") else "text/plain"
        return Response(answer.body, status_code=answer.status, headers=headers, media_type=kind)
    return Response(orjson.dumps(answer.body), answer.status, headers=headers, media_type=answer.media_type)


async def hang_up(request: Request) -> None:
    """Close the connection without an answer: the server's own request cycle holds the only way to it."""
    request.receive.__self__.transport.abort()  # type: ignore[attr-defined]
    await asyncio.sleep(0.01)  # until the server has noticed; what is returned then goes nowhere
