"""Per object: rows here and in the org, how far it was read, its last run and its last load."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

# Orders are those of an index, so that the planner walks no other one backwards to an object that was quiet for weeks.
# The last run and the last load differ when the last run failed or was skipped: the load of before still counts then.
# A backfill reads old hours again and says nothing of how fresh an object is: it is shown when there is no other load.
_OBJECTS = """
SELECT known.object, coalesce(o.label, '') AS label, o.cursor_at, o.first_loaded_at,
       c.here, c.in_org AS org, c.difference, c.as_of, coalesce(c.note, '') AS note,
       r.run_id, r.state, coalesce(r.message, '') AS message, r.dag_id, r.dag_run_id, r.task_id,
       r.started_at, r.ended_at, e.mode, e.low, e.high, e.plan,
       e.rows_read, e.inserted, e.updated, e.unchanged, e.deleted, e.rejected,
       e.committed_at, n.compared_at AS reconciled_at, n.vanished, coalesce(n.quarantined, false) AS quarantined,
       coalesce(n.run_id = r.run_id AND n.missing + n.stale + n.vanished + n.recalculated > 0, false) AS mended,
       (SELECT count(*) FROM headwater.reject AS j
         WHERE j.org = :org AND j.object = known.object AND j.settled_at IS NULL) AS open_rejects,
       coalesce(o.selection, '') AS selection,
       CASE WHEN o.described_at IS NOT NULL THEN o.cursor_field END AS cursor_field,
       ARRAY(SELECT f.name FROM headwater.field AS f
              WHERE f.org = :org AND f.object = known.object AND f.gone_at IS NULL
                AND f.type IN ('base64', 'complexvalue') ORDER BY f.position) AS left_out,
       ARRAY(SELECT f.name FROM headwater.field AS f
              WHERE f.org = :org AND f.object = known.object AND f.gone_at IS NULL AND f.calculated
                AND f.type NOT IN ('address', 'location', 'base64', 'complexvalue') ORDER BY f.position) AS calculated,
       CASE WHEN o.first_loaded_at IS NOT NULL THEN greatest(n.compared_at,
           (SELECT max(x.high) FROM headwater.extract AS x WHERE x.org = :org AND x.object = known.object
               AND x.low IS NULL AND x.mode <> 'interval')) END AS calculated_as_of
  FROM (SELECT object FROM headwater.object WHERE org = :org
        UNION
        SELECT DISTINCT subject FROM headwater.run WHERE kind = 'extract' AND org = :org
          AND subject ~ '^[A-Za-z][A-Za-z0-9_]*$') AS known
  LEFT JOIN headwater.object AS o ON o.org = :org AND o.object = known.object
  LEFT JOIN LATERAL (SELECT * FROM headwater.certificate
                      WHERE org = :org AND object = known.object
                      ORDER BY object, certificate_id DESC LIMIT 1) AS c ON true
  LEFT JOIN LATERAL (SELECT x.* FROM (VALUES ('extract'), ('reconcile')) AS k (kind)
                      CROSS JOIN LATERAL (SELECT * FROM headwater.run AS x
                                           WHERE x.kind = k.kind AND x.org = :org AND x.subject = known.object
                                           ORDER BY x.subject, x.run_id DESC LIMIT 1) AS x
                      ORDER BY x.run_id DESC LIMIT 1) AS r ON true
  LEFT JOIN LATERAL (SELECT * FROM headwater.reconciliation
                      WHERE org = :org AND object = known.object
                      ORDER BY object, run_id DESC LIMIT 1) AS n ON true
  LEFT JOIN LATERAL (SELECT * FROM headwater.extract
                      WHERE org = :org AND object = known.object
                      ORDER BY mode = 'interval', run_id DESC LIMIT 1) AS e ON true
 ORDER BY known.object
"""

_USUAL = ("SystemModstamp", "LastModifiedDate")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectOverview:
    """Hold what is known of one object.

    `here`, `org`, `difference` (org - here) and `as_of` are of the last comparison; None: not compared yet.
    `run_id` … `ended_at` are of the last run, `mode` … `committed_at` of the last load, `reconciled_at` … `quarantined`
    of the last comparison Id by Id; None: none yet. `selection` is the SOQL of its filter or query, `cursor_field`
    the stamp it is read by ("": none, it is read whole), `left_out` names the fields that have no column. `calculated`
    names formulas and roll-ups, which change without a stamp: all of them were right at `calculated_as_of`.
    """

    object: str
    label: str
    cursor_at: datetime | None
    first_loaded_at: datetime | None
    here: int | None
    org: int | None
    difference: int | None
    as_of: datetime | None
    note: str
    run_id: int | None
    state: str | None
    message: str
    dag_id: str | None
    dag_run_id: str | None
    task_id: str | None
    started_at: datetime | None
    ended_at: datetime | None
    mode: str | None
    low: datetime | None
    high: datetime | None
    plan: str | None
    rows_read: int | None
    inserted: int | None
    updated: int | None
    unchanged: int | None
    deleted: int | None
    rejected: int | None
    committed_at: datetime | None
    reconciled_at: datetime | None
    vanished: int | None
    quarantined: bool
    mended: bool  # the last run was a comparison Id by Id that found something
    open_rejects: int
    selection: str
    cursor_field: str | None
    left_out: list[str]
    calculated: list[str]
    calculated_as_of: datetime | None

    @property
    def has_remarks(self) -> bool:
        """Return whether it is read otherwise than the usual objects."""
        return bool(self.selection or self.left_out or self.calculated or self.cursor_field not in (None, *_USUAL))


def objects_overview(engine: Engine, org: str) -> list[ObjectOverview]:
    """Return every object of an org, by name: those that we hold and those that a run has tried to read."""
    with transaction(engine) as connection:
        return [ObjectOverview(**row) for row in connection.execute(text(_OBJECTS), {"org": org}).mappings()]
