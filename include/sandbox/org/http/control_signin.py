"""The controls of sign-in: whether refresh tokens rotate, how long sessions live, which callbacks are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.sandbox.org.http.given import number
from include.sandbox.org.org import Org

_LONGEST = 366 * 86_400.0


def set_sign_in(org: Org, body: Mapping[str, Any]) -> dict[str, Any]:
    """Change what the body names, and tell how things are now."""
    idle = number(body, "idle_seconds", org.sessions.idle_seconds, most=_LONGEST)
    if "rotate" in body:
        org.grants.rotate = bool(body["rotate"])
    if "idle_seconds" in body:
        org.sessions.idle_seconds = idle
    if "redirect_uri" in body:
        org.grants.know_callback(str(body["redirect_uri"]))
    return show_sign_in(org, {})


def show_sign_in(org: Org, _params: Mapping[str, str]) -> dict[str, Any]:
    """Tell how sign-in is set, and how many are signed in."""
    return {
        "rotate": org.grants.rotate,
        "idle_seconds": org.sessions.idle_seconds,
        "sessions": org.sessions.count(),
        "grants": org.grants.count(),
        "redirect_uris": org.grants.known_callbacks(),
    }
