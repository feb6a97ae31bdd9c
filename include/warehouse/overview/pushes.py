"""Read what became of the last run of each push."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text

from include.records import OutcomeCounts
from include.warehouse.engine import transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOverview:
    """Hold the last run of a push.

    Args:
        run_id: its number.
        platform: where it goes.
        at: when its records were selected.
        state: of the run, as the ledger of runs has it.
        message: why it ended so, or "".
        counts: the outcomes of its records; they sum to the selection once it has ended.
        guard: why a person was asked, or "".
        dry_run: nothing was to be sent.
        dag_run_id: Airflow's name of the run.
    """

    run_id: int
    platform: str
    at: datetime
    state: str
    message: str
    counts: OutcomeCounts
    guard: str
    dry_run: bool
    dag_run_id: str


def pushes_overview(engine: Engine, org: str) -> Mapping[str, PushOverview]:
    """Return the last run of each push of an org, by the push's name; a push that never ran is left out."""
    with transaction(engine) as connection:
        rows = connection.execute(
            text(
                "SELECT DISTINCT ON (push.push) push.push, push.run_id, push.platform, push.selected_at, run.state,"
                " run.message,"
                " push.guard, push.dry_run, run.dag_run_id, push.selected, push.unchanged, push.delivered,"
                " push.accepted, push.skipped, push.rejected, push.unknown, push.held"
                " FROM headwater.push_run AS push JOIN headwater.run AS run ON run.run_id = push.run_id"
                " WHERE push.org = :org ORDER BY push.push, push.run_id DESC"
            ),
            {"org": org},
        ).all()
    return {
        row.push: PushOverview(
            run_id=row.run_id,
            platform=row.platform,
            at=row.selected_at,
            state=row.state,
            message=row.message,
            counts=OutcomeCounts(
                selected=row.selected,
                delivered=row.delivered,
                accepted=row.accepted,
                unchanged=row.unchanged,
                skipped=row.skipped,
                rejected=row.rejected,
                unknown=row.unknown,
                held=row.held,
            ),
            guard=row.guard or "",
            dry_run=row.dry_run,
            dag_run_id=row.dag_run_id,
        )
        for row in rows
    }
