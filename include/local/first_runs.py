"""Unpause the demo's DAGs one after the other and wait for each one's first run."""

from __future__ import annotations

import time
from urllib.parse import quote

from include.errors import SetupFailed
from include.local.airflow_rest import AirflowRest, Json
from include.local.site import Site

# In this order: each needs what the one before it made. No others: a DAG of yours may lead to a real org or platform.
DEMO_DAGS = ("demo_extract", "demo_health", "push_contacts_to_insider_one")
# These run by their schedule alone: nobody waits for them.
SCHEDULED_DAGS = ("demo_reconcile", "demo_metadata", "demo_health_digest", "headwater_housekeeping")
_APPEARS_SECONDS = 15  # a run that has not come by itself by then is triggered


def wait_for_dags(rest: AirflowRest, *, patience_seconds: float = 120) -> list[str]:
    """Return the demo's DAGs once Airflow has read them; what a bad definition keeps away is left out.

    Raises:
        SetupFailed: Airflow shows none of them in time; the message holds its import errors.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        found = [dag_id for dag_id in DEMO_DAGS if rest.get(f"/dags/{dag_id}") is not None]
        if len(found) == len(DEMO_DAGS):
            return found
        errors = import_errors(rest)
        if time.monotonic() > deadline or (errors and time.monotonic() > deadline - patience_seconds / 2):
            if found:
                return found
            raise SetupFailed("Airflow shows none of the demo's DAGs.\n" + "\n".join(errors))
        time.sleep(0.5)


def import_errors(rest: AirflowRest) -> list[str]:
    """Return why Airflow could not read a DAG file, one text a file, its last lines first."""
    found = (rest.get("/importErrors?limit=20") or {}).get("import_errors", [])
    return [f"{each['filename']}: {each['stack_trace'].strip().splitlines()[-1]}" for each in found]


def has_succeeded(rest: AirflowRest, dag_id: str) -> bool:
    """Say whether a DAG has had a successful run."""
    return bool(_runs(rest, dag_id, "&state=success"))


def unpause(rest: AirflowRest, dag_id: str) -> bool:
    """Unpause a DAG that never ran, and return whether it was; one that a person paused stays so."""
    dag = rest.get(f"/dags/{dag_id}") or {}
    if not dag.get("is_paused") or _runs(rest, dag_id):
        return False
    rest.patch(f"/dags/{dag_id}", {"is_paused": False})
    return True


def first_run(site: Site, rest: AirflowRest, dag_id: str, *, patience_seconds: float = 1200) -> str:
    """Wait for the newest run of a DAG, triggering one if none comes by itself, and return its state.

    A run that a guard stopped (a push of very many records, say) is not waited for: a person decides when.

    Raises:
        SetupFailed: it failed or takes too long; the message says where its logs are.
    """
    unpause(rest, dag_id)
    run = _appearing(rest, dag_id) or rest.post(f"/dags/{dag_id}/dagRuns", {"logical_date": None})
    deadline = time.monotonic() + patience_seconds
    while run.get("state") not in ("success", "failed"):
        if time.monotonic() > deadline:
            raise SetupFailed(f"the first run of {dag_id} still goes on; watch it at {site.url}/dags/{dag_id}")
        if _awaits_a_person(rest, dag_id, str(run["dag_run_id"])):
            return f"waits for your approval: {site.url}/required_actions"
        time.sleep(0.5)
        run = _runs(rest, dag_id)[0]
    if run["state"] == "failed":
        logs = site.settings.airflow_home / "logs" / f"dag_id={dag_id}"
        raise SetupFailed(
            f"the first run of {dag_id} failed: see {site.url}/dags/{dag_id}/runs, or the logs below {logs};"
            f" then run make up again"
        )
    return str(run["state"])


def _appearing(rest: AirflowRest, dag_id: str) -> Json | None:
    deadline = time.monotonic() + _APPEARS_SECONDS
    while time.monotonic() < deadline:
        runs = _runs(rest, dag_id)
        if runs and runs[0]["state"] != "failed":
            return runs[0]
        if runs:  # what failed before is tried anew
            return None
        time.sleep(0.5)
    return None


def _awaits_a_person(rest: AirflowRest, dag_id: str, run_id: str) -> bool:
    path = f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances"
    answer = rest.get(path) or {}
    return any(each["state"] == "awaiting_input" for each in answer.get("task_instances", []))


def _runs(rest: AirflowRest, dag_id: str, condition: str = "") -> list[Json]:
    answer = rest.get(f"/dags/{dag_id}/dagRuns?limit=1&order_by=-run_after{condition}") or {}
    return list(answer.get("dag_runs", []))
