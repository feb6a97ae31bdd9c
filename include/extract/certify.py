"""Compare what the warehouse holds with what the org holds, after a run that changed something.

Both sides count the records created before the cursor. What was deleted in the org after it explains a difference, and
is asked for only if there is one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Engine

from include.config.orgs import OrgDefinition
from include.extract.ask import batches
from include.extract.narrow import Counted, mend_difference
from include.extract.probe import pin
from include.extract.queries import conditions
from include.records import AirflowRun, RunMode
from include.salesforce.client import SalesforceClient
from include.salesforce.composite import MOST_QUERIES, count_in
from include.salesforce.soql import condition, count_before
from include.warehouse.describes import stored_describe
from include.warehouse.engine import transaction
from include.warehouse.extracts.certificates import (
    Certificate,
    keep_certificate,
    known_deleted_since,
    rows_here,
)
from include.warehouse.extracts.cursors import read_cursor
from include.warehouse.extracts.ledger import changed_since_certificate, degrade_extract, extracts_of, newest_extract
from include.warehouse.loading.rejects import open_rejects
from include.warehouse.tables import Table, table_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    table: Table
    as_of: datetime
    run_id: int | None
    where: tuple[str, ...] = ()  # of the definition's filter

    @property
    def alive(self) -> str:
        """Return the query that counts the records that are not deleted.

        Archived ones are among them, and only queryAll shows those.
        """
        return count_before(self.table.object, self.as_of, where=self.conditions)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Return what a record must meet besides its creation to be counted."""
        return (*self.where, condition("IsDeleted", "=", False)) if self.counts_archived else self.where

    def may_have_left(self, certificate: Certificate) -> bool:
        """Return whether what is too many here may no longer meet the filter: no window shows that."""
        return bool(self.where) and certificate.difference < 0

    @property
    def counts_archived(self) -> bool:
        """Return whether the object has records that a plain query leaves out though they are not deleted."""
        return {"IsArchived", "IsDeleted"} <= self.table.columns.keys()


def certify_objects(
    engine: Engine,
    client: SalesforceClient,
    org: OrgDefinition,
    objects: tuple[str, ...],
    run: AirflowRun,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Certificate]:
    """Count the objects that this DAG run changed, here and in the org, and keep the comparison.

    A record that was rejected counts as changed: the warehouse lacks it. A difference that nothing explains is narrowed
    down by ranges of Ids to the records that make it, and just those are read; what remains of it makes the run
    `degraded` that brought the rows. Objects of which nothing changed keep their last certificate and cost no call.
    One that has none yet counts as changed, and so do a full refresh and what a run that died before this task had
    changed. Costs one call per five objects, one more if the counts differ, and a few for what nothing explains.
    """
    with transaction(engine) as connection:
        due = _due(connection, org, objects, run)
    if due:
        pin(engine, client, org)
    certificates: list[Certificate] = []
    for batch in batches(due, MOST_QUERIES):
        counted = _count(engine, client, batch)
        certificates += _explain(engine, client, batch, counted)
    certificates = [
        _narrowed(engine, client, org, each, certificate, sleep)
        for each, certificate in zip(due, certificates, strict=True)
    ]
    with transaction(engine) as connection:
        for each, certificate in zip(due, certificates, strict=True):
            keep_certificate(connection, org.org, certificate, run_id=each.run_id)
            cause = _unexplained(certificate, open_rejects(connection, org.org, certificate.object))
            if cause and not each.may_have_left(certificate):
                degrade_extract(connection, org.org, certificate.object, cause)
    return certificates


def _narrowed(
    engine: Engine,
    client: SalesforceClient,
    org: OrgDefinition,
    due: _Due,
    certificate: Certificate,
    sleep: Callable[[float], None],
) -> Certificate:
    """Return the certificate as it is after what makes an unexplained difference was looked for and read."""
    with transaction(engine) as connection:
        cause = _unexplained(certificate, open_rejects(connection, org.org, certificate.object))
        run_id = due.run_id or newest_extract(connection, org.org, certificate.object)
    if not cause or run_id is None or due.may_have_left(certificate):
        return certificate
    mended = mend_difference(
        engine,
        client,
        Counted(table=due.table, as_of=due.as_of, where=due.conditions, all_rows=due.counts_archived),
        run_id=run_id,
        max_vanished_share=org.max_vanished_share,
        sleep=sleep,
    )
    if mended is None or not mended.in_words:
        return certificate
    with transaction(engine) as connection:
        here = rows_here(connection, due.table, created_before=due.as_of)
    return replace(certificate, here=here, note=", ".join(filter(None, [certificate.note, mended.in_words])))


