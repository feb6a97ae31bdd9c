"""What all answers of the JSON API have in common: typed, frozen, times in UTC, lists a page at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from include.record_ids import whole_id
from include.warehouse.personal.masks import MASK

MOST_ITEMS = 500
LONGEST_TEXT = 200

Item = TypeVar("Item")


def _in_utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Answer(BaseModel):
    """Be an answer, or a part of one; it is read from the values that the warehouse's readers return."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Page(Answer, Generic[Item]):
    """Hold one page of a list."""

    items: tuple[Item, ...]
    next: str | None = Field(description="Hand it over as `after` to get the next page; null: this is the last one.")


class Counted(Page[Item], Generic[Item]):
    """Hold one page of a list whose length is known."""

    total: int = Field(description="How many match, on all pages.")


Limit = Annotated[int, Query(ge=1, le=MOST_ITEMS, description="How many to return at most.")]
Search = Annotated[str, Query(max_length=LONGEST_TEXT, description="Part of a text, upper or lower case; empty: all.")]
AfterNumber = Annotated[
    str | None,
    Query(pattern=r"^[0-9]{0,18}$", description="`next` of the page before; none or empty: from the newest on."),
]


def number(after: str | None) -> int | None:
    """Return the number at which the page before ended."""
    return int(after) if after else None


def cut(found: list[Item], limit: int, key: Any) -> tuple[tuple[Item, ...], str | None]:
    """Return a page and its `next`, of a list that was asked for one item more than the page holds.

    Args:
        found: at most limit + 1 items.
        limit: how many the page holds.
        key: gives what the next page begins after.
    """
    shown = tuple(found[:limit])
    return shown, str(key(shown[-1])) if len(found) > limit else None


def shown_key(key: str, *, unmasked: bool) -> str:
    """Return the key of a record as it may be shown: one that is no Id of Salesforce may be a person's address."""
    return key if unmasked or whole_id(key) == key else MASK
