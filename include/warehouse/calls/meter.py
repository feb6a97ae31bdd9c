"""Count API calls by the hour, purpose, object and run, and lend them to processes within the org's budget.

A process borrows calls in growing blocks (1, 2, 4 … 32), so that an idle run writes once and a large load does not
queue on one row. A block is counted when it is lent: a process that is killed leaves too many calls in the count,
never too few. What is left of a block goes back when the client is closed.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text

from include.config.budget import (
    BudgetDefinition,
    Decision,
    Usage,
    Work,
    decide,
    kept_calls,
    quota_began,
    quota_calls,
)
from include.errors import BudgetPaused
from include.warehouse.engine import transaction

_LARGEST_BLOCK = 32
_LEASE = timedelta(minutes=10)
_NO_BUDGET = BudgetDefinition.model_validate({"watermark": {"calls": 0}})


class WarehouseMeter:
    """Keep the count of an org's API calls in headwater.api_call (`include.ports.Meter`).

    Each loan is a transaction of its own, before the call is made: a load that is rolled back has called all the same.
    """

    def __init__(
        self,
        engine: Engine,
        org: str,
        *,
        run: str = "",
        budget: BudgetDefinition = _NO_BUDGET,
        work: Work = Work.SYNC,
        purpose: str = "",
    ) -> None:
        """Count for a run; `purpose` stands for all of its calls, whatever each is for."""
        self._engine = engine
        self._org = org
        self._run = run
        self._budget = budget
        self._work = work
        self._purpose = purpose
        self._blocks: dict[tuple[str, str], int] = {}
        self._next_block = 1
        self._lease: int | None = None
        self._lease_ends: datetime | None = None
        self._lent_at: datetime | None = None
        self._seen: tuple[int, int, datetime] | None = None
        self._lock = threading.Lock()

    def spend(self, calls: int, *, purpose: str, object: str = "") -> None:
        """Take `calls` calls that are about to be made, borrowing more when needed.

        Raises:
            BudgetPaused: watermark, quota or tier do not allow them now.
        """
        key = (self._purpose or purpose, object)
        with self._lock:
            if self._blocks.get(key, 0) < calls or self._expired():
                self._borrow(key, calls)
            self._blocks[key] -= calls

    def observe(self, used: int, limit: int) -> None:
        """Take note of the org's own count; it is written with the next loan, or when the client is closed."""
        with self._lock:
            first = self._seen is None
            self._seen = (used, limit, datetime.now(UTC))
            if first:
                with transaction(self._engine) as connection:
                    org_id = _org_id(connection, self._org)
                    _locked(connection, org_id)  # first and always: whoever locks in another order waits for ever
                    self._report(connection, org_id)

    def close(self) -> None:
        """Give back what was borrowed and not used, and write down what the org said last."""
        with self._lock:
            if self._lease is None and self._seen is None:
                return
            with transaction(self._engine) as connection:
                org_id = _org_id(connection, self._org)
                _locked(connection, org_id)
                self._report(connection, org_id)
                self._give_back(connection)
                if self._lease is not None:
                    connection.execute(
                        text("DELETE FROM headwater.api_lease WHERE lease_id = :id"), {"id": self._lease}
                    )
            self._lease = None
            self._seen = None

    def _expired(self) -> bool:
        """Return whether the loan is so old that others no longer reckon with it; what is left of it is void then."""
        return self._lease_ends is not None and datetime.now(self._lease_ends.tzinfo) >= self._lease_ends

    def _borrow(self, key: tuple[str, str], calls: int) -> None:
        with transaction(self._engine) as connection:
            org_id = _org_id(connection, self._org)
            now = _locked(connection, org_id)
            self._report(connection, org_id)
            if self._expired() or not _same_hour(self._lent_at, now):
                self._give_back(connection)
            if self._lease is not None:  # the org has counted what was spent of it
                _lend(connection, org_id, self._lease, sum(self._blocks.values()), now + _LEASE)
            usage = _usage(connection, org_id, self._budget, now)
            _note_limits(connection, org_id, self._budget, usage, now)
            decision = decide(self._budget, usage, self._work, now)
            if decision.calls < calls:
                _note_pause(connection, org_id, decision)
            else:
                lent = min(max(calls, self._next_block), decision.calls)
                self._blocks[key] = self._blocks.get(key, 0) + lent
                self._next_block = min(2 * self._next_block, _LARGEST_BLOCK)
                self._lent_at = now
                _count(connection, self._org, *key, self._run, lent, now)
                self._lease = _lend(connection, org_id, self._lease, sum(self._blocks.values()), now + _LEASE)
                self._lease_ends = now + _LEASE - timedelta(minutes=2)
                return
        raise _paused(self._org, decision, now)

    def _give_back(self, connection: Connection) -> None:
        """Take what was lent and not used off the hour in which it was lent."""
        for (purpose, object), left in self._blocks.items():
            if left and self._lent_at is not None:
                _count(connection, self._org, purpose, object, self._run, -left, self._lent_at)
        self._blocks.clear()

    def _report(self, connection: Connection, org_id: str) -> None:
        if self._seen is None:
            return
        used, limit, seen_at = self._seen
        values = {"org": self._org, "org_id": org_id, "used": used, "allowed": limit, "seen_at": seen_at}
        connection.execute(
            text(
                "INSERT INTO headwater.api_limit AS l (org, used, allowed, observed_at)"
                " VALUES (:org, :used, :allowed, :seen_at)"
                " ON CONFLICT (org) DO UPDATE SET used = excluded.used, allowed = excluded.allowed,"
                " observed_at = excluded.observed_at WHERE l.observed_at <= excluded.observed_at"
            ),
            values,
        )
        # Answers overtake each other: within a few seconds the larger count is the newer one. What a task saw long
        # before its end is no news.
        connection.execute(
            text(
                "INSERT INTO headwater.api_budget AS b (org_id, used, allowed, observed_at)"
                " VALUES (:org_id, :used, :allowed, :seen_at) ON CONFLICT (org_id) DO UPDATE SET"
                " used = CASE WHEN b.observed_at > excluded.observed_at - interval '10 s'"
                " THEN greatest(b.used, excluded.used) ELSE excluded.used END,"
                " allowed = excluded.allowed, observed_at = greatest(b.observed_at, excluded.observed_at)"
                " WHERE b.observed_at IS NULL OR b.observed_at <= excluded.observed_at + interval '10 s'"
            ),
            values,
        )


