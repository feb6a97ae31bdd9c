"""The org as one value: what every resource of the API is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from include.sandbox.org.allocation import Allocation
from include.sandbox.org.calls import CallLog
from include.sandbox.org.clock import Clock
from include.sandbox.org.cursors import Cursors
from include.sandbox.org.faults import Faults
from include.sandbox.org.grants import Grants
from include.sandbox.org.identity import org_id_in
from include.sandbox.org.jobs import ClassicJobs, Jobs, LoadJobs, Numbers, Runner
from include.sandbox.org.latency import Latency
from include.sandbox.org.life import Life
from include.sandbox.org.metadata import ledger
from include.sandbox.org.recent import Recent
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.sessions import Sessions
from include.sandbox.org.store.database import Database
from include.sandbox.org.token_store import FILE, TokenStore
from include.sandbox.org.writing.rules import Rules

_SUPERSEDED_FOR = 2 * 86_400_000  # as long as a cursor lives


@dataclass(slots=True, kw_only=True)
class Org:
    """Hold the parts of one running org."""

    home: Path
    org_id: str
    clock: Clock
    catalogue: Catalogue
    database: Database
    token_store: TokenStore
    sessions: Sessions
    grants: Grants
    allocation: Allocation
    calls: CallLog
    faults: Faults
    latency: Latency
    life: Life
    cursors: Cursors
    recent: Recent
    jobs: Jobs
    loads: LoadJobs
    classic: ClassicJobs
    schema_changed: datetime
    default_page: int = 2000
    rules: Rules = field(default_factory=Rules)

    def close(self) -> None:
        """Stop background work and close the store."""
        self.life.stop()
        self.jobs.close()
        self.allocation.close()
        self.database.close()
        self.token_store.close()


def open_org(
    home: Path,
    database: Database,
    catalogue: Catalogue,
    *,
    daily_calls: int = 100_000,
    idle_seconds: float = 7200.0,
    rotate: bool = False,
) -> Org:
    """Return the org on an opened and filled store."""
    clock = Clock(home / "clock.json")
    ledger.load(database, catalogue)
    database.forget_superseded(catalogue, clock.milliseconds() - _SUPERSEDED_FOR)
    latency = Latency()
    faults = Faults(latency)
    created = database.meta().get("created", "2026-01-01T00:00:00+00:00")
    org_id = org_id_in(database)
    runner, numbers = Runner(), Numbers(home / "jobs", home / "loads", home / "classic")
    allocation = Allocation(clock, daily_calls, home / "allocation.json")
    tokens = TokenStore(home / FILE)
    sessions = Sessions(clock, tokens, org_id, idle_seconds=idle_seconds)
    return Org(
        home=home,
        org_id=org_id,
        clock=clock,
        catalogue=catalogue,
        database=database,
        token_store=tokens,
        sessions=sessions,
        grants=Grants(clock, tokens, sessions, rotate=rotate),
        allocation=allocation,
        calls=CallLog(),
        faults=faults,
        latency=latency,
        life=Life(clock),
        cursors=Cursors(clock, catalogue, home / "cursors"),
        recent=Recent(),
        jobs=Jobs(home / "jobs", database, catalogue, clock, faults, runner, numbers, allocation),
        loads=LoadJobs(home / "loads", clock, runner, numbers),
        classic=ClassicJobs(home / "classic", database, catalogue, clock, faults, runner, numbers, allocation),
        schema_changed=datetime.fromisoformat(created),
    )
