"""Hand many values to one statement, taken apart by the server: as one JSON text, or as a text for each column.

An array parameter takes the driver ten times as long as either. Texts by column cost the server two thirds of what
JSON objects cost it (a thousand rows at a time); they are for the statements that every record of a push goes through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

# What stands where a list of values is wanted; `listed` is bound to `as_json` of them.
LISTED = "SELECT json_array_elements_text(CAST(:listed AS json))"

# Separators that no text of ours holds: control characters that nobody can type.
_END, _NULL = "\x1e", "\x1d"
_CONTROL = str.maketrans({_END: None, _NULL: None, "\x00": None})


def column(values: Iterable[str | None]) -> str:
    """Return the values of a column as one parameter; they are text that we or the org made, without separators."""
    return _END.join([_NULL if value is None else value for value in values])


def clean(text: str) -> str:
    """Return a text that anybody may have written without what would end a value."""
    return text.translate(_CONTROL)


def lines(*columns: str) -> str:
    """Return what stands behind FROM: a table ``line`` whose columns are text parameters of the same names.

    A table of one row whose text is empty is none to the server: read columns that are never null by ``coalesce``.
    """
    taken = ", ".join(f"string_to_table(:{name}, E'\\x1e', E'\\x1d')" for name in columns)
    return f"ROWS FROM ({taken}) AS line({', '.join(columns)})"


def as_json(values: Sequence[Any] | Mapping[str, Any]) -> str:
    """Return values, or frozen values as objects, as one JSON text to be taken apart by the server."""
    return orjson.dumps(values).decode()
