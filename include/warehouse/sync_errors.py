"""Keep the records that did not arrive, with their cause, until they are settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, text

from include.records import Receipt
from include.warehouse.engine import transaction
from include.warehouse.pushes import PushRun
from include.warehouse.selections import LISTED, as_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Hold one cause of failures: how many records it kept back, and the Id of one of them to look at."""

    cause: str
    message: str
    outcome: str
    records: int
    example: str


def causes_of_run(engine: Engine, run_id: int, *, limit: int = 5) -> list[Cause]:
    """Return why records did not arrive in a push run and still have not, the most frequent cause first."""
    statement = text(
        "SELECT cause, min(message) AS message, outcome, count(*)::bigint AS records, min(record_id) AS example"
        "  FROM headwater.sync_error WHERE last_run_id = :run_id AND settled_at IS NULL"
        " GROUP BY cause, outcome ORDER BY records DESC, cause LIMIT :limit"
    )
    with transaction(engine) as connection:
        rows = connection.execute(statement, {"run_id": run_id, "limit": limit}).mappings()
        return [Cause(**row) for row in rows]


def note_errors(connection: Connection, run: PushRun, failures: Sequence[tuple[Receipt, str]]) -> None:
    """Keep rejected and unknown records; a record that failed so before counts another attempt.

    Args:
        connection: the transaction that records the outcomes.
        run: the run in which they failed.
        failures: receipts, each with the key of the event whose fate is unknown, or "".
    """
    if not failures:
        return
    connection.execute(
        text(
            "INSERT INTO headwater.sync_error AS known (org, push, platform, object, first_run_id, last_run_id,"
            " record_id, outcome, event_key, cause, message, retryable)"
            " SELECT :org, :push, :platform, :object, :run_id, :run_id, record_id, outcome, event_key, cause, message,"
            " retryable FROM json_to_recordset(CAST(:lines AS json)) AS line(record_id text, outcome text,"
            " event_key text, cause text, message text, retryable boolean)"
            " ON CONFLICT (push, record_id, outcome, event_key) WHERE settled_at IS NULL DO UPDATE SET"
            " attempts = known.attempts + 1, cause = excluded.cause, message = excluded.message,"
            " retryable = excluded.retryable, last_run_id = excluded.last_run_id, last_at = now()"
        ),
        {
            "org": run.org,
            "push": run.push,
            "platform": run.platform,
            "object": run.object,
            "run_id": run.run_id,
            "lines": as_json([asdict(receipt) | {"event_key": key} for receipt, key in failures]),
        },
    )


def settle_errors(
    connection: Connection, push: str, record_ids: Sequence[str], *, event_keys: Sequence[str], by: str
) -> None:
    """Close the errors of records whose present state the platform holds now.

    An event whose fate is unknown stays open, unless that very event has been sent again (`event_keys`).
    """
    if not record_ids:
        return
    connection.execute(
        text(
            "UPDATE headwater.sync_error SET settled_at = now(), settled_by = :by"
            f" WHERE push = :push AND record_id IN ({LISTED}) AND settled_at IS NULL"
            " AND (event_key = '' OR event_key IN (SELECT json_array_elements_text(CAST(:keys AS json))))"
        ),
        {"push": push, "listed": as_json(record_ids), "keys": as_json(event_keys), "by": by},
    )
