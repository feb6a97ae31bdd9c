"""Keep what push runs select, and say what there is to select from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

from include.warehouse.engine import quoted

_ROWS_AT_ONCE = 2_000
# Left to itself the planner, which knows little of tables that have just been filled, has joined whole tables
# in loops.
_BY_KEY = """
SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off; SET LOCAL enable_material = off; SET LOCAL jit = off
"""


# Thousands of values travel as one JSON text: an array parameter takes the driver ten times as long.
LISTED = "SELECT json_array_elements_text(CAST(:listed AS json))"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceObject:
    """Hold what the warehouse knows of an object that records may come from.

    Args:
        object: its API name.
        columns: PostgreSQL types by column; empty when there is no table.
        gone: fields that the org no longer describes, with when that was seen.
        labels: API names by the label that people see.
        references: the objects that a reference field may point to.
        cursor_field: the field that says when a record last changed; "": there is none.
        first_loaded_at: when the first load was complete; None: it is not.
        types: Salesforce's word for the type of each field.
        unfilled: fields whose columns are new and lack the values of older records still.
    """

    object: str
    columns: Mapping[str, str]
    gone: Mapping[str, datetime]
    labels: Mapping[str, str]
    references: Mapping[str, tuple[str, ...]]
    cursor_field: str
    first_loaded_at: datetime | None
    types: Mapping[str, str] = field(default_factory=dict)
    unfilled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Count what a selection found; the five parts sum to `selected`.

    Args:
        selected: the records that the run is about.
        to_send: those whose Ids were written down.
        still_rejected: refused before, and the same since: tried again when a person, the record or the mapping says.
        still_skipped: skipped by a rule before, and the same since.
        waiting: failed for a passing reason, and to be tried again later.
    """

    selected: int
    to_send: int
    still_rejected: int = 0
    still_skipped: int = 0
    waiting: int = 0

    @property
    def unchanged(self) -> int:
        """Return how many records have nothing new to send."""
        return self.selected - self.to_send - self.still_rejected - self.still_skipped - self.waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceQuery:
    """Hold the parts of a statement over a source, composed of quoted names and bound values only.

    Args:
        table: what stands behind FROM; its row is ``source``.
        joins: what it is joined with.
        key: an expression for the key of a row, as text.
        values: an expression for each field path.
        row_hash: an expression for the hash of the mapped columns; binds ``seed``.
        stamp: an expression for when the record last changed.
        alive: a condition that a record meets as long as it belongs to the source.
        there: a condition that a row meets when it was found at all.
        binds: the values in `alive`.
        filtered: `alive` may look at joined tables.
    """

    table: str
    key: str
    values: Mapping[str, str]
    row_hash: str
    stamp: str
    alive: str
    there: str
    joins: str = ""
    binds: Mapping[str, Any] = field(default_factory=dict)
    filtered: bool = False


