"""Keep what the probe of a DAG run found, so that each object's own task goes on from there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

from include.records import AirflowRun, RunMode, Window

_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Hold the probe of one object: its window, its size, and its records as CSV when one page held them all."""

    object: str
    mode: RunMode
    window: Window
    soql: str
    total: int
    page: bytes | None = None
    problem: str = ""


def keep_probe(connection: Connection, org: str, run: AirflowRun, probe: Probe) -> None:
    """Write a probe; an earlier one of the same DAG run is replaced."""
    connection.execute(
        text(
            "INSERT INTO headwater.probe (org, dag_id, dag_run_id, object, mode, low, high, soql, total, page, problem)"
            " VALUES (:org, :dag_id, :dag_run_id, :object, :mode, :low, :high, :soql, :total, :page, :problem)"
            " ON CONFLICT (org, dag_id, dag_run_id, object) DO UPDATE SET mode = excluded.mode, low = excluded.low,"
            " high = excluded.high, soql = excluded.soql, total = excluded.total, page = excluded.page,"
            " problem = excluded.problem, probed_at = now()"
        ),
        _key(org, run, probe.object)
        | {
            "mode": probe.mode.value,
            "low": probe.window.low,
            "high": probe.window.high,
            "soql": probe.soql,
            "total": probe.total,
            "page": probe.page,
            "problem": probe.problem,
        },
    )


def read_probe(connection: Connection, org: str, run: AirflowRun, object: str) -> Probe | None:
    """Return what the probe of this DAG run found for the object, or None."""
    row = connection.execute(
        text(
            "SELECT mode, low, high, soql, total, page, problem FROM headwater.probe WHERE org = :org"
            " AND dag_id = :dag_id AND dag_run_id = :dag_run_id AND object = :object"
        ),
        _key(org, run, object),
    ).one_or_none()
    if row is None:
        return None
    return Probe(
        object=object,
        mode=RunMode(row.mode),
        window=Window(low=row.low, high=row.high),
        soql=row.soql,
        total=row.total,
        page=None if row.page is None else bytes(row.page),
        problem=row.problem,
    )


def drop_probe(connection: Connection, org: str, run: AirflowRun, object: str) -> None:
    """Forget a probe once its records are loaded: a task that is cleared later asks the org again."""
    connection.execute(
        text(
            "DELETE FROM headwater.probe WHERE org = :org AND dag_id = :dag_id AND dag_run_id = :dag_run_id"
            " AND object = :object"
        ),
        _key(org, run, object),
    )


def drop_probes_of(connection: Connection, org: str, object: str) -> None:
    """Forget every probe of an object: what was asked before now is older than what is here."""
    connection.execute(
        text("DELETE FROM headwater.probe WHERE org = :org AND object = :object"), {"org": org, "object": object}
    )


def drop_old_probes(connection: Connection, org: str) -> None:
    """Forget probes that no task came for."""
    connection.execute(
        text("DELETE FROM headwater.probe WHERE org = :org AND probed_at < now() - CAST(:kept AS interval)"),
        {"org": org, "kept": _KEPT},
    )


def _key(org: str, run: AirflowRun, object: str) -> dict[str, object]:
    return {"org": org, "dag_id": run.dag_id, "dag_run_id": run.dag_run_id, "object": object}
