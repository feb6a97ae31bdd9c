"""Find the records that were delivered and do not belong to their source any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from include.warehouse.pushes.sources import SourceQuery

# Instead of the hash of a row that is no more, the ledger of what was sent holds one of these: what was done about it.
GONE_HASHES: Mapping[str, int] = {"clear": 1, "archive": 2, "delete": 3}
_HANDLED = ", ".join(map(str, GONE_HASHES.values()))
# The platform took it once, or may have it, and nothing was done since about its being gone.
_THERE = (
    f"(sent.fingerprint IS NOT NULL OR sent.outcome = 'unknown') AND coalesce(sent.row_hash, 0) NOT IN ({_HANDLED})"
)
# What the platform refused to do is done once more when a person asks for it.
_ASKED = (
    "sent.outcome = 'rejected' AND EXISTS (SELECT FROM headwater.sync_error AS e WHERE e.push = sent.push"
    " AND e.record_id = sent.record_id AND e.settled_at IS NULL AND e.next_try_at <= now())"
)


def identities(table: str) -> str:
    """Return what stands behind FROM: by what a row of the ledger is known at the platform, as (kind, value)."""
    return (
        f"LATERAL (SELECT key, lower(value) FROM jsonb_each_text({table}.identifiers)"
        f" UNION ALL SELECT 'platform_id', {table}.platform_id WHERE {table}.platform_id <> '')"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Count the records that are gone, and those that were delivered and for which nothing was done yet."""

    gone: int
    delivered: int

    @property
    def share(self) -> float:
        """Return which share of what was delivered is gone."""
        return self.gone / self.delivered if self.delivered else 0.0


def select_gone(
    connection: Connection,
    query: SourceQuery,
    *,
    run_id: int,
    push: str,
    action: str,
    record_ids: Sequence[str] = (),
    neighbours: Sequence[str] = (),
) -> Gone:
    """Add the records to a selection that were delivered and are gone: deleted, merged, or out of the source.

    They come behind the others, so that a survivor of a merge is written first. One whose identity another record still
    has is marked ``keep``: at the platform both are one person. Call it in the transaction of the selection.

    Args:
        connection: that transaction.
        query: the source.
        run_id: under which the Ids are kept.
        push: whose deliveries are looked at.
        action: what is to be done about them.
        record_ids: look at these alone.
        neighbours: the other pushes over the same connection, whose people may be the same: a lead that was converted
            is gone here, and there it is a contact.
    """
    scope: dict[str, Any] = {"push": push, **query.binds}
    only = ""
    if record_ids:
        only = " AND sent.record_id = ANY(:record_ids)"
        scope["record_ids"] = list(record_ids)
    joins = query.joins if query.filtered else ""
    delivered = f"sent.push = :push AND ({_THERE} OR {_ASKED}){only}"
    connection.execute(
        text(
            "CREATE TEMP TABLE gone ON COMMIT DROP AS SELECT sent.record_id, sent.identifiers, sent.platform_id"
            f" FROM headwater.sent AS sent WHERE {delivered} AND NOT EXISTS (SELECT FROM {query.table}{joins}"
            f" WHERE {query.key} = sent.record_id AND {query.alive})"
        ),
        scope,
    )
    gone = int(connection.execute(text("SELECT count(*) FROM gone")).scalar_one())
    if not gone:
        return Gone(gone=0, delivered=0)
    held = connection.execute(text(f"SELECT count(*) FROM headwater.sent AS sent WHERE {delivered}"), scope)
    connection.execute(
        text(
            "INSERT INTO headwater.selection (run_id, ordinal, record_id, action)"
            " SELECT :run_id, (SELECT coalesce(max(ordinal), 0) FROM headwater.selection WHERE run_id = :run_id)"
            " + row_number() OVER (ORDER BY gone.record_id), gone.record_id,"
            " CASE WHEN shared.record_id IS NULL THEN :action ELSE 'keep' END"
            f" FROM gone LEFT JOIN ({_SHARED}) AS shared ON shared.record_id = gone.record_id"
        ),
        {"run_id": run_id, "push": push, "action": action, "pushes": [push, *neighbours]},
    )
    return Gone(gone=gone, delivered=int(held.scalar_one()))


# Who is gone and has an identifier, in whatever case, or the platform's own id in common with somebody who is not.
_SHARED = f"""
    SELECT DISTINCT gone.record_id FROM gone, {identities("gone")} AS own(kind, value)
    JOIN (SELECT each.kind, each.value FROM headwater.sent AS sent, {identities("sent")} AS each(kind, value)
          WHERE sent.push = ANY(:pushes) AND {_THERE}
          AND NOT (sent.push = :push AND EXISTS (SELECT FROM gone WHERE gone.record_id = sent.record_id))) AS others
    ON others.kind = own.kind AND others.value = own.value
"""


def identities_of_gone(connection: Connection, run_id: int, push: str) -> dict[tuple[str, str], bool]:
    """Return by what the gone records of a selection are known, as (kind, value in lower case).

    True says that a record which is not gone was written under it since the records were selected.
    """
    rows = connection.execute(
        text(
            "WITH used AS (SELECT DISTINCT each.kind, each.value"
            f" FROM headwater.sent AS sent, {identities('sent')} AS each(kind, value)"
            " WHERE sent.push = :push AND sent.at >= (SELECT started_at FROM headwater.run WHERE run_id = :run_id)"
            f" AND {_THERE} AND NOT EXISTS (SELECT FROM headwater.selection AS other WHERE other.run_id = :run_id"
            " AND other.record_id = sent.record_id AND other.action <> 'upsert'))"
            " SELECT own.kind, own.value, used.kind IS NOT NULL AS is_used FROM headwater.selection AS chosen"
            " JOIN headwater.sent AS held ON held.push = :push AND held.record_id = chosen.record_id"
            f" CROSS JOIN {identities('held')} AS own(kind, value)"
            " LEFT JOIN used ON used.kind = own.kind AND used.value = own.value"
            " WHERE chosen.run_id = :run_id AND chosen.action NOT IN ('upsert', 'keep')"
        ),
        {"run_id": run_id, "push": push},
    )
    return {(str(row.kind), str(row.value)): bool(row.is_used) for row in rows}
