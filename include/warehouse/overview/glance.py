"""An org at a glance: how good, how complete, how fresh its copy is, what was delivered, and what waits for a person.

Everything comes from ledgers of which only the newest lines are read, so that the number of records costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from include.warehouse.engine import transaction
from include.warehouse.overview.newest_runs import NEWEST_RUNS

MOST_COUNTED = 10_000  # of sync errors; beyond it "more than" says enough

_COPY = """
SELECT o.object, o.first_loaded_at, o.cursor_at, c.here, c.in_org, c.difference, c.as_of
  FROM headwater.object AS o
  LEFT JOIN LATERAL (SELECT * FROM headwater.certificate AS c WHERE c.org = o.org AND c.object = o.object
                      ORDER BY c.object, c.certificate_id DESC LIMIT 1) AS c ON true
 WHERE o.org = :org ORDER BY o.object
"""

_DELIVERIES = """
SELECT p.push, p.platform, count(*) AS runs, sum(p.selected)::bigint AS selected, sum(p.delivered)::bigint AS delivered,
       sum(p.accepted)::bigint AS accepted, sum(p.unchanged)::bigint AS unchanged,
       sum(p.rejected + p.unknown)::bigint AS failed, sum(p.held)::bigint AS held, max(p.selected_at) AS last_at
  FROM headwater.push_run AS p
 WHERE p.org = :org AND NOT p.dry_run AND coalesce(p.settled_at, now()) >= now() - interval '24 hours'
   AND p.selected_at >= now() - interval '7 days'
 GROUP BY p.push, p.platform ORDER BY p.push
"""

# Counted up to a bound: a platform that refused everybody must not make this page slow.
_ERRORS = """
SELECT count(*) AS open, count(*) FILTER (WHERE outcome = 'unknown') AS unknown,
       count(*) FILTER (WHERE next_try_at IS NULL AND outcome <> 'unknown') AS waiting, min(first_at) AS oldest_at
  FROM (SELECT outcome, next_try_at, first_at FROM headwater.sync_error
         WHERE org = :org AND settled_at IS NULL LIMIT :most) AS counted
"""

_WAITING = """
SELECT count(*) FROM headwater.schema_change
 WHERE org = :org AND state IN ('frozen', 'failed') AND accepted_at IS NULL
"""

_NEWEST = f"""{NEWEST_RUNS}SELECT r.kind, r.subject, r.state, r.message, r.started_at, r.dag_id, r.dag_run_id, r.task_id
  FROM newest JOIN headwater.run AS r ON r.run_id = newest.run_id
 WHERE r.state IN ('paused', 'degraded', 'failed')
 ORDER BY array_position(ARRAY['failed', 'degraded', 'paused'], r.state), r.started_at DESC
