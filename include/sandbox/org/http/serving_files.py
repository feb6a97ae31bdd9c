"""Result files as answers: streamed from disk, packed if the client takes it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping

from include.sandbox.org.http.call import Answer
from include.sandbox.org.jobs.results import Page

_CHUNK = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS


def serve(asked: Mapping[str, str], page: Page, kind: str, **headers: str) -> Answer:
    """Return the answer that streams a part of a file, packed if the headers of the request ask for it."""
    shown = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if "gzip" in asked.get("accept-encoding", ""):
        shown["Content-Encoding"] = "gzip"
        return Answer(headers=shown, stream=lambda: compressed(chunks(page)))
    return Answer(headers=shown, stream=lambda: chunks(page), length=len(page.header) + page.stop - page.start)


def chunks(page: Page) -> Iterator[bytes]:
    """Yield the header and the part of the file, a megabyte at a time."""
    left = page.stop - page.start
    if left == 0:
        yield page.header
        return
    with page.path.open("rb") as lines:
        lines.seek(page.start)
        first = page.header + lines.read(min(_CHUNK, left))
        left -= len(first) - len(page.header)
        yield first
        while left > 0:
            chunk = lines.read(min(_CHUNK, left))
            if not chunk:
                return
            left -= len(chunk)
            yield chunk


def compressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces packed with gzip."""
    packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()