def calls_of_run(engine: Engine, org: str, run: str) -> int:
    """Return how many API calls a DAG run has cost this org."""
    with transaction(engine) as connection:
        calls: int = connection.execute(
            text("SELECT coalesce(sum(calls), 0)::bigint FROM headwater.api_call WHERE org = :org AND run = :run"),
            {"org": org, "run": run},
        ).scalar_one()
    return calls


def _org_id(connection: Connection, org: str) -> str:
    """Return the pinned Id of an org; before its first contact its name stands for it."""
    found = connection.execute(text("SELECT org_id FROM headwater.org WHERE org = :org"), {"org": org}).scalar()
    return str(found or org)


def _locked(connection: Connection, org_id: str) -> datetime:
    """Let one process at a time borrow from an org, and return the warehouse's clock."""
    connection.execute(
        text("INSERT INTO headwater.api_budget (org_id) VALUES (:org_id) ON CONFLICT DO NOTHING"), {"org_id": org_id}
    )
    now: datetime = connection.execute(
        text("SELECT clock_timestamp() FROM headwater.api_budget WHERE org_id = :org_id FOR UPDATE"),
        {"org_id": org_id},
    ).scalar_one()
    return now


def _usage(connection: Connection, org_id: str, budget: BudgetDefinition, now: datetime) -> Usage:
    row = connection.execute(
        text(
            "SELECT b.used, b.allowed, b.observed_at,"
            " (SELECT coalesce(sum(l.calls), 0) FROM headwater.api_lease l"
            "   WHERE l.org_id = b.org_id AND l.expires_at > :now)::bigint AS leased,"
            " (SELECT coalesce(sum(c.calls), 0) FROM headwater.api_call c WHERE c.hour >= :began AND c.org IN"
            "   (SELECT org FROM headwater.org WHERE org_id = b.org_id UNION SELECT b.org_id))::bigint AS ours"
            " FROM headwater.api_budget b WHERE b.org_id = :org_id"
        ),
        {"org_id": org_id, "now": now, "began": quota_began(budget, now)},
    ).one()
    return Usage(**row._mapping)


def _same_hour(lent_at: datetime | None, now: datetime) -> bool:
    return lent_at is None or (lent_at.date(), lent_at.hour) == (now.date(), now.hour)


def _count(connection: Connection, org: str, purpose: str, object: str, run: str, calls: int, at: datetime) -> None:
    connection.execute(
        text(
            "INSERT INTO headwater.api_call AS c (org, hour, purpose, object, run, calls)"
            " VALUES (:org, date_trunc('hour', CAST(:at AS timestamptz)), :purpose, :object, :run, :calls)"
            " ON CONFLICT (org, hour, purpose, object, run) DO UPDATE SET calls = c.calls + excluded.calls"
        ),
        {"org": org, "purpose": purpose, "object": object, "run": run, "calls": calls, "at": at},
    )


def _lend(connection: Connection, org_id: str, lease: int | None, calls: int, expires_at: datetime) -> int:
    connection.execute(text("DELETE FROM headwater.api_lease WHERE expires_at < now() - interval '1 hour'"))
    values = {"org_id": org_id, "calls": calls, "expires_at": expires_at, "id": lease}
    if lease is not None:
        kept = connection.execute(
            text("UPDATE headwater.api_lease SET calls = :calls, expires_at = :expires_at WHERE lease_id = :id"), values
        ).rowcount
        if kept:
            return lease
    new: int = connection.execute(
        text(
            "INSERT INTO headwater.api_lease (org_id, calls, expires_at) VALUES (:org_id, :calls, :expires_at)"
            " RETURNING lease_id"
        ),
        values,
    ).scalar_one()
    return new


def _note_limits(connection: Connection, org_id: str, budget: BudgetDefinition, usage: Usage, now: datetime) -> None:
    """Write down what the definition means in calls, for the page that shows it."""
    if usage.allowed is None:
        return
    connection.execute(
        text("UPDATE headwater.api_budget SET kept = :kept, quota = :quota, began_at = :began WHERE org_id = :org_id"),
        {
            "org_id": org_id,
            "kept": kept_calls(budget, usage.allowed),
            "quota": quota_calls(budget, usage.allowed),
            "began": quota_began(budget, now),
        },
    )


def _note_pause(connection: Connection, org_id: str, decision: Decision) -> None:
    connection.execute(
        text("UPDATE headwater.api_budget SET paused_at = now(), cause = :cause WHERE org_id = :org_id"),
        {"org_id": org_id, "cause": decision.cause},
    )


def _paused(org: str, decision: Decision, now: datetime) -> BudgetPaused:
    cause = decision.cause or "fewer calls are left than this step needs"
    until = decision.until or now + timedelta(minutes=10)
    return BudgetPaused(
        f"no call to the org {org} now: {cause}; tried again at {until:%Y-%m-%d %H:%M} UTC", until=until
    )
