"""The org as one value: what every resource of the API is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from include.sandbox.org.allocation import Allocation
from include.sandbox.org.calls import CallLog
from include.sandbox.org.clock import Clock
from include.sandbox.org.cursors import Cursors
from include.sandbox.org.faults import Faults
from include.sandbox.org.jobs import Jobs
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.sessions import Sessions
from include.sandbox.org.store.database import Database

_SUPERSEDED_FOR = 2 * 86_400_000  # as long as a cursor lives


@dataclass(slots=True, kw_only=True)
class Org:
    """Hold the parts of one running org."""

    home: Path
    clock: Clock
    catalogue: Catalogue
    database: Database
    sessions: Sessions
    allocation: Allocation
    calls: CallLog
    faults: Faults
    cursors: Cursors
    jobs: Jobs
    schema_changed: datetime
    default_page: int = 2000

    def close(self) -> None:
        """Stop background work and close the store."""
        self.jobs.close()
        self.database.close()


def open_org(
    home: Path, database: Database, catalogue: Catalogue, *, daily_calls: int = 100_000, idle_seconds: float = 7200.0
) -> Org:
    """Return the org on an opened and filled store."""
    clock = Clock()
    database.forget_superseded(catalogue, clock.milliseconds() - _SUPERSEDED_FOR)
    faults = Faults()
    created = database.meta().get("created", "2026-01-01T00:00:00+00:00")
    return Org(
        home=home,
        clock=clock,
        catalogue=catalogue,
        database=database,
        sessions=Sessions(clock, idle_seconds=idle_seconds),
        allocation=Allocation(clock, daily_calls),
        calls=CallLog(),
        faults=faults,
        cursors=Cursors(clock),
        jobs=Jobs(home / "jobs", database, catalogue, clock, faults),
        schema_changed=datetime.fromisoformat(created),
    )
