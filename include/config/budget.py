"""Decide how many API calls may be made now: watermark, quota and tiers, the strictest wins; pure.

The watermark keeps calls of the org for everybody else, the quota is what we may use in a day, and the tiers let large
work go first when calls become scarce.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pydantic import Field, model_validator

from include.config.model import DefinitionModel

# Shares of the budget from which on a kind of work has to wait. The share itself belongs to the stricter side.
BULK_BELOW, SYNC_BELOW = 0.40, 0.80
# The org's count rolls: it is asked again after this long, by one call.
POLL_EVERY = timedelta(minutes=10)
# At or below the watermark it is asked so often all the same: nobody else would tell that calls came back.
POLL_EVERY_BELOW = timedelta(hours=1)
# Calls above the watermark that only these questions may use, so that asking as a rule does not cross it.
POLL_RESERVE = 10
# Calls that a process may make before an org has told its limit: the most that one request can cost.
_FIRST = 25


class Work(StrEnum):
    """Say how urgent calls are; with a scarce budget the later ones go on longest."""

    BULK = "bulk"  # first loads, full refreshes, reconciliations
    SYNC = "sync"  # changed records, counts, metadata
    INTERACTIVE = "interactive"  # a person waits for it


class Allowance(DefinitionModel):
    """Hold an amount of calls as a share of the org's limit, as a number, or both: the stricter wins."""

    percent: float | None = Field(default=None, ge=0, le=100)
    calls: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _says_something(self) -> Allowance:
        if self.percent is None and self.calls is None:
            raise ValueError("give percent, calls, or both")
        return self

    def amounts(self, allowed: int) -> list[int]:
        """Return the amounts that it names for an org of this limit."""
        share = [] if self.percent is None else [int(allowed * self.percent / 100)]
        return share + ([] if self.calls is None else [self.calls])


class BudgetDefinition(DefinitionModel):
    """Hold what Headwater may use of an org's API calls."""

    watermark: Allowance = Allowance(percent=10)
    quota: Allowance | None = None
    resets_at: int = Field(default=0, ge=0, le=23, description="the full hour, UTC, at which the quota begins anew")
    tiers: bool = Field(default=True, description="let large work wait when much of the quota is used")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Hold what is known of an org's calls.

    `used` and `allowed` are the org's own count of its rolling 24 hours (None: not told yet), `leased` our calls that
    it may not have seen yet, `ours` our calls since the quota began.
    """

    used: int | None
    allowed: int | None
    observed_at: datetime | None
    leased: int
    ours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Say how many calls may be made; none: why, and when to ask again."""

    calls: int
    cause: str = ""
    until: datetime | None = None


def quota_began(budget: BudgetDefinition, now: datetime) -> datetime:
    """Return when the present day of the quota began."""
    today = now.astimezone(UTC).replace(hour=budget.resets_at, minute=0, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)


def kept_calls(budget: BudgetDefinition, allowed: int) -> int:
    """Return how many calls of an org of this limit the watermark keeps for others."""
    return max(budget.watermark.amounts(allowed))


def quota_calls(budget: BudgetDefinition, allowed: int) -> int | None:
    """Return how many calls are ours in a day, or None when there is no quota."""
    return min(budget.quota.amounts(allowed)) if budget.quota else None


def decide(budget: BudgetDefinition, usage: Usage, work: Work, now: datetime) -> Decision:
    """Return how many calls of this kind of work may be made now."""
    if usage.used is None or usage.allowed is None:
        return Decision(calls=_FIRST)  # the first answer tells
    reset = quota_began(budget, now) + timedelta(days=1)
    quota = quota_calls(budget, usage.allowed)
    kept = kept_calls(budget, usage.allowed)
    if quota is not None and usage.ours >= quota:
        return Decision(
            calls=0, cause=f"our quota of {quota:,} calls is used; it begins anew at {reset:%H:%M} UTC", until=reset
        )
    closed = _tier(budget, usage, quota, work)
    if closed:
        return Decision(calls=0, cause=closed, until=reset)
    left = usage.allowed - usage.used - usage.leased - kept
    room = left - POLL_RESERVE
    if room > 0:
        return Decision(calls=room if quota is None else min(room, quota - usage.ours))
    pause = POLL_EVERY if left > 0 else POLL_EVERY_BELOW
    if usage.observed_at is None or now - usage.observed_at >= pause:
        return Decision(calls=1)
    return Decision(
        calls=0,
        cause=f"{usage.used:,} of the org's {usage.allowed:,} calls are used, and {kept:,} are kept for others",
        until=now + POLL_EVERY,
    )


def _tier(budget: BudgetDefinition, usage: Usage, quota: int | None, work: Work) -> str:
    """Return why this kind of work has to wait, or "" when it may go on."""
    if not budget.tiers or not quota or work is Work.INTERACTIVE:
        return ""
    share, below = usage.ours / quota, BULK_BELOW if work is Work.BULK else SYNC_BELOW
    if share < below:
        return ""
    what = "large loads wait" if work is Work.BULK else "only what a person waits for goes on"
    return f"{share:.0%} of our quota of {quota:,} calls are used; from {below:.0%} on {what}"