"""

_ORGS = """
SELECT g.org, a.grade, a.assessed_at, c.difference, c.as_of, c.here, c.in_org, coalesce(c.objects, 0) AS objects,
       coalesce(c.compared, 0) AS compared
  FROM unnest(CAST(:orgs AS text[])) AS g (org)
  LEFT JOIN LATERAL (SELECT * FROM headwater.assessment AS a WHERE a.org = g.org
                      ORDER BY a.assessment_id DESC LIMIT 1) AS a ON true
  LEFT JOIN LATERAL (SELECT sum(abs(n.difference))::bigint AS difference, min(n.as_of) AS as_of,
                            sum(n.here)::bigint AS here, sum(n.in_org)::bigint AS in_org, count(*) AS objects,
                            count(n.as_of) AS compared
                       FROM headwater.object AS o
                       LEFT JOIN LATERAL (SELECT * FROM headwater.certificate AS c
                                      WHERE c.org = o.org AND c.object = o.object
                                      ORDER BY c.object, c.certificate_id DESC LIMIT 1) AS n ON true
                      WHERE o.org = g.org) AS c ON true
 ORDER BY g.org
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedObject:
    """Hold how complete the copy of one object was when it was compared last; None: not compared yet."""

    object: str
    first_loaded_at: datetime | None
    cursor_at: datetime | None
    here: int | None
    in_org: int | None
    difference: int | None
    as_of: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """Hold what became of the records of one push in the runs that were settled within 24 hours, or still go on."""

    push: str
    platform: str
    runs: int
    selected: int
    delivered: int
    accepted: int
    unchanged: int
    failed: int
    held: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenErrors:
    """Count the records that did not arrive, up to one more than `most`; `waiting` go only when something changes."""

    most: int
    open: int
    unknown: int
    waiting: int
    oldest_at: datetime | None

    @property
    def more(self) -> bool:
        """Return whether there are more than were counted."""
        return self.open > self.most


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Hold the newest run of something that did not end well."""

    kind: str
    subject: str
    state: str
    message: str
    started_at: datetime
    dag_id: str
    dag_run_id: str
    task_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """Hold an org at a glance, but for its grade and its budget, which have ledgers of their own."""

    objects: tuple[CopiedObject, ...]
    deliveries: tuple[Delivered, ...]
    errors: OpenErrors
    schema_waiting: int
    troubles: tuple[Trouble, ...]

    @property
    def compared(self) -> tuple[CopiedObject, ...]:
        """Return the objects that were compared with the org."""
        return tuple(each for each in self.objects if each.as_of is not None)

    @property
    def here(self) -> int:
        """Return how many rows are here, of the objects that were compared."""
        return sum(each.here or 0 for each in self.compared)

    @property
    def in_org(self) -> int:
        """Return how many rows the org has of them."""
        return sum(each.in_org or 0 for each in self.compared)

    @property
    def differing(self) -> tuple[CopiedObject, ...]:
        """Return the objects of which not as many rows are here as in the org: two must not cancel each other."""
        return tuple(each for each in self.compared if each.difference)

    @property
    def as_of(self) -> datetime | None:
        """Return as of when the least fresh object was compared."""
        return min((each.as_of for each in self.compared if each.as_of), default=None)

    @property
    def stalest(self) -> CopiedObject | None:
        """Return the object that was compared longest ago."""
        return min(self.compared, key=lambda each: (each.as_of, each.object), default=None)

    @property
    def delivered(self) -> int:
        """Return how many records arrived or were taken for later."""
        return sum(each.delivered + each.accepted for each in self.deliveries)

    @property
    def failed(self) -> int:
        """Return how many were refused, or sent without an answer."""
        return sum(each.failed for each in self.deliveries)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgLine:
    """Hold what a list of orgs says of one; `difference` adds the differences of its objects without their signs."""

    org: str
    grade: float | None
    assessed_at: datetime | None
    difference: int | None
    as_of: datetime | None
    here: int | None = None
    in_org: int | None = None
    objects: int = 0
    compared: int = 0


def glance_at(engine: Engine, org: str, *, most_errors: int = MOST_COUNTED) -> Glance:
    """Return an org at a glance, with so many sync errors counted at most."""
    with transaction(engine) as connection:
        return Glance(
            objects=tuple(CopiedObject(**row) for row in connection.execute(text(_COPY), {"org": org}).mappings()),
            deliveries=tuple(
                Delivered(**row) for row in connection.execute(text(_DELIVERIES), {"org": org}).mappings()
            ),
            errors=_errors(connection, org, most_errors),
            schema_waiting=int(connection.execute(text(_WAITING), {"org": org}).scalar_one()),
            troubles=tuple(Trouble(**row) for row in connection.execute(text(_NEWEST), {"org": org}).mappings()),
        )


def lines_of_orgs(engine: Engine, orgs: list[str]) -> tuple[OrgLine, ...]:
    """Return a line for each of these orgs."""
    with transaction(engine) as connection:
        return tuple(OrgLine(**row) for row in connection.execute(text(_ORGS), {"orgs": orgs}).mappings())


def _errors(connection: Connection, org: str, most: int) -> OpenErrors:
    row = connection.execute(text(_ERRORS), {"org": org, "most": most + 1}).mappings().one()
    return OpenErrors(most=most, **row)
