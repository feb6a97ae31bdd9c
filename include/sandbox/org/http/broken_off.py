"""Answers that don't arrive as they should: reset, cut short, packed and torn, or drop by drop.

Starlette and uvicorn end every answer properly, so these take hold of the connection itself: `OrgApplication` leaves
the server's own `send` in the scope, and behind that stands the transport.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import zlib
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

_SERVER_SEND = "sandbox.server_send"
_LINGER = struct.pack("ii", 1, 0)  # closing then sends a reset instead of an orderly end
_ARRIVE = 0.05  # what was written has to be on its way before the reset
_GONE = 10.0
_GZIP = 16 + zlib.MAX_WBITS


class OrgApplication(Starlette):
    """Leave the server's own way of sending where a broken answer finds it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        scope[_SERVER_SEND] = send
        await super().__call__(scope, receive, send)


class Cut(OSError):
    """Stop an answer that is being sent; for whoever sends, the client is gone."""


class Reset(Response):
    """Break the connection before a single byte of an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reset."""
        await _break(scope, receive, reset=True)


class BrokenOff(Response):
    """Send the first half of another answer, then break the connection."""

    def __init__(self, whole: Response, *, reset: bool, chunked: bool = False, keep: int | None = None) -> None:
        super().__init__()
        self._whole, self._reset, self._chunked, self._keep = whole, reset, chunked, keep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a part, then break off."""
        if self._chunked and "content-length" in self._whole.headers:
            del self._whole.headers["content-length"]
        left = self._keep if self._keep is not None else _half(self._whole)

        async def part(message: Message) -> None:
            nonlocal left
            body = message.get("body", b"")
            if message["type"] == "http.response.start":
                await send(message)
                return
            if left is None:
                left = max(1, len(body) // 2)
            if body[:left]:
                await send({**message, "body": body[:left], "more_body": True})
            left -= len(body[:left])
            if left == 0 or not message.get("more_body", False):
                raise Cut

        await _send_until_cut(self._whole, scope, receive, part)
        await asyncio.sleep(_ARRIVE)
        await _break(scope, receive, reset=self._reset)


class TornGzip(Response):
    """Send another answer packed by gzip, and of that only the first half; as HTTP it is whole."""

    def __init__(self, whole: Response) -> None:
        super().__init__()
        self._whole = whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send half of what was packed."""
        start: Message = {}
        packed = b""
        packer = None if self._whole.headers.get("content-encoding") else zlib.compressobj(6, zlib.DEFLATED, _GZIP)

        async def gather(message: Message) -> None:
            nonlocal start, packed
            if message["type"] == "http.response.start":
                start = message
                return
            body = message.get("body", b"")
            packed += packer.compress(body) if packer else body
            if len(packed) > 1 << 20:
                raise Cut  # enough to tear

        await _send_until_cut(self._whole, scope, receive, gather)
        packed += packer.flush() if packer else b""
        torn = packed[: max(1, len(packed) // 2)]
        kept = [each for each in start["headers"] if each[0].lower() not in (b"content-length", b"content-encoding")]
        headers = [*kept, (b"content-encoding", b"gzip"), (b"content-length", str(len(torn)).encode())]
        await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": torn, "more_body": False})


class SlowDrip(Response):
    """Send another answer in small pieces with a pause before each."""

    def __init__(self, whole: Response, *, pieces: int, pause: float) -> None:
        super().__init__()
        self._whole, self._pieces, self._pause = whole, pieces, pause

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Drip."""

        async def drip(message: Message) -> None:
            body = message.get("body", b"")
            if message["type"] == "http.response.start" or not body:
                await send(message)
                return
            size = max(1, -(-len(body) // self._pieces))
            for place in range(0, len(body), size):
                await asyncio.sleep(self._pause)
                last = place + size >= len(body)
                more = not last or bool(message.get("more_body", False))
                await send({**message, "body": body[place : place + size], "more_body": more})

        await _send_until_cut(self._whole, scope, receive, drip)


async def _send_until_cut(whole: Response, scope: Scope, receive: Receive, send: Send) -> None:
    try:
        await whole(scope, receive, send)
    except (Cut, ClientDisconnect):
        return


def _half(whole: Response) -> int | None:
    """Return half the length of an answer, if it says how long it is."""
    length = whole.headers.get("content-length") or str(len(whole.body) if hasattr(whole, "body") else "")
    return max(1, int(length) // 2) if length.isdigit() and int(length) else None


async def _break(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """Close the connection under the server, and wait until it has noticed: then it completes nothing."""
    transport: Any = scope[_SERVER_SEND].__self__.transport
    if reset:
        connection = transport.get_extra_info("socket")
        with socket.socket(fileno=os.dup(connection.fileno())) as own:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        transport.abort()
    else:
        transport.close()
    try:
        async with asyncio.timeout(_GONE):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        transport.abort()
