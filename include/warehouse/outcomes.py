"""Keep the ledger of outcomes: what became of each record of a push run; one line a record, never two."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from include.errors import Unbalanced
from include.records import Outcome, Receipt
from include.warehouse.selections import as_json


def note_outcomes(connection: Connection, run_id: int, receipts: Sequence[Receipt]) -> None:
    """Write down what became of records; it may replace ``held``, nothing else.

    Raises:
        Unbalanced: a record of the run has another outcome already.
    """
    if not receipts:
        return
    written = connection.execute(
        text(
            "INSERT INTO headwater.outcome AS known (run_id, record_id, outcome, cause, message)"
            " SELECT :run_id, record_id, outcome, cause, message FROM json_to_recordset(CAST(:lines AS json))"
            " AS line(record_id text, outcome text, cause text, message text)"
            " ON CONFLICT (run_id, record_id) DO UPDATE SET outcome = excluded.outcome, cause = excluded.cause,"
            " message = excluded.message, at = now() WHERE known.outcome = 'held'"
        ),
        {"run_id": run_id, "lines": as_json(receipts)},
    ).rowcount
    if written != len(receipts):
        raise Unbalanced(f"{len(receipts) - written} records of push run {run_id} would get a second outcome")


def hold_rest(connection: Connection, run_id: int, *, cause: str, message: str) -> int:
    """Mark every selected record that has no outcome yet as held, and return how many."""
    return connection.execute(
        text(
            "INSERT INTO headwater.outcome (run_id, record_id, outcome, cause, message)"
            " SELECT run_id, record_id, 'held', :cause, :message FROM headwater.selection AS chosen"
            " WHERE run_id = :run_id AND NOT EXISTS (SELECT FROM headwater.outcome AS known"
            " WHERE known.run_id = chosen.run_id AND known.record_id = chosen.record_id)"
        ),
        {"run_id": run_id, "cause": cause, "message": message},
    ).rowcount


def reopen_held(connection: Connection, run_id: int) -> int:
    """Take the outcome from the records that were held, so that they are tried again; return how many."""
    return connection.execute(
        text("DELETE FROM headwater.outcome WHERE run_id = :run_id AND outcome = 'held'"), {"run_id": run_id}
    ).rowcount


def tally_outcomes(connection: Connection, run_id: int) -> dict[Outcome, int]:
    """Count the outcomes that are written down for a run."""
    rows = connection.execute(
        text("SELECT outcome, count(*) FROM headwater.outcome WHERE run_id = :run_id GROUP BY outcome"),
        {"run_id": run_id},
    )
    return {Outcome(outcome): int(count) for outcome, count in rows}


def tally_causes(connection: Connection, run_id: int) -> list[tuple[Outcome, str, int]]:
    """Count what did not simply arrive, by outcome and cause, the most frequent first."""
    rows = connection.execute(
        text(
            "SELECT outcome, cause, count(*) FROM headwater.outcome WHERE run_id = :run_id AND outcome <> 'delivered'"
            " GROUP BY outcome, cause ORDER BY count(*) DESC, outcome, cause"
        ),
        {"run_id": run_id},
    )
    return [(Outcome(outcome), str(cause), int(count)) for outcome, cause, count in rows]
