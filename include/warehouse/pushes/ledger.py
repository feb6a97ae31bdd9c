"""Keep the ledger of push runs: what each was asked to do, and what became of its records."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, text

from include.errors import NotReady
from include.records import OutcomeCounts, Window
from include.warehouse.pushes.selections import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRun:
    """Hold a push run as it was selected."""

    run_id: int
    org: str
    push: str
    object: str
    platform: str
    run_key: str
    mode: str
    resend: bool
    max_failed_share: float
    selected: int
    unchanged: int
    still_rejected: int = 0
    still_skipped: int = 0
    waiting: int = 0
    min_delivered: int = 0

    @property
    def left_out(self) -> int:
        """Return how many records were skipped when the run was selected: refused before, or waiting for a retry."""
        return self.still_rejected + self.still_skipped + self.waiting


def resume_run(connection: Connection, run_id: int) -> None:
    """Note that a run that was selected, or stopped, goes on."""
    connection.execute(
        text("UPDATE headwater.run SET state = 'running', message = '', ended_at = NULL WHERE run_id = :run_id"),
        {"run_id": run_id},
    )


def write_push_run(
    connection: Connection,
    run: PushRun,
    *,
    interval: Window | None,
    record_ids: tuple[str, ...],
    options: dict[str, Any],
) -> None:
    """Write down what a run is asked to do; `options` holds skip_hook, fast_fail and batch_size."""
    connection.execute(
        text(
            "INSERT INTO headwater.push_run (run_id, org, push, object, platform, run_key, mode, low, high, skip_hook,"
            " fast_fail, batch_size, resend, max_failed_share, min_delivered, record_ids, selected, unchanged)"
            " VALUES (:run_id, :org, :push, :object, :platform, :run_key, :mode, :low, :high, :skip_hook,"
            " :fast_fail, :batch_size, :resend, :max_failed_share, :min_delivered, :record_ids, :selected, :unchanged)"
        ),
        {
            **asdict(run),
            **options,
            "low": interval.low if interval else None,
            "high": interval.high if interval else None,
            "record_ids": list(record_ids),
        },
    )


def note_selected(connection: Connection, run_id: int, found: Found, *, guard: str | None) -> None:
    """Write down what the comparison found."""
    connection.execute(
        text(
            "UPDATE headwater.push_run SET selected = :selected, unchanged = :unchanged, guard = :guard,"
            " still_rejected = :still_rejected, still_skipped = :still_skipped, waiting = :waiting"
            " WHERE run_id = :run_id"
        ),
        {"run_id": run_id, "unchanged": found.unchanged, "guard": guard, **asdict(found)},
    )


def note_options(connection: Connection, run_id: int, options: dict[str, Any]) -> None:
    """Write down with which options the run is delivered; they may differ from those it was selected with."""
    connection.execute(
        text(
            "UPDATE headwater.push_run SET skip_hook = :skip_hook, fast_fail = :fast_fail, batch_size = :batch_size,"
            " resend = :resend WHERE run_id = :run_id"
        ),
        {"run_id": run_id, **options},
    )


def note_counts(connection: Connection, run_id: int, counts: OutcomeCounts, *, settled: bool) -> None:
    """Write down the counts of a run; `settled` says that every selected record has its outcome."""
    connection.execute(
        text(
            "UPDATE headwater.push_run SET delivered = :delivered, accepted = :accepted, skipped = :skipped,"
            " rejected = :rejected, unknown = :unknown, held = :held,"
            " settled_at = CASE WHEN :is_settled THEN now() END WHERE run_id = :run_id"
        ),
        {"run_id": run_id, "is_settled": settled, **asdict(counts)},
    )


def note_size(connection: Connection, run_id: int, *, to_send: int, gone: int, dry_run: bool) -> None:
    """Write down how large a run is: what is usual is judged by it."""
    connection.execute(
        text(
            "UPDATE headwater.push_run SET to_send = :to_send, gone = :gone, dry_run = :dry_run WHERE run_id = :run_id"
        ),
        {"run_id": run_id, "to_send": to_send, "gone": gone, "dry_run": dry_run},
    )


def usual_sizes(connection: Connection, push: str, *, runs: int = 20) -> tuple[int, ...]:
    """Return how many records the last runs of a push had to send that sent any."""
    rows = connection.execute(
        text(
            "SELECT to_send FROM headwater.push_run WHERE push = :push AND to_send > 0 AND delivered + accepted > 0"
            " AND NOT dry_run ORDER BY run_id DESC LIMIT :runs"
        ),
        {"push": push, "runs": runs},
    )
    return tuple(int(size) for size in rows.scalars())


def read_push_run(connection: Connection, run_id: int) -> PushRun:
    """Return a run as it was selected.

    Raises:
        NotReady: there is no such run.
    """
    row = (
        connection.execute(
            text(
                "SELECT run_id, org, push, object, platform, run_key, mode, resend, max_failed_share, selected,"
                " unchanged, still_rejected, still_skipped, waiting, min_delivered FROM headwater.push_run"
                " WHERE run_id = :run_id"
            ),
            {"run_id": run_id},
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotReady(f"push run {run_id} selected nothing that is still kept; run the select task again")
    return PushRun(**row)


def is_selected(connection: Connection, run_id: int) -> bool:
    """Say whether a run got as far as having its records written down."""
    statement = text("SELECT EXISTS (SELECT FROM headwater.push_run WHERE run_id = :run_id)")
    return bool(connection.execute(statement, {"run_id": run_id}).scalar_one())


def has_selection(connection: Connection, run_id: int) -> bool:
    """Say whether a run has records that it may have to send."""
    statement = text("SELECT EXISTS (SELECT FROM headwater.selection WHERE run_id = :run_id)")
    return bool(connection.execute(statement, {"run_id": run_id}).scalar_one())


def lock_push(connection: Connection, push: str) -> None:
    """Wait until no other transaction delivers this push, and keep others from it until this one ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"push:{push}"})
