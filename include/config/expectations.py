"""The expectations of Great Expectations, named and spelt as there, and what their bad rows are.

Most say something about each row, and that can be said as a predicate: they are judged with all other checks in one
pass over the table. Any other is left to Great Expectations itself.

Source: https://greatexpectations.io/expectations (arguments and treatment of empty values; parity is tested).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    field_validator,
    model_validator,
)

from include.config.expectation_names import KNOWN
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
    strict_min: bool = False
    strict_max: bool = False

    _measure: ClassVar[str] = "{}"

    @model_validator(mode="after")
    def _has_a_bound(self) -> _Bounds:
        if self._low is None and self._high is None:
            raise ValueError("give min_value, max_value or both")
        return self

    @property
    def _low(self) -> Limit | None:
        raise NotImplementedError

    @property
    def _high(self) -> Limit | None:
        raise NotImplementedError

    def bad_when(self, object: str) -> str:
        """Return the predicate for bad rows."""
        measure = self._measure.format(self._field)
        sides = []
        if self._low is not None:
            sides.append(f"{measure} {'<=' if self.strict_min else '<'} {literal(self._low)}")
        if self._high is not None:
            sides.append(f"{measure} {'>=' if self.strict_max else '>'} {literal(self._high)}")
        return " OR ".join(sides)


class Between(_Bounds):
    """Expect that a filled field lies between two values, the ends included unless they are strict."""

    type: Literal["expect_column_values_to_be_between"]
    min_value: Limit | None = None
    max_value: Limit | None = None

    @property
    def _low(self) -> Limit | None:
        return self.min_value

    @property
    def _high(self) -> Limit | None:
        return self.max_value


class LengthBetween(_Bounds):
    """Expect that a filled text has between so many and so many characters."""

    type: Literal["expect_column_value_lengths_to_be_between"]
    min_value: int | None = Field(default=None, ge=0)
    max_value: int | None = Field(default=None, ge=0)

    _measure: ClassVar[str] = "length({})"

    @property
    def _low(self) -> Limit | None:
        return self.min_value

    @property
    def _high(self) -> Limit | None:
        return self.max_value


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


class Unfolded(BaseModel):
    """Be any other expectation; its arguments are Great Expectations' own and are checked by it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: Annotated[str, StringConstraints(pattern=r"^expect_[a-z0-9_]+$")]

    @field_validator("type")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in KNOWN:
            near = difflib.get_close_matches(name, KNOWN, n=1)
            raise ValueError(
                f"Great Expectations has no {name}" + (f"; did you mean {near[0]}?" if near else "; see its gallery")
            )
        return name

    @property
    def arguments(self) -> Mapping[str, Any]:
        """Return what Great Expectations calls the expectation with."""
        return dict(self.model_extra or {})

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the fields that it is about, as far as its arguments name them."""
        named = self.arguments
        listed = named.get("column_list") or ()
        return tuple(str(named[key]) for key in ("column", "column_A", "column_B") if key in named) + tuple(listed)

    @property
    def judges_rows(self) -> bool:
        """Return whether it says something about each row, so that there are records to name."""
        about = ("column_values_", "column_value_lengths_", "column_value_z_scores_", "column_pair_values_")
        more = ("compound_columns_", "multicolumn_", "select_column_values_")
        return self.type.removeprefix("expect_").startswith(about + more)


_FOLDED: tuple[type[Folded], ...] = (
    Filled, Pattern, LikePattern, InSet, Between, LengthBetween, LengthEquals, Unique, Greater, Equal,
)  # fmt: skip
_TAGS = {name: each.__name__ for each in _FOLDED for name in each.model_fields["type"].annotation.__args__}  # type: ignore[union-attr]


def _tag(value: Any) -> str:
    name = value.get("type", "") if isinstance(value, Mapping) else getattr(value, "type", "")
    return _TAGS.get(str(name), "Unfolded")


Expectation = Annotated[
    Annotated[Filled, Tag("Filled")]
    | Annotated[Pattern, Tag("Pattern")]
    | Annotated[LikePattern, Tag("LikePattern")]
    | Annotated[InSet, Tag("InSet")]
    | Annotated[Between, Tag("Between")]
    | Annotated[LengthBetween, Tag("LengthBetween")]
    | Annotated[LengthEquals, Tag("LengthEquals")]
    | Annotated[Unique, Tag("Unique")]
    | Annotated[Greater, Tag("Greater")]
    | Annotated[Equal, Tag("Equal")]
    | Annotated[Unfolded, Tag("Unfolded")],
    Discriminator(_tag),
]


def literal(value: Value) -> str:
    """Return a value as a predicate writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, str) else value.isoformat()
    return "'" + text.replace("'", "''") + "'"


def unknown_arguments(expect: Unfolded) -> Sequence[str]:
    """Return the arguments that Headwater decides by itself and that may not be given."""
    return tuple(name for name in ("mostly", "meta", "notes", "description", "severity") if name in expect.arguments)
