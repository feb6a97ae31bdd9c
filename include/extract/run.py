"""Bring one object's window from the org into the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Engine

from include.config.orgs import OrgDefinition
from include.extract.plan import Plan
from include.records import AirflowRun, RowCounts, RunMode, Window
from include.salesforce.client import SalesforceClient


class ExtractState(StrEnum):
    """Say how an object's extract ended."""

    LOADED = "loaded"  # rows of the warehouse changed
    UNCHANGED = "unchanged"  # rows were read, all of them known already
    IDLE = "idle"  # the window is empty
    LOCKED = "locked"  # another run reads this object now


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """Say what an object's extract did; counts and words only, so that it may go to XCom."""

    object: str
    state: ExtractState
    counts: RowCounts
    window: Window | None
    plan: Plan
    message: str  # one sentence for a person


def extract_object(
    engine: Engine,
    client: SalesforceClient,
    org: OrgDefinition,
    object: str,
    *,
    mode: RunMode,
    interval: tuple[datetime, datetime] | None = None,
    run: AirflowRun,
    wait_for_lock: bool,
) -> Extracted:
    """Read the object's window and load it; rows and cursor are committed together.

    Uses the probe row of the same DAG run while it fits the cursor, and asks the org itself otherwise. A Bulk load that
    an earlier run left unfinished is taken up where it stopped.

    Raises:
        FatalError, RetryableError, DefinitionError: as `probe_objects`; the cursor has not moved.
    """
    raise NotImplementedError


def abort_extract(engine: Engine, client: SalesforceClient, org: OrgDefinition, object: str) -> tuple[str, ...]:
    """Abort the Bulk jobs that a killed extract of this object left running and return their ids (for `on_kill`)."""
    raise NotImplementedError
