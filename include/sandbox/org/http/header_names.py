"""Spell the names of response headers as Salesforce does: some clients look for them letter by letter."""

from __future__ import annotations

from functools import cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OWN_SPELLING = {b"sforce-numberofrecords": b"Sforce-NumberOfRecords", b"etag": b"ETag"}


class HeaderNames:
    """Pass an application's answers on with each word of a header's name begun with a capital."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""

        async def spelt(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [(_spelling(bytes(name)), value) for name, value in message["headers"]]
            await send(message)

        await self._app(scope, receive, spelt if scope["type"] == "http" else send)


@cache
def _spelling(name: bytes) -> bytes:
    return _OWN_SPELLING.get(name.lower(), name.title())
