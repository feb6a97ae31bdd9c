"""What is exported: named columns of a kind each, and rows in batches, so that no file is ever held whole. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Literal

Kind = Literal["text", "integer", "number", "boolean", "date", "time", "datetime"]
Batches = Iterable[Sequence[Sequence[Any]]]

# A spreadsheet runs what begins so, in a file that came by mail as well: whoever writes a name into a web form must not
# write programs for whoever opens the export.
_STARTS_A_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Name a column and the kind of its values."""

    name: str
    kind: Kind


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe goes before what could be one.

    >>> harmless("=HYPERLINK(1)")
    "'=HYPERLINK(1)"
    """
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def as_text(value: Any) -> str:
    """Return a value that is no text as every program reads it: ISO 8601 in UTC, a point before decimals."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)
