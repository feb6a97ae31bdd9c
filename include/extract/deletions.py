"""Find, between the nightly comparisons, what was deleted without a trace: purged, hard-deleted, or of an object whose
deleted records no query shows.

The org's own list of deletions names the suspects; a query by Id decides, because a record may have been restored
since. What it still shows as deleted comes with the object's next window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from include.config.orgs import OrgDefinition
from include.errors import QueryRefused
from include.extract.ask import batches, known_table
from include.extract.disappearance import too_many
from include.extract.plan import Plan
from include.extract.probe import pin
from include.extract.run import recorded_run
from include.records import AirflowRun, RowCounts, RunMode, Window
from include.salesforce.client import SalesforceClient
from include.salesforce.composite import MOST_REQUESTS, SubResponse
from include.salesforce.deleted import REMEMBERED, DeletedRecords, deleted_in
from include.salesforce.soql import select_ids
from include.warehouse.engine import transaction
from include.warehouse.extracts.cursors import deletions_told, note_deletions
from include.warehouse.extracts.deletions import count_alive, mark_gone, suspects_among
from include.warehouse.extracts.ledger import add_to_extract
from include.warehouse.extracts.probes import drop_probes_of
from include.warehouse.extracts.slices import open_slices
from include.warehouse.locks import object_lock
from include.warehouse.runs import finish_run
from include.warehouse.tables import Table

_FIRST_SPAN = timedelta(days=1)  # what lies further back is the nightly comparison's
_SHORTEST = timedelta(minutes=2)  # the org refuses a span of a minute, and cuts both ends to whole ones
_MOST_IDS = 400  # of a query in a URL


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletions:
    """Say how many deletions the org told of an object, and how many records were marked because of them."""

    object: str
    told: int = 0
    changed: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    table: Table
    span: Window


def follow_deletions(
    engine: Engine, client: SalesforceClient, org: OrgDefinition, *, run: AirflowRun
) -> tuple[Deletions, ...]:
    """Mark the records that the org deleted for good since the last time; their last values stay.

    Costs one call for each 25 objects, and one for each 400 suspects. More than `max_vanished_share` of an object at
    once is left to the nightly comparison, where a person decides.

    Raises:
        OrgChanged: the connection leads to another org than before.
        FatalError, RetryableError: from the client; what was not finished is asked for again.
    """
    pin(engine, client, org)
    org_now = client.org_now()
    questions = [each for name in org.all_objects if (each := _question(engine, org, name, org_now))]
    found: list[Deletions] = []
    for batch in batches(questions, MOST_REQUESTS):
        requests = [
            client.deleted_request(each.table.object, _low(each), each.span.high, f"deleted{n}")
            for n, each in enumerate(batch)
        ]
        for each, response in zip(batch, client.composite(requests, purpose="deletions"), strict=True):
            found.append(_followed(engine, client, org, each, response, run))
    return tuple(found)


def _question(engine: Engine, org: OrgDefinition, object: str, org_now: datetime) -> _Question | None:
    table = known_table(engine, org, object)
    with transaction(engine) as connection:
        loaded, told_at = deletions_told(connection, org.org, object)
    if table is None or not loaded:
        return None
    low = max(told_at or org_now - _FIRST_SPAN, org_now - REMEMBERED + timedelta(hours=1))
    low = min(low, org_now - _SHORTEST)
    return _Question(table=table, span=Window(low=low, high=org_now))


def _followed(
    engine: Engine,
    client: SalesforceClient,
    org: OrgDefinition,
    question: _Question,
    response: SubResponse,
    run: AirflowRun,
) -> Deletions:
    object = question.table.object
    try:
        told = deleted_in(response)
    except QueryRefused as error:  # it keeps no list for this object, or its list has been shortened
        with transaction(engine) as connection:
            note_deletions(connection, org.org, object, None)
        return Deletions(object=object, message=f"the org tells no deletions: {error}")
    with transaction(engine) as connection:
        suspects = suspects_among(connection, question.table, told.ids)
        if not suspects:
            _note_told(connection, org, object, told)
    if not suspects:
        return Deletions(object=object, told=len(told.ids))
    with object_lock(engine, org.org, object, wait=False) as held:
        if not held:  # a first load may take hours; the list of then holds what this one does
            return Deletions(object=object, told=len(told.ids), message="a run reads it now, the next time asks again")
        with recorded_run(engine, org, object, run) as run_id:
            shown = _shown(client, object, suspects)
            gone = [each for each in suspects if each not in shown]
            return _marked(engine, org, question, told, gone, run_id)


def _shown(client: SalesforceClient, object: str, record_ids: Sequence[str]) -> set[str]:
    """Return which of the records a query still shows, as deleted or not."""
    shown: set[str] = set()
    for batch in batches(record_ids, _MOST_IDS):
        soql = select_ids(object, ["Id"], batch)
        for page in client.query_pages(soql, all_rows=True, purpose="deletions", object=object):
            shown |= {str(each["Id"]) for each in page.records}
    return shown


def _marked(
    engine: Engine, org: OrgDefinition, question: _Question, told: DeletedRecords, gone: Sequence[str], run_id: int
) -> Deletions:
    table = question.table
    with transaction(engine) as connection:
        here = count_alive(connection, table)
        if too_many(len(gone), of=here, max_share=org.max_vanished_share):
            message = (
                f"the org deleted {len(gone):,} of {here:,} records for good, above the {org.max_vanished_share:.0%} of"
                " max_vanished_share: none was marked, the nightly comparison asks a person"
            )
            finish_run(connection, run_id, "degraded", message)
            return Deletions(object=table.object, told=len(told.ids), message=message)
        changed = mark_gone(connection, table, gone, run_id)
        if changed:
            drop_probes_of(connection, org.org, table.object)  # a page asked for earlier would show them still
            add_to_extract(
                connection,
                run_id,
                org.org,
                table.object,
                mode=RunMode.CHANGES,
                window=question.span,
                plan=Plan.REST.value,
                counts=RowCounts(read=changed, updated=changed, deleted=changed),
            )
        _note_told(connection, org, table.object, told)
        message = f"{changed:,} records were deleted for good in the org and are marked as deleted here"
        finish_run(connection, run_id, "success" if changed else "skipped", message)
    return Deletions(object=table.object, told=len(told.ids), changed=changed, message=message if changed else "")


def _note_told(connection: Connection, org: OrgDefinition, object: str, told: DeletedRecords) -> None:
    """Keep up to when deletions were followed; while a load lies unfinished, its older result may bring them back."""
    if not open_slices(connection, org.org, object):
        note_deletions(connection, org.org, object, told.covered_at)


def _low(question: _Question) -> datetime:
    assert question.span.low is not None
    return question.span.low
