"""Read from the ledgers what people may have to be told; one line per object, whatever the ledgers hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, text

from include.warehouse.calls.circuit import OpenCircuit, open_circuits
from include.warehouse.health.report import HealthReport, health_report

# The newest run of each subject that has ended. One index look-up for each pair of kind and subject. A push of chosen
# records, a retry of two sync errors, says nothing of all the others.
_LAST = """
SELECT r.run_id, r.kind, r.subject, r.state, r.message, r.dag_id, r.dag_run_id,
       r.kind <> 'extract' OR EXISTS (SELECT FROM headwater.object AS o WHERE o.org = :org AND o.object = r.subject
                                         AND o.first_loaded_at IS NOT NULL) AS loaded
  FROM unnest(CAST(:kinds AS text[])) AS k(kind)
 CROSS JOIN unnest(CAST(:subjects AS text[])) AS s(subject)
 CROSS JOIN LATERAL (SELECT * FROM headwater.run AS run
                      WHERE kind = k.kind AND org = :org AND subject = s.subject AND state = ANY(:states)
                        AND NOT EXISTS (SELECT FROM headwater.push_run AS p
                                         WHERE p.run_id = run.run_id AND p.record_ids <> '{}')
                      ORDER BY run_id DESC LIMIT 1) AS r
 ORDER BY r.subject, r.run_id DESC
"""

# A run that a refused connection held back is told of with the connection, once for all its pushes.
_HELD_BY_REFUSAL = """
SELECT r.run_id FROM unnest(CAST(:run_ids AS bigint[])) AS r(run_id)
 WHERE EXISTS (SELECT FROM headwater.outcome AS o
                WHERE o.run_id = r.run_id AND o.outcome = 'held' AND o.cause = 'credentials_refused')
"""

_FAILURES_WRITTEN = """
SELECT task_id FROM headwater.run WHERE dag_id = :dag_id AND dag_run_id = :dag_run_id AND state = 'failed'
"""

_COMPARISONS = """
SELECT n.run_id, n.object, n.vanished, n.quarantined
  FROM unnest(CAST(:subjects AS text[])) AS s(object)
 CROSS JOIN LATERAL (SELECT * FROM headwater.reconciliation WHERE org = :org AND object = s.object
                      ORDER BY run_id DESC LIMIT 1) AS n
"""

# The last word on each field that ever went, came back or changed its type, and on each change that a policy held back;
# of every other change the news of a day.
_FIELDS = """
(SELECT DISTINCT ON (object, field) change_id, object, field, kind, before, after, class, policy, state, accepted_at,
        'word' AS role
   FROM headwater.schema_change
  WHERE org = :org AND object = ANY(:subjects) AND kind IN ('removed', 'returned', 'type') AND state <> 'overtaken'
  ORDER BY object, field, change_id DESC)
UNION ALL
(SELECT DISTINCT ON (object, field, kind) change_id, object, field, kind, before, after, class, policy, state,
        accepted_at, 'held'
   FROM headwater.schema_change
  WHERE org = :org AND object = ANY(:subjects) AND policy <> 'evolve'
    AND (state IN ('frozen', 'failed') OR settled_at > now() - interval '30 days')
  ORDER BY object, field, kind, change_id DESC)
UNION ALL
SELECT change_id, object, field, kind, before, after, class, policy, state, accepted_at, 'passing'
  FROM headwater.schema_change
 WHERE org = :org AND object = ANY(:subjects) AND kind IN ('length', 'formula', 'picklist', 'label')
   AND policy = 'evolve' AND seen_at > now() - interval '1 day'
"""

# News for a day only: what was told of it is kept for a while, and must not be told again when that is forgotten.
_ONBOARDING = """
SELECT count(o.object) AS objects, min(o.forecast_at) AS began_at, max(o.forecast_at) AS last_forecast_at,
       max(b.first_loaded_at) AS ended_at, coalesce(sum(e.rows_read), 0)::bigint AS rows
  FROM headwater.onboarding AS o
  LEFT JOIN headwater.object AS b ON b.org = o.org AND b.object = o.object
  LEFT JOIN LATERAL (SELECT sum(x.rows_read) AS rows_read FROM headwater.extract AS x
                      WHERE x.org = o.org AND x.object = o.object AND x.committed_at >= o.forecast_at
                        AND x.committed_at <= b.first_loaded_at + interval '1 minute') AS e ON true
 WHERE o.org = :org AND o.forecast_at > coalesce(
       (SELECT max(raised_at) FROM headwater.notification WHERE org = :org AND event = 'onboarding_ended'), '-infinity')
