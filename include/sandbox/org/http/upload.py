"""Bodies of requests: most are small and held in memory, records for an ingest job go to disk as they come in."""

from __future__ import annotations

import gzip
import re
import tempfile
import zlib
from pathlib import Path

from starlette.requests import ClientDisconnect, Request

from include.sandbox.org.org import Org

UPLOAD = "sandbox.upload"  # where a request's scope names the file
_BATCHES = re.compile(r"/services/data/v[\d.]+/jobs/ingest/\w+/batches/?", re.IGNORECASE)
_GZIP = 16 + zlib.MAX_WBITS


async def receive(org: Org, request: Request) -> bytes:
    """Return the body, unpacked; the body of an upload becomes a file instead."""
    packed = request.headers.get("content-encoding", "").lower() == "gzip"
    if request.method == "PUT" and _BATCHES.fullmatch(request.url.path):
        await _spool(org, request, packed=packed)
        return b""
    body = await request.body()
    return _unpacked(body) if packed else body


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
                kept.write(unpack.decompress(chunk) if unpack else chunk)
        except zlib.error:
            kept.truncate(0)  # said to be gzip and isn't: no records are found in it
        except ClientDisconnect:
            path.unlink()
            raise


def _unpacked(body: bytes) -> bytes:
    """Return an unpacked body; what isn't gzip at all goes on as it is, and is refused where it is read."""
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return body
