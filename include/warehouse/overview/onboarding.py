"""How far the first loads of an org are, against what they were expected to take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

# Asked with every page, so that it has to cost nothing: the few rows of one org by their primary key.
_ANY = """
SELECT EXISTS (SELECT FROM headwater.onboarding AS o
                LEFT JOIN headwater.object AS b ON b.org = o.org AND b.object = o.object
                WHERE o.org = :org AND (b.first_loaded_at IS NULL OR b.first_loaded_at > now() - interval '1 day'))
"""

# Pages of a large load are counted by its slices as they are committed; a small load is there at once.
_OBJECTS = """
SELECT o.object, o.rows AS expected, o.fields, o.plan, o.calls, o.seconds, o.measured, o.forecast_at,
       b.first_loaded_at,
       CASE WHEN b.first_loaded_at IS NULL THEN coalesce(s.loaded, 0) ELSE coalesce(e.loaded, 0) END::bigint AS loaded,
       r.state, coalesce(r.message, '') AS message, r.dag_id, r.dag_run_id, r.task_id, r.started_at
  FROM headwater.onboarding AS o
  LEFT JOIN headwater.object AS b ON b.org = o.org AND b.object = o.object
  LEFT JOIN LATERAL (SELECT sum(x.rows_loaded) AS loaded FROM headwater.slice AS x
                      WHERE x.org = o.org AND x.object = o.object AND x.state <> 'abandoned') AS s
         ON b.first_loaded_at IS NULL
  LEFT JOIN LATERAL (SELECT sum(x.rows_read) AS loaded FROM headwater.extract AS x
                      WHERE x.org = o.org AND x.object = o.object AND x.committed_at >= o.forecast_at
                        AND x.committed_at <= b.first_loaded_at + interval '1 minute') AS e ON true
  LEFT JOIN LATERAL (SELECT * FROM headwater.run AS x
                      WHERE x.kind = 'extract' AND x.org = o.org AND x.subject = o.object
                      ORDER BY x.subject, x.run_id DESC LIMIT 1) AS r ON true
 WHERE o.org = :org
 ORDER BY o.object
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectOnboarding:
    """Hold what the first load of an object was expected to take, and how far it is.

    `expected` None: the org doesn't count this object. `state` … `started_at` are of its last run; None: none yet.
    """

    object: str
    expected: int | None
    fields: int
    plan: str
    calls: int
    seconds: float
    measured: bool
    forecast_at: datetime
    first_loaded_at: datetime | None
    loaded: int
    state: str | None
    message: str
    dag_id: str | None
    dag_run_id: str | None
    task_id: str | None
    started_at: datetime | None

    @property
    def share(self) -> float:
        """Return which share is loaded; never all of it before it is complete."""
        if self.first_loaded_at:
            return 1.0
        return min(self.loaded / self.expected, 0.99) if self.expected else 0.0

    @property
    def takes(self) -> timedelta:
        """Return how long it was expected to take."""
        return timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboarding:
    """Hold the onboarding of an org: one that lasts, or one that ended within a day."""

    objects: tuple[ObjectOnboarding, ...]

    @property
    def incomplete(self) -> tuple[ObjectOnboarding, ...]:
        """Return the objects whose first load is not complete."""
        return tuple(each for each in self.objects if each.first_loaded_at is None)

    @property
    def failed(self) -> tuple[ObjectOnboarding, ...]:
        """Return the objects whose first load stopped."""
        return tuple(each for each in self.incomplete if each.state == "failed")

    @property
    def complete(self) -> int:
        """Return how many objects are complete."""
        return len(self.objects) - len(self.incomplete)

    @property
    def expected(self) -> int:
        """Return how many rows were expected; of what is complete, those that there were."""
        return sum(
            each.loaded if each.first_loaded_at else max(each.expected or 0, each.loaded) for each in self.objects
        )

    @property
    def loaded(self) -> int:
        """Return how many rows are here."""
        return sum(each.loaded for each in self.objects)

    @property
    def share(self) -> float:
        """Return which share of the rows is here."""
        return min(self.loaded / self.expected, 0.99 if self.incomplete else 1.0) if self.expected else 0.0

    @property
    def left(self) -> timedelta:
        """Return how long it may still take, if objects were loaded one after the other."""
        return timedelta(seconds=sum(each.seconds * (1 - each.share) for each in self.incomplete))

    @property
    def began_at(self) -> datetime:
        """Return when it began."""
        return min(each.forecast_at for each in self.objects)

    @property
    def ended_at(self) -> datetime | None:
        """Return when it ended, or None while it lasts."""
        ends = [each.first_loaded_at for each in self.objects if each.first_loaded_at]
        return max(ends) if ends and not self.incomplete else None


def onboarding_overview(engine: Engine, org: str) -> Onboarding | None:
    """Return the onboarding of an org that lasts or ended within a day, or None."""
    with transaction(engine) as connection:
        if not connection.execute(text(_ANY), {"org": org}).scalar_one():
            return None
        rows = connection.execute(text(_OBJECTS), {"org": org}).mappings()
        return Onboarding(objects=tuple(ObjectOnboarding(**row) for row in rows))
