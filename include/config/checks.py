"""The definition of a check: a predicate for bad rows, and what a person needs to know about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from include.config.duplicates import Rule
from include.config.expectations import Expectation, Unfolded, unknown_arguments
from include.config.model import ApiName, DefinitionModel, Slug
from include.config.notify import MailAddress
from include.config.predicates import Predicate, duplicate_predicate, read_predicate

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


class SoughtDuplicates(DefinitionModel):
    """Hold by which rules another record is the same one (`duplicates` of the org says what they compare)."""

    rules: tuple[Rule, ...] = Field(min_length=1)
    among: ApiName | Literal[""] = Field(default="", description="the other record's object; empty: the same object")


class CheckDefinition(DefinitionModel):
    """Hold one check (`definitions/checks/*.yaml`): give one of `expect`, `bad_when` and `duplicates`."""

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
    duplicates: SoughtDuplicates | None = Field(
        default=None, description="a record is bad when one of these rules finds another that is the same"
    )
    max_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of records that may fail before the check counts as failed",
    )
    enabled: bool = True
    where_present: bool = Field(
        default=False, description="not every org has the fields: where they are missing it is no mistake"
    )
    fix: str = ""
    owner: MailAddress | None = Field(default=None, description="a team: it is told of this issue, and no one else is")
    mute: bool | date = Field(default=False, description="true: nobody is told of it; a date: nobody before that day")

    @model_validator(mode="after")
    def _says_what_is_bad(self) -> CheckDefinition:
        if self.duplicates is not None:
            if self.expect is not None or self.bad_when.strip():
                raise ValueError(f"give check {self.check!r} either duplicates, or expect or bad_when")
        elif isinstance(self.expect, Unfolded):
            self._insist_on_ids(self.expect)
        elif self.expect is not None and self.bad_when.strip():
            raise ValueError(f"give check {self.check!r} either expect or bad_when, not both")
        elif self.expect is None and not self.bad_when.strip():
            raise ValueError(f"say what is bad for check {self.check!r}: give expect, bad_when or duplicates")
        if self.where_present and self.severity == "critical":
            raise ValueError(
                f"check {self.check!r}: a critical check that cannot be assessed closes the gate, as it would in"
                " orgs without its fields; leave where_present out, or give it another severity"
            )
        try:
            self.predicate  # noqa: B018  (reading it is the check)
        except ValueError as error:
            raise ValueError(f"check {self.check!r}: {error}") from error
        return self

    @field_validator("max_share", mode="before")
    @classmethod
    def _is_a_share(cls, given: Any) -> Any:
        """Refuse `yes`, which would be taken for 1: the check could never fail, and nobody would notice."""
        if isinstance(given, bool):
            message = "give a share between 0 and 1, such as 0.05; to switch the check off say enabled: false"
            raise ValueError(message)  # noqa: TRY004  (pydantic makes an error of a ValueError)
        return given

    def _insist_on_ids(self, expect: Unfolded) -> None:
        refused = unknown_arguments(expect)
        if refused:
            raise ValueError(f"check {self.check!r}: leave out {', '.join(refused)}; max_share, title and why say it")
        if expect.judges_rows and not self.bad_when.strip():
            raise ValueError(
                f"check {self.check!r}: {expect.type} is left to Great Expectations, which names 200 records at most;"
                " give bad_when as well, the SQL that is true for a bad record, so that all of them are stored"
            )
        if not expect.judges_rows and self.bad_when.strip():
            raise ValueError(f"check {self.check!r}: {expect.type} judges no single records; leave bad_when out")

    @property
    def unfolded(self) -> Unfolded | None:
        """Return the expectation that Great Expectations itself has to judge, or None: a predicate says it all."""
        return self.expect if isinstance(self.expect, Unfolded) else None

    @property
    def names_records(self) -> bool:
        """Return whether the check fails for single records, so that there are Ids to store."""
        return self.unfolded is None or self.unfolded.judges_rows

    @property
    def predicate(self) -> Predicate:
        """Return the predicate for bad rows, read from `bad_when` or derived from `expect`.

        A check of the whole object has one that no row fails: it only names the fields that the check needs.
        """
        if self.duplicates is not None:
            return duplicate_predicate(self.object, self.duplicates.among or self.object, self.duplicates.rules)
        if self.expect is None or (self.unfolded and self.unfolded.judges_rows):
            return read_predicate(self.bad_when, self.object)
        if isinstance(self.expect, Unfolded):
            fields = " AND ".join(f"{{row.{name}}} IS NULL" for name in (*self.expect.columns, "Id"))
            return read_predicate(f"false AND {fields}", self.object)
        return read_predicate(self.expect.bad_when(self.object), self.object)

    @property
    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """Return the objects and fields that the predicate reads; one missing and the check is not assessed."""
        return self.predicate.needs

    def muted_on(self, day: date) -> bool:
        """Return whether nobody is told of the issue on this day."""
        return self.mute if isinstance(self.mute, bool) else day < self.mute

    @property
    def clock(self) -> bool:
        """Return whether the verdict can change without a change of data."""
        return self.predicate.reads_the_clock


class CheckFile(DefinitionModel):
    """Hold a file of checks."""

    checks: tuple[CheckDefinition, ...] = Field(min_length=1)
