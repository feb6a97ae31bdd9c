"""What HubSpot takes in a property of a contact, by the property's type; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from include.sandbox.hubspot.errors import invalid_property

_LONGEST = 65_536
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(T00:00:00(\.0+)?Z)?|-?\d{1,13}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?|-?\d{1,14}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")

Property = dict[str, Any]  # name, type, unique, read_only


def given_properties() -> list[Property]:
    """Return the properties that an account begins with."""
    texts = (
        "firstname",
        "lastname",
        "phone",
        "jobtitle",
        "company",
        "city",
        "country",
        "lifecyclestage",
        "account_tier",
    )
    return [
        _property("email", unique=True),
        _property("hs_object_id", "number", read_only=True),
        _property("createdate", "datetime", read_only=True),
        *(_property(name) for name in texts),
        _property("annualrevenue", "number"),
        _property("vip", "bool"),
        _property("renewal_date", "date"),
        _property("last_seen_at", "datetime"),
        _property("salesforce_contact_id", unique=True),
    ]


def described(one: Property) -> dict[str, Any]:
    """Return a property as the platform describes it."""
    return {
        "name": one["name"], "label": one["name"], "type": one["type"], "hasUniqueValue": one["unique"],
        "modificationMetadata": {"readOnlyValue": one["read_only"]},
    }  # fmt: skip


def problem_of_batch(values: Mapping[str, Any], known: Mapping[str, Property]) -> str | None:
    """Return why the whole batch is refused for one of its inputs, or None."""
    for name, value in values.items():
        found = known.get(name)
        if found is None:
            return invalid_property("PROPERTY_DOESNT_EXIST", name, f'Property \\"{name}\\" does not exist')
        if found["read_only"]:
            return invalid_property("READ_ONLY_VALUE", name, f'Property \\"{name}\\" is read only')
        if not isinstance(value, str):
            return f'Invalid input JSON: property "{name}" is no string'
    return None


def problem_of(values: Mapping[str, str], known: Mapping[str, Property]) -> str | None:
    """Return why an input is refused, alone, or None."""
    for name, value in values.items():
        if value == "":
            continue
        if name == "email" and not _EMAIL.fullmatch(value):
            return invalid_property("INVALID_EMAIL", name, f"Email address {value} is invalid")
        code, fits = _TYPES[known[name]["type"]]
        if not fits(value):
            return invalid_property(code, name, f"{value} was not a valid {known[name]['type']}")
    return None


def _property(name: str, kind: str = "string", *, unique: bool = False, read_only: bool = False) -> Property:
    return {"name": name, "type": kind, "unique": unique, "read_only": read_only}


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


_TYPES: Mapping[str, tuple[str, Callable[[str], bool]]] = {
    "string": ("INVALID_STRING", lambda value: len(value) <= _LONGEST),
    "number": ("INVALID_LONG", _matches(_NUMBER)),
    "bool": ("INVALID_BOOLEAN", lambda value: value in ("true", "false")),
    "date": ("INVALID_DATE", _matches(_DAY)),
    "datetime": ("INVALID_DATE", _matches(_MOMENT)),
    "enumeration": ("INVALID_OPTION", lambda value: bool(value)),
}
