"""Parts of a JSON body: of the type that they must be, or refused as a parser refuses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.sandbox.org.refusals import Refusal

Body = Mapping[str, Any]


def part(body: Body, name: str) -> dict[str, Any]:
    """Return an object inside a body, an empty one if it isn't there."""
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise wrong_type(name, value, "an object")
    return value or {}


def parts(body: Body, name: str) -> list[dict[str, Any]]:
    """Return a list of objects inside a body, an empty one if it isn't there."""
    value = body.get(name)
    if value is not None and not isinstance(value, list):
        raise wrong_type(name, value, "an array")
    for each in value or ():
        if not isinstance(each, dict):
            raise wrong_type(name, each, "an object")
    return value or []


def texts(body: Body, name: str) -> list[str]:
    """Return a list of texts inside a body, an empty one if it isn't there."""
    value = body.get(name)
    if value is not None and not isinstance(value, list):
        raise wrong_type(name, value, "an array")
    for each in value or ():
        if not isinstance(each, str):
            raise wrong_type(name, each, "a string")
    return value or []


def text(body: Body, name: str, usual: str = "") -> str:
    """Return a text inside a body, the usual one if it isn't there; numbers and truths are read as text."""
    value = body.get(name)
    if isinstance(value, (dict, list)):
        raise wrong_type(name, value, "a string")
    return usual if value is None else value if isinstance(value, str) else str(value).lower()


def wrong_type(name: str, value: Any, wanted: str) -> Refusal:
    """Return the refusal of a part that is of another type."""
    found = "array" if isinstance(value, list) else "object" if isinstance(value, dict) else "value"
    return Refusal(400, "JSON_PARSER_ERROR", f"Can not deserialize {name}: unexpected {found}, expected {wanted}")
