"""How many API calls an org has, who uses them, and for what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

# An org's definitions share one budget. Before the first contact an org's name stands for its Id.
_BUDGET = """
SELECT b.used, b.allowed, b.observed_at, b.kept, b.quota, b.began_at, b.paused_at, b.cause,
       coalesce((SELECT sum(c.calls) FROM headwater.api_call AS c
                  WHERE c.hour >= coalesce(b.began_at, date_trunc('day', now())) AND c.org IN
                        (SELECT org FROM headwater.org WHERE org_id = b.org_id UNION SELECT b.org_id)), 0)::bigint
       AS ours,
       coalesce((SELECT sum(c.calls) FROM headwater.api_call AS c
                  WHERE c.hour >= date_trunc('hour', now()) - interval '23 hours' AND c.org IN
                        (SELECT org FROM headwater.org WHERE org_id = b.org_id UNION SELECT b.org_id)), 0)::bigint
       AS ours_of_the_day,
       ARRAY(SELECT org FROM headwater.org WHERE org_id = b.org_id AND org <> :org ORDER BY org) AS shared_with
  FROM headwater.api_budget AS b
 WHERE b.org_id = coalesce((SELECT org_id FROM headwater.org WHERE org = :org), :org)
"""

_SPENT = """
SELECT c.purpose, c.object, sum(c.calls)::bigint AS calls, count(DISTINCT nullif(c.run, ''))::bigint AS runs,
       max(c.hour) AS last_hour
  FROM headwater.api_call AS c
 WHERE c.org = :org AND c.hour >= date_trunc('hour', now()) - interval '23 hours'
   AND (:search = '' OR position(lower(:search) IN lower(c.purpose || ' ' || c.object)) > 0)
 GROUP BY c.purpose, c.object HAVING sum(c.calls) > 0 ORDER BY calls DESC, c.purpose, c.object
"""

_HOURS = """
SELECT h.hour, coalesce(sum(c.calls), 0)::bigint AS calls
  FROM generate_series(date_trunc('hour', now()) - interval '23 hours', date_trunc('hour', now()), '1 hour') AS h(hour)
  LEFT JOIN headwater.api_call AS c ON c.hour = h.hour AND c.org = :org
 GROUP BY h.hour ORDER BY h.hour
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Hold an org's budget; None: the org has not told its limit, or there is no quota.

    `ours` counts the calls of every definition of the org since `began_at`, `ours_of_the_day` those of the last 24
    hours, `used` those of everybody in the org's rolling 24 hours.
    """

    used: int | None = None
    allowed: int | None = None
    observed_at: datetime | None = None
    kept: int | None = None
    quota: int | None = None
    began_at: datetime | None = None
    paused_at: datetime | None = None
    cause: str = ""
    ours: int = 0
    ours_of_the_day: int = 0
    shared_with: tuple[str, ...] = ()

    @property
    def left(self) -> int | None:
        """Return how many calls anybody may still make before the watermark."""
        if self.used is None or self.allowed is None or self.kept is None:
            return None
        return max(0, self.allowed - self.used - self.kept)

    @property
    def tight(self) -> bool:
        """Return whether a person should look: less than a tenth of the limit is left before the watermark."""
        return self.left is not None and self.allowed is not None and self.left < self.allowed / 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Hold how many calls of the last 24 hours went to one purpose and object, over how many runs."""

    purpose: str
    object: str
    calls: int
    runs: int
    last_hour: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """Hold our calls of one clock hour."""

    hour: datetime
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageOverview:
    """Hold everything that the page on API usage shows."""

    budget: Budget
    spent: tuple[Spent, ...]
    hours: tuple[Hour, ...]

    @property
    def day(self) -> int:
        """Return our calls of this definition in the last 24 hours."""
        return sum(each.calls for each in self.hours)

    @property
    def others(self) -> int | None:
        """Return how many calls others made, as far as the org's count and ours tell."""
        return None if self.budget.used is None else max(0, self.budget.used - self.budget.ours_of_the_day)


def usage_overview(engine: Engine, org: str, *, search: str = "") -> UsageOverview:
    """Return an org's budget, and our calls of the last 24 hours by purpose and object and by hour."""
    with transaction(engine) as connection:
        row = connection.execute(text(_BUDGET), {"org": org}).mappings().one_or_none()
        budget = Budget() if row is None else Budget(**{**row, "shared_with": tuple(row["shared_with"])})
        spent = connection.execute(text(_SPENT), {"org": org, "search": search}).mappings()
        hours = connection.execute(text(_HOURS), {"org": org}).mappings()
        return UsageOverview(
            budget=budget, spent=tuple(Spent(**each) for each in spent), hours=tuple(Hour(**each) for each in hours)
        )
