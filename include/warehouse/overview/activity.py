"""What moved on each of the last days: rows read from an org, records delivered from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

DAYS = 14

_DAY = """
WITH days AS (SELECT date_trunc('day', now()) - n * interval '1 day' AS day FROM generate_series(0, :days) AS n),
ran AS (SELECT run_id, date_trunc('day', started_at) AS day FROM headwater.run
         WHERE started_at >= date_trunc('day', now()) - :days * interval '1 day' AND org = :org AND kind = :kind)
"""
_ROWS = f"""{_DAY}
SELECT day, coalesce(read, 0)::bigint AS read, coalesce(changed, 0)::bigint AS changed
  FROM days LEFT JOIN (SELECT day, sum(e.rows_read) AS read, sum(e.inserted + e.updated + e.deleted) AS changed
                         FROM ran JOIN headwater.extract AS e USING (run_id) GROUP BY day) AS found USING (day)
 ORDER BY day
"""

# A dry run sends nothing: it delivers nothing either.
_DELIVERIES = f"""{_DAY}
SELECT day, coalesce(delivered, 0)::bigint AS delivered, coalesce(failed, 0)::bigint AS failed
  FROM days LEFT JOIN (SELECT day, sum(p.delivered + p.accepted) AS delivered, sum(p.rejected + p.unknown) AS failed
                         FROM ran JOIN headwater.push_run AS p USING (run_id) WHERE NOT p.dry_run GROUP BY day) AS found
       USING (day)
 ORDER BY day
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsOfADay:
    """Hold how many rows were read on a day (UTC), and how many of them changed something here."""

    day: datetime
    read: int
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesOfADay:
    """Hold how many records arrived (or were taken for later) on a day (UTC), and how many did not."""

    day: datetime
    delivered: int
    failed: int


def rows_by_day(engine: Engine, org: str) -> tuple[RowsOfADay, ...]:
    """Return the rows of an org's extracts on each of the last days, today last."""
    with transaction(engine) as connection:
        rows = connection.execute(text(_ROWS), {"org": org, "days": DAYS - 1, "kind": "extract"}).mappings()
        return tuple(RowsOfADay(**row) for row in rows)


def deliveries_by_day(engine: Engine, org: str) -> tuple[DeliveriesOfADay, ...]:
    """Return the deliveries from an org on each of the last days, today last."""
    with transaction(engine) as connection:
        rows = connection.execute(text(_DELIVERIES), {"org": org, "days": DAYS - 1, "kind": "push"}).mappings()
        return tuple(DeliveriesOfADay(**row) for row in rows)
