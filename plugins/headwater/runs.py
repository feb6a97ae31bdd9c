"""Read what we need from Airflow's task context, whose keys come and go with the kind of run."""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from include.config.orgs import OrgDefinition
from include.errors import DefinitionError
from include.records import AirflowRun, RunMode

if TYPE_CHECKING:
    from airflow.sdk import Context

FAILURE_KEY = "failure"  # of the XCom that says why a task failed


def airflow_run(context: Context) -> AirflowRun:
    """Return the names by which Airflow knows this attempt; empty ones when there is no run (a bare `execute({})`)."""
    dag_run, task_instance = context.get("dag_run"), context.get("ti")
    if dag_run is None or task_instance is None:
        return AirflowRun()
    return AirflowRun(
        dag_id=dag_run.dag_id,
        dag_run_id=dag_run.run_id,
        task_id=task_instance.task_id,
        try_number=task_instance.try_number,
        run_type=str(getattr(dag_run.run_type, "value", dag_run.run_type)),
    )


def backfill_interval(context: Context) -> tuple[datetime, datetime] | None:
    """Return the data interval when this run is part of a backfill, else None.

    Manual runs carry a logical date that the form fills in with the present; it says nothing about what to read.
    """
    if airflow_run(context).run_type != "backfill":
        return None
    low, high = context.get("data_interval_start"), context.get("data_interval_end")
    if low is None or high is None:
        return None
    return _utc(low), _utc(high)


def chosen_mode(context: Context, default: str) -> RunMode:
    """Return how this run reads: a backfill its interval, others as their parameter `mode` or the operator says."""
    if backfill_interval(context) is not None:
        return RunMode.INTERVAL
    return RunMode(parameter(context, "mode", default))


def parameter(context: Context, name: str, default: Any) -> Any:
    """Return the run's parameter of this name if it has one, else the operator's own value.

    That is how the trigger form and a backfill override what the DAG says, and a DAG without parameters still works.
    """
    params = context.get("params") or {}
    return params[name] if name in params and params[name] is not None else default


def chosen_objects(context: Context, org: OrgDefinition) -> set[str]:
    """Return the objects that the run's parameter `objects` names; empty: all of them.

    Raises:
        DefinitionError: the org does not read one of them; a typo would otherwise read nothing and look green.
    """
    chosen = set(parameter(context, "objects", None) or ())
    unknown = sorted(chosen - set(org.all_sources))
    if unknown:
        known = ", ".join(org.all_sources)
        raise DefinitionError(f"org {org.org!r} does not read {', '.join(unknown)}; it reads {known}", key="objects")
    return chosen


def now_utc() -> datetime:
    """Return now; the one clock of the operators."""
    return datetime.now(UTC)


def spare_collections() -> None:
    """Let this process, which is one task, look for cycles of garbage more rarely: records hold none.

    Mapping makes many short-lived values; looking through them all took a fifth of the time.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _utc(moment: datetime) -> datetime:
    return datetime.fromtimestamp(moment.timestamp(), tz=UTC)
