"""Find the records that were delivered and do not belong to their source any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from include.warehouse.selections import SourceQuery

# Instead of the hash of a row that is no more, the ledger of what was sent holds one of these: what was done about it.
GONE_HASHES: Mapping[str, int] = {"clear": 1, "archive": 2, "delete": 3}
_HANDLED = ", ".join(map(str, GONE_HASHES.values()))
# The platform took it once, or may have it, and nothing was done since about its being gone.
_THERE = (
    "(sent.fingerprint IS NOT NULL OR sent.outcome = 'unknown')"
    f" AND coalesce(sent.row_hash, 0) NOT IN ({_HANDLED})"
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
) -> Gone:
    """Add the records to a selection that were delivered and are gone: deleted, merged, or out of the source.

    They come behind the others, so that a survivor of a merge is written first. One whose identity another record still
    has is marked ``keep``: at the platform both are one person. Call it in the transaction of the selection.
    """
    scope: dict[str, Any] = {"push": push, **query.binds}
    only = ""
    if record_ids:
        only = " AND sent.record_id = ANY(:record_ids)"
        scope["record_ids"] = list(record_ids)
    joins = query.joins if query.binds else ""
    delivered = f"sent.push = :push AND {_THERE}{only}"
    connection.execute(
        text(
            "CREATE TEMP TABLE gone ON COMMIT DROP AS SELECT sent.record_id, sent.identifiers"
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
        {"run_id": run_id, "push": push, "action": action},
    )
    return Gone(gone=gone, delivered=int(held.scalar_one()))


# Who is gone and has an identifier in common with somebody who is not.
_SHARED = f"""
    SELECT DISTINCT gone.record_id FROM gone, jsonb_each_text(gone.identifiers) AS own
    JOIN (SELECT each.key, each.value FROM headwater.sent AS sent, jsonb_each_text(sent.identifiers) AS each
          WHERE sent.push = :push AND {_THERE}
          AND NOT EXISTS (SELECT FROM gone WHERE gone.record_id = sent.record_id)) AS others
    ON others.key = own.key AND others.value = own.value
"""
