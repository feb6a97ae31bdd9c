"""The expectations of Great Expectations, named and spelt as there.

Most say something about each row, and that can be said as a predicate (`include.config.folded_expectations`). Any other
is left to Great Expectations itself.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, StringConstraints, Tag, field_validator, model_validator

from include.config.expectation_names import KNOWN
from include.config.folded_expectations import (
    Between,
    Equal,
    Filled,
    Folded,
    Greater,
    InSet,
    LengthBetween,
    LengthEquals,
    LikePattern,
    Pattern,
    Unique,
)


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

    @model_validator(mode="after")
    def _compares_with_numbers(self) -> Unfolded:
        """Refuse what no document can hold: it would stop the assessment with all other checks."""
        for name, value in self.arguments.items():
            for each in value if isinstance(value, list | tuple) else (value,):
                if isinstance(each, int | float) and not abs(each) <= sys.float_info.max:
                    raise ValueError(f"{name}: {str(each)[:20]} is no number to compare with; leave it out")
        return self

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


def unknown_arguments(expect: Unfolded) -> Sequence[str]:
    """Return the arguments that Headwater decides by itself and that may not be given."""
    return tuple(name for name in ("mostly", "meta", "notes", "description", "severity") if name in expect.arguments)
