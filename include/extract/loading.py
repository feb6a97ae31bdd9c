"""Hold what the ways of loading a window have in common: what they need, and what completes a window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Engine

from include.config.housekeeping import DiskRoom
from include.config.orgs import OrgDefinition
from include.extract.plan import Plan
from include.extract.queries import selection_of
from include.extract.window import moves_cursor
from include.records import AirflowRun, RowCounts, RunMode, Window
from include.salesforce.client import SalesforceClient
from include.warehouse.describes import stored_describe
from include.warehouse.extracts.cursors import move_cursor, read_cursor, read_selection
from include.warehouse.extracts.ledger import add_to_extract
from include.warehouse.extracts.probes import drop_probe, drop_probes_of
from include.warehouse.extracts.slices import close_slice, open_slices
from include.warehouse.loading.load import finish_straight, is_empty
from include.warehouse.runs import EndState, finish_run
from include.warehouse.tables import Table, index_cursor, table_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """Hold what every step of one object's load needs."""

    engine: Engine
    client: SalesforceClient
    org: OrgDefinition
    object: str
    mode: RunMode
    run: AirflowRun
    run_id: int
    sleep: Callable[[float], None]
    bulk_page_rows: int
    disk: DiskRoom = field(default_factory=DiskRoom)
    sets_back: bool = False  # see Answer
    warning: str = ""  # what makes the run degraded
    note: str = ""  # what a person may want to know besides

    def warned(self, warning: str) -> Loading:
        """Return the same with one more warning, unless it is empty."""
        return replace(self, warning="; ".join(filter(None, (self.warning, warning))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Say what a load brought."""

    window: Window
    plan: Plan
    counts: RowCounts
    note: str = ""


def goes_straight(connection: Connection, loading: Loading, table: Table) -> bool:
    """Return whether the rows may go straight into the table: it is a first load, and nothing is there."""
    if not moves_cursor(loading.mode):
        return False
    cursor = read_cursor(connection, loading.org.org, loading.object)
    return cursor.first_loaded_at is None and is_empty(connection, table)


def complete_window(
    connection: Connection, loading: Loading, table: Table, window: Window, *, straight: bool
) -> RowCounts:
    """Complete a window, in the transaction of its last rows."""
    deleted = finish_straight(connection, table) if straight else 0
    if moves_cursor(loading.mode) and _is_still_wanted(connection, loading, table):
        if read_cursor(connection, loading.org.org, loading.object).first_loaded_at is None:
            index_cursor(connection, table)
        move_cursor(connection, loading.org.org, loading.object, window.high, back=loading.sets_back)
    return RowCounts(deleted=deleted)


def write_load(
    connection: Connection, loading: Loading, window: Window, plan: Plan, counts: RowCounts, *, last: bool
) -> None:
    """Write what was loaded, in the transaction of its rows; with the `last` of a window, how the run ended."""
    org, object = loading.org.org, loading.object
    total = add_to_extract(
        connection, loading.run_id, org, object, mode=loading.mode, window=window, plan=plan.value, counts=counts
    )
    drop_probe(connection, org, loading.run, object)
    if last:
        state: EndState = "degraded" if total.rejected or loading.warning else "success"
        finish_run(connection, loading.run_id, state, say(total, loading.warning, loading.note))


def say(counts: RowCounts, warning: str = "", note: str = "") -> str:
    """Return one sentence about what a load did."""
    did = (
        f"{counts.changed:,} rows changed ({counts.inserted:,} new, {counts.updated:,} updated, {counts.deleted:,} of"
        f" them deleted), {counts.unchanged:,} known already, {counts.rejected:,} rejected"
    )
    return "; ".join(filter(None, (did, note, warning)))


def forget_older_pictures(connection: Connection, org: str, object: str) -> None:
    """Let nothing that the org was asked for earlier be loaded any more: neither a probe's page nor a job's result.

    It could show a purged record, or an old value, under a stamp that has not moved. The holder of the object's lock
    knows that whoever left them is not loading them now; the next run asks the org again.
    """
    drop_probes_of(connection, org, object)
    for each in open_slices(connection, org, object):
        close_slice(connection, each.slice_id, "abandoned")


def _is_still_wanted(connection: Connection, loading: Loading, table: Table) -> bool:
    """Return whether neither a field was added nor the filter edited while the load ran.

    If one was, what came is not all there is: the cursor stays, and the next run reads from the beginning.
    """
    org, object = loading.org, loading.object
    if read_selection(connection, org.org, object) != selection_of(org, object):
        return False
    describe = stored_describe(connection, org.org, object)
    assert describe is not None
    return table_of(table.org, table.schema, describe).columns.keys() <= table.columns.keys()
