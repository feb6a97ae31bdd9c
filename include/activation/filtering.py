"""Turn the filter of a push into SQL over the warehouse, with Salesforce's ideas of case and emptiness. Pure.

The same filter finds the same records here and in the org: texts are compared without regard to case, an empty field is
not equal to any value (so `!=`, `not in` and `excludes` find it), and an empty text is an empty field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from include.config.filters import AllOf, AnyOf, Comparison

_ID_TYPES = frozenset({"id", "reference"})
_NUMBERS = frozenset({"integer", "bigint", "numeric", "double precision"})
_MOMENT = "timestamp with time zone"
_CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterColumn:
    """Hold the column behind a field path: its expression, PostgreSQL's word for its type, and Salesforce's or ""."""

    expression: str
    type: str
    field_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterSql:
    """Hold a condition and the values that are bound to it."""

    condition: str
    binds: dict[str, Any] = field(default_factory=dict)


def compile_filter(
    conditions: tuple[Comparison | AnyOf | AllOf, ...], column: Callable[[str], FilterColumn]
) -> FilterSql:
    """Return the condition that a record meets when it meets each of the filter's.

    Args:
        conditions: of the definition.
        column: returns what is behind a field path.

    Raises:
        ValueError: a field is compared with a value of another kind; the message says what to write.
    """
    compiler = _Compiler(column=column)
    said = [compiler.condition(each) for each in conditions]
    return FilterSql(condition=" AND ".join(said), binds=compiler.binds)


@dataclass(slots=True, kw_only=True)
class _Compiler:
    column: Callable[[str], FilterColumn]
    binds: dict[str, Any] = field(default_factory=dict)

    def condition(self, each: Comparison | AnyOf | AllOf) -> str:
        if isinstance(each, AnyOf):
            return "(" + " OR ".join(self.condition(one) for one in each.any) + ")"
        if isinstance(each, AllOf):
            return "(" + " AND ".join(self.condition(one) for one in each.all) + ")"
        column = self.column(each.field)
        if each.operator in ("includes", "excludes"):
            return self._choices(each, column)
        if isinstance(each.value, tuple):
            return self._among(each, column)
        if each.operator == "like":
            return self._like(each, column)
        return self._compared(each, column)

    def _compared(self, each: Comparison, column: FilterColumn) -> str:
        if _is_empty(each.value, column):
            if each.operator not in ("=", "!="):
                raise ValueError(f"{each.field} cannot be {each.operator} nothing; write '=' or '!='")
            return f"({column.expression} IS {'NOT ' if each.operator == '!=' else ''}NULL)"
        if isinstance(each.value, bool) and each.operator not in ("=", "!="):
            raise ValueError(f"{each.field} is true or false; write '=' or '!='")
        left, right = _folded(column), self._bound(each, each.value, column)
        operator = "IS DISTINCT FROM" if each.operator == "!=" else each.operator
        return f"({left} {operator} {right})"

    def _among(self, each: Comparison, column: FilterColumn) -> str:
        values = each.value if isinstance(each.value, tuple) else (each.value,)
        said = [value for value in values if not _is_empty(value, column)]
        tests = (
            [f"{_folded(column)} IN ({', '.join(self._bound(each, value, column) for value in said)})"] if said else []
        )
        if len(said) < len(values):
            tests.append(f"{column.expression} IS NULL")
        inside = f"({' OR '.join(tests)})"
        return f"(NOT coalesce({inside}, FALSE))" if each.operator == "not in" else inside

    def _like(self, each: Comparison, column: FilterColumn) -> str:
        if column.type != "text":
            raise ValueError(f"{each.field} is no text; 'like' compares texts")
        pattern = str(each.value)
        backslashes = len(pattern) - len(pattern.rstrip("\\"))
        return f"({column.expression} ILIKE {self._bind(pattern + chr(92) * (backslashes % 2))} ESCAPE '\\')"

    def _choices(self, each: Comparison, column: FilterColumn) -> str:
        if column.type != "text" or column.field_type not in ("", "multipicklist"):
            raise ValueError(f"{each.field} is no multi-select picklist; write 'in' or 'not in'")
        there = f"string_to_array(lower({column.expression}), ';')"
        tests = []
        for value in each.value if isinstance(each.value, tuple) else ():
            wanted = [part.strip().lower() for part in str(value).split(";")]
            tests.append(f"{there} @> CAST({self._bind(wanted)} AS text[])")
        inside = f"({' OR '.join(tests)})"
        return f"(NOT coalesce({inside}, FALSE))" if each.operator == "excludes" else inside

    def _bound(self, each: Comparison, value: Any, column: FilterColumn) -> str:
        wrong = _mismatch(value, column)
        if wrong:
            raise ValueError(f"{each.field} {wrong}")
        if column.field_type in _ID_TYPES:
            return self._bind(whole_id(value))
        return f"lower({self._bind(value)})" if column.type == "text" else self._bind(value)

    def _bind(self, value: Any) -> str:
        name = f"filter_{len(self.binds)}"
        self.binds[name] = value
        return f":{name}"


def whole_id(text: str) -> str:
    """Return an Id of 15 characters as one of 18, as the warehouse holds it; anything else as it is."""
    if len(text) != 15 or not text.isalnum():
        return text
    blocks = (text[start : start + 5] for start in (0, 5, 10))
    return text + "".join(
        _CHECKSUM[sum(1 << place for place, letter in enumerate(block) if letter.isascii() and letter.isupper())]
        for block in blocks
    )


def _is_empty(value: Any, column: FilterColumn) -> bool:
    return value is None or (value == "" and column.type == "text")


def _folded(column: FilterColumn) -> str:
    by_case = column.type != "text" or column.field_type in _ID_TYPES
    return column.expression if by_case else f"lower({column.expression})"


def _mismatch(value: Any, column: FilterColumn) -> str:
    """Return what is wrong with comparing the column with this value, or ""."""
    if column.type == "text":
        return "" if isinstance(value, str) else "is a text; write the value in quotes"
    if column.type == "boolean":
        return "" if isinstance(value, bool) else "is true or false; compare it with one of these, without quotes"
    if column.type in _NUMBERS:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return "" if is_number else "is a number; write the value without quotes"
    if column.type == _MOMENT:
        return "" if isinstance(value, datetime) else "is a time; write one with its zone, such as 2026-01-31T10:00:00Z"
    if column.type == "date":
        is_day = isinstance(value, date) and not isinstance(value, datetime)
        return "" if is_day else "is a date; write one such as 2026-01-31"
    return f"cannot be compared: it is of type {column.type}"
