"""Ask the org for the first page of some objects' windows, with their describes in the same call.

What the describes say is applied to the warehouse first; a query whose fields changed is asked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Engine

from include.config.orgs import OrgDefinition
from include.errors import DefinitionError, QueryRefused, QueryTooSlow, SchemaFrozen, ServerFault
from include.extract.follow import describe_stamp, follow_answer, follow_describe
from include.extract.plan import Plan, decide_plan, page_travels
from include.extract.queries import describe_query, query_of, reads_all, reads_deleted, selection_of
from include.extract.window import decide_window, is_ahead, moves_cursor
from include.records import RunMode, Window
from include.salesforce.client import SalesforceClient
from include.salesforce.composite import MOST_QUERIES, MOST_REQUESTS, SubResponse, page_in
from include.salesforce.query import is_long
from include.salesforce.soql import only_key
from include.warehouse.describes import stored_describe
from include.warehouse.engine import transaction
from include.warehouse.extracts.cursors import note_selection, read_cursor, read_selection
from include.warehouse.loading.stream import records_csv
from include.warehouse.tables import Table, table_of

Item = TypeVar("Item")

# What is wrong with one object alone: it fails with it in its own task, and the other objects go on.
OF_ONE_OBJECT = (DefinitionError, QueryRefused, SchemaFrozen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Say which windows a run reads."""

    mode: RunMode
    interval: tuple[datetime, datetime] | None
    org_now: datetime

    def window(self, org: OrgDefinition, cursor: datetime | None) -> Window | None:
        """Return the window of an object whose cursor stands here."""
        return decide_window(
            self.mode,
            cursor=cursor,
            org_now=self.org_now,
            lookback=timedelta(minutes=org.lookback_minutes),
            lag=timedelta(seconds=org.lag_seconds),
            interval=self.interval,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Hold what the org said about one object's window."""

    object: str
    window: Window | None = None  # None: nothing can be in it yet
    table: Table | None = None  # None: the org's answer was an error before there was one
    soql: str = ""
    seen_cursor: datetime | None = None  # where the cursor stood when the window was decided
    sets_back: bool = False  # the cursor goes back to the end of the window
    warning: str = ""  # what a person must know about the window, if anything
    total: int = 0
    plan: Plan = Plan.IDLE
    page: bytes | None = None  # the records as CSV, when the first page held them all
    error: DefinitionError | QueryRefused | SchemaFrozen | None = None


def ask_org(
    engine: Engine, client: SalesforceClient, org: OrgDefinition, objects: Sequence[str], reading: Reading
) -> list[Answer]:
    """Return an answer for each object, in order; one call per five objects, one more when some were never met."""
    answers: dict[str, Answer] = {}
    fresh: set[str] = set()
    for met in _meet(engine, client, org, objects):
        if met.error:
            answers[met.object] = met
        else:
            fresh.add(met.object)
    questions = [_question(engine, org, name, reading) for name in objects if name not in answers]
    answers |= {each.object: each for each in questions if each.window is None or each.error}
    for batch in batches([each for each in questions if each.object not in answers], MOST_QUERIES):
        answers |= {each.object: each for each in _ask(engine, client, org, batch, reading, fresh)}
    return [answers[name] for name in objects]


def known_table(engine: Engine, org: OrgDefinition, object: str) -> Table | None:
    """Return the object's table as its stored describe has it, or None before first contact."""
    with transaction(engine) as connection:
        describe = stored_describe(connection, org.org, object)
    return None if describe is None else table_of(org.org, org.schema_name, describe)


def plan_of(org: OrgDefinition, table: Table, soql: str, total: int) -> Plan:
    """Return how to read a window of so many records into a table."""
    whole = reads_all(org, table)
    return decide_plan(total, bulk_above_rows=org.bulk_above_rows, wide=is_long(soql), whole=whole)


def as_read(table: Table, window: Window | None) -> Window | None:
    """Return the window as it is read: all there is, where no stamp tells what is new."""
    if window is None or table.cursor_field:
        return window
    return replace(window, low=None)


def _meet(engine: Engine, client: SalesforceClient, org: OrgDefinition, objects: Sequence[str]) -> Iterator[Answer]:
    """Describe the objects that were never met before, and the queries that were changed, and make their tables."""
    with transaction(engine) as connection:
        strangers = [name for name in objects if stored_describe(connection, org.org, name) is None]
        rewritten = [
            name
            for name in objects
            if org.query(name)
            and (name in strangers or read_selection(connection, org.org, name) != selection_of(org, name))
        ]
    strangers = [name for name in strangers if not org.query(name)]
    for name in rewritten:
        yield _meet_query(engine, client, org, name)
    for batch in batches(strangers, MOST_REQUESTS):
        requests = [client.describe_request(name, None, f"describe{n}") for n, name in enumerate(batch)]
        for name, response in zip(batch, client.composite(requests, purpose="describe"), strict=True):
            try:
                follow_answer(engine, org, name, response)
            except OF_ONE_OBJECT as error:
                yield Answer(object=name, error=error)
            else:
                yield Answer(object=name)


def _meet_query(engine: Engine, client: SalesforceClient, org: OrgDefinition, name: str) -> Answer:
    query = org.query(name)
    assert query is not None
    try:
        follow_describe(engine, org, describe_query(client, query))
    except OF_ONE_OBJECT as error:
        return Answer(object=name, error=error)
    return Answer(object=name)


def _ask(
    engine: Engine,
    client: SalesforceClient,
    org: OrgDefinition,
    questions: Sequence[Answer],
    reading: Reading,
    fresh: set[str],
) -> list[Answer]:
    """Put up to five questions in one call; those whose fields turn out to have changed are put again."""
    described = [each for each in questions if each.object not in fresh and not org.query(each.object)]
    stamps = _stamps(engine, org, described)
    requests = [
        client.probe_request(_probed_by(each), f"rows{n}", object=each.object, all_rows=reads_deleted(org, each.object))
        for n, each in enumerate(questions)
    ]
    requests += [
        client.describe_request(each.object, stamps[each.object], f"describe{n}") for n, each in enumerate(described)
    ]
    responses = client.composite(requests, purpose="extract")
    rows = dict(zip([each.object for each in questions], responses, strict=False))
    describes = dict(zip([each.object for each in described], responses[len(questions) :], strict=True))
    answers: list[Answer] = []
    again: list[Answer] = []
    for each in questions:
        renewed = _renewed(engine, org, each, describes.get(each.object), reading)
        if renewed.error or renewed.soql == each.soql:
            answers.append(renewed if renewed.error else _answered(client, renewed, rows[each.object], org))
        else:
            again.append(renewed)
    if again:
        answers += _ask(engine, client, org, again, reading, fresh | {each.object for each in again})
    return answers


def _renewed(
    engine: Engine, org: OrgDefinition, question: Answer, described: SubResponse | None, reading: Reading
) -> Answer:
    """Return the question as it must be put after the describe that came with it."""
    if described is None:
        return question
    try:
        if follow_answer(engine, org, question.object, described) is None:
            return question
    except OF_ONE_OBJECT as error:
        return replace(question, error=error)
    return _question(engine, org, question.object, reading)


def _probed_by(question: Answer) -> str:
    """Return the query itself; or, if no URL can hold it, one for the keys, which counts the same records."""
    assert question.table is not None
    return only_key(question.soql, question.table.key) if is_long(question.soql) else question.soql


def _answered(client: SalesforceClient, question: Answer, response: SubResponse, org: OrgDefinition) -> Answer:
    assert question.table is not None
    try:
        page = page_in(response)
    except QueryTooSlow:  # it may be large, or what it asks for dear; a job has the time that a query has not
        return replace(question, total=max(_about(client, org, question), org.bulk_above_rows + 1), plan=Plan.BULK)
    except OF_ONE_OBJECT as error:
        return replace(question, error=error)
    if page.next_url is None and len(page.records) != page.total:
        raise ServerFault(
            f"the org announced {page.total} records of {question.object} and sent {len(page.records)}; nothing of it"
            " was kept, it can be tried again"
        )
    plan = plan_of(org, question.table, question.soql, page.total)
    travels = page_travels(page.total, plan) and page.next_url is None
    content = records_csv(page.records, list(question.table.columns)) if travels else None
    return replace(question, total=page.total, plan=plan, page=content)


def _about(client: SalesforceClient, org: OrgDefinition, question: Answer) -> int:
    """Return about how many records there are in a window that the org could not count in time; 0 when nobody knows."""
    if question.window is None or question.window.low is not None or org.query(question.object):
        return 0
    try:
        return client.record_counts([question.object]).get(question.object, 0)
    except QueryRefused:  # an old API version, or a user who may not ask
        return 0


def _question(engine: Engine, org: OrgDefinition, object: str, reading: Reading) -> Answer:
    table = known_table(engine, org, object)
    assert table is not None  # it was met
    with transaction(engine) as connection:
        note_selection(connection, org.org, object, selection_of(org, object))
        cursor = read_cursor(connection, org.org, object)
    window = as_read(table, reading.window(org, cursor.at))
    soql = query_of(org, table, window) if window else ""
    sets_back = window is not None and moves_cursor(reading.mode) and is_ahead(cursor.at, window.high)
    return Answer(
        object=object,
        window=window,
        table=table,
        soql=soql,
        seen_cursor=cursor.at,
        sets_back=sets_back,
        warning=_clock_warning(cursor.at, reading.org_now, window) if sets_back else "",
    )


def _clock_warning(cursor: datetime | None, org_now: datetime, window: Window | None) -> str:
    if cursor is None or cursor <= org_now or window is None or window.low is None:
        return ""  # only the lag is longer than it was, or everything is read
    return (
        f"the org's clock went back: this object had been read up to {cursor:%Y-%m-%d %H:%M:%S} UTC, and the org says"
        f" {org_now:%Y-%m-%d %H:%M:%S}. Read again from {window.low:%Y-%m-%d %H:%M:%S}; if records changed before that"
        " and after the clock was set back, trigger the org's reconcile DAG: it compares every Id"
    )


def _stamps(engine: Engine, org: OrgDefinition, questions: Sequence[Answer]) -> Mapping[str, str | None]:
    with transaction(engine) as connection:
        return {each.object: describe_stamp(connection, org, each.object) for each in questions}


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield the items in groups of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
