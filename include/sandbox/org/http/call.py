"""A call to the REST API and its answer, free of any web framework: composite requests are made of the same values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Hold one request below /services/data/vXX.X/: `rest` is the path behind the version."""

    org: Org
    user_id: str
    version: str
    base_url: str
    method: str
    rest: str
    params: Mapping[str, str]
    headers: Mapping[str, str]  # names in small letters
    body: bytes = b""
    upload: Path | None = None  # a large body that was kept on disk
    path: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object, or refuse it; without a Content-Type it is taken for JSON."""
        kind = self.headers.get("content-type", "")
        if self.body and kind and "json" not in kind.lower():
            message = f"Content-Type header specified in HTTP request is not supported: {kind}"
            raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", message)
        try:
            parsed = orjson.loads(self.body or b"{}")
        except orjson.JSONDecodeError as error:
            raise Refusal(400, "JSON_PARSER_ERROR", f"Unexpected character in JSON body: {error.msg}") from error
        if not isinstance(parsed, dict):
            raise Refusal(
                400, "JSON_PARSER_ERROR", "Can not deserialize: unexpected array or value, expected an object"
            )
        return parsed


@dataclass(slots=True, kw_only=True)
class Answer:
    """Hold a response: a JSON body, or a stream; `cost` is what the call takes from the daily allocation."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    stream: Callable[[], Iterator[bytes]] | None = None
    length: int | None = None
    cost: int = 1
    parts: tuple[str, ...] = ()

    def plain_body(self) -> Any:
        """Return the body with pre-rendered pieces parsed, for references between sub-requests."""
        return orjson.loads(orjson.dumps(self.body))
