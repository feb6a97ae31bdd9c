"""The log of extract runs: searched, sorted, a page at a time."""

from __future__ import annotations

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
STATES = ("running", "success", "skipped", "paused", "degraded", "failed")

_MATCHING = """
  FROM headwater.run AS r
  LEFT JOIN headwater.extract AS e ON e.run_id = r.run_id
 WHERE r.kind = 'extract' AND r.org = :org
   AND (:state = '' OR r.state = :state)
   AND (:search = '' OR position(lower(:search) IN lower(concat_ws(
        ' ', r.subject, r.state, r.message, r.dag_run_id, r.run_type, e.mode, e.plan))) > 0)
"""

_PAGE = """
SELECT r.run_id, r.subject AS object, r.state, r.message, r.dag_id, r.dag_run_id, r.task_id, r.try_number, r.run_type,
       r.started_at, r.ended_at,
       e.mode, e.low, e.high, e.plan, e.rows_read, e.inserted, e.updated, e.unchanged, e.deleted, e.rejected
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractRun:
    """Hold one run of one object; the load's part is None when the run committed none."""

    run_id: int
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

    @property
    def took(self) -> timedelta | None:
        """Return how long it ran, or None while it runs."""
        return self.ended_at - self.started_at if self.ended_at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractRuns:
    """Hold one page of runs and how many match in all."""

    runs: tuple[ExtractRun, ...]
    total: int


def extract_runs(
    engine: Engine,
    org: str,
    *,
    search: str = "",
    state: str = "",
    sort: str = "started",
    descending: bool = True,
    limit: int = 50,
    offset: int = 0,
    before: int | None = None,
) -> ExtractRuns:
    """Return the extract runs of an org whose object, state, message, mode or Airflow run contains `search`.

    Args:
        engine: the warehouse.
        org: name of the org.
        search: part of a text, upper or lower case; "" for all.
        state: one of STATES, or "" for all.
        sort: a key of SORTS.
        descending: the greatest first.
        limit: how many to return.
        offset: how many to pass over.
        before: only runs before this one are returned; all of them are counted.
    """
    order = f"{SORTS[sort]} {'DESC' if descending else 'ASC'} NULLS LAST, r.run_id DESC"
    bound: dict[str, Any] = {"org": org, "search": search, "state": state, "limit": limit, "offset": offset}
    older = " AND r.run_id < :before" if before is not None else ""
    bound |= {"before": before} if older else {}
    with transaction(engine) as connection:
        total = connection.execute(text("SELECT count(*)" + _MATCHING), bound).scalar_one()
        rows = connection.execute(
            text(f"{_PAGE}{_MATCHING}{older} ORDER BY {order} LIMIT :limit OFFSET :offset"), bound
        )
        return ExtractRuns(runs=tuple(ExtractRun(**row) for row in rows.mappings()), total=total)
