"""Let people decide about sync errors: try them again, or settle what nobody else can know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Engine, text

from include.warehouse.engine import transaction
from include.warehouse.overview.errors import ErrorFilter, matching


class Decision(StrEnum):
    """Say what a person decides about an error."""

    RETRY = "retry"  # try it again; an event whose fate is unknown is sent once more
    ARRIVED = "arrived"  # it is at the platform: nothing is to be done
    DISMISS = "dismiss"  # it need not arrive


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Say which errors somebody decided about: how many, and the record Ids by push."""

    errors: int
    records: Mapping[str, tuple[str, ...]]


# A person who decides about "all" decides about what the list showed: nothing that came in later.
_CHOSEN = "e.settled_at IS NULL AND (e.error_id = ANY(:error_ids) OR (:all_of AND e.error_id <= :last AND {matching}))"


def decide(
    engine: Engine,
    org: str,
    decision: Decision,
    *,
    who: str,
    error_ids: Sequence[int] = (),
    all_of: ErrorFilter | None = None,
    last: int = 0,
) -> Decided:
    """Write down what a person decides about errors, and in their history that they did.

    Args:
        engine: the warehouse.
        org: whose errors.
        decision: what is to become of them.
        who: the person.
        error_ids: these errors.
        all_of: all open errors that match, up to the error `last`.
        last: the newest error that the person could see.
    """
    shown = all_of or ErrorFilter()
    bound = {
        **shown.bound(org),
        "error_ids": list(error_ids),
        "all_of": all_of is not None,
        "last": last,
        "who": who,
        "decision": decision.value,
    }
    chosen = _CHOSEN.format(matching=matching(shown))
    with transaction(engine) as connection:
        rows = connection.execute(
            text(
                "SELECT e.error_id, e.push, e.record_id, e.event_key FROM headwater.sync_error AS e"
                f" WHERE e.org = :org AND {chosen} ORDER BY e.error_id FOR UPDATE"
            ),
            bound,
        ).all()
        ids = [row.error_id for row in rows]
        keys = [row.event_key for row in rows if row.event_key]
        if decision is Decision.RETRY:
            _ask_again(connection, ids, keys, who)
        else:
            _settle(connection, ids, keys, who, arrived=decision is Decision.ARRIVED)
    records: dict[str, list[str]] = {}
    for row in rows:
        records.setdefault(row.push, []).append(row.record_id)
    return Decided(errors=len(ids), records={push: tuple(dict.fromkeys(of_push)) for push, of_push in records.items()})


def _ask_again(connection: Connection, error_ids: Sequence[int], event_keys: Sequence[str], who: str) -> None:
    """Make errors due now; an event whose fate is unknown is free again, because a person knows better."""
    connection.execute(
        text("UPDATE headwater.sync_error SET next_try_at = now(), asked_by = :who WHERE error_id = ANY(:ids)"),
        {"ids": list(error_ids), "who": who},
    )
    connection.execute(
        text("DELETE FROM headwater.outbox WHERE event_key = ANY(:keys) AND state = 'unknown'"),
        {"keys": list(event_keys)},
    )
    # Nobody knows what the platform holds of such a record: whatever it is now differs from that.
    connection.execute(
        text(
            "UPDATE headwater.sent AS held SET fingerprint = NULL, row_hash = NULL, outcome = 'unknown'"
            " FROM headwater.sync_error AS e WHERE e.error_id = ANY(:ids) AND e.outcome = 'unknown'"
            " AND held.push = e.push AND held.record_id = e.record_id"
        ),
        {"ids": list(error_ids)},
    )
    _note(connection, error_ids, "asked", who, "retry")


def _settle(
    connection: Connection, error_ids: Sequence[int], event_keys: Sequence[str], who: str, *, arrived: bool
) -> None:
    connection.execute(
        text(
            "UPDATE headwater.sync_error SET settled_at = now(), settled_by = :who, next_try_at = NULL"
            " WHERE error_id = ANY(:ids)"
        ),
        {"ids": list(error_ids), "who": who},
    )
    if arrived:
        connection.execute(
            text(
                "UPDATE headwater.outbox SET state = 'delivered', settled_at = now()"
                " WHERE event_key = ANY(:keys) AND state = 'unknown'"
            ),
            {"keys": list(event_keys)},
        )
    _note(connection, error_ids, "settled", who, "arrived" if arrived else "dismissed")


def _note(connection: Connection, error_ids: Sequence[int], what: str, who: str, cause: str) -> None:
    connection.execute(
        text(
            "INSERT INTO headwater.sync_error_event (error_id, what, who, cause)"
            " SELECT error_id, :what, :who, :cause FROM unnest(CAST(:ids AS bigint[])) AS t(error_id)"
        ),
        {"ids": list(error_ids), "what": what, "who": who, "cause": cause},
    )
