"""Keep the ledger of outcomes: what became of each record of a push run; one line a record, never two."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from include.errors import Unbalanced
from include.records import Outcome, Receipt
from include.warehouse.listed import as_json, column, lines

_ONCE = (
    " ON CONFLICT (run_id, record_id) DO UPDATE SET outcome = excluded.outcome, cause = excluded.cause,"
    " message = excluded.message, at = now() WHERE known.outcome = 'held'"
)
_ARRIVED = text(
    "INSERT INTO headwater.outcome AS known (run_id, record_id, outcome)"
    f" SELECT :run_id, record_id, 'delivered' FROM {lines('record_id')}{_ONCE}"
)
_TOLD = text(
    "INSERT INTO headwater.outcome AS known (run_id, record_id, outcome, cause, message)"
    " SELECT :run_id, record_id, outcome, cause, message FROM json_to_recordset(CAST(:lines AS json))"
    f" AS line(record_id text, outcome text, cause text, message text){_ONCE}"
)


def note_outcomes(connection: Connection, run_id: int, receipts: Sequence[Receipt]) -> None:
    """Write down what became of records; it may replace ``held``, nothing else.

    Raises:
        Unbalanced: a record of the run has another outcome already.
    """
    arrived = [each.record_id for each in receipts if each.outcome is Outcome.DELIVERED and not each.cause]
    told = [each for each in receipts if each.outcome is not Outcome.DELIVERED or each.cause]
    written = 0
    if arrived:
        written += connection.execute(_ARRIVED, {"run_id": run_id, "record_id": column(arrived)}).rowcount
    if told:
        written += connection.execute(_TOLD, {"run_id": run_id, "lines": as_json(told)}).rowcount
    if written != len(receipts):
        raise Unbalanced(f"{len(receipts) - written} records of push run {run_id} would get a second outcome")


def settle_outcomes(connection: Connection, run_id: int, receipts: Sequence[Receipt]) -> int:
    """Replace ``accepted`` by what the platform's job told; return how many records that were."""
    if not receipts:
        return 0
    return connection.execute(
        text(
            "UPDATE headwater.outcome AS known SET outcome = line.outcome, cause = line.cause, message = line.message,"
            " at = now() FROM json_to_recordset(CAST(:lines AS json))"
            " AS line(record_id text, outcome text, cause text, message text)"
            " WHERE known.run_id = :run_id AND known.record_id = line.record_id AND known.outcome = 'accepted'"
        ),
        {"run_id": run_id, "lines": as_json(receipts)},
    ).rowcount


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
