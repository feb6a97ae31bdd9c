"""What a control command was given: numbers within bounds, or a refusal that says what they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from include.sandbox.org.refusals import Refusal

_SHOWN = 60


def number(body: Mapping[str, Any], name: str, usual: float, *, least: float = 0.0, most: float) -> float:
    """Return a number that a body names, or the usual one."""
    value = body.get(name)
    return usual if value is None else bounded(name, value, least=least, most=most)


def whole(body: Mapping[str, Any], name: str, usual: int, *, least: int = 0, most: int) -> int:
    """Return a whole number that a body names, or the usual one."""
    return int(number(body, name, usual, least=least, most=most))


def bounded(name: str, value: Any, *, least: float = 0.0, most: float) -> float:
    """Return a value as a number within bounds, or refuse it."""
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not least <= found <= most:
        raise Refusal(400, "INVALID_INPUT", f"{name} is a number from {least:,} to {most:,}, not {_short(value)}")
    return found


def members(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an object that a body names, an empty one if it doesn't."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Refusal(400, "INVALID_INPUT", f"{name} is an object, not {_short(value)}")
    return {str(key): each for key, each in value.items()}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
