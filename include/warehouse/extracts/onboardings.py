"""Keep what first loads were expected to take, and what loads of this warehouse really took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

# Loads below this say more about waiting than about reading.
_TELLING_ROWS = 5_000

_MEASURED = """
SELECT e.plan, sum(e.rows_read * f.fields) / nullif(sum(extract(epoch FROM r.ended_at - r.started_at)), 0) AS rate
  FROM headwater.extract AS e
  JOIN headwater.run AS r ON r.run_id = e.run_id
  JOIN LATERAL (SELECT count(*) AS fields FROM headwater.field AS x
                 WHERE x.org = e.org AND x.object = e.object AND x.gone_at IS NULL) AS f ON true
 WHERE r.state IN ('success', 'degraded') AND e.rows_read >= :telling AND r.started_at > now() - interval '90 days'
   AND e.plan IN ('rest', 'bulk')
 GROUP BY e.plan
"""

_SIZES = """
SELECT s.object, c.here AS rows,
       (SELECT count(*) FROM headwater.field AS f
         WHERE f.org = :org AND f.object = s.object AND f.gone_at IS NULL) AS fields
  FROM unnest(CAST(:objects AS text[])) WITH ORDINALITY AS s(object, place)
  LEFT JOIN LATERAL (SELECT here FROM headwater.certificate WHERE org = :org AND object = s.object
                      ORDER BY certificate_id DESC LIMIT 1) AS c ON true
 ORDER BY s.place
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Say how large an object is here; `rows` None: it was never compared with the org."""

    rows: int | None
    fields: int


def known_sizes(connection: Connection, org: str, objects: Sequence[str]) -> dict[str, Size]:
    """Return how large objects are, as their last certificates and descriptions say."""
    rows = connection.execute(text(_SIZES), {"org": org, "objects": list(objects)})
    return {row.object: Size(rows=row.rows, fields=row.fields) for row in rows}


def without_forecast(connection: Connection, org: str, objects: Sequence[str]) -> list[str]:
    """Return the objects, in order, that were never loaded completely and have no forecast yet."""
    rows = connection.execute(
        text(
            "SELECT s.object FROM unnest(CAST(:objects AS text[])) WITH ORDINALITY AS s(object, place)"
            " WHERE NOT EXISTS (SELECT FROM headwater.onboarding AS o WHERE o.org = :org AND o.object = s.object)"
            " AND NOT EXISTS (SELECT FROM headwater.object AS b WHERE b.org = :org AND b.object = s.object"
            " AND b.first_loaded_at IS NOT NULL) ORDER BY s.place"
        ),
        {"org": org, "objects": list(objects)},
    )
    return list(rows.scalars())


def keep_forecast(
    connection: Connection,
    org: str,
    object: str,
    *,
    rows: int | None,
    fields: int,
    plan: str,
    calls: int,
    seconds: float,
    measured: bool,
) -> None:
    """Write what an object's first load is expected to take; the first word stays."""
    connection.execute(
        text(
            "INSERT INTO headwater.onboarding (org, object, rows, fields, plan, calls, seconds, measured)"
            " VALUES (:org, :object, :rows, :fields, :plan, :calls, :seconds, :measured) ON CONFLICT DO NOTHING"
        ),
        {
            "org": org,
            "object": object,
            "rows": rows,
            "fields": fields,
            "plan": plan,
            "calls": calls,
            "seconds": seconds,
            "measured": measured,
        },
    )


def forget_others(connection: Connection, org: str, objects: Sequence[str]) -> None:
    """Forget the forecasts of objects that the definition no longer names: nobody waits for their first load."""
    connection.execute(
        text("DELETE FROM headwater.onboarding WHERE org = :org AND NOT object = ANY(:objects)"),
        {"org": org, "objects": list(objects)},
    )


def measured_rates(connection: Connection) -> dict[str, float]:
    """Return how many values a second loads of this warehouse brought, by plan, as far as any was large enough."""
    rows = connection.execute(text(_MEASURED), {"telling": _TELLING_ROWS})
    return {row.plan: float(row.rate) for row in rows if row.rate}
