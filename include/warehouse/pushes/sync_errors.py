"""Keep the records that did not arrive, with their cause and history, until they are settled: the retry queue.

A passing failure is tried again by itself, each time later; any other waits until the record, the mapping or a person
changes something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, text

from include.records import Receipt
from include.warehouse.engine import transaction
from include.warehouse.listed import LISTED, as_json
from include.warehouse.pushes.ledger import PushRun

# After the first failure a minute, then three times as long each time, a day at most.
_PAUSE = "least(interval '1 day', interval '1 minute' * power(3, least({attempts}, 12) - 1))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Hold a record that did not arrive.

    Args:
        receipt: what the platform, or our validation, said.
        event_key: of the event whose fate is unknown, or "".
        row_hash: of the mapped source columns as they failed; None: not known.
        again: it may be tried again by itself.
    """

    receipt: Receipt
    event_key: str = ""
    row_hash: int | None = None
    again: bool = False


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


def note_errors(connection: Connection, run: PushRun, failures: Sequence[Failure]) -> None:
    """Keep rejected and unknown records; a record that failed so before counts another attempt."""
    if not failures:
        return
    connection.execute(
        text(
            "WITH noted AS (INSERT INTO headwater.sync_error AS known (org, push, platform, object, first_run_id,"
            " last_run_id, record_id, outcome, event_key, cause, message, retryable, row_hash, next_try_at)"
            " SELECT :org, :push, :platform, :object, :run_id, :run_id, record_id, outcome, event_key, cause, message,"
            f" again, row_hash, CASE WHEN again THEN now() + {_PAUSE.format(attempts='1')} END"
            " FROM json_to_recordset(CAST(:lines AS json)) AS line(record_id text, outcome text, event_key text,"
            " cause text, message text, again boolean, row_hash bigint)"
            " ON CONFLICT (push, record_id, outcome, event_key) WHERE settled_at IS NULL DO UPDATE SET"
            " attempts = known.attempts + 1, cause = excluded.cause, message = excluded.message, asked_by = '',"
            " retryable = excluded.retryable, last_run_id = excluded.last_run_id, last_at = now(),"
            " row_hash = excluded.row_hash, next_try_at = CASE WHEN excluded.retryable THEN now()"
            f" + {_PAUSE.format(attempts='known.attempts + 1')} END"
            " RETURNING error_id, last_run_id, cause, message)"
            " INSERT INTO headwater.sync_error_event (error_id, run_id, what, cause, message)"
            " SELECT error_id, last_run_id, 'failed', cause, message FROM noted"
        ),
        {
            "org": run.org,
            "push": run.push,
            "platform": run.platform,
            "object": run.object,
            "run_id": run.run_id,
            "lines": as_json(
                [
                    asdict(each.receipt) | {"event_key": each.event_key, "row_hash": each.row_hash, "again": each.again}
                    for each in failures
                ]
            ),
        },
    )


def settle_errors(
    connection: Connection, run: PushRun, record_ids: Sequence[str], *, event_keys: Sequence[str], by: str
) -> None:
    """Close the errors of records whose present state the platform holds now; their history stays.

    An event whose fate is unknown stays open, unless that very event has been sent again (`event_keys`).
    """
    if not record_ids:
        return
    connection.execute(
        text(
            "WITH settled AS (UPDATE headwater.sync_error SET settled_at = now(), settled_by = :by, next_try_at = NULL"
            f" WHERE push = :push AND record_id IN ({LISTED}) AND settled_at IS NULL"
            " AND (event_key = '' OR event_key IN (SELECT json_array_elements_text(CAST(:keys AS json))))"
            " RETURNING error_id)"
            " INSERT INTO headwater.sync_error_event (error_id, run_id, what, who)"
            " SELECT error_id, :run_id, 'settled', :by FROM settled"
        ),
        {
            "push": run.push,
            "run_id": run.run_id,
            "listed": as_json(record_ids),
            "keys": as_json(event_keys),
            "by": by,
        },
    )


def has_open_errors(connection: Connection, push: str) -> bool:
    """Say whether any error of the push is open."""
    return bool(
        connection.execute(
            text("SELECT EXISTS (SELECT FROM headwater.sync_error WHERE push = :push AND settled_at IS NULL)"),
            {"push": push},
        ).scalar_one()
    )
