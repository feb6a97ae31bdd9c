"""Keep the ledger of what was sent: the hash of each record's source and the fingerprint of its payload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from include.warehouse.selections import LISTED, as_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Hold what a record was when it was settled; without a fingerprint the one that was acknowledged last stays."""

    record_id: str
    row_hash: int
    fingerprint: str | None  # in hexadecimal
    outcome: str


def note_sent(connection: Connection, push: str, run_id: int, lines: Sequence[Sent]) -> None:
    """Write down how records were settled, in the transaction that records their outcomes."""
    if not lines:
        return
    connection.execute(
        text(
            "INSERT INTO headwater.sent AS held (push, record_id, row_hash, fingerprint, outcome, run_id)"
            " SELECT :push, record_id, row_hash, decode(fingerprint, 'hex'), outcome, :run_id"
            " FROM json_to_recordset(CAST(:lines AS json))"
            " AS line(record_id text, row_hash bigint, fingerprint text, outcome text)"
            " ON CONFLICT (push, record_id) DO UPDATE SET row_hash = excluded.row_hash,"
            " fingerprint = coalesce(excluded.fingerprint, held.fingerprint), outcome = excluded.outcome,"
            " run_id = excluded.run_id, at = now()"
        ),
        {
            "push": push,
            "run_id": run_id,
            "lines": as_json(lines),
        },
    )


def forget_sent(connection: Connection, push: str, record_ids: Sequence[str]) -> None:
    """Forget what was sent of these records: nobody knows what the platform holds of them now."""
    if record_ids:
        connection.execute(
            text(f"DELETE FROM headwater.sent WHERE push = :push AND record_id IN ({LISTED})"),
            {"push": push, "listed": as_json(record_ids)},
        )
