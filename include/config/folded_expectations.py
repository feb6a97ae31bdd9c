"""The expectations of Great Expectations whose bad rows a predicate finds.

They are judged with all other checks in one pass over the table.

Source: https://greatexpectations.io/expectations (arguments and treatment of empty values; parity is tested).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field, model_validator

from include.config.model import ApiName, DefinitionModel

Value = bool | int | float | str | date | datetime
Limit = int | float | str | date | datetime


class Folded(DefinitionModel):
    """Be an expectation whose bad rows a predicate finds."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """Return what Great Expectations calls the expectation with."""
        return {name: value for name, value in self.model_dump(exclude={"type"}).items() if value is not None}

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the fields that it is about."""
        raise NotImplementedError

    def bad_when(self, object: str) -> str:
        """Return the predicate that is true for a record of the object which breaks the expectation."""
        raise NotImplementedError


class _OneColumn(Folded):
    column: ApiName

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def _field(self) -> str:
        return f"{{row.{self.column}}}"


class Filled(_OneColumn):
    """Expect that a field is filled, or that it is empty."""

    type: Literal["expect_column_values_to_not_be_null", "expect_column_values_to_be_null"]

    def bad_when(self, object: str) -> str:
        """Return the predicate for bad rows."""
        return f"{self._field} IS {'' if 'not_be' in self.type else 'NOT '}NULL"


class Pattern(_OneColumn):
    """Expect that a filled field matches a POSIX regular expression, or that it does not."""

    type: Literal["expect_column_values_to_match_regex", "expect_column_values_to_not_match_regex"]
    regex: str = Field(min_length=1)

    def bad_when(self, object: str) -> str:
        """Return the predicate for bad rows."""
        return f"{self._field} {'~' if '_not_' in self.type else '!~'} {literal(self.regex)}"


class LikePattern(_OneColumn):
    """Expect that a filled field matches a pattern of LIKE, or that it does not."""

    type: Literal["expect_column_values_to_match_like_pattern", "expect_column_values_to_not_match_like_pattern"]
    like_pattern: str = Field(min_length=1)

    def bad_when(self, object: str) -> str:
        """Return the predicate for bad rows."""
        return f"{self._field} {'' if '_not_' in self.type else 'NOT '}LIKE {literal(self.like_pattern)}"


class InSet(_OneColumn):
    """Expect that a filled field holds one of these values, or none of them."""

    type: Literal["expect_column_values_to_be_in_set", "expect_column_values_to_not_be_in_set"]
    value_set: tuple[Value, ...] = Field(min_length=1)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """Return what Great Expectations calls the expectation with."""
        return {"column": self.column, "value_set": list(self.value_set)}

    def bad_when(self, object: str) -> str:
        """Return the predicate for bad rows."""
        return f"{self._field} {'' if '_not_' in self.type else 'NOT '}IN ({', '.join(map(literal, self.value_set))})"


class _Bounds(_OneColumn):
    min_value: Limit | None = None
    max_value: Limit | None = None
    strict_min: bool = False
    strict_max: bool = False

    _measure: ClassVar[str] = "{}"

    @model_validator(mode="after")
    def _has_a_bound(self) -> _Bounds:
        low, high = self.min_value, self.max_value
        if low is None and high is None:
            raise ValueError("give min_value, max_value or both")
        if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
            raise ValueError(f"min_value {low} is greater than max_value {high}: every record would be bad")
        return self

    def bad_when(self, object: str) -> str:
        """Return the predicate for bad rows."""
        measure = self._measure.format(self._field)
        sides = []
        if self.min_value is not None:
            sides.append(f"{measure} {'<=' if self.strict_min else '<'} {literal(self.min_value)}")
        if self.max_value is not None:
            sides.append(f"{measure} {'>=' if self.strict_max else '>'} {literal(self.max_value)}")
        return " OR ".join(sides)


class Between(_Bounds):
    """Expect that a filled field lies between two values, the ends included unless they are strict."""

    type: Literal["expect_column_values_to_be_between"]


class LengthBetween(_Bounds):
    """Expect that a filled text has between so many and so many characters."""

    type: Literal["expect_column_value_lengths_to_be_between"]
    min_value: int | None = Field(default=None, ge=0)
    max_value: int | None = Field(default=None, ge=0)

    _measure: ClassVar[str] = "length({})"


class LengthEquals(_OneColumn):
    """Expect that a filled text has exactly so many characters."""

    type: Literal["expect_column_value_lengths_to_equal"]
    value: int = Field(ge=0)

    def bad_when(self, object: str) -> str:
        """Return the predicate for bad rows."""
        return f"length({self._field}) <> {self.value}"


class Unique(_OneColumn):
    """Expect that no two records hold the same value; each of those that do is bad."""

    type: Literal["expect_column_values_to_be_unique"]

    def bad_when(self, object: str) -> str:
        """Return the predicate for bad rows."""
        other = f"{{other.{self.column}}}"
        return f"{self._field} IN (SELECT {other} FROM {{{object}}} AS other GROUP BY {other} HAVING count(*) > 1)"


class _TwoColumns(Folded):
    model_config = ConfigDict(extra="forbid", frozen=True)

    column_A: ApiName
    column_B: ApiName

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column_A, self.column_B)

    @property
    def _fields(self) -> tuple[str, str]:
        return f"{{row.{self.column_A}}}", f"{{row.{self.column_B}}}"


class Greater(_TwoColumns):
    """Expect that one field is greater than another, where both are filled."""

    type: Literal["expect_column_pair_values_a_to_be_greater_than_b"]
    or_equal: bool = False
    ignore_row_if: Literal["either_value_is_missing"] = "either_value_is_missing"

    def bad_when(self, object: str) -> str:
        """Return the predicate for bad rows."""
        one, other = self._fields
        return f"{one} {'<' if self.or_equal else '<='} {other}"


class Equal(_TwoColumns):
    """Expect that two fields hold the same, where both are filled."""

    type: Literal["expect_column_pair_values_to_be_equal"]
    ignore_row_if: Literal["either_value_is_missing"] = "either_value_is_missing"

    def bad_when(self, object: str) -> str:
        """Return the predicate for bad rows."""
        one, other = self._fields
        return f"{one} <> {other}"


def literal(value: Value) -> str:
    """Return a value as a predicate writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if abs(value) > sys.float_info.max:
            raise ValueError("a number of more than 308 digits is none to compare with")
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is no number to compare with; leave that side out")
        return format(Decimal(repr(value)), "f")  # 1e-07 is no number of a predicate
    text = value if isinstance(value, str) else value.isoformat()
    return "'" + text.replace("'", "''") + "'"
