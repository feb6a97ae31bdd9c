"""Ask Airflow's own REST API inside this process, as the user of the request.

So Airflow checks the user's rights on the very DAG, validates the parameters and writes its audit log, and no address
of the api-server has to be known or reachable from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import anyio.from_thread
import httpx
from fastapi import HTTPException, Request

AIRFLOW = "headwater.airflow"  # the key under which `mount.LazyPages` leaves Airflow's app in the scope
_OF_THE_USER = ("cookie", "authorization", "referer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Name a run that was started; `paused`: its DAG is, so that it waits until a person unpauses it."""

    dag_id: str
    dag_run_id: str
    state: str = ""
    paused: bool = False


class Refused(HTTPException):
    """Say that Airflow did not start a run, and why in its own words."""


def start_run(request: Request, dag_id: str, conf: Mapping[str, Any]) -> Started:
    """Start a run of a DAG.

    Raises:
        Refused: Airflow did not; 403 the user may not, 404 there is no such DAG (yet), 400 a parameter is wrong.
    """
    path = f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns"
    answer = _ask(request, "POST", path, {"logical_date": None, "conf": dict(conf)})
    if answer.status_code != 200:
        raise Refused(answer.status_code, _words(answer))
    run = answer.json()
    return Started(dag_id=dag_id, dag_run_id=run["dag_run_id"], state=run["state"], paused=is_paused(request, dag_id))


def find_run(request: Request, dag_id: str, dag_run_id: str) -> Started | None:
    """Return a run, or None when there is none of this name that the user may see."""
    path = f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns/{quote(dag_run_id, safe='')}"
    answer = _ask(request, "GET", path)
    if answer.status_code != 200:
        return None
    state = answer.json()["state"]
    return Started(dag_id=dag_id, dag_run_id=dag_run_id, state=state, paused=is_paused(request, dag_id))


def is_paused(request: Request, dag_id: str) -> bool:
    """Return whether a DAG is paused."""
    answer = _ask(request, "GET", f"/api/v2/dags/{quote(dag_id, safe='')}")
    return answer.status_code == 200 and bool(answer.json()["is_paused"])


def _ask(request: Request, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
    headers = {name: request.headers[name] for name in _OF_THE_USER if name in request.headers}
    headers["accept"] = "application/json"

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app=request.scope[AIRFLOW], raise_app_exceptions=False)
        base = f"{request.url.scheme}://{request.url.netloc}"
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, path, json=body, headers=headers)

    return anyio.from_thread.run(asked)


def _words(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return f"Airflow answered {answer.status_code}."
    return detail if isinstance(detail, str) else "Airflow does not take these parameters."
