"""Compare every Id of an object with the org, and mend what differs: the answer to whatever an increment cannot see.

An increment sees what bears a new stamp. It does not see a record that became visible long after its stamp, one that
was purged, or a formula whose value changed. The org's list of (Id, stamp, deleted, calculated fields) shows all three.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, Engine

from include.config.orgs import OrgDefinition
from include.errors import ConnectionLost, MassDisappearance, NotReady
from include.extract.ask import known_table
from include.extract.comparison_words import in_words, quarantine_words
from include.extract.disappearance import too_many
from include.extract.listing import list_records, read_by_id
from include.extract.loading import forget_older_pictures
from include.extract.probe import pin
from include.extract.queries import conditions
from include.extract.run import extract_object, recorded_run
from include.records import AirflowRun, RowCounts, RunMode
from include.salesforce.client import SalesforceClient
from include.warehouse.describes import stored_describe
from include.warehouse.engine import transaction
from include.warehouse.extracts.certificates import Certificate, keep_certificate
from include.warehouse.extracts.comparison import (
    Differences,
    UnfitValue,
    add_to_list,
    close_list,
    count_differences,
    listed_columns,
    mark_vanished,
    open_list,
    refresh_calculated,
    step_back,
    unstamped_columns,
    wanted_ids,
)
from include.warehouse.extracts.cursors import read_cursor
from include.warehouse.extracts.quantiles import middle_id
from include.warehouse.extracts.reconciliations import Reconciliation, keep_reconciliation
from include.warehouse.loading.load import load_rows
from include.warehouse.loading.rejects import open_rejects
from include.warehouse.locks import object_lock
from include.warehouse.runs import bury_runs, finish_run
from include.warehouse.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """Hold what one comparison needs."""

    engine: Engine
    client: SalesforceClient
    org: OrgDefinition
    table: Table
    calculated: tuple[str, ...]
    run_id: int
    accept_vanished: int
    on_job: Callable[[str], None]
    sleep: Callable[[float], None]

    @property
    def columns(self) -> tuple[str, ...]:
        return listed_columns(self.table, self.calculated)


def reconcile_object(
    engine: Engine,
    client: SalesforceClient,
    org: OrgDefinition,
    object: str,
    *,
    run: AirflowRun,
    accept_vanished: int = 0,
    on_job: Callable[[str], None] = lambda job_id: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Reconciliation:
    """Compare all Ids of the object with the org's, read again what differs, and mark what the org no longer knows.

    All of it is one transaction, after which the warehouse holds what the org listed. More differing records than
    `bulk_above_rows` are read by a full refresh in between. Writes a certificate. Costs a Bulk job of Ids, or a REST
    page for each 2,000 records of a small object, and one call for each 400 records that differ.

    Args:
        engine: the warehouse.
        client: the org.
        org: its definition.
        object: API name.
        run: the Airflow attempt this belongs to.
        accept_vanished: take up to so many records that are gone as deleted, whatever share they are.
        on_job: is told the Id of the Bulk job that lists, so that whoever stops this can abort it.
        sleep: waits for the Bulk job.

    Raises:
        NotReady: the first load of the object is not complete.
        MassDisappearance: more than `max_vanished_share` of the records are gone; nothing was marked.
        FatalError, RetryableError: as `extract_object`; nothing was changed.
    """
    with object_lock(engine, org.org, object, wait=True), transaction(engine) as connection:
        bury_runs(connection, kind="reconcile", org=org.org, subject=object)
    with recorded_run(engine, org, object, run, kind="reconcile") as run_id:
        pin(engine, client, org)
        table, calculated = _known(engine, org, object)
        reading = _Reading(
            engine=engine,
            client=client,
            org=org,
            table=table,
            calculated=calculated,
            run_id=run_id,
            accept_vanished=accept_vanished,
            on_job=on_job,
            sleep=sleep,
        )
        try:
            found = _compare(reading)
        except UnfitValue:  # of a formula, as a rule; Ids and stamps fit in any case
            reading = replace(reading, calculated=())
            found = _compare(reading)
        if found is None:  # too much differs to be asked for Id by Id
            extract_object(engine, client, org, object, mode=RunMode.FULL, run=run, wait_for_lock=True, sleep=sleep)
            found = _compare(reading, after_refresh=True)
            assert found is not None
        if found.quarantined:
            raise MassDisappearance(quarantine_words(org, found))
        return found


def _known(engine: Engine, org: OrgDefinition, object: str) -> tuple[Table, tuple[str, ...]]:
    table = known_table(engine, org, object)
    with transaction(engine) as connection:
        cursor = read_cursor(connection, org.org, object)
        describe = stored_describe(connection, org.org, object)
    if table is None or describe is None or cursor.first_loaded_at is None:
        raise NotReady(f"the first load of {object} is not complete; there is nothing to compare with the org yet")
    return table, unstamped_columns(table, describe)


def _compare(reading: _Reading, *, after_refresh: bool = False) -> Reconciliation | None:
    """Compare and mend in one transaction; None, and nothing read, when a full refresh has to come first."""
    with object_lock(reading.engine, reading.org.org, reading.table.object, wait=True) as lock:
        compared_at = reading.client.org_now()
        pages = list_records(
            reading.client,
            reading.table.object,
            reading.columns,
            where=conditions(reading.org, reading.table.object),
            middle=partial(middle_id, reading.engine, reading.table),
            bulk=_rows_here(reading) > reading.org.bulk_above_rows,
            on_job=reading.on_job,
            sleep=reading.sleep,
        )
        with transaction(reading.engine) as connection:
            open_list(connection, reading.table, reading.columns)
            for page in pages:
                page.check(add_to_list(connection, reading.table, page.source))
            _refuse_twins(reading, close_list(connection))
            ahead = step_back(connection, reading.table)
            before = count_differences(connection, reading.table)
            if before.wanted + len(ahead) > reading.org.bulk_above_rows and not after_refresh:
                return None
            forget_older_pictures(connection, reading.org.org, reading.table.object)
            found = _mended(connection, reading, before, ahead, compared_at)
            keep_reconciliation(connection, reading.org.org, reading.run_id, found)
            _certify(connection, reading, found, compared_at)
            if not found.quarantined:
                rejects = open_rejects(connection, reading.org.org, reading.table.object)
                explained = found.remaining <= rejects
                finish_run(connection, reading.run_id, "success" if explained else "degraded", in_words(found))
            lock.refuse_if_lost()  # what another run loaded since the list was made is in no list
            return found


def _refuse_twins(reading: _Reading, twins: int) -> None:
    if twins:
        raise ConnectionLost(
            f"the org listed {twins:,} records of {reading.table.object} twice, so others may be missing from the"
            " list; nothing was changed, it can be tried again"
        )


def _rows_here(reading: _Reading) -> int:
    with transaction(reading.engine) as connection:
        rows: int = connection.exec_driver_sql(f"SELECT count(*) FROM {reading.table.name}").scalar_one()
    return rows


def _mended(
    connection: Connection, reading: _Reading, before: Differences, ahead: Sequence[str], compared_at: datetime
) -> Reconciliation:
    listed = wanted_ids(connection, reading.table) if before.wanted else []
    wanted = sorted({*listed, *ahead})
    counts = _fetched(connection, reading, wanted) if wanted else RowCounts()
    recalculated = refresh_calculated(connection, reading.table, reading.calculated, reading.run_id)
    quarantined = before.vanished > reading.accept_vanished and too_many(
        before.vanished, of=before.here, max_share=reading.org.max_vanished_share
    )
    if before.vanished and not quarantined:
        mark_vanished(connection, reading.table, reading.run_id)
    after = count_differences(connection, reading.table)
    return Reconciliation(
        object=reading.table.object,
        compared_at=compared_at,
        in_org=before.in_org,
        here=after.held,
        missing=before.missing,
        stale=len(wanted) - before.missing,
        vanished=before.vanished,
        purged=before.purged,
        fetched=counts.read,
        rejected=counts.rejected,
        recalculated=recalculated,
        remaining=after.wanted,
        quarantined=quarantined,
    )


def _fetched(connection: Connection, reading: _Reading, record_ids: Sequence[str]) -> RowCounts:
    counts = RowCounts()
    for page in read_by_id(reading.client, reading.table, record_ids, sleep=reading.sleep):
        read = load_rows(connection, reading.table, page.source, run_id=reading.run_id)
        page.check(read.read)
        counts += read
    return counts


def _certify(connection: Connection, reading: _Reading, found: Reconciliation, compared_at: datetime) -> None:
    """Write the comparison of whole sets as a certificate: it is exact, whatever happened in the org meanwhile."""
    waiting = found.vanished if found.quarantined else 0
    keep_certificate(
        connection,
        reading.org.org,
        Certificate(
            object=reading.table.object,
            here=found.here,
            in_org=found.in_org,
            as_of=compared_at,
            note=f"{waiting:,} that the org no longer shows wait for a person" if waiting else "",
        ),
        run_id=reading.run_id,
    )
