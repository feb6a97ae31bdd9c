"""What a monitoring system asks every few seconds and no page shows: newest runs, queues, circuits, buckets.

Only ledgers are read, and of them the newest lines or what waits: the number of records costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from include.warehouse.engine import transaction
from include.warehouse.overview.newest_runs import NEWEST_RUNS

MOST_COUNTED = 10_000  # of what waits; beyond it "so many at least" says enough

_RUNS = f"""{NEWEST_RUNS}SELECT r.kind, r.subject, r.state, r.started_at,
       extract(epoch FROM coalesce(r.ended_at, now()) - r.started_at)::float8 AS seconds,
       (SELECT coalesce(g.ended_at, g.started_at) FROM headwater.run AS g
         WHERE g.kind = r.kind AND g.org = :org AND g.subject = r.subject AND g.state IN ('success', 'skipped')
         ORDER BY g.run_id DESC LIMIT 1) AS succeeded_at
  FROM newest JOIN headwater.run AS r ON r.run_id = newest.run_id
 ORDER BY r.kind, r.subject
"""

_OUTBOX = """
SELECT p.push, p.platform, sum(q.records)::bigint AS records, sum(q.events)::bigint AS events
  FROM headwater.push_request AS q JOIN headwater.push_run AS p USING (run_id)
 WHERE q.state IN ('written', 'sent') AND p.org = :org GROUP BY p.push, p.platform ORDER BY p.push
"""

_ACCEPTED = """
SELECT a.push, count(*) AS records
  FROM (SELECT push, run_id FROM headwater.accepted LIMIT :most) AS a JOIN headwater.push_run AS p USING (run_id)
 WHERE p.org = :org GROUP BY a.push ORDER BY a.push
"""

_ERRORS = """
SELECT push, platform, cause_class, count(*) AS errors
  FROM (SELECT push, platform, CASE WHEN retryable THEN 'passing' WHEN outcome = 'unknown' THEN 'unknown'
                                    ELSE 'permanent' END AS cause_class
          FROM headwater.sync_error WHERE org = :org AND settled_at IS NULL LIMIT :most) AS counted
 GROUP BY push, platform, cause_class ORDER BY push, platform, cause_class
"""

_MESSAGES = """
SELECT d.channel, count(*) AS messages
  FROM headwater.notification_delivery AS d JOIN headwater.notification AS n USING (notification_id)
 WHERE d.state = 'waiting' AND n.org = :org GROUP BY d.channel ORDER BY d.channel
"""

_LANES = """
SELECT connection, lane, slow_until > now() AS slowed,
       CASE WHEN next_at > now() THEN extract(epoch FROM next_at - now())::float8 ELSE 0 END AS wait_seconds
  FROM headwater.pace ORDER BY connection, lane
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestRun:
    """Hold the newest run of a subject; `succeeded_at`: when one ended well for the last time, None: none is kept."""

    kind: str
    subject: str
    state: str
    started_at: datetime
    seconds: float
    succeeded_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOutbox:
    """Count what a push has written down to be sent and has no answer for."""

    push: str
    platform: str
    records: int
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenErrorCount:
    """Count the open sync errors of a push by what happens next."""

    push: str
    platform: str
    cause_class: str
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgMeasures:
    """Hold what is measured of an org; settlements and messages are counted by push and by channel."""

    runs: tuple[NewestRun, ...]
    outbox: tuple[OpenOutbox, ...]
    errors: tuple[OpenErrorCount, ...]
    settlements: dict[str, int]
    messages: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Hold how far ahead the calls of a connection are reserved, and whether the platform's own count rules."""

    connection: str
    lane: str
    wait_seconds: float
    slowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationMeasures:
    """Hold the lanes of all connections, and since when those that are refused are."""

    lanes: tuple[Lane, ...]
    refused: dict[str, datetime]


def measures_of(engine: Engine, org: str) -> OrgMeasures:
    """Return what is measured of an org."""
    bound = {"org": org, "most": MOST_COUNTED}
    with transaction(engine) as connection:
        return OrgMeasures(
            runs=tuple(NewestRun(**row) for row in connection.execute(text(_RUNS), bound).mappings()),
            outbox=tuple(OpenOutbox(**row) for row in connection.execute(text(_OUTBOX), bound).mappings()),
            errors=tuple(OpenErrorCount(**row) for row in connection.execute(text(_ERRORS), bound).mappings()),
            settlements=_counts(connection, _ACCEPTED, bound),
            messages=_counts(connection, _MESSAGES, bound),
        )


def measures_of_destinations(engine: Engine) -> DestinationMeasures:
    """Return what is measured of the connections to platforms; those that were never used are not known."""
    with transaction(engine) as connection:
        lanes = connection.execute(text(_LANES)).mappings()
        refused = connection.execute(text("SELECT connection, opened_at FROM headwater.circuit ORDER BY connection"))
        return DestinationMeasures(
            lanes=tuple(Lane(**{**row, "slowed": bool(row["slowed"])}) for row in lanes),
            refused={row.connection: row.opened_at for row in refused},
        )


def _counts(connection: Connection, statement: str, bound: dict[str, object]) -> dict[str, int]:
    return {str(name): int(count) for name, count in connection.execute(text(statement), bound)}
