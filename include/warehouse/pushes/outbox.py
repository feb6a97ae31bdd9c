"""Keep the outbox: every event and every request is written down before it is sent.

After a crash an event is in one of two places. Its request was not yet on its way: the event is free again. Or it was,
and no answer is known: the event may be at the platform. Where the platform keeps each key once, or shows what it
holds, it is free again as well; elsewhere it stays ``unknown``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from include.errors import WarehouseDown
from include.records import Event, Outcome
from include.warehouse.listed import LISTED, as_json, clean, column, lines
from include.warehouse.pushes.ledger import PushRun

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
_CLAIM = text(
    "INSERT INTO headwater.outbox AS known (push, run_id, request, event_key, record_id, event_name, event_at)"
    " SELECT :push, :run_id, :request, event_key, record_id, coalesce(event_name, ''), CAST(event_at AS timestamptz)"
    f" FROM {lines('event_key', 'record_id', 'event_name', 'event_at')}"
    " ON CONFLICT (event_key) DO UPDATE SET run_id = excluded.run_id, request = excluded.request,"
    " event_name = excluded.event_name, event_at = excluded.event_at, state = 'open', written_at = now(),"
    " settled_at = NULL"
    " WHERE known.state = 'refused' OR (:resend AND known.run_id <> excluded.run_id AND known.state <> 'open')"
)
_ALL_SETTLED = text(
    "UPDATE headwater.outbox SET state = :state, settled_at = now()"
    " WHERE run_id = :run_id AND request = :request AND state = 'open'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Name a record whose request was on its way when its delivery ended; `event_key` is "" where it had no event."""

    record_id: str
    event_key: str


def claim_events(
    connection: Connection, run: PushRun, events: Sequence[tuple[str, Event]], *, request: int, resend: bool
) -> set[str]:
    """Write events down and return the keys of those that this run may send.

    A key belongs to the first run that claims it. It is free again when the platform refused the event; `resend` takes
    it from an earlier run whatever became of it.
    """
    if not events:
        return set()
    keys = [event.key for _, event in events]
    claimed = connection.execute(
        _CLAIM,
        {
            "push": run.push,
            "run_id": run.run_id,
            "request": request,
            "resend": resend,
            "event_key": column(keys),
            "record_id": column([record_id for record_id, _ in events]),
            "event_name": column(_clean_names(events)),
            "event_at": column([event.at.isoformat() for _, event in events]),
        },
    ).rowcount
    if claimed == len(keys):
        return set(keys)
    rows = connection.execute(
        text("SELECT event_key FROM headwater.outbox WHERE run_id = :run_id AND request = :request AND state = 'open'"),
        {"run_id": run.run_id, "request": request},
    )
    return set(rows.scalars())


def _clean_names(events: Sequence[tuple[str, Event]]) -> list[str]:
    """Return the names of events without what would end a value; few events of a push differ in theirs."""
    known = {name: clean(name) for name in {event.name for _, event in events}}
    return [known[event.name] for _, event in events]


def next_request(connection: Connection, run_id: int) -> int:
    """Return a number that no request of the run has yet."""
    return int(
        connection.execute(
            text("SELECT coalesce(max(number), 0) + 1 FROM headwater.push_request WHERE run_id = :run_id"),
            {"run_id": run_id},
        ).scalar_one()
    )


def write_request(
    connection: Connection, run_id: int, number: int, *, records: int, events: int, ordinals: tuple[int, int]
) -> None:
    """Write a request down before it is made; its records stand between two `ordinals` of the selection."""
    connection.execute(
        text(
            "INSERT INTO headwater.push_request (run_id, number, records, events, first_ordinal, last_ordinal)"
            " VALUES (:run_id, :number, :records, :events, :first, :last)"
        ),
        {
            "run_id": run_id,
            "number": number,
            "records": records,
            "events": events,
            "first": ordinals[0],
            "last": ordinals[1],
        },
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


def settle_request(connection: Connection, run_id: int, number: int) -> None:
    """Note that every event of a request has arrived."""
    connection.execute(_ALL_SETTLED, {"run_id": run_id, "request": number, "state": "delivered"})


def settle_events(connection: Connection, outcomes: Iterable[tuple[str, Outcome]], *, again: bool = False) -> None:
    """Note what became of events; one that was not sent after all leaves the outbox and is free again.

    So does one whose fate is unknown, where sending it `again` under its key doubles nothing.
    """
    pairs = list(outcomes)
    kept = {outcome: state for outcome, state in _STATES.items() if not (again and outcome is Outcome.UNKNOWN)}
    settled = {key: kept[outcome] for key, outcome in pairs if outcome in kept}
    free = [key for key, outcome in pairs if outcome not in kept]
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
    connection: Connection, push: str, *, again: bool, run_id: int | None = None
) -> dict[int, list[Lost]]:
    """Settle what a delivery left behind when it ended; call it while nobody else delivers this push.

    Events whose request was only written down are free again. Of the others nobody knows whether the platform has
    them: they become ``unknown``, or are free as well where sending them again doubles nothing.

    Args:
        connection: a transaction.
        push: whose events.
        again: the platform keeps each event key once, or shows what it holds.
        run_id: only those of this run; of every run of the push when it is None.

    Returns:
        for each run, its records whose request was on its way.
    """
    ended = connection.execute(
        text(
            "UPDATE headwater.push_request AS request SET ended_at = now(),"
            " state = CASE WHEN request.state = 'sent' THEN 'lost' ELSE 'dropped' END"
            " FROM headwater.push_run AS run WHERE run.run_id = request.run_id AND run.push = :push"
            " AND run.run_id = coalesce(:run_id, run.run_id) AND request.state IN ('written', 'sent')"
            " RETURNING request.run_id, request.number, request.state, request.first_ordinal, request.last_ordinal"
        ),
        {"push": push, "run_id": run_id},
    ).all()
    found: dict[int, list[Lost]] = {}
    for line in ended:
        values = {"run_id": line.run_id, "request": line.number}
        where = "WHERE run_id = :run_id AND request = :request AND state = 'open' RETURNING record_id, event_key"
        if line.state == "lost" and not again:
            statement = f"UPDATE headwater.outbox SET state = 'unknown', settled_at = now() {where}"
        else:
            statement = f"DELETE FROM headwater.outbox {where}"
        rows = connection.execute(text(statement), values).all()
        if line.state == "lost":
            _forget_range(connection, push, line.run_id, line.first_ordinal, line.last_ordinal)
        if line.state == "lost" and rows:
            lost = found.setdefault(int(line.run_id), [])
            lost.extend(Lost(record_id=row.record_id, event_key=row.event_key) for row in rows)
    return found


def _forget_range(connection: Connection, push: str, run_id: int, first: int, last: int) -> None:
    """Forget what was sent of the records of a lost request: the platform may hold their newer state, or may not."""
    connection.execute(
        text(
            "UPDATE headwater.sent AS held SET row_hash = NULL, fingerprint = NULL, outcome = 'unknown', at = now()"
            " FROM headwater.selection AS chosen WHERE chosen.run_id = :run_id"
            " AND chosen.ordinal BETWEEN :first AND :last AND held.push = :push AND held.record_id = chosen.record_id"
            " AND NOT EXISTS (SELECT FROM headwater.outcome AS known WHERE known.run_id = chosen.run_id"
            " AND known.record_id = chosen.record_id AND known.outcome <> 'held')"
        ),
        {"run_id": run_id, "push": push, "first": first, "last": last},
    )
