"""The definition of a check: a predicate for bad rows, and what a person needs to know about it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from include.config.model import ApiName, DefinitionModel, Slug

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


class CheckDefinition(DefinitionModel):
    """Hold one check (`definitions/checks/*.yaml`, a list under `checks`)."""

    check: Slug
    title: str = Field(min_length=3)
    why: str = Field(min_length=3)
    category: Category
    severity: Severity
    object: ApiName = Field(description="the object whose records fail the check")
    needs: dict[ApiName, tuple[ApiName, ...]] = Field(
        min_length=1,
        description="objects and fields that the predicate reads; one missing and the check is not assessed",
    )
    bad_when: str = Field(
        min_length=1,
        description="SQL predicate that is true for a bad row; the object's row is {row}, other tables are {Account} etc.",
    )
    max_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of records that may fail before the check counts as failed",
    )
    enabled: bool = True
    clock: bool = Field(default=False, description="true when the verdict can change without a change of data")
    fix: str = ""


class CheckFile(DefinitionModel):
    """Hold a file of checks."""

    checks: tuple[CheckDefinition, ...] = Field(min_length=1)
