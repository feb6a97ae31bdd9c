"""Remove from the ledgers what is older than it is kept, in batches; never what is open or what we go on from.

Kept whatever their age: cursors, fingerprints (`headwater.sent`), sessions, the newest run, extract, certificate,
reconciliation and assessment of each subject, open slices, schema changes that wait for a person, unsettled rejects and
sync errors, findings that are not mended, outbox rows whose event is not settled, and everything of a push run that is
not settled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Engine, text

from include.config.housekeeping import HousekeepingDefinition
from include.warehouse.engine import transaction
from include.warehouse.health.journal_bounds import stop_unread_journals

_UNSETTLED = "SELECT run_id FROM headwater.push_run WHERE settled_at IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ledger:
    """Name a table, the retention that rules it, and which of its rows `t` may go; `:days` is how long they stay."""

    table: str
    retention: str
    may_go: str


def _newest(key: str, by: str, table: str) -> str:
    """Return the condition that a row is not the newest of its subject."""
    same = " AND ".join(f"n.{each} = t.{each}" for each in key.split())
    return f"EXISTS (SELECT 1 FROM headwater.{table} AS n WHERE {same} AND n.{by} > t.{by})"


def _older(column: str) -> str:
    return f"t.{column} < now() - make_interval(days => :days)"


# In this order: what refers to a run goes before the run, so that the run is not held back by it.
_LEDGERS = (
    _Ledger(table="probe", retention="probes", may_go=_older("probed_at")),
    _Ledger(table="api_call", retention="api_calls", may_go=_older("hour")),
    _Ledger(table="api_lease", retention="api_calls", may_go="t.expires_at < now() - interval '1 day' AND :days > 0"),
    _Ledger(
        table="schema_change",
        retention="schema_changes",
        may_go=f"t.state IN ('followed', 'overtaken') AND {_older('seen_at')}",
    ),
    _Ledger(table="reject", retention="rejects", may_go=_older("settled_at")),  # open: settled_at is null, so never
    _Ledger(table="sync_error", retention="sync_errors", may_go=_older("settled_at")),
    _Ledger(
        table="outbox",
        retention="outbox",
        # By the time it was written, which an index of a few pages knows: it is older still than when it was settled.
        may_go=f"t.state IN ('delivered', 'refused') AND {_older('settled_at')} AND {_older('written_at')}",
    ),
    _Ledger(
        table="selection",
        retention="selections",
        may_go="t.run_id IN (SELECT run_id FROM headwater.push_run"
        " WHERE settled_at < now() - make_interval(days => :days))",
    ),
    _Ledger(
        table="outcome",
        retention="outcomes",
        may_go=f"{_older('at')} AND t.run_id NOT IN ({_UNSETTLED}) AND t.run_id NOT IN"
        " (SELECT max(run_id) FROM headwater.push_run GROUP BY push)",
    ),
    _Ledger(
        table="certificate",
        retention="certificates",
        may_go=f"{_older('written_at')} AND {_newest('org object', 'certificate_id', 'certificate')}",
    ),
    _Ledger(
        table="reconciliation",
        retention="reconciliations",
        may_go=f"{_older('written_at')} AND {_newest('org object', 'run_id', 'reconciliation')}",
    ),
    _Ledger(
        table="extract",
        retention="extracts",
        may_go=f"{_older('committed_at')} AND {_newest('org object mode', 'run_id', 'extract')}",
    ),
    _Ledger(
        table="assessment",
        retention="assessments",
        may_go=f"{_older('assessed_at')} AND {_newest('org', 'assessment_id', 'assessment')}"
        " AND t.assessment_id NOT IN (SELECT previous_id FROM headwater.assessment AS l WHERE l.previous_id IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM headwater.assessment AS n WHERE n.org = l.org"
        " AND n.assessment_id > l.assessment_id))",
    ),
    _Ledger(  # a mended finding is read with the assessments that saw it: it goes with the last of them
        table="finding",
        retention="assessments",
        may_go="t.mended_by IS NOT NULL AND :days > 0 AND NOT EXISTS (SELECT 1 FROM headwater.assessment AS a"
        " WHERE a.org = t.org AND a.assessment_id >= t.found_by AND a.assessment_id < t.mended_by)",
    ),
    _Ledger(
        table="duplicate_pass",
        retention="assessments",
        may_go=f"{_older('at')} AND {_newest('org object', 'pass_id', 'duplicate_pass')}",
    ),
    _Ledger(table="notification", retention="notifications", may_go=_older("resolved_at")),
    _Ledger(
        table="run",
        retention="runs",
        may_go=f"{_older('started_at')} AND {_newest('kind org subject', 'run_id', 'run')}"
        " AND NOT EXISTS (SELECT 1 FROM headwater.extract AS c WHERE c.run_id = t.run_id)"
        " AND NOT EXISTS (SELECT 1 FROM headwater.reconciliation AS c WHERE c.run_id = t.run_id)"
        " AND NOT EXISTS (SELECT 1 FROM headwater.slice AS c WHERE c.run_id = t.run_id AND c.state = 'open')"
        " AND NOT EXISTS (SELECT 1 FROM headwater.reject AS c WHERE c.run_id = t.run_id)"
        " AND NOT EXISTS (SELECT 1 FROM headwater.push_run AS c WHERE c.run_id = t.run_id AND c.settled_at IS NULL)"
        " AND NOT EXISTS (SELECT 1 FROM headwater.outbox AS c WHERE c.run_id = t.run_id"
        " AND c.state NOT IN ('delivered', 'refused'))"
        " AND NOT EXISTS (SELECT 1 FROM headwater.sync_error AS c"
        " WHERE t.run_id IN (c.first_run_id, c.last_run_id) AND c.settled_at IS NULL)",
    ),
)


def sweep(engine: Engine, definition: HousekeepingDefinition) -> dict[str, int]:
    """Remove what is older than it is kept and return how many rows went, by ledger; ledgers without any are left out.

    Each batch is a transaction of its own: stopping in the middle loses nothing, and nobody waits long for a lock.
    """
    gone: dict[str, int] = {}
    for ledger in _LEDGERS:
        days = getattr(definition.retention, ledger.retention)
        if days is None:
            continue
        count = sum(_batches(engine, ledger, days, definition.batch_rows))
        if count:
            gone[ledger.table] = count
    if stopped := stop_unread_journals(engine, definition.retention.journals):
        gone["journal"] = stopped
    return gone


def _batches(engine: Engine, ledger: _Ledger, days: int, rows: int) -> Iterator[int]:
    statement = text(
        f"DELETE FROM headwater.{ledger.table} WHERE ctid = ANY (ARRAY("
        f"SELECT t.ctid FROM headwater.{ledger.table} AS t WHERE {ledger.may_go} LIMIT :rows FOR UPDATE SKIP LOCKED))"
    )
    while True:
        with transaction(engine) as connection:
            removed = connection.execute(statement, {"days": days, "rows": rows}).rowcount
        yield removed
        if removed < rows:
            return
