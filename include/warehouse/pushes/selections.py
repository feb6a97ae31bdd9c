"""Keep what push runs select: the Ids of the records that have something to send, in the order of their changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from include.warehouse.pushes.sources import SourceQuery

_ROWS_AT_ONCE = 2_000
# Left to itself the planner, which knows little of tables that have just been filled, has joined whole tables
# in loops.
_BY_KEY = """
SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off; SET LOCAL enable_material = off; SET LOCAL jit = off
"""


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


def look_up_by_key(connection: Connection) -> None:
    """Let this transaction find rows by their keys only, whatever the planner believes about the tables."""
    connection.execute(text(_BY_KEY))
