"""Keep the ledger of what was sent: the hash of each record's source, the fingerprint of its payload, who it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, text

from include.warehouse.listed import LISTED, as_json, clean, column, lines

_NOTE = text(
    "INSERT INTO headwater.sent AS held (push, record_id, row_hash, fingerprint, outcome, run_id, identifiers,"
    " platform_id) SELECT :push, record_id, CAST(row_hash AS bigint), decode(fingerprint, 'hex'), outcome, :run_id,"
    " CAST(identifiers AS jsonb), coalesce(platform_id, '')"
    f" FROM {lines('record_id', 'row_hash', 'fingerprint', 'outcome', 'identifiers', 'platform_id')}"
    " ON CONFLICT (push, record_id) DO UPDATE SET row_hash = excluded.row_hash,"
    " fingerprint = coalesce(excluded.fingerprint, held.fingerprint), outcome = excluded.outcome,"
    " identifiers = coalesce(excluded.identifiers, held.identifiers),"
    " platform_id = CASE WHEN excluded.platform_id <> '' THEN excluded.platform_id ELSE held.platform_id END,"
    " run_id = excluded.run_id, at = now()"
)


class Sent(NamedTuple):
    """Hold what a record was when it was settled; what is None or empty stays as it was acknowledged last.

    `identifiers` are those by which the platform took it, and `platform_id` the platform's own id of it. One is made
    for every record of a push: a tuple is made three times as fast as a frozen dataclass.
    """

    record_id: str
    row_hash: int
    fingerprint: str | None  # in hexadecimal
    outcome: str
    identifiers: Mapping[str, str] | None = None
    platform_id: str = ""


def note_sent(connection: Connection, push: str, run_id: int, settled: Sequence[Sent]) -> None:
    """Write down how records were settled, in the transaction that records their outcomes."""
    if not settled:
        return
    connection.execute(
        _NOTE,
        {
            "push": push,
            "run_id": run_id,
            "record_id": column([each.record_id for each in settled]),
            "row_hash": column([str(each.row_hash) for each in settled]),
            "fingerprint": column([each.fingerprint for each in settled]),
            "outcome": column([each.outcome for each in settled]),
            "identifiers": column([_as_json(each.identifiers) for each in settled]),
            "platform_id": column([clean(each.platform_id) if each.platform_id else None for each in settled]),
        },
    )


def forget_sent(connection: Connection, push: str, record_ids: Sequence[str]) -> None:
    """Forget what these records were when they were sent: nobody knows what the platform holds of them now.

    Who they are at the platform stays known.
    """
    if record_ids:
        connection.execute(
            text(
                "UPDATE headwater.sent SET row_hash = NULL, fingerprint = NULL, outcome = 'unknown', at = now()"
                f" WHERE push = :push AND record_id IN ({LISTED})"
            ),
            {"push": push, "listed": as_json(record_ids)},
        )


def settle_sent(connection: Connection, push: str, run_id: int, outcomes: Mapping[str, tuple[str, str]]) -> None:
    """Note what became of records that a platform had accepted, unless a later run sent them since.

    Args:
        connection: a transaction.
        push: whose records.
        run_id: the run in which they were accepted.
        outcomes: by record Id, the outcome and the platform's id of the record ("" when it told none).
    """
    if not outcomes:
        return
    connection.execute(
        text(
            "UPDATE headwater.sent AS held SET outcome = line.outcome, at = now(),"
            " fingerprint = CASE WHEN line.outcome = 'delivered' THEN held.fingerprint END,"
            " row_hash = CASE WHEN line.outcome IN ('delivered', 'rejected') THEN held.row_hash END,"
            " platform_id = CASE WHEN coalesce(line.platform_id, '') <> '' THEN line.platform_id"
            " ELSE held.platform_id END"
            f" FROM {lines('record_id', 'outcome', 'platform_id')}"
            " WHERE held.push = :push AND held.record_id = line.record_id AND held.run_id = :run_id"
            " AND held.outcome = 'accepted'"
        ),
        {
            "push": push,
            "run_id": run_id,
            "record_id": column(list(outcomes)),
            "outcome": column([outcome for outcome, _ in outcomes.values()]),
            "platform_id": column([clean(platform_id) for _, platform_id in outcomes.values()]),
        },
    )


def _as_json(identifiers: Mapping[str, str] | None) -> str | None:
    return None if identifiers is None else orjson.dumps(identifiers).decode()
