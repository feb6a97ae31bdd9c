"""Serve our few static files by routes.

A mounted StaticFiles app would escape the login. The address carries a hash of the content, so that a browser keeps a
file for a year and still gets the new one at once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
A_YEAR = 31_536_000
AN_HOUR = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """Hold a static file as it is sent."""

    body: bytes
    type: str
    version: str


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body=body, type=TYPES[path.suffix], version=hashlib.sha256(body).hexdigest()[:16])


ASSETS = {path.name: _read(path) for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}

router = APIRouter()


@router.get("/static/{name}")
def asset(request: Request, name: str) -> Response:
    """Send a static file; only files that were there at the start can be asked for."""
    found = ASSETS.get(name)
    if found is None:
        raise HTTPException(404)
    tag = f'"{found.version}"'
    if request.query_params.get("v") == found.version:
        keep = f"private, max-age={A_YEAR}, immutable"
    else:
        keep = f"private, max-age={AN_HOUR}"
    headers = {"ETag": tag, "Cache-Control": keep}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(found.body, media_type=found.type, headers=headers)
