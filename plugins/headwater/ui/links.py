"""Write links onward: to a record in Salesforce, to a run in Airflow."""

from __future__ import annotations

from urllib.parse import quote, urlsplit


def record_link(instance_url: str, object: str, record_id: str) -> str:
    """Return the address of a record in Salesforce's own pages, or "" when we do not know where the org lives.

    Only http and https become links: the address comes from the org's answer to a login.
    """
    if urlsplit(instance_url).scheme not in ("http", "https"):
        return ""
    return f"{instance_url.rstrip('/')}/lightning/r/{quote(object, safe='')}/{quote(record_id, safe='')}/view"


def run_link(airflow: str, dag_id: str | None, dag_run_id: str | None, task_id: str | None = "") -> str:
    """Return the path of a run (or of its task) in Airflow's own pages, or "" when it was no run of Airflow's."""
    if not dag_id or not dag_run_id:
        return ""
    run = f"{airflow}/dags/{quote(dag_id, safe='')}/runs/{quote(dag_run_id, safe='')}"
    return f"{run}/tasks/{quote(task_id, safe='')}" if task_id else run
