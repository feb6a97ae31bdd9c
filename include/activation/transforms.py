"""What can be done to a value on its way to a platform: a small closed set of named transforms. Pure.

Each takes a value of the warehouse or of the transform before it. An empty value stays empty. One that cannot become
what the transform promises raises `Unconvertible`: to send an empty value in its place would wipe what is there.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from include.activation.values import as_moment, json_value
from include.config.push_mapping import MappedField

Convert = Callable[[Any], Any]
Fields = tuple[tuple[str, str, Convert], ...]  # name, path, what is done to the value

_TRUE = frozenset({"true", "yes", "y", "1", "on"})
_LARGEST_EXPONENT = 308  # of what a double holds; to write out 1e999999999 would take for ever
_FALSE = frozenset({"false", "no", "n", "0", "off"})


class Unconvertible(ValueError):
    """Say that a value is not what the transform needs; it never names the value."""


def compile_transforms(names: Sequence[str], *, salt: bytes) -> Convert:
    """Return one function that does the transforms in order and ends with a JSON value.

    Args:
        names: of the transforms.
        salt: the org's, for `hash`.
    """
    if not names:
        return json_value
    steps = [hashed_with(salt) if name == "hash" else _TRANSFORMS[name] for name in names]

    def convert(value: Any) -> Any:
        for step in steps:
            if value is None:
                return None
            value = step(value)
        return json_value(value)

    return convert


def compile_fields(fields: Mapping[str, MappedField], salt: bytes) -> Fields:
    """Return mapped fields, each with its transforms as one function."""
    return tuple((name, each.field, compile_transforms(each.transform, salt=salt)) for name, each in fields.items())


def convert_fields(fields: Fields, row: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return what becomes of a row's values, and whether one was left out because it cannot be converted."""
    try:
        return {name: convert(row[path]) for name, path, convert in fields}, False
    except Unconvertible:
        pass
    found: dict[str, Any] = {}
    for name, path, convert in fields:
        try:
            found[name] = convert(row[path])
        except Unconvertible:
            continue
    return found, True


def hashed_with(salt: bytes) -> Convert:
    """Return what turns a text into the hexadecimal SHA-256 of it, keyed with a salt (HMAC)."""

    def hashed(value: Any) -> str | None:
        said = json_value(value)
        if said is None:
            return None
        return hmac.digest(salt, str(said).encode("utf-8", "surrogatepass"), "sha256").hex()

    return hashed


def split_list(value: Any) -> list[Any]:
    """Return a multi-picklist (``a;b``) as a list; a list stays one."""
    if isinstance(value, list | tuple):
        return list(value)
    return [each.strip() for each in _text(value).split(";") if each.strip()]


def as_date(value: Any) -> str | None:
    """Return a date, a time or a text that begins with a date as ``2026-01-31``; times as the day they are in UTC."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    moment = as_moment(value)
    if moment is not None:
        return moment.date().isoformat()
    text = _text(value)
    return _moment_of(text).date().isoformat() if text else None


def as_datetime(value: Any) -> datetime | None:
    """Return a time or date, or a text that is one (``2026-01-31T10:00:00.000+0000``), as an aware time."""
    moment = as_moment(value)
    if moment is not None:
        return moment
    text = _text(value)
    return _moment_of(text) if text else None


def as_boolean(value: Any) -> bool | None:
    """Return true or false of what says so: booleans, 1 and 0, yes and no."""
    if isinstance(value, bool):
        return value
    text = _text(value).casefold()
    if not text:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise Unconvertible("is neither true nor false")


def as_number(value: Any) -> Any:
    """Return the number that a text says, with a point for its decimals; true is 1."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float | Decimal):
        return value
    text = _text(value).replace("_", "?")  # Python would read 1_000
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise Unconvertible("is no number") from error
    if not number.is_finite() or number.adjusted() > _LARGEST_EXPONENT:
        raise Unconvertible("is no number that a platform could hold")
    return number


def _on_texts(change: Callable[[str], str]) -> Convert:
    def changed(value: Any) -> Any:
        if isinstance(value, str):
            return change(value)
        if isinstance(value, list):
            return [change(each) if isinstance(each, str) else each for each in value]
        return value

    return changed


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return str(int(value))
    if isinstance(value, str | int | float | Decimal):
        return str(value).strip()
    raise Unconvertible("is no text")


def _moment_of(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise Unconvertible("is no date or time") from error


_TRANSFORMS: Mapping[str, Convert] = {
    "lower": _on_texts(str.lower),
    "upper": _on_texts(str.upper),
    "trim": _on_texts(str.strip),
    "date": as_date,
    "datetime": as_datetime,
    "boolean": as_boolean,
    "number": as_number,
    "list": split_list,
}
