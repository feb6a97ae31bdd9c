"""Ask the org once what a run will find: the probe is the read (docs/windows.md).

One composite call per five objects carries the real `queryAll` of each window, and the describes ride along.
What arrives whole is kept for the object's own task; idle objects are finished here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from include.config.orgs import OrgDefinition
from include.extract.plan import Plan
from include.records import AirflowRun, RunMode, Window
from include.salesforce.client import SalesforceClient


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedObject:
    """Say what the probe found for one object; counts and words only, so that it may go to XCom."""

    object: str
    total: int
    plan: Plan
    window: Window | None  # None: the interval lies in the future
    problem: str = ""  # the org refused the query; the object's own task meets it again and fails with it

    @property
    def idle(self) -> bool:
        """Return whether there is nothing for the object's own task to do."""
        return self.plan is Plan.IDLE and not self.problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """Hold what the probe found."""

    org: str
    org_now: datetime
    objects: tuple[ProbedObject, ...]

    @property
    def busy(self) -> tuple[str, ...]:
        """Return the objects whose own tasks have something to do."""
        return tuple(each.object for each in self.objects if not each.idle)


def probe_objects(
    engine: Engine,
    client: SalesforceClient,
    org: OrgDefinition,
    objects: tuple[str, ...],
    *,
    mode: RunMode,
    interval: tuple[datetime, datetime] | None = None,
    run: AirflowRun,
) -> ProbeResult:
    """Pin the org, read the first page of every object's window, and finish the idle ones.

    Idle objects get their cursor moved and a run row `skipped`; all others get a row in headwater.probe, from which
    `extract_object` of the same DAG run goes on.

    Raises:
        OrgChanged: the connection leads to another org than before.
        DefinitionError: the org knows no such object, or it cannot be read by window.
        SchemaFrozen: a field changed its type.
        FatalError, RetryableError: from the client.
    """
    raise NotImplementedError
