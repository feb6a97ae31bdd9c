"""Read the body of a request as it comes, once it is known who sends it, and no further than it may be long.

Neither what a request says of its length nor how long it goes on counts: reading ends at the bound.
"""

from __future__ import annotations

import asyncio

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

SECONDS = 30.0  # a body that takes longer comes from nobody who waits for the answer


async def bounded_body(request: Request, media_type: str, *, longest: int, what: str = "body") -> bytes:
    """Return the body of a request.

    Args:
        request: whose body nobody has read.
        media_type: what it must say that it is.
        longest: bytes.
        what: our word for it.

    Raises:
        HTTPException: it is something else by its own word (415), too long (413), too slow (408) or broke off (400).
    """
    _refuse_others(request, media_type, what)
    too_long = HTTPException(413, f"The {what} is longer than {longest:,} bytes. Send less at once.")
    said = request.headers.get("content-length", "")
    if len(said) > 18 or (said.isascii() and said.isdigit() and int(said) > longest):
        raise too_long
    body = bytearray()
    try:
        async with asyncio.timeout(getattr(request.app.state, "body_seconds", SECONDS)):
            async for part in request.stream():
                body += part
                if len(body) > longest:
                    raise too_long
    except TimeoutError as error:
        raise HTTPException(408, f"The {what} took too long to arrive. Send it again.") from error
    except ClientDisconnect as error:
        raise HTTPException(400, f"The {what} broke off. Send it again.") from error
    return bytes(body)


def _refuse_others(request: Request, media_type: str, what: str) -> None:
    """Refuse what is no such body by its own word: another type, other letters than UTF-8, or packed."""
    said, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if said.strip() != media_type:
        raise HTTPException(415, f"Send the {what} as {media_type}.")
    named = {
        name.strip(): value.strip(' "') for name, _, value in (each.partition("=") for each in parameters.split(";"))
    }
    if named.get("charset", "utf-8") not in ("utf-8", "utf8"):
        raise HTTPException(415, f"Send the {what} in UTF-8.")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise HTTPException(415, f"Send the {what} as it is, not packed.")