def _unexplained(certificate: Certificate, rejected: int) -> str:
    """Return a sentence about a difference that rejects do not explain, or nothing.

    A reject may be a record that is here in an older state, so that fewer may be missing than were rejected.
    """
    if 0 <= certificate.difference <= rejected:
        return ""
    lacks = (
        f"lacks {certificate.difference:,}"
        if certificate.difference > 0
        else f"has {-certificate.difference:,} too many"
    )
    return (
        f"the warehouse {lacks} of {certificate.in_org:,} records of {certificate.object} created before"
        f" {certificate.as_of:%Y-%m-%d %H:%M:%S} UTC and nothing explains it; the org's reconcile DAG"
        " compares every Id and mends it, tonight or when it is triggered"
    )


def _due(connection: Connection, org: OrgDefinition, objects: Sequence[str], run: AirflowRun) -> list[_Due]:
    done = extracts_of(connection, org.org, run)
    last_run = {each.object: each.run_id for each in done}
    changed = {each.object for each in done if each.counts.changed or each.counts.rejected or each.mode is RunMode.FULL}
    due = []
    for name in objects:
        cursor = read_cursor(connection, org.org, name)
        describe = stored_describe(connection, org.org, name)
        if cursor.at is None or describe is None or describe.field("CreatedDate") is None or org.query(name):
            continue  # never read completely, or nothing to count it by
        if name in changed or changed_since_certificate(connection, org.org, name):
            table = table_of(org.org, org.schema_name, describe)
            where = tuple(conditions(org, name))
            due.append(_Due(table=table, as_of=cursor.at, run_id=last_run.get(name), where=where))
    return due


def _count(engine: Engine, client: SalesforceClient, batch: Sequence[_Due]) -> list[Certificate]:
    requests = [
        client.count_request(each.alive, f"count{n}", object=each.table.object, all_rows=each.counts_archived)
        for n, each in enumerate(batch)
    ]
    responses = client.composite(requests, purpose="count")
    with transaction(engine) as connection:
        return [
            Certificate(
                object=each.table.object,
                here=rows_here(connection, each.table, created_before=each.as_of),
                in_org=count_in(response),
                as_of=each.as_of,
            )
            for each, response in zip(batch, responses, strict=True)
        ]


def _explain(
    engine: Engine, client: SalesforceClient, batch: Sequence[_Due], counted: Sequence[Certificate]
) -> list[Certificate]:
    """Name what explains the differences: records deleted in the org since, and rejects."""
    surplus = [
        each
        for each, certificate in zip(batch, counted, strict=True)
        if certificate.difference < 0 and "IsDeleted" in each.table.columns and each.table.cursor_field
    ]
    deleted = _deleted_since(engine, client, surplus)
    explained = []
    with transaction(engine) as connection:
        for each, certificate in zip(batch, counted, strict=True):
            gone = deleted.get(certificate.object, 0)
            rejected = open_rejects(connection, each.table.org, certificate.object) if certificate.difference else 0
            notes = [f"{gone} deleted in the org since"] if gone else []
            notes += [f"{rejected} in the reject table"] if rejected else []
            if each.may_have_left(replace(certificate, in_org=certificate.in_org + gone)):
                notes.append("records may have left the filter, the nightly comparison tells")
            explained.append(replace(certificate, in_org=certificate.in_org + gone, note=", ".join(notes)))
    return explained


def _deleted_since(engine: Engine, client: SalesforceClient, batch: Sequence[_Due]) -> dict[str, int]:
    """Return how many records each org counts no more because they were deleted after the cursor, unknown to us."""
    if not batch:
        return {}
    requests = [
        client.count_request(
            f"{count_before(each.table.object, each.as_of, where=each.where)} AND {condition('IsDeleted', '=', True)}"
            f" AND {condition(each.table.cursor_field, '>=', each.as_of)}",
            f"deleted{n}",
            object=each.table.object,
            all_rows=True,
        )
        for n, each in enumerate(batch)
    ]
    responses = client.composite(requests, purpose="count")
    with transaction(engine) as connection:
        return {
            each.table.object: count_in(response) - known_deleted_since(connection, each.table, since=each.as_of)
            for each, response in zip(batch, responses, strict=True)
        }
