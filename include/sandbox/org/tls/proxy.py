"""An HTTP proxy that leads Salesforce's host names to the org and refuses every other host.

Clients that have login.salesforce.com built in find the org without a hosts file or a trust store being touched.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from include.sandbox.org.tls.hosts import is_salesforce

LOOPBACK: Final = "127.0.0.1"  # whatever the org listens on: a proxy for other machines would be a trap
_HEAD_AT_MOST = 16_384
_PATIENCE = 30.0  # seconds for the head of a request
_PIECE = 256 * 1024
_REASONS = {400: "Bad Request", 403: "Forbidden", 502: "Bad Gateway"}


class Proxy:
    """Take CONNECT requests on loopback and pass their bytes to the org's TLS port, which ends the TLS."""

    def __init__(self, tls_host: str, tls_port: int) -> None:
        self._tls = (tls_host, tls_port)
        self._tunnels: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, port: int) -> None:
        """Listen; port 0 takes any free one."""
        self._server = await asyncio.start_server(self._accept, LOOPBACK, port, limit=_HEAD_AT_MOST)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and break off what is open."""
        if self._server is not None:
            self._server.close()
        for tunnel in list(self._tunnels):
            tunnel.cancel()
        await asyncio.gather(*self._tunnels, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tunnel = asyncio.current_task()
        if tunnel is not None:
            self._tunnels.add(tunnel)
            tunnel.add_done_callback(self._tunnels.discard)
        try:
            with contextlib.suppress(ConnectionError, TimeoutError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _PATIENCE)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await _refuse(writer, 400, "This is no request to a proxy.")
            return
        refusal = refusal_of(head.split(b"\r\n", 1)[0].decode("latin-1"))
        if refusal is not None:
            await _refuse(writer, *refusal)
            return
        try:
            org_reader, org_writer = await asyncio.open_connection(*self._tls, limit=_PIECE)
        except OSError:
            await _refuse(writer, 502, "The sandbox org does not answer on its TLS port.")
            return
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_pass_on(reader, org_writer), _pass_on(org_reader, writer))
        finally:
            org_writer.close()


def refusal_of(request_line: str) -> tuple[int, str] | None:
    """Return status and reason for a request that is not led to the org, None for one that is."""
    method, _, rest = request_line.partition(" ")
    target, _, protocol = rest.partition(" ")
    host, _, port = target.rpartition(":")
    if not protocol.startswith("HTTP/1."):
        return 400, "This is no request to a proxy."
    if method != "CONNECT":
        return 403, "The sandbox org's proxy takes CONNECT alone: use it for https, and plain http without a proxy."
    if port != "443" or not is_salesforce(host):
        return 403, f"The sandbox org's proxy leads to Salesforce's hosts alone, on port 443; {target} is none of them."
    return None


async def _refuse(writer: asyncio.StreamWriter, status: int, reason: str) -> None:
    body = f"{reason}\n".encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: text/plain;charset=UTF-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while piece := await source.read(_PIECE):
        target.write(piece)
        await target.drain()
    with contextlib.suppress(OSError):
        target.write_eof()
