"""Look at records of a push's source without selecting them: for previews, which leave no trace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, text

from include.warehouse.listed import LISTED, as_json
from include.warehouse.pushes.sources import SourceQuery


def sample_rows(
    connection: Connection, query: SourceQuery, *, push: str, seed: int, record_ids: Sequence[str], limit: int
) -> Iterator[Sequence[Any]]:
    """Yield records as `selection_page` does, but for the first column: those named, or the ones that changed last."""
    columns = "".join(f", {expression}" for expression in query.values.values())
    named = f" AND {query.key} = ANY(:record_ids)" if record_ids else ""
    rows = connection.execute(
        text(
            f"SELECT 0, {query.key}, TRUE, {query.stamp}, {query.row_hash}, sent.fingerprint, sent.identifiers,"
            f" coalesce(sent.platform_id, ''), 'upsert', TRUE{columns} FROM {query.table}{query.joins}"
            f" LEFT JOIN headwater.sent AS sent ON sent.push = :push AND sent.record_id = {query.key}"
            f" WHERE {query.alive}{named} ORDER BY {query.stamp} DESC NULLS LAST, {query.key} LIMIT :limit"
        ),
        {
            **query.binds,
            "push": push,
            "seed": seed,
            "limit": limit,
            **({"record_ids": list(record_ids)} if record_ids else {}),
        },
    )
    yield from rows


def free_keys(connection: Connection, keys: Sequence[str], *, resend: bool) -> set[str]:
    """Return those of the event keys under which an event may be sent: nothing was, or the platform refused it."""
    if not keys or resend:
        return set(keys)
    taken = connection.execute(
        text(f"SELECT event_key FROM headwater.outbox WHERE event_key IN ({LISTED}) AND state <> 'refused'"),
        {"listed": as_json(list(keys))},
    )
    return set(keys) - set(taken.scalars())
