"""How sent attributes become stored ones: what is lost without a word, and how lists grow; pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Attributes = dict[str, Any]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(_is_number(each) for each in value)


def _matches(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


# A standard attribute of a wrong type or form is lost (guess: the documentation says only that it "isn't reflected").
_STANDARD: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(
        ("email", "phone_number", "uuid", "name", "surname", "gender", "city", "lo", "locale"),
        _is_text,
    ),
    **dict.fromkeys(("email_optin", "sms_optin", "whatsapp_optin", "gdpr_optin"), _is_flag),
    **dict.fromkeys(("static_segment_id", "list_id"), _is_numbers),
    "age": _is_number,
    "birthday": _matches(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z"),
    "country": _matches("[A-Z]{2}"),
    "language": _matches("[a-z]{2}(_[A-Z]{2})?"),
}
STANDARD_NAMES = tuple(sorted(_STANDARD))


def merged(stored: Attributes, sent: Attributes, *, append: bool) -> Attributes:
    """Return the stored attributes with the sent ones in them.

    An unknown key at the root is lost without a word, and so is a null. Lists grow unless `append` is false.
    """
    kept = {name: value for name, value in sent.items() if name in _STANDARD and _STANDARD[name](value)}
    result = _overlaid(stored, kept, append=append)
    custom = sent.get("custom")
    if isinstance(custom, dict):
        mine = {name: value for name, value in custom.items() if value is not None}
        if mine:
            result["custom"] = _overlaid(stored.get("custom", {}), mine, append=append)
    return result


def _overlaid(stored: Attributes, sent: Attributes, *, append: bool) -> Attributes:
    if append:
        grown = {name: _joined(stored.get(name), value) for name, value in sent.items() if isinstance(value, list)}
        return {**stored, **sent, **grown}
    return {**stored, **sent}


def appends(user: dict[str, Any]) -> bool:
    """Say whether the lists of this user grow: they do by default, and `append` wins over `not_append`."""
    if "append" in user:
        return user["append"] is not False
    return user.get("not_append") is not True


def without(stored: Attributes, order: dict[str, Any]) -> Attributes:
    """Return the stored attributes less what an order of attribute/delete names."""
    result = _removed(stored, order)
    own = order.get("custom")
    if isinstance(own, dict) and isinstance(result.get("custom"), dict):
        result["custom"] = _removed(result["custom"], own)
        if not result["custom"]:
            del result["custom"]
    return result


def _removed(stored: Attributes, order: dict[str, Any]) -> Attributes:
    whole = set(order.get("whole") or ())
    result = {name: value for name, value in stored.items() if name not in whole}
    for name, values in (order.get("partial") or {}).items():
        if isinstance(result.get(name), list):
            result[name] = [each for each in result[name] if each not in values]
    return result


def _joined(old: Any, new: list[Any]) -> list[Any]:
    return [*old, *new] if isinstance(old, list) else new
