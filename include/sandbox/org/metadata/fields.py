"""A field as an administrator orders it, to a field of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import Field, flag, long_text, number, pick, plain, reference, text

Body = Mapping[str, Any]

# What people call the types -> what describe calls them.
_WORDS = {
    "text": "string", "number": "double", "checkbox": "boolean", "lookup": "reference", "longtextarea": "long",
    "long_text": "long", "multiselect": "multipicklist",
}  # fmt: skip
_LENGTHS = {"string": 255, "textarea": 255, "email": 80, "phone": 40, "url": 255, "long": 32_768}
_LONGEST = {"string": 255, "textarea": 255, "long": 131_072}
_NUMBERS = {"double": (18, 2), "currency": (18, 2), "percent": (18, 2)}
_CUSTOM = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*__c")
TYPES = (
    "string", "textarea", "long", "email", "phone", "url", "picklist", "multipicklist", "boolean", "double", "currency",
    "percent", "date", "datetime", "reference",
)  # fmt: skip


def refuse(message: str) -> Refusal:
    """Return the refusal of a change that can't be made."""
    return Refusal(400, "INVALID_INPUT", message)


def custom_name(body: Body, key: str = "name") -> str:
    """Return the API name of something custom, or refuse it."""
    name = str(body.get(key) or "")
    if not _CUSTOM.fullmatch(name) or len(name) > 43:
        raise refuse(f"{key} must be an API name of at most 40 letters, digits and single _, ending in __c: {name!r}")
    return name


def new_field(body: Body) -> Field:
    """Return the custom field that an order describes."""
    name = custom_name(body)
    label = str(body.get("label") or name.removesuffix("__c").replace("_", " "))
    kind = type_of(body)
    more: dict[str, Any] = {"required": bool(body.get("required")), "help": body.get("help")}
    if kind in ("string", "email", "double"):
        external = bool(body.get("external_id"))
        more |= {"unique": bool(body.get("unique")), "external_id": external, "id_lookup": external}
    if body.get("default") is not None:
        more["default"] = body["default"]
    if kind == "boolean":
        return flag(name, label, default=bool(body.get("default", False)), help=body.get("help"))
    if kind == "reference":
        return _lookup(name, label, body, more)
    if kind in _NUMBERS:
        return _number(name, label, kind, body, more)
    return _worded(name, label, kind, body, more)


def type_of(body: Body) -> str:
    """Return the type that an order names; `long` is a long text area."""
    word = str(body.get("type") or "").lower()
    kind = _WORDS.get(word, word)
    if kind not in TYPES:
        raise refuse(f"type must be one of {', '.join(TYPES)}, not {word!r}")
    return kind


def _lookup(name: str, label: str, body: Body, more: dict[str, Any]) -> Field:
    parents = [str(each) for each in body.get("parents") or ([body["parent"]] if body.get("parent") else [])]
    if not parents:
        raise refuse("a lookup needs the object it points to, as parent")
    relationship = str(body.get("relationship") or name.removesuffix("__c") + "__r")
    return reference(name, label, *parents, relationship=relationship, **more)


def _number(name: str, label: str, kind: str, body: Body, more: dict[str, Any]) -> Field:
    digits, decimals = _NUMBERS[kind]
    precision, scale = int(body.get("precision", digits)), int(body.get("scale", decimals))
    if not (1 <= precision <= 18 and 0 <= scale <= precision):
        raise refuse("a number has at most 18 digits in all, and no more decimals than digits")
    return number(name, label, kind, precision, scale, **more)


def _worded(name: str, label: str, kind: str, body: Body, more: dict[str, Any]) -> Field:
    if kind in ("picklist", "multipicklist"):
        values = tuple(str(each) for each in body.get("values") or ("One", "Two", "Three"))
        more["restricted"] = bool(body.get("restricted", True))
        if kind == "picklist":
            return pick(name, label, values, **more)
        return plain(name, label, kind, 4_099, picklist=values, groupable=False, **more)
    if kind in ("date", "datetime"):
        return plain(name, label, kind, groupable=kind == "date", **more)
    length = int(body.get("length", _LENGTHS[kind]))
    if not 1 <= length <= _LONGEST.get(kind, 255):
        raise refuse(f"length must be between 1 and {_LONGEST.get(kind, 255)}")
    if kind == "long":
        return long_text(name, label, length, **more)
    return text(name, label, length, **more) if kind == "string" else plain(name, label, kind, length, **more)
