"""API usage: what an org allows, and what our calls went to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from headwater.ui.api.addressed import TheOrg
from headwater.ui.api.answers import LONGEST_TEXT, Answer, Moment
from headwater.ui.listing import plain
from headwater.ui.warehouse import Warehouse
from include.warehouse.overview import record_changers, usage_overview

router = APIRouter(tags=["API usage"])


class BudgetAnswer(Answer):
    """Hold the calls of an org's rolling 24 hours and what of them is ours to use."""

    used: int | None = Field(description="Calls of everybody in the org's rolling 24 hours; null: not told yet.")
    allowed: int | None = Field(description="The org's limit.")
    observed_at: Moment | None
    kept: int | None = Field(description="The watermark: calls that we leave to others.")
    quota: int | None = Field(description="Our calls in a day; null: no quota.")
    began_at: Moment | None = Field(description="When the day of the quota began.")
    paused_at: Moment | None = Field(description="The last time that a call was not allowed.")
    cause: str
    ours: int = Field(description="Our calls since `began_at`.")
    left: int | None = Field(description="Calls before the watermark.")
    tight: bool = Field(description="Less than a tenth of the limit is left.")
    shared_with: tuple[str, ...] = Field(description="Other definitions of the same org.")


class SpentAnswer(Answer):
    """Say what calls of the last 24 hours went to."""

    purpose: str
    object: str
    calls: int
    runs: int
    last_hour: Moment


class HourAnswer(Answer):
    """Hold our calls of one clock hour."""

    hour: Moment
    calls: int


class ChangerAnswer(Answer):
    """Say how many records of an object a user changed last, within 24 hours."""

    object: str
    user_id: str
    records: int
    last_at: Moment


class UsageAnswer(Answer):
    """Hold an org's API usage."""

    budget: BudgetAnswer
    day: int = Field(description="Our calls of this definition in the last 24 hours.")
    others: int | None = Field(description="Calls of other apps, as far as the org's count and ours tell.")
    spent: tuple[SpentAnswer, ...]
    hours: tuple[HourAnswer, ...]
    changers: tuple[ChangerAnswer, ...]


@router.get("/orgs/{org}/usage", summary="Read the API usage")
def usage(
    engine: Warehouse,
    org: TheOrg,
    q: Annotated[str, Query(max_length=LONGEST_TEXT, description="Part of a purpose or object.")] = "",
) -> UsageAnswer:
    """Return the budget of an org and our calls of the last 24 hours, by purpose and object and by hour."""
    found = usage_overview(engine, org.org, search=plain(q))
    return UsageAnswer.model_validate(
        {
            "budget": found.budget,
            "day": found.day,
            "others": found.others,
            "spent": found.spent,
            "hours": found.hours,
            "changers": record_changers(engine, org.org),
        }
    )
