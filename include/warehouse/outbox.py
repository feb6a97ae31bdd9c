"""Keep the outbox: every event and every request is written down before it is sent.

After a crash an event is in one of two places. Its request was not yet on its way: the event is free again. Or it was,
and no answer is known: the event may be at the platform and stays ``unknown``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from include.errors import WarehouseDown
from include.records import Event, Outcome, Receipt
from include.warehouse.pushes import PushRun
from include.warehouse.selections import LISTED, as_json

_STATES = {
    Outcome.DELIVERED: "delivered",
    Outcome.ACCEPTED: "accepted",
    Outcome.REJECTED: "refused",
    Outcome.UNKNOWN: "unknown",
}
_STEPS = {  # what a request becomes: what it must have been, and the time to note
    "sent": ("written", "sent_at = now()"),
    "answered": ("sent", "ended_at = now()"),
    "written": ("sent", "sent_at = NULL"),
}
_LEFT_OPEN = (
    "known.push = :push AND known.run_id = coalesce(:run_id, known.run_id) AND known.state = 'open'"
    " AND request.run_id = known.run_id AND request.number = known.request"
)


def claim_events(
    connection: Connection, run: PushRun, events: Sequence[tuple[str, Event]], *, request: int, resend: bool
) -> set[str]:
    """Write events down and return the keys of those that this run may send.

    A key belongs to the first run that claims it. It is free again when the platform refused the event; `resend` takes
    it from an earlier run whatever became of it.
    """
    if not events:
        return set()
    rows = connection.execute(
        text(
            "INSERT INTO headwater.outbox AS known (push, run_id, request, event_key, record_id, event_name, event_at)"
            " SELECT :push, :run_id, :request, event_key, record_id, event_name, event_at"
            " FROM json_to_recordset(CAST(:lines AS json))"
            " AS line(event_key text, record_id text, event_name text, event_at timestamptz)"
            " ON CONFLICT (event_key) DO UPDATE SET run_id = excluded.run_id, request = excluded.request,"
            " event_name = excluded.event_name, event_at = excluded.event_at, state = 'open', written_at = now(),"
            " settled_at = NULL"
            " WHERE known.state = 'refused' OR (:resend AND known.run_id <> excluded.run_id AND known.state <> 'open')"
            " RETURNING event_key"
        ),
        {
            "push": run.push,
            "run_id": run.run_id,
            "request": request,
            "resend": resend,
            "lines": as_json(
                [
                    {"event_key": event.key, "record_id": record_id, "event_name": event.name, "event_at": event.at}
                    for record_id, event in events
                ]
            ),
        },
    )
    return set(rows.scalars())


def next_request(connection: Connection, run_id: int) -> int:
    """Return a number that no request of the run has yet."""
    return int(
        connection.execute(
            text("SELECT coalesce(max(number), 0) + 1 FROM headwater.push_request WHERE run_id = :run_id"),
            {"run_id": run_id},
        ).scalar_one()
    )


def write_request(connection: Connection, run_id: int, number: int, *, records: int, events: int) -> None:
    """Write a request down before it is made."""
    connection.execute(
        text(
            "INSERT INTO headwater.push_request (run_id, number, records, events)"
            " VALUES (:run_id, :number, :records, :events)"
        ),
        {"run_id": run_id, "number": number, "records": records, "events": events},
    )


def move_events(connection: Connection, event_keys: Sequence[str], *, request: int) -> None:
    """Put events that were written down into another request than the one they were claimed for."""
    if event_keys:
        connection.execute(
            text(f"UPDATE headwater.outbox SET request = :request WHERE event_key IN ({LISTED})"),
            {"request": request, "listed": as_json(event_keys)},
        )


def mark_request(connection: Connection, run_id: int, number: int, state: str) -> None:
    """Note that a request is on its way (``sent``), recorded (``answered``), or not taken at all (``written`` again).

    Raises:
        WarehouseDown: the request is no longer ours: another delivery settled it when our lock broke off.
    """
    before, stamp = _STEPS[state]
    marked = connection.execute(
        text(
            f"UPDATE headwater.push_request SET state = :state, {stamp}"
            " WHERE run_id = :run_id AND number = :number AND state = :before"
        ),
        {"run_id": run_id, "number": number, "state": state, "before": before},
    ).rowcount
    if marked != 1:
        raise WarehouseDown(
            f"request {number} of push run {run_id} is not {before!r} any more, so it cannot become {state!r}: another"
            " delivery took over when the connection to the warehouse broke off; the retry goes on where it was"
        )


def settle_events(connection: Connection, outcomes: Iterable[tuple[str, Outcome]]) -> None:
    """Note what became of events; one that was not sent after all leaves the outbox and is free again."""
    pairs = list(outcomes)
    settled = {key: _STATES[outcome] for key, outcome in pairs if outcome in _STATES}
    free = [key for key, outcome in pairs if outcome not in _STATES]
    if settled:
        connection.execute(
            text(
                "UPDATE headwater.outbox AS known SET state = line.state, settled_at = now()"
                " FROM json_each_text(CAST(:states AS json)) AS line(event_key, state)"
                " WHERE known.event_key = line.event_key"
            ),
            {"states": as_json(settled)},
        )
    if free:
        connection.execute(
            text(f"DELETE FROM headwater.outbox WHERE event_key IN ({LISTED})"), {"listed": as_json(free)}
        )


def recover_outbox(
    connection: Connection, push: str, *, run_id: int | None = None
) -> dict[int, list[tuple[Receipt, str]]]:
    """Settle what a delivery left behind when it ended; call it while nobody else delivers this push.

    Events whose request was only written down are free again. All others become ``unknown``: their request was on its
    way and no answer is recorded, so the platform may have them.

    Args:
        connection: a transaction.
        push: whose events.
        run_id: only those of this run; of every run of the push when it is None.

    Returns:
        for each run, the receipts of its records that became unknown, each with the key of its event.
    """
    values = {"push": push, "run_id": run_id}
    lost = connection.execute(
        text(
            "UPDATE headwater.outbox AS known SET state = 'unknown', settled_at = now()"
            f" FROM headwater.push_request AS request WHERE {_LEFT_OPEN} AND request.state <> 'written'"
            " RETURNING known.run_id, known.record_id, known.event_key"
        ),
        values,
    ).all()
    connection.execute(
        text(
            "DELETE FROM headwater.outbox AS known USING headwater.push_request AS request"
            f" WHERE {_LEFT_OPEN} AND request.state = 'written'"
        ),
        values,
    )
    connection.execute(
        text(
            "UPDATE headwater.push_request AS request SET ended_at = now(),"
            " state = CASE WHEN request.state = 'sent' THEN 'lost' ELSE 'dropped' END"
            " FROM headwater.push_run AS run WHERE run.run_id = request.run_id AND run.push = :push"
            " AND run.run_id = coalesce(:run_id, run.run_id) AND request.state IN ('written', 'sent')"
        ),
        values,
    )
    found: dict[int, list[tuple[Receipt, str]]] = {}
    for run_id, record_id, event_key in lost:
        found.setdefault(int(run_id), []).append((_lost(str(record_id)), str(event_key)))
    return found


def _lost(record_id: str) -> Receipt:
    return Receipt(
        record_id=record_id,
        outcome=Outcome.UNKNOWN,
        cause="answer_lost",
        message="the delivery ended before an answer was stored; whether the platform has the event is not known",
    )
