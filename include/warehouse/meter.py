"""Count API calls by the hour, purpose, object and run."""

from __future__ import annotations

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction


class WarehouseMeter:
    """Keep the count of an org's API calls in headwater.api_call (`include.ports.Meter`).

    Each count is a transaction of its own, before the call is made: a load that is rolled back has called all the same.
    """

    def __init__(self, engine: Engine, org: str, *, run: str = "") -> None:
        self._engine = engine
        self._org = org
        self._run = run

    def spend(self, calls: int, *, purpose: str, object: str = "") -> None:
        """Record that `calls` calls are about to be made."""
        with transaction(self._engine) as connection:
            connection.execute(
                text(
                    "INSERT INTO headwater.api_call AS c (org, hour, purpose, object, run, calls)"
                    " VALUES (:org, date_trunc('hour', now()), :purpose, :object, :run, :calls)"
                    " ON CONFLICT (org, hour, purpose, object, run) DO UPDATE SET calls = c.calls + excluded.calls"
                ),
                {"org": self._org, "purpose": purpose, "object": object, "run": self._run, "calls": calls},
            )

    def observe(self, used: int, limit: int) -> None:
        """Take note of the org's own count."""
        with transaction(self._engine) as connection:
            connection.execute(
                text(
                    "INSERT INTO headwater.api_limit (org, used, allowed) VALUES (:org, :used, :allowed)"
                    " ON CONFLICT (org) DO UPDATE SET used = excluded.used, allowed = excluded.allowed,"
                    " observed_at = now()"
                ),
                {"org": self._org, "used": used, "allowed": limit},
            )


def calls_of_run(engine: Engine, org: str, run: str) -> int:
    """Return how many API calls a DAG run has cost this org."""
    with transaction(engine) as connection:
        calls: int = connection.execute(
            text("SELECT coalesce(sum(calls), 0)::bigint FROM headwater.api_call WHERE org = :org AND run = :run"),
            {"org": org, "run": run},
        ).scalar_one()
    return calls