def read_source_object(connection: Connection, *, org: str, schema: str, object: str) -> SourceObject:
    """Return what the warehouse knows of an object; one it knows nothing of has no columns."""
    columns = connection.execute(
        text(
            "SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a"
            " WHERE a.attrelid = to_regclass(:table) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        ),
        {"table": quoted(schema, object)},
    ).all()
    fields = connection.execute(
        text(
            "SELECT name, label, type, reference_to, coalesce(gone_at, held_at) AS gone_at,"
            " unfilled_since IS NOT NULL AND EXISTS (SELECT FROM headwater.schema_change AS c WHERE c.org = f.org"
            " AND c.object = f.object AND c.field = f.name AND c.kind IN ('added', 'returned', 'type')"
            " AND coalesce(c.settled_at, c.seen_at) >= f.unfilled_since) AS unfilled"
            " FROM headwater.field AS f WHERE org = :org AND object = :object"
        ),
        {"org": org, "object": object},
    ).all()
    ledger = connection.execute(
        text("SELECT cursor_field, first_loaded_at FROM headwater.object WHERE org = :org AND object = :object"),
        {"org": org, "object": object},
    ).one_or_none()
    return SourceObject(
        object=object,
        columns={str(name): str(kind) for name, kind in columns},
        gone={field.name: field.gone_at for field in fields if field.gone_at is not None},
        labels={field.label: field.name for field in fields},
        references={field.name: tuple(field.reference_to) for field in fields if field.reference_to},
        cursor_field=ledger.cursor_field if ledger else "SystemModstamp",
        first_loaded_at=ledger.first_loaded_at if ledger else None,
        types={field.name: field.type for field in fields},
        unfilled=frozenset(field.name for field in fields if field.unfilled),
    )


def columns_of_session(connection: Connection, table: str) -> dict[str, str]:
    """Return the columns of a table of this session, with their types."""
    rows = connection.execute(
        text(
            "SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a"
            " WHERE a.attrelid = to_regclass(:table) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        ),
        {"table": quoted("pg_temp", table)},
    )
    return {str(name): str(kind) for name, kind in rows}


def write_selection(
    connection: Connection,
    query: SourceQuery,
    *,
    run_id: int,
    push: str,
    seed: int,
    scope: Mapping[str, Any],
    changed_only: bool,
    patient: bool = False,
) -> Found:
    """Write down the Ids of the records to send, oldest change first; return how many there are, and of what kind.

    Both statements must see one snapshot: call it in a transaction of level REPEATABLE READ.

    Args:
        connection: that transaction.
        query: the source.
        run_id: under which the Ids are kept.
        push: whose earlier deliveries the records are compared with.
        seed: of the mapping, see `include.activation.fingerprint.mapping_seed`.
        scope: ``low`` and ``high`` of an interval, ``record_ids``; what is absent does not narrow.
        changed_only: leave out the records that are as they were when they were last settled.
        patient: leave out as well those that failed for a passing reason and are not due for their next try.
    """
    conditions = [query.alive]
    if "low" in scope:
        conditions.append(f"{query.stamp} >= :low")
    if "high" in scope:
        conditions.append(f"{query.stamp} < :high")
    if "record_ids" in scope:
        conditions.append(f"{query.key} = ANY(:record_ids)")
    where = " AND ".join(conditions)
    joins = query.joins if query.filtered else ""  # without a filter no other table decides which records there are
    binds = {**query.binds, **scope}
    selected = connection.execute(text(f"SELECT count(*) FROM {query.table}{joins} WHERE {where}"), binds).scalar_one()
    before, fate = "", "'send'"
    if changed_only:
        # Whoever names records wants those tried again that were refused.
        before, fate, wanted = _compared(query, again="record_ids" in scope, patient=patient)
        where += f" AND ({wanted})"
    # The server compares in parallel only where it doesn't insert at once; the hash join of a million rows wants room.
    # That hardly a row differs the planner cannot know: it would fear to gather them all, and compare on one core.
    connection.execute(
        text("SET LOCAL work_mem = '64MB'; SET LOCAL parallel_tuple_cost = 0; SET LOCAL parallel_setup_cost = 0")
    )
    connection.execute(
        text(
            f"CREATE TEMP TABLE found ON COMMIT DROP AS SELECT {query.stamp} AS stamp, {query.key} AS record_id,"
            f" {fate} AS fate FROM {query.table}{query.joins}{before} WHERE {where}"
        ),
        {**binds, **({"push": push, "seed": seed} if changed_only else {})},
    )
    to_send = connection.execute(
        text(
            "INSERT INTO headwater.selection (run_id, ordinal, record_id)"
            " SELECT :run_id, row_number() OVER (ORDER BY stamp, record_id), record_id FROM found WHERE fate = 'send'"
        ),
        {"run_id": run_id},
    ).rowcount
    left = connection.execute(text("SELECT fate, count(*) FROM found WHERE fate <> 'send' GROUP BY fate"))
    return Found(selected=int(selected), to_send=int(to_send), **{str(name): int(count) for name, count in left})


def _compared(query: SourceQuery, *, again: bool, patient: bool) -> tuple[str, str, str]:
    """Return what to join, an expression for what becomes of a record, and which records are worth a look at all.

    A record goes when its error is due, or when it is not what it was when it was last settled, unless it failed as it
    is now and waits for its next try. A changed record does not wait, and nobody waits for whoever has no patience.
    """
    hash_ = query.row_hash
    joined = (
        f" LEFT JOIN headwater.sent AS sent ON sent.push = :push AND sent.record_id = {query.key}"
        " LEFT JOIN (SELECT record_id, min(next_try_at) AS due_at, max(row_hash) AS row_hash FROM headwater.sync_error"
        " WHERE push = :push AND settled_at IS NULL AND next_try_at IS NOT NULL GROUP BY record_id) AS failed"
        f" ON failed.record_id = {query.key}"
    )
    changed = f"(sent.row_hash IS NULL OR sent.row_hash <> {hash_})"
    due = "failed.due_at <= now()" if patient else "failed.record_id IS NOT NULL"
    waiting = f"(failed.due_at > now() AND failed.row_hash = {hash_})"
    refused = "sent.outcome IN ('rejected', 'skipped')"
    goes = refused if again else "false"
    fate = (
        f"CASE WHEN {due} OR {goes} THEN 'send' WHEN {changed} AND NOT coalesce({waiting}, false) THEN 'send'"
        " WHEN failed.record_id IS NOT NULL THEN 'waiting' WHEN sent.outcome = 'rejected' THEN 'still_rejected'"
        " ELSE 'still_skipped' END"
    )
    return joined, fate, f"{changed} OR {refused} OR failed.record_id IS NOT NULL"


def selection_page(
    connection: Connection, query: SourceQuery, *, run_id: int, push: str, seed: int, after: int
) -> Sequence[Sequence[Any]]:
    """Return selected records, in order, as they are now: some thousand after an ordinal; none: there are no more.

    A row is (has it an outcome, ordinal, record Id, still in the source, stamp, row hash, fingerprint sent last,
    identifiers sent last, the platform's id, what is to be done, whether the row is there at all, value of each path
    of `query`).

    What is known of a record is looked up by sub-selects of their own: joined, the planner, which knows nothing yet of
    a run's or a push's first rows, has walked all of them for each record.
    """
    columns = "".join(f", {expression}" for expression in query.values.values())
    look_up_by_key(connection)
    return connection.execute(
        text(
            "SELECT (SELECT TRUE FROM headwater.outcome AS known"
            " WHERE known.run_id = :run_id AND known.record_id = chosen.record_id) IS NOT NULL,"
            f" chosen.ordinal, chosen.record_id, {query.there} AND {query.alive},"
            f" {query.stamp}, {query.row_hash}, sent.fingerprint, sent.identifiers,"
            f" coalesce(sent.platform_id, ''), chosen.action, {query.there}{columns}"
            " FROM (SELECT ordinal, record_id, action FROM headwater.selection"
            " WHERE run_id = :run_id AND ordinal > :after ORDER BY ordinal LIMIT :size) AS chosen"
            f" LEFT JOIN {query.table} ON {query.key} = chosen.record_id{query.joins}"
            " LEFT JOIN LATERAL (SELECT fingerprint, identifiers, platform_id FROM headwater.sent AS held"
            " WHERE held.push = :push AND held.record_id = chosen.record_id LIMIT 1) AS sent ON TRUE"
            " ORDER BY chosen.ordinal"
        ),
        {**query.binds, "run_id": run_id, "push": push, "seed": seed, "after": after, "size": _ROWS_AT_ONCE},
    ).all()


def leave_selection(connection: Connection, run_id: int, ordinals: Sequence[int]) -> None:
    """Take records out of a selection that turned out to be unchanged, and count them as such."""
    if ordinals:
        connection.execute(
            text("DELETE FROM headwater.selection WHERE run_id = :run_id AND ordinal = ANY(:ordinals)"),
            {"run_id": run_id, "ordinals": list(ordinals)},
        )
        connection.execute(
            text("UPDATE headwater.push_run SET unchanged = unchanged + :count WHERE run_id = :run_id"),
            {"run_id": run_id, "count": len(ordinals)},
        )


def note_size(connection: Connection, run_id: int, *, to_send: int, gone: int, dry_run: bool) -> None:
    """Write down how large a run is: what is usual is judged by it."""
    connection.execute(
        text(
            "UPDATE headwater.push_run SET to_send = :to_send, gone = :gone, dry_run = :dry_run WHERE run_id = :run_id"
        ),
        {"run_id": run_id, "to_send": to_send, "gone": gone, "dry_run": dry_run},
    )


def usual_sizes(connection: Connection, push: str, *, runs: int = 20) -> tuple[int, ...]:
    """Return how many records the last runs of a push had to send that sent any."""
    rows = connection.execute(
        text(
            "SELECT to_send FROM headwater.push_run WHERE push = :push AND to_send > 0 AND delivered + accepted > 0"
            " AND NOT dry_run ORDER BY run_id DESC LIMIT :runs"
        ),
        {"push": push, "runs": runs},
    )
    return tuple(int(size) for size in rows.scalars())


def look_up_by_key(connection: Connection) -> None:
    """Let this transaction find rows by their keys only, whatever the planner believes about the tables."""
    connection.execute(text(_BY_KEY))


def as_json(lines: Sequence[Any] | Mapping[str, Any]) -> str:
    """Return values, or frozen values as objects, as one JSON text to be taken apart by the server."""
    return orjson.dumps(lines).decode()
