"""Bring a value to one form, whoever read it: JSON, CSV as text, or a row of the warehouse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

Row = Mapping[str, Any]

# Compound fields travel as their parts, and files as nothing that a table could hold.
NOT_COMPARED = frozenset({"address", "location", "base64", "complexvalue"})


def formed(row: Row, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a row in one form, by field; `fields` says the Salesforce type of each."""
    return {name: _FORMS.get(kind, _text)(row.get(name)) for name, kind in fields.items()}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _number(value: Any) -> str:
    return "" if value in (None, "") else repr(float(value))


def _flag(value: Any) -> str:
    return "" if value in (None, "") else str(value).lower()


def _date(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else _text(value)[:10]


def _moment(value: Any) -> str:
    if value in (None, ""):
        return ""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.astimezone(UTC).isoformat("T", "milliseconds")


def _time(value: Any) -> str:
    if value in (None, ""):
        return ""
    clock = value if isinstance(value, time) else time.fromisoformat(str(value))
    return clock.replace(tzinfo=None).isoformat("milliseconds")


_FORMS: Mapping[str, Callable[[Any], str]] = {
    "boolean": _flag, "int": _number, "double": _number, "currency": _number, "percent": _number, "long": _number,
    "date": _date, "datetime": _moment, "time": _time,
}  # fmt: skip
