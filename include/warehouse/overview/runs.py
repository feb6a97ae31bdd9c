"""The log of extract runs: searched, sorted, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

# What a person may sort by, and the expression behind it: the only text that gets into the statement.
SORTS = {
    "started": "r.run_id",
    "object": "r.subject",
    "state": "r.state",
    "mode": "e.mode",
    "read": "e.rows_read",
    "inserted": "e.inserted",
    "updated": "e.updated",
    "unchanged": "e.unchanged",
    "deleted": "e.deleted",
    "rejected": "e.rejected",
    "took": "coalesce(r.ended_at, now()) - r.started_at",
}
# A run that read nothing and changed nothing: most runs of most objects.
IDLE = """r.state IN ('success', 'skipped')
   AND coalesce(e.rows_read + e.inserted + e.updated + e.deleted + e.rejected, 0) = 0"""
STATES = ("running", "success", "skipped", "paused", "degraded", "failed")

_MATCHING = """
  FROM headwater.run AS r
  LEFT JOIN headwater.extract AS e ON e.run_id = r.run_id
 WHERE r.kind = 'extract' AND r.org = ANY(:orgs)
   AND (:state = '' OR r.state = :state)
   AND (:search = '' OR position(lower(:search) IN lower(concat_ws(
        ' ', r.subject, r.state, r.message, r.dag_run_id, r.run_type, e.mode, e.plan))) > 0)
"""

_PAGE = """
SELECT r.run_id, r.org, r.subject AS object, r.state, r.message, r.dag_id, r.dag_run_id, r.task_id, r.try_number,
       r.run_type, r.started_at, r.ended_at,
       e.mode, e.low, e.high, e.plan, e.rows_read, e.inserted, e.updated, e.unchanged, e.deleted, e.rejected,
       c.as_of, c.here, c.in_org, c.difference
"""

# The page first, then what is known of its rows.
_CERTIFIED = """
  LEFT JOIN LATERAL (SELECT * FROM headwater.certificate AS x WHERE x.run_id = page.run_id
                      ORDER BY x.certificate_id DESC LIMIT 1) AS c ON true
"""

# How many idle runs lie between those of a page, as they follow each other in time.
_STRETCHES = f"""
SELECT width_bucket(r.run_id, CAST(:shown AS bigint[])) AS after, count(*) AS runs,
       min(r.started_at) AS first_at, max(r.started_at) AS last_at
  FROM headwater.run AS r LEFT JOIN headwater.extract AS e ON e.run_id = r.run_id
 WHERE r.kind = 'extract' AND r.org = ANY(:orgs) AND r.run_id > :low AND (:high = 0 OR r.run_id < :high) AND {IDLE}
 GROUP BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractRun:
    """Hold one run of one object; the load's part is None when the run committed none.

    `as_of` … `difference` are of the comparison with the org that it made.
    """

    run_id: int
    org: str
    object: str
    state: str
    message: str
    dag_id: str
    dag_run_id: str
    task_id: str
    try_number: int
    run_type: str
    started_at: datetime
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
    as_of: datetime | None = None
    here: int | None = None
    in_org: int | None = None
    difference: int | None = None

    @property
    def took(self) -> timedelta | None:
        """Return how long it ran, or None while it runs."""
        return self.ended_at - self.started_at if self.ended_at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractRuns:
    """Hold one page of runs and how many match in all."""

    runs: tuple[ExtractRun, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Hold how many runs followed each other that read nothing."""

    runs: int
    first_at: datetime
    last_at: datetime


def extract_runs(
    engine: Engine,
    org: str | Sequence[str],
    *,
    search: str = "",
    state: str = "",
    sort: str = "started",
    descending: bool = True,
    limit: int = 50,
    offset: int = 0,
    before: int | None = None,
    idle: bool = True,
) -> ExtractRuns:
    """Return the extract runs of an org whose object, state, message, mode or Airflow run contains `search`.

    Args:
        engine: the warehouse.
        org: name of the org, or of several.
        search: part of a text, upper or lower case; "" for all.
        state: one of STATES, or "" for all.
        sort: a key of SORTS.
        descending: the greatest first.
        limit: how many to return.
        offset: how many to pass over.
        before: only runs before this one are returned; all of them are counted.
        idle: whether those are among them that read nothing and changed nothing.
    """
    order = f"{SORTS[sort]} {'DESC' if descending else 'ASC'} NULLS LAST, r.run_id DESC"
    bound: dict[str, Any] = {"orgs": _several(org), "search": search, "state": state, "limit": limit, "offset": offset}
    matching = _MATCHING if idle else f"{_MATCHING} AND NOT ({IDLE})"
    older = " AND r.run_id < :before" if before is not None else ""
    bound |= {"before": before} if older else {}
    page = f"SELECT r.run_id, row_number() OVER (ORDER BY {order}) AS place {matching}{older}"
    with transaction(engine) as connection:
        total = connection.execute(text("SELECT count(*)" + matching), bound).scalar_one()
        rows = connection.execute(
            text(
                f"{_PAGE} FROM ({page} ORDER BY place LIMIT :limit OFFSET :offset) AS page"
                " JOIN headwater.run AS r ON r.run_id = page.run_id"
                f" LEFT JOIN headwater.extract AS e ON e.run_id = page.run_id {_CERTIFIED} ORDER BY page.place"
            ),
            bound,
        )
        return ExtractRuns(runs=tuple(ExtractRun(**row) for row in rows.mappings()), total=total)


def idle_stretches(
    engine: Engine, org: str | Sequence[str], shown: Sequence[int], *, from_newest: bool, to_oldest: bool
) -> dict[int, Stretch]:
    """Return the runs that read nothing around those that a page shows, newest first.

    Args:
        engine: the warehouse.
        org: name of the org, or of several.
        shown: the runs of the page, in any order.
        from_newest: the page begins with the newest run: what came after it is counted, too.
        to_oldest: the page ends with the oldest run.

    Returns:
        A stretch by the run that it follows in time; 0: it came before all of them.
    """
    ordered = sorted(shown)
    bound = {
        "orgs": _several(org),
        "shown": ordered,
        "low": 0 if to_oldest or not ordered else ordered[0],
        "high": 0 if from_newest or not ordered else ordered[-1],
    }
    with transaction(engine) as connection:
        rows = connection.execute(text(_STRETCHES if ordered else _STRETCHES.replace(_BUCKET, "0")), bound).all()
    return {
        ordered[row.after - 1] if row.after else 0: Stretch(runs=row.runs, first_at=row.first_at, last_at=row.last_at)
        for row in rows
    }


_BUCKET = "width_bucket(r.run_id, CAST(:shown AS bigint[]))"


def _several(org: str | Sequence[str]) -> list[str]:
    return [org] if isinstance(org, str) else list(org)
