"""What Intercom takes in a contact and in an event: names, types and lengths; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from include.sandbox.intercom.errors import Refused, invalid

# name -> type, may be null (the vendor's description 2.16)
STANDARD: Mapping[str, tuple[str, bool]] = {
    "external_id": ("string", False),
    "email": ("string", False),
    "email_verified": ("boolean", True),
    "phone": ("string", True),
    "name": ("string", True),
    "avatar": ("string", True),
    "signed_up_at": ("date", True),
    "last_seen_at": ("date", True),
    "owner_id": ("string", True),
    "unsubscribed_from_emails": ("boolean", True),
    "language_override": ("string", True),
    "role": ("string", False),
}
TYPES = ("string", "integer", "float", "boolean", "date", "datetime", "options")
_MOST_SECONDS = 10_000_000_000  # more are milliseconds
_LONGEST = 255
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_MOST_METADATA = 10


def checked_contact(sent: Any, types: Mapping[str, str], *, creating: bool) -> dict[str, Any]:
    """Return what was sent of a contact.

    Raises:
        Refused: something of it is not taken.
    """
    if not isinstance(sent, dict):
        raise Refused(400, "bad_request", "the body must be an object")
    if creating and not any(sent.get(name) for name in ("email", "external_id", "role")):
        raise Refused(400, "parameter_not_found", "email, external_id or role is required")
    for name, value in sent.items():
        if name == "custom_attributes":
            _check_custom(value, types)
        elif name not in STANDARD:
            raise invalid(f"unknown parameter '{name}'", name)  # the real one ignores it, and the value is lost
        else:
            _check_standard(name, value)
    if "email_verified" in sent and not sent.get("email"):
        raise invalid("email_verified needs an email in the same request", "email_verified")
    return sent


def checked_event(sent: Any) -> dict[str, Any]:
    """Return an event as it is stored: of its metadata the first ten keys.

    Raises:
        Refused: something of it is not taken.
    """
    if not isinstance(sent, dict):
        raise Refused(400, "bad_request", "the body must be an object")
    name, at = sent.get("event_name"), sent.get("created_at")
    if not isinstance(name, str) or not name.strip():
        raise Refused(400, "parameter_not_found", "event_name is required", "event_name")
    if not _FITS["date"](at):
        raise invalid("created_at must be a unix timestamp in seconds", "created_at")
    metadata = sent.get("metadata") or {}
    if not isinstance(metadata, dict) or any(not _is_metadata(value) for value in metadata.values()):
        raise invalid("metadata holds a nested value", "metadata")
    return {**sent, "metadata": dict(list(metadata.items())[:_MOST_METADATA])}


def _check_standard(name: str, value: Any) -> None:
    kind, nullable = STANDARD[name]
    if value is None:
        if not nullable:
            raise invalid(f"{name} must not be null", name)
        return
    if not _FITS[kind](value):
        raise Refused(400, "type_mismatch", f"{name} must be of type {kind}", name)
    if name == "email" and not _EMAIL.fullmatch(value):
        raise invalid("email is invalid", name)
    if name == "role" and value not in ("user", "lead"):
        raise invalid("role must be user or lead", name)


def _check_custom(values: Any, types: Mapping[str, str]) -> None:
    if values is None:
        return
    if not isinstance(values, dict):
        raise invalid("custom_attributes must be an object", "custom_attributes")
    for name, value in values.items():
        if name not in types:
            raise invalid(f"Custom attribute '{name}' does not exist")
        if value is None:
            continue
        if not _FITS[types[name]](value):
            raise invalid(f"Custom attribute '{name}' must be of type {types[name]}")
        if isinstance(value, str) and len(value) > _LONGEST:
            raise invalid(f"Custom attribute '{name}' is longer than {_LONGEST} characters")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_seconds(value: Any) -> bool:
    return _is_integer(value) and 0 <= value < _MOST_SECONDS


def _is_metadata(value: Any) -> bool:
    if isinstance(value, dict):
        return set(value) in ({"url", "value"}, {"amount", "currency"})
    return value is None or isinstance(value, str | int | float | bool)


_FITS: Mapping[str, Callable[[Any], bool]] = {
    "string": _is_text,
    "options": _is_text,
    "integer": _is_integer,
    "float": lambda value: _is_integer(value) or isinstance(value, float),
    "boolean": lambda value: isinstance(value, bool),
    "date": _is_seconds,
    "datetime": _is_seconds,
}
