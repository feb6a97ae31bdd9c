"""Keep the ledger of what was sent: the hash of each record's source and the fingerprint of its payload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Hold what a record was when it was settled; without a fingerprint the one that was acknowledged last stays."""

    record_id: str
    row_hash: int
    fingerprint: bytes | None
    outcome: str


def note_sent(connection: Connection, push: str, run_id: int, lines: Sequence[Sent]) -> None:
    """Write down how records were settled, in the transaction that records their outcomes."""
    if not lines:
        return
    connection.execute(
        text(
            "INSERT INTO headwater.sent AS held (push, record_id, row_hash, fingerprint, outcome, run_id)"
            " SELECT :push, record_id, row_hash, fingerprint, outcome, :run_id"
            " FROM unnest(CAST(:ids AS text[]), CAST(:hashes AS bigint[]), CAST(:prints AS bytea[]),"
            "             CAST(:outcomes AS text[])) AS line(record_id, row_hash, fingerprint, outcome)"
            " ON CONFLICT (push, record_id) DO UPDATE SET row_hash = excluded.row_hash,"
            " fingerprint = coalesce(excluded.fingerprint, held.fingerprint), outcome = excluded.outcome,"
            " run_id = excluded.run_id, at = now()"
        ),
        {
            "push": push,
            "run_id": run_id,
            "ids": [line.record_id for line in lines],
            "hashes": [line.row_hash for line in lines],
            "prints": [line.fingerprint for line in lines],
            "outcomes": [line.outcome for line in lines],
        },
    )


def forget_sent(connection: Connection, push: str, record_ids: Sequence[str]) -> None:
    """Forget what was sent of these records: nobody knows what the platform holds of them now."""
    if record_ids:
        connection.execute(
            text("DELETE FROM headwater.sent WHERE push = :push AND record_id = ANY(:ids)"),
            {"push": push, "ids": list(record_ids)},
        )
