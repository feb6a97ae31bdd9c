"""The runs of pushes, and what became of each record in one of them: a page at a time, without a count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, text

from include.record_ids import whole_id
from include.records import OutcomeCounts
from include.warehouse.engine import transaction

_COUNTS = ("selected", "delivered", "accepted", "unchanged", "skipped", "rejected", "unknown", "held")
_RUNS = f"""
SELECT p.run_id, p.push, p.platform, p.object, p.mode, p.low, p.high, p.skip_hook, p.fast_fail, p.dry_run,
       coalesce(p.guard, '') AS guard, p.selected_at, p.settled_at, r.state, r.message, r.dag_id, r.dag_run_id,
       r.started_at, r.ended_at, {", ".join(f"p.{name}" for name in _COUNTS)}
  FROM headwater.push_run AS p JOIN headwater.run AS r USING (run_id)
"""

# In order of the ledger's key. Few are searched for among many: the other index finds them, and they are sorted.
_OUTCOMES = """
SELECT record_id, outcome, cause, message, at FROM headwater.outcome
 WHERE run_id = :run_id AND (:outcome = '' OR outcome = :outcome) AND (:cause = '' OR cause = :cause)
   AND record_id > (SELECT coalesce(max(known.record_id), '') FROM headwater.outcome AS known
                     WHERE known.run_id = :run_id AND known.record_id = :after)
 ORDER BY record_id LIMIT :limit OFFSET :offset
"""

# What was left out before it was written down record by record stands in the run itself.
_CAUSES = """
SELECT outcome, cause, count(*)::bigint AS records FROM headwater.outcome
 WHERE run_id = :run_id AND outcome <> 'delivered' GROUP BY outcome, cause
 UNION ALL
SELECT 'skipped', left_out.cause, left_out.records
  FROM headwater.push_run AS run,
       LATERAL (VALUES ('still_rejected', run.still_rejected), ('still_skipped', run.still_skipped),
                       ('waiting_for_retry', run.waiting)) AS left_out (cause, records)
 WHERE run.run_id = :run_id AND left_out.records > 0
 ORDER BY records DESC, outcome, cause LIMIT 200
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRunOverview:
    """Hold one run of a push; the outcomes sum to the selection once it is settled."""

    run_id: int
    push: str
    platform: str
    object: str
    mode: str
    low: datetime | None
    high: datetime | None
    skip_hook: bool
    fast_fail: bool
    dry_run: bool
    guard: str  # why a person was asked, or ""
    selected_at: datetime
    settled_at: datetime | None
    state: str
    message: str
    dag_id: str
    dag_run_id: str
    started_at: datetime
    ended_at: datetime | None
    counts: OutcomeCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseCount:
    """Say how many records of a run had an outcome for a cause."""

    outcome: str
    cause: str
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """Hold what became of one record in one run; `record_id` is its Id, or the key of a model's row."""

    record_id: str
    outcome: str
    cause: str
    message: str
    at: datetime

    @property
    def is_salesforce_id(self) -> bool:
        """Return whether the key is an Id; another one may be a person's, e.g. an address."""
        return whole_id(self.record_id) == self.record_id


def push_runs(
    engine: Engine, org: str, push: str, *, before: int | None = None, limit: int = 50
) -> list[PushRunOverview]:
    """Return runs of a push, the newest first, those before the run `before`."""
    where = " WHERE p.org = :org AND p.push = :push AND (CAST(:before AS bigint) IS NULL OR p.run_id < :before)"
    bound = {"org": org, "push": push, "before": before, "limit": limit}
    with transaction(engine) as connection:
        rows = connection.execute(text(f"{_RUNS}{where} ORDER BY p.run_id DESC LIMIT :limit"), bound).mappings()
        return [_run(dict(row)) for row in rows]


def one_push_run(engine: Engine, org: str, run_id: int) -> PushRunOverview | None:
    """Return a run of a push, or None when the org has no such run."""
    with transaction(engine) as connection:
        found = connection.execute(
            text(f"{_RUNS} WHERE p.org = :org AND p.run_id = :run_id"), {"org": org, "run_id": run_id}
        )
        row = found.mappings().one_or_none()
        return _run(dict(row)) if row else None


def causes_of_outcomes(engine: Engine, run_id: int) -> tuple[CauseCount, ...]:
    """Return the causes of what did not simply arrive in a run, the most frequent first."""
    with transaction(engine) as connection:
        return tuple(CauseCount(**row) for row in connection.execute(text(_CAUSES), {"run_id": run_id}).mappings())


def outcomes_of_run(
    engine: Engine,
    run_id: int,
    *,
    outcome: str = "",
    cause: str = "",
    after: str = "",
    offset: int = 0,
    limit: int = 50,
) -> list[RunOutcome]:
    """Return outcomes of a run in order of the record's key, those after the record `after` and `offset` more.

    `after` is an Id that the run has an outcome of, or it is the beginning: after a key that somebody made up, the
    number of outcomes would say how those keys begin that they may not see.
    """
    known = after if whole_id(after) == after else ""
    bound = {"run_id": run_id, "outcome": outcome, "cause": cause, "after": known, "offset": offset, "limit": limit}
    with transaction(engine) as connection:
        return [RunOutcome(**row) for row in connection.execute(text(_OUTCOMES), bound).mappings()]


def _run(row: dict[str, Any]) -> PushRunOverview:
    counts = OutcomeCounts(**{name: row.pop(name) for name in _COUNTS})
    return PushRunOverview(**row, counts=counts)
