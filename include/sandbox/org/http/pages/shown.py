"""Pages as responses: nothing from elsewhere, one style, one small script that only refreshes."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

_HERE = Path(__file__).parent
_STYLE = (_HERE / "pages.css").read_text()
_SCRIPT = (_HERE / "refresh.js").read_text()


def show(name: str, *, status: int = 200, **values: Any) -> Response:
    """Return a page."""
    body = _TEMPLATES.get_template(name).render(style=_STYLE, script=_SCRIPT, **values)
    headers = {
        "Content-Type": "text/html;charset=UTF-8",
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            f"default-src 'none'; style-src '{_hash(_STYLE)}'; script-src '{_hash(_SCRIPT)}'; connect-src 'self'; "
            "img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }
    return Response(body, status, headers)


def whole(value: float) -> str:
    """Return a number with its thousands set apart."""
    return f"{value:,.0f}"


def moment(value: Any) -> str:
    """Return a time with its zone, whatever it came as: ISO 8601, seconds since 1970, or a datetime."""
    if isinstance(value, (int, float)):
        value = datetime.fromtimestamp(value, tz=UTC)
    elif isinstance(value, str):
        value = datetime.fromisoformat(value)
    return str(value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"))


def span(seconds: float) -> str:
    """Return so many seconds in the unit that suits them."""
    if abs(seconds) < 1:
        return f"{seconds * 1_000:,.0f} ms"
    for unit, size in (("days", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if abs(seconds) >= size * 2:
            return f"{seconds / size:,.1f} {unit}".replace(".0 ", " ")
    return f"{seconds:,.1f} s".replace(".0 ", " ")


def cell(value: Any) -> str:
    """Return a field's value for people."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, float):
        return f"{value:,.6f}".rstrip("0").rstrip(".")
    if isinstance(value, datetime):
        return moment(value.replace(tzinfo=UTC))
    return value.isoformat() if isinstance(value, date) else str(value)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.filters |= {"whole": whole, "moment": moment, "span": span, "cell": cell}
