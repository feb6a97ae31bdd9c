"""Read what the ledgers remember of an org, for the check of its connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Engine, text

from include.records import ConnectionPast, ObjectPast, PushPast
from include.warehouse.engine import transaction

_ORG_ID = "SELECT org_id FROM headwater.org WHERE org = :org"

_OBJECT = """
SELECT o.first_loaded_at, coalesce(r.state, '') AS state, coalesce(r.message, '') AS message
  FROM (SELECT 1) AS one
  LEFT JOIN headwater.object AS o ON o.org = :org AND o.object = :object
  LEFT JOIN LATERAL (SELECT state, message FROM headwater.run
                      WHERE kind = 'extract' AND org = :org AND subject = :object AND state <> 'running'
                      ORDER BY run_id DESC LIMIT 1) AS r ON true
"""

_PAUSE = """
SELECT cause FROM headwater.api_budget
 WHERE org_id = coalesce((SELECT org_id FROM headwater.org WHERE org = :org), :org)
   AND cause <> '' AND paused_at > now() - interval '1 hour'
"""

_PUSH = "SELECT run_id, selected FROM headwater.push_run WHERE push = :push ORDER BY run_id DESC LIMIT 1"

_CAUSES = """
SELECT outcome || coalesce(' (' || nullif(cause, '') || ')', '') AS cause, count(*) AS records
  FROM headwater.outcome
 WHERE run_id = :run_id AND outcome IN ('skipped', 'rejected', 'unknown')
 GROUP BY 1 ORDER BY records DESC, cause LIMIT 5
"""


def read_past(engine: Engine, org: str, objects: Sequence[str], pushes: Mapping[str, bool]) -> ConnectionPast:
    """Return what is remembered; nothing of a person stands in it.

    Args:
        engine: the warehouse.
        org: name of the org's definition.
        objects: what the definition reads.
        pushes: for each push of the org, whether it suppresses journeys (`skip_hook`).
    """
    with transaction(engine) as connection:
        return ConnectionPast(
            pinned_org_id=connection.execute(text(_ORG_ID), {"org": org}).scalar_one_or_none() or "",
            objects=tuple(
                ObjectPast(
                    object=name, **connection.execute(text(_OBJECT), {"org": org, "object": name}).mappings().one()
                )
                for name in objects
            ),
            pushes=tuple(_push(connection, name, skip_hook) for name, skip_hook in pushes.items()),
            budget_pause=connection.execute(text(_PAUSE), {"org": org}).scalar_one_or_none() or "",
        )


def _push(connection: Connection, push: str, skip_hook: bool) -> PushPast:
    last = connection.execute(text(_PUSH), {"push": push}).one_or_none()
    if last is None:
        return PushPast(push=push, skip_hook=skip_hook)
    causes = connection.execute(text(_CAUSES), {"run_id": last.run_id})
    return PushPast(
        push=push,
        skip_hook=skip_hook,
        ever_ran=True,
        selected=last.selected,
        causes={each.cause: each.records for each in causes},
    )
