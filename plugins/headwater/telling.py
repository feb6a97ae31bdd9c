"""Bring what Airflow knows of a run, what the ledgers say and an org's channels together.

Import it inside `execute()` only, as `hooks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headwater.hooks import airflow_url, checks, definitions, messenger, org_definition, warehouse_engine
from headwater.runs import FAILURE_KEY, airflow_run
from include.config.users import users_of
from include.errors import BudgetPaused, HeadwaterError
from include.notifications.conditions import Condition, EndedTask, conditions_of, waits_for_calls
from include.notifications.health import health_conditions, mutes_of
from include.notifications.tell import Told, tell
from include.warehouse.engine import transaction
from include.warehouse.health.mutes import mutes
from include.warehouse.notable import read_notable

if TYPE_CHECKING:
    from airflow.sdk import Context


def tell_of_run(org_name: str, context: Context, *, kind: str, subjects: Sequence[str]) -> Told:
    """Tell what changed by this DAG run for the subjects of its DAG."""
    org, run, engine = org_definition(org_name), airflow_run(context), warehouse_engine()
    with transaction(engine) as connection:
        notable = read_notable(
            connection,
            org.org,
            kind=kind,
            subjects=subjects,
            objects=org.all_objects,
            dag_id=run.dag_id,
            dag_run_id=run.dag_run_id,
            connections=_connections(subjects) if kind == "push" else (),
        )
    used_by = {
        (each.object, each.field): users_of(definitions(), org.org, each.object, each.field) for each in notable.fields
    }
    conditions = conditions_of(org.org, notable, ended_tasks(context), used_by)
    if run.dag_id:
        conditions.append(waits_for_calls(run.dag_id, run.dag_run_id, "", holds=False))
    known = checks() if notable.health else {}
    if notable.health:
        with transaction(engine) as connection:
            muted = (*mutes_of(known), *mutes(connection, org.org))
        conditions += health_conditions(org.org, notable.health, org.health, known, muted)
    return tell(
        engine,
        org,
        conditions,
        messenger=messenger,
        airflow_url=airflow_url(),
        teams={each.owner for each in known.values() if each.owner},
    )


def _connections(pushes: Sequence[str]) -> tuple[str, ...]:
    known = definitions().pushes
    return tuple(dict.fromkeys(known[name].destination.connection for name in pushes if name in known))


def tell_of_pause(operator: Any, context: Context, pause: BudgetPaused) -> None:
    """Tell that a run waits for API calls, before it does; what fails here never stops the pause."""
    run = airflow_run(context)
    if not run.dag_id:
        return
    condition: Condition = waits_for_calls(run.dag_id, run.dag_run_id, str(pause))
    try:
        org = org_definition(operator.org)
        if org.notify:
            told = tell(warehouse_engine(), org, [condition], messenger=messenger, airflow_url=airflow_url())
            for problem in told.problems:
                operator.log.warning("nobody could be told: %s", problem)
    except HeadwaterError as error:
        operator.log.warning("nobody could be told: %s", error)


def ended_tasks(context: Context) -> list[EndedTask]:
    """Return how the other tasks of this DAG run ended, with the words that the failed ones left."""
    run, task_instance = airflow_run(context), context.get("ti")
    if task_instance is None or not run.dag_run_id:
        return []
    states = task_instance.get_task_states(dag_id=run.dag_id, run_ids=[run.dag_run_id]).get(run.dag_run_id, {})
    return [
        EndedTask(
            dag_id=run.dag_id,
            dag_run_id=run.dag_run_id,
            task_id=task_id,
            state=str(getattr(state, "value", state)),
            message=_words(task_instance, task_id) if state == "failed" else "",
        )
        for task_id, state in states.items()
        if task_id != run.task_id
    ]


def _words(task_instance: Any, task_id: str) -> str:
    return str(task_instance.xcom_pull(task_ids=task_id, key=FAILURE_KEY) or "")
