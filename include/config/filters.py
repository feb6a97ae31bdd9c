"""What a person writes to read only some records of an object: comparisons, joined by all or any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from include.config.model import DefinitionModel, FieldPath

Value = bool | int | float | datetime | date | str | None
Operator = Literal["=", "!=", "<", "<=", ">", ">=", "like", "in", "not in", "includes", "excludes"]

_WITH_LISTS = ("in", "not in", "includes", "excludes")


class Comparison(DefinitionModel):
    """Compare a field with a value, or with a list of them (in, not in, includes, excludes)."""

    field: FieldPath
    operator: Operator = "="
    value: Value | tuple[Value, ...]

    @model_validator(mode="after")
    def _value_suits_operator(self) -> Comparison:
        """Refuse what the org would refuse, or read otherwise than it is meant."""
        if self.operator in _WITH_LISTS:
            if not isinstance(self.value, tuple) or not self.value:
                raise ValueError(f"{self.operator!r} needs a list of values, such as [EMEA, APAC]")
        elif isinstance(self.value, tuple):
            raise ValueError(f"{self.operator!r} compares with one value; for a list write 'in' or 'not in'")
        if self.operator == "like" and not isinstance(self.value, str):
            raise ValueError("'like' compares with a text, such as 'Acme%'")
        if self.value is None and self.operator not in ("=", "!="):
            raise ValueError(f"{self.operator!r} finds nothing with null; write '=' or '!='")
        for each in self.value if isinstance(self.value, tuple) else (self.value,):
            if isinstance(each, datetime) and each.tzinfo is None:
                raise ValueError("a time needs its zone, such as 2026-01-31T10:00:00Z")
            if (isinstance(each, datetime) and each.microsecond) or (isinstance(each, float) and not isfinite(each)):
                raise ValueError("the org compares with whole seconds, and with numbers that have an end")
        return self


class AnyOf(DefinitionModel):
    """Take a record that meets at least one of the conditions."""

    any: tuple[Condition, ...] = Field(min_length=1)


class AllOf(DefinitionModel):
    """Take a record that meets each of the conditions."""

    all: tuple[Condition, ...] = Field(min_length=1)


def _kind(value: Any) -> str:
    keys: object = value if isinstance(value, Mapping) else vars(value)
    return next((name for name in ("any", "all") if isinstance(keys, Mapping) and name in keys), "comparison")


Condition = Annotated[
    Annotated[Comparison, Tag("comparison")] | Annotated[AnyOf, Tag("any")] | Annotated[AllOf, Tag("all")],
    Discriminator(_kind),
]
# The conditions of one object; a record is read when it meets each of them.
Filter = Annotated[tuple[Condition, ...], Field(min_length=1)]

AnyOf.model_rebuild()
AllOf.model_rebuild()


def comparisons(conditions: tuple[Comparison | AnyOf | AllOf, ...]) -> Iterator[Comparison]:
    """Yield every comparison, however deep."""
    for each in conditions:
        if isinstance(each, Comparison):
            yield each
        else:
            yield from comparisons(each.any if isinstance(each, AnyOf) else each.all)
