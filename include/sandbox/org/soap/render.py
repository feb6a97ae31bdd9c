"""Values written as XML, in the order and with the nils that their type has in the WSDL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from include.sandbox.org.soap.types import TYPES, Member

# What XML 1.0 can't say at all, not even as a reference.
_UNSAYABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EMPTY: dict[str, Any] = {"boolean": False, "int": 0}


class Rendered(str):
    """Mark a text that is XML already: a record."""

    __slots__ = ()


def element(name: str, content: str, **attributes: str) -> str:
    """Return an element around content that is XML already; `xsi_type` stands for `xsi:type`."""
    said = "".join(f" {key.replace('_', ':')}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{said}>{content}</{name}>"


def nil(name: str) -> str:
    """Return an element that says that there is no value."""
    return f'<{name} xsi:nil="true"/>'


def text(value: Any) -> str:
    """Return a plain value as the text inside an element."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return moment(value)
    return escape(_UNSAYABLE.sub("", str(value)))


def moment(value: datetime) -> str:
    """Return a time as SOAP writes it."""
    aware = value.astimezone(UTC) if value.tzinfo else value
    return aware.strftime("%Y-%m-%dT%H:%M:%S.") + f"{aware.microsecond // 1000:03d}Z"


def member(each: Member, value: Any) -> str:
    """Return a member's value, or all its values, as elements."""
    if each.many:
        single = Member(name=each.name, type=each.type, many=False, optional=False, nillable=each.nillable)
        return "".join(member(single, item) for item in value or ())
    if isinstance(value, Rendered):
        return value
    if value is None:
        if each.optional:
            return ""
        if each.nillable:
            return nil(each.name)
        value = _EMPTY.get(each.type, "")
    if each.type in TYPES:
        return element(each.name, members(each.type, value))
    if each.type == "anyType":
        return element(each.name, text(value), xsi_type="xsd:boolean" if isinstance(value, bool) else "xsd:string")
    return element(each.name, text(value))


def members(kind: str, values: Mapping[str, Any]) -> str:
    """Return the members of a value of a type."""
    return "".join(member(each, values.get(each.name)) for each in TYPES[kind])
