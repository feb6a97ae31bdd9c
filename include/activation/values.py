"""Turn what the warehouse holds into JSON values as platforms want them. Pure and total: every value becomes one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import orjson

_LARGEST_INTEGER = 2**63 - 1  # more than orjson writes, and than most readers of JSON hold


def json_value(value: Any) -> Any:
    """Return the value as JSON text, number, boolean or list; None for what is empty.

    Times become RFC 3339 in UTC, dates midnight UTC (platforms know no plain date), decimals the integer or the
    shortest float that equals them. Where no float does (more than 15 to 17 digits), the nearest one: readers of JSON
    hold doubles.
    """
    if isinstance(value, str):
        return value if value and not value.isspace() else None
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00Z"
    if isinstance(value, int | float | Decimal):
        return _number(value)
    return _compound(value)


def is_blank(value: Any) -> bool:
    """Say whether a field holds nothing."""
    return value is None or (isinstance(value, str) and (not value or value.isspace()))


def as_moment(value: Any) -> datetime | None:
    """Return a time or date of the warehouse as an aware time in UTC, or None when it is neither."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return None


def _compound(value: Any) -> Any:
    if isinstance(value, time):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, list | tuple | set | frozenset):
        kept = [each for each in (json_value(each) for each in value) if each is not None]
        return kept or None
    if isinstance(value, Mapping):
        return orjson.dumps({str(key): json_value(each) for key, each in value.items()}).decode() if value else None
    return str(value)


def _moment(value: datetime) -> str:
    moment = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def _number(value: float | Decimal) -> int | float | None:
    if not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
        return None
    if value == int(value) and abs(int(value)) <= _LARGEST_INTEGER:
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None
