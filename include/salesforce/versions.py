"""Ask a host which API versions it speaks: without a session, free of charge, and only a Salesforce answers."""

from __future__ import annotations

from urllib.parse import urlsplit

import orjson

from include.errors import ConnectionLost, Unreachable
from include.salesforce.transport import Request, Transport


def api_versions(url: str, transport: Transport) -> tuple[str, ...]:
    """Return the versions that the host of a URL lists, oldest first; none when no Salesforce answers there."""
    parts = urlsplit(url)
    request = Request(
        method="GET",
        url=f"{parts.scheme}://{parts.netloc}/services/data",
        headers={"Accept": "application/json"},
        doing="list the API versions",
        read_seconds=30,
    )
    try:
        reply = transport.send(request)
        listed = orjson.loads(reply.body) if reply.status == 200 else []
    except (Unreachable, ConnectionLost, orjson.JSONDecodeError):
        return ()
    found = [str(each["version"]) for each in listed if isinstance(each, dict) and "version" in each]
    return tuple(sorted(found, key=_number))


def _number(version: str) -> float:
    try:
        return float(version)
    except ValueError:
        return 0.0
