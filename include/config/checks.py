"""The definition of a check: a predicate for bad rows, and what a person needs to know about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from include.config.model import ApiName, DefinitionModel, Slug
from include.config.predicates import Predicate, read_predicate

Category = Literal[
    "Low quality data",
    "Duplicates",
    "Incomplete",
    "Invalid",
    "Inconsistent",
    "Stale",
    "Orphaned",
    "Ownership",
    "Compliance",
]
Severity = Literal["info", "warning", "error", "critical"]


class NotNull(DefinitionModel):
    """Expect that a field is filled."""

    type: Literal["expect_column_values_to_not_be_null"]
    column: ApiName

    @property
    def bad_when(self) -> str:
        """Return the predicate that is true for a row which breaks the expectation."""
        return f"{{row.{self.column}}} IS NULL"


class MatchesPattern(DefinitionModel):
    """Expect that a field, where it is filled, matches a POSIX regular expression; or that it does not."""

    type: Literal["expect_column_values_to_match_regex", "expect_column_values_to_not_match_regex"]
    column: ApiName
    regex: str = Field(min_length=1)

    @property
    def bad_when(self) -> str:
        """Return the predicate that is true for a row which breaks the expectation."""
        operator = "!~" if self.type == "expect_column_values_to_match_regex" else "~"
        return f"{{row.{self.column}}} {operator} {_literal(self.regex)}"


class InSet(DefinitionModel):
    """Expect that a field, where it is filled, holds one of these texts."""

    type: Literal["expect_column_values_to_be_in_set"]
    column: ApiName
    value_set: tuple[str, ...] = Field(min_length=1)

    @property
    def bad_when(self) -> str:
        """Return the predicate that is true for a row which breaks the expectation."""
        return f"{{row.{self.column}}} NOT IN ({', '.join(map(_literal, self.value_set))})"


# Expectations of Great Expectations' own that say the same as a predicate; named as there, with its arguments.
Expectation = Annotated[NotNull | MatchesPattern | InSet, Field(discriminator="type")]


class CheckDefinition(DefinitionModel):
    """Hold one check (`definitions/checks/*.yaml`, a list under `checks`): give either `expect` or `bad_when`."""

    check: Slug
    title: str = Field(min_length=3)
    why: str = Field(min_length=3)
    category: Category
    severity: Severity
    object: ApiName = Field(description="the object whose records fail the check")
    bad_when: str = Field(
        default="",
        description="SQL predicate that is true for a bad row: {row.Email} is a field of it, {Account} AS name a table",
    )
    expect: Expectation | None = Field(
        default=None, description="an expectation of Great Expectations that a good row meets"
    )
    max_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of records that may fail before the check counts as failed",
    )
    enabled: bool = True
    fix: str = ""

    @model_validator(mode="after")
    def _says_what_is_bad(self) -> CheckDefinition:
        if bool(self.bad_when.strip()) == (self.expect is not None):
            raise ValueError(f"give check {self.check!r} either expect or bad_when, not both")
        try:
            self.predicate  # noqa: B018  (reading it is the check)
        except ValueError as error:
            raise ValueError(f"check {self.check!r}: {error}") from error
        return self

    @property
    def predicate(self) -> Predicate:
        """Return the predicate for bad rows, read from `bad_when` or derived from `expect`."""
        return read_predicate(self.expect.bad_when if self.expect else self.bad_when, self.object)

    @property
    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """Return the objects and fields that the predicate reads; one missing and the check is not assessed."""
        return self.predicate.needs

    @property
    def clock(self) -> bool:
        """Return whether the verdict can change without a change of data."""
        return self.predicate.reads_the_clock


class CheckFile(DefinitionModel):
    """Hold a file of checks."""

    checks: tuple[CheckDefinition, ...] = Field(min_length=1)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