HAVING max(b.first_loaded_at) > now() - interval '1 day'
"""

_INCOMPLETE = """
SELECT s.object FROM unnest(CAST(:objects AS text[])) AS s(object)
 WHERE NOT EXISTS (SELECT FROM headwater.object AS b
                    WHERE b.org = :org AND b.object = s.object AND b.first_loaded_at IS NOT NULL)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """Hold the newest ended run of a subject; `loaded`: the object's first load is complete (true for no object)."""

    run_id: int
    kind: str
    subject: str
    state: str
    message: str
    dag_id: str
    dag_run_id: str
    loaded: bool

    def subject_in(self, org: str) -> str:
        """Return the subject as a person calls it."""
        return org if self.kind == "health" else self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class LastComparison:
    """Say how the newest comparison of an object's Ids ended."""

    run_id: int
    object: str
    vanished: int
    quarantined: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldNews:
    """Hold what was heard of a field: the last word on it, what a policy holds back, or news of the day."""

    object: str
    field: str
    kind: str
    before: str
    after: str
    change_id: int = 0
    change_class: str = ""
    policy: str = "evolve"
    state: str = "followed"
    accepted: bool = False
    role: Literal["word", "held", "passing"] = "word"  # the last word; held back by a policy once; news of the day

    @property
    def stands(self) -> bool:
        """Return whether it is as it should not be."""
        return self.kind != "returned"

    @property
    def waits(self) -> bool:
        """Return whether it waits for a person."""
        return self.state in ("frozen", "failed") and not self.accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboarding:
    """Hold how far the onboarding is that nobody was told the end of."""

    objects: int
    began_at: datetime
    last_forecast_at: datetime
    ended_at: datetime
    rows: int
    incomplete: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notable:
    """Hold everything that the ledgers say about the subjects of a DAG."""

    last_runs: tuple[LastRun, ...] = ()
    last_judged: tuple[LastRun, ...] = ()  # of those that ended as success or degraded
    comparisons: tuple[LastComparison, ...] = ()
    fields: tuple[FieldNews, ...] = ()
    onboarding: Onboarding | None = None
    failures_written: frozenset[tuple[str, str]] = frozenset()  # (dag_run_id, task_id)
    connections: tuple[str, ...] = ()  # of the DAG's pushes
    refused: tuple[OpenCircuit, ...] = ()  # those of them that their platform refuses
    held_by_refusal: frozenset[int] = frozenset()  # the last runs that were held for it
    unmet: bool = False  # an object of the DAG was never loaded completely
    health: HealthReport | None = None  # of an assessment

    @property
    def quarantined_by(self) -> frozenset[int]:
        """Return the runs that failed because too much had vanished."""
        return frozenset(each.run_id for each in self.comparisons if each.quarantined)


def read_notable(
    connection: Connection,
    org: str,
    *,
    kind: str,
    subjects: Sequence[str],
    objects: Sequence[str],
    dag_id: str,
    dag_run_id: str,
    connections: Sequence[str] = (),
) -> Notable:
    """Return what the ledgers say about a DAG's subjects, and about the onboarding of all the org's `objects`.

    `connections` are those over which the DAG's pushes go.
    """
    copies = kind in ("extract", "reconcile")
    bound: dict[str, Any] = {"org": org, "subjects": list(subjects), "kinds": [kind]}
    ended = ["success", "skipped", "degraded", "failed"]
    judged = ["success", "degraded"]
    last = _runs(connection, bound | {"states": ended})
    # A comparison judges the same copy as an extract: the later one of the two has the last word.
    both = _runs(connection, bound | {"states": judged, "kinds": ["extract", "reconcile"] if copies else [kind]})
    newest = {run.subject: run for run in reversed(both)}
    incomplete = _incomplete(connection, org, objects) if kind == "extract" else ()
    return Notable(
        last_runs=last,
        last_judged=tuple(newest.values()) if kind != "health" else (),
        comparisons=_comparisons(connection, bound) if kind == "reconcile" else (),
        fields=_fields(connection, bound) if kind in ("extract", "metadata") else (),
        onboarding=_onboarding(connection, org, incomplete) if kind == "extract" else None,
        failures_written=_failures_written(connection, dag_id, dag_run_id),
        connections=tuple(connections),
        refused=tuple(open_circuits(connection, connections)) if connections else (),
        held_by_refusal=_held_by_refusal(connection, last) if kind == "push" else frozenset(),
        unmet=bool(set(incomplete) & set(subjects)),
        health=health_report(connection, org) if kind == "health" else None,
    )


def _held_by_refusal(connection: Connection, last: tuple[LastRun, ...]) -> frozenset[int]:
    bound = {"run_ids": [run.run_id for run in last]}
    return frozenset(connection.execute(text(_HELD_BY_REFUSAL), bound).scalars())


def _runs(connection: Connection, bound: dict[str, Any]) -> tuple[LastRun, ...]:
    return tuple(LastRun(**row) for row in connection.execute(text(_LAST), bound).mappings())


def _comparisons(connection: Connection, bound: dict[str, Any]) -> tuple[LastComparison, ...]:
    return tuple(LastComparison(**row) for row in connection.execute(text(_COMPARISONS), bound).mappings())


def _fields(connection: Connection, bound: dict[str, Any]) -> tuple[FieldNews, ...]:
    rows = connection.execute(text(_FIELDS), bound)
    return tuple(
        FieldNews(
            object=row.object,
            field=row.field,
            kind=row.kind,
            before=row.before,
            after=row.after,
            change_id=row.change_id,
            change_class=row._mapping["class"],
            policy=row.policy,
            state=row.state,
            accepted=row.accepted_at is not None,
            role=row.role,
        )
        for row in rows
    )


def _incomplete(connection: Connection, org: str, objects: Sequence[str]) -> tuple[str, ...]:
    return tuple(connection.execute(text(_INCOMPLETE), {"org": org, "objects": list(objects)}).scalars())


def _onboarding(connection: Connection, org: str, incomplete: tuple[str, ...]) -> Onboarding | None:
    row = connection.execute(text(_ONBOARDING), {"org": org}).mappings().one_or_none()
    return None if row is None else Onboarding(**row, incomplete=incomplete)


def _failures_written(connection: Connection, dag_id: str, dag_run_id: str) -> frozenset[tuple[str, str]]:
    rows = connection.execute(text(_FAILURES_WRITTEN), {"dag_id": dag_id, "dag_run_id": dag_run_id}).scalars()
    return frozenset((dag_run_id, task_id) for task_id in rows)
