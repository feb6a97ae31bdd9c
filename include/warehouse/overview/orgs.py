"""Which orgs there are, and what is known of their API allocation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

# An org whose first run failed before it was pinned has runs and no row of its own. The orgs of runs are found
# by jumping through their index: every page asks, and the ledger of runs may be long.
_ORGS = """
WITH RECURSIVE ran (kind, org) AS (
    SELECT k.kind, (SELECT min(r.org) FROM headwater.run AS r WHERE r.kind = k.kind)
      FROM (VALUES ('extract'), ('reconcile'), ('health'), ('push')) AS k (kind)
    UNION ALL
    SELECT s.kind, (SELECT min(r.org) FROM headwater.run AS r WHERE r.kind = s.kind AND r.org > s.org)
      FROM ran AS s WHERE s.org IS NOT NULL)
SELECT known.org, coalesce(o.name, '') AS name, coalesce(o.instance_url, '') AS instance_url, o.is_sandbox
  FROM (SELECT org FROM headwater.org UNION SELECT org FROM ran WHERE org IS NOT NULL) AS known
  LEFT JOIN headwater.org AS o ON o.org = known.org
 ORDER BY known.org
"""

_API_USAGE = """
SELECT l.used, l.allowed, l.observed_at,
       coalesce((SELECT sum(c.calls) FROM headwater.api_call AS c
                  WHERE c.org = :org AND c.hour >= date_trunc('hour', now()) - interval '23 hours'), 0)::bigint AS ours
  FROM (SELECT 1) AS one
  LEFT JOIN headwater.api_limit AS l ON l.org = :org
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Org:
    """Name an org; `instance_url` is "" until it was reached for the first time."""

    org: str
    name: str
    instance_url: str
    is_sandbox: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiUsage:
    """Hold the org's own count of API calls in its rolling 24 hours, and how many of the last 24 hours' calls are ours.

    `used` and `allowed` are None until the org has told us.
    """

    used: int | None
    allowed: int | None
    observed_at: datetime | None
    ours: int

    @property
    def share(self) -> float | None:
        """Return which share of the allocation is used."""
        return self.used / self.allowed if self.used is not None and self.allowed else None


def list_orgs(engine: Engine) -> list[Org]:
    """Return all orgs that we know or have tried to reach, by name."""
    with transaction(engine) as connection:
        return [Org(**row) for row in connection.execute(text(_ORGS)).mappings()]


def api_usage(engine: Engine, org: str) -> ApiUsage:
    """Return the API usage of an org."""
    with transaction(engine) as connection:
        return ApiUsage(**connection.execute(text(_API_USAGE), {"org": org}).mappings().one())
