"""Pages as responses: no script, nothing from elsewhere, and no frame of another site around them."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

_HERE = Path(__file__).parent
_STYLE = (_HERE / "consent.css").read_text()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
# What Salesforce's own page says of a scope.
SCOPE_TEXTS = {
    "api": "Manage user data via APIs",
    "id": "Access the identity URL service",
    "profile": "Access the identity URL service",
    "email": "Access the identity URL service",
    "address": "Access the identity URL service",
    "phone": "Access the identity URL service",
    "web": "Manage user data via Web browsers",
    "full": "Full access to all data",
    "refresh_token": "Perform requests at any time",
    "offline_access": "Perform requests at any time",
    "openid": "Access unique user identifiers",
    "chatter_api": "Access Connect REST API resources",
    "custom_permissions": "Access custom permissions",
    "visualforce": "Access Visualforce applications",
    "content": "Access content resources",
    "lightning": "Access Lightning applications",
    "wave_api": "Access Analytics REST API resources",
}


def show(name: str, *, status: int = 200, leads_to: str = "", **values: object) -> Response:
    """Return a page; `leads_to` is where its form's answer may send the browser on."""
    body = _TEMPLATES.get_template(name).render(style=_STYLE, **values)
    headers = {
        "Content-Type": "text/html;charset=UTF-8",
        "Cache-Control": "no-cache, no-store",
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none';"
            f" form-action 'self'{_source(leads_to)}"
        ),
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }
    return Response(body, status, headers)


def _source(url: str) -> str:
    """Return where a URL leads as a content policy names it: browsers look at redirects behind a form too."""
    parts = urlsplit(url)
    if not parts.scheme:
        return ""
    return f" {parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f" {parts.scheme}:"
