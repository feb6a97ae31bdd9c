"""Bodies of requests: most are small and held in memory, records for an ingest job go to disk as they come in."""

from __future__ import annotations

import re
import tempfile
import zlib
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from include.sandbox.org.org import Org

UPLOAD = "sandbox.upload"  # where a request's scope names the file
_BATCHES = re.compile(r"/services/data/v[\d.]+/jobs/ingest/\w+/batches/?", re.IGNORECASE)
_GZIP = 16 + zlib.MAX_WBITS
_MOST_UNPACKED = 64 << 20  # no API takes more at once
_MOST_KEPT = 160 << 20  # nor in an upload


async def receive(org: Org, request: Request) -> bytes:
    """Return the body, unpacked; the body of an upload becomes a file instead."""
    packed = request.headers.get("content-encoding", "").lower() == "gzip"
    if request.method == "PUT" and _BATCHES.fullmatch(request.url.path):
        await _spool(org, request, packed=packed)
        return b""
    body = await request.body()
    return await run_in_threadpool(_unpacked, body) if packed else body


def discard(request: Request) -> None:
    """Remove the file of an upload that nobody took."""
    kept = request.scope.get(UPLOAD)
    if kept is not None:
        kept.unlink(missing_ok=True)


async def _spool(org: Org, request: Request, *, packed: bool) -> None:
    unpack = zlib.decompressobj(_GZIP) if packed else None
    folder = org.home / "uploads"
    folder.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as kept:
        path = request.scope[UPLOAD] = Path(kept.name)
        try:
            async for chunk in request.stream():
                if kept.tell() <= _MOST_KEPT:  # the rest can only be refused
                    kept.write(unpack.decompress(chunk) if unpack else chunk)
        except zlib.error:
            kept.truncate(0)  # said to be gzip and isn't: no records are found in it
        except ClientDisconnect:
            path.unlink()
            raise


def _unpacked(body: bytes) -> bytes:
    """Return an unpacked body; what isn't gzip, or is far too much of it, goes on as it is and is refused when read."""
    unpack = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpack.decompress(body, _MOST_UNPACKED)
    except zlib.error:
        return body
    return unpacked if unpack.eof else body
