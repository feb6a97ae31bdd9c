"""Start runs of chosen objects from the extracts page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from headwater.ui.airflow_rest import Refused, Started, find_run, start_run
from headwater.ui.capabilities import Capability, changes
from headwater.ui.forms import FormFields, read_form, wrong_field
from headwater.ui.links import run_link
from headwater.ui.rendering import MOUNTED_AT, show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.config.loader import load_definitions
from include.config.orgs import OrgDefinition
from include.extract.onboard import forecast_refresh

router = APIRouter()

_FORM = FormFields(one=("what", "confirmed"), many={"object": 2_000})


class What(StrEnum):
    """Name what a person may start."""

    CHANGES = "changes"
    LAST_DAY = "last_day"
    FULL = "full"
    COMPARE = "compare"


TITLES = {
    What.CHANGES: "Changes now",
    What.LAST_DAY: "Changes of the last day",
    What.COMPARE: "Compare every Id",
    What.FULL: "Full refresh",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Hold what a person asked for; no objects: all of them."""

    what: What
    objects: tuple[str, ...]
    confirmed: bool


async def read_order(request: Request) -> Order:
    """Return the order in the form of a request.

    Raises:
        HTTPException: it holds none.
    """
    form = await read_form(request, _FORM)
    if form.one("what") not in set(What):
        raise wrong_field("what", f"be one of {', '.join(What)}")
    if form.one("confirmed") not in ("", "yes"):
        raise wrong_field("confirmed", "be yes, or not be there")
    return Order(
        what=What(form.one("what")),
        objects=tuple(dict.fromkeys(form.many("object"))),
        confirmed=form.one("confirmed") == "yes",
    )


@router.post("/extracts/start", dependencies=changes(Capability.RUN))
def start(
    request: Request, engine: Warehouse, chosen: ChosenOrg, order: Annotated[Order, Depends(read_order)]
) -> Response:
    """Start what was asked for and lead to its run; a full refresh says first what it costs."""
    org, orgs = chosen
    definition = load_definitions().orgs.get(org.org) if org else None
    if org is None or definition is None or not set(order.objects) <= set(definition.all_sources):
        raise HTTPException(404, "There is no such org or object in the definitions.")
    if order.what is What.FULL and not order.confirmed:
        forecast = forecast_refresh(engine, definition, order.objects or definition.all_objects)
        return show(request, "start_full.html", tab="extracts", org=org, orgs=orgs, order=order, forecast=forecast)
    started: list[Started] = []
    problems: list[tuple[str, Refused]] = []
    for dag_id, conf in runs_of(definition, order.what, order.objects):
        try:
            started.append(start_run(request, dag_id, conf))
        except Refused as refusal:
            problems.append((dag_id, refusal))
    if problems and not started:
        raise problems[0][1]
    return RedirectResponse(_lead(request, org.org, started, [dag_id for dag_id, _ in problems]), status_code=303)


@router.get("/extracts/started")
def started_runs(request: Request, chosen: ChosenOrg) -> Response:
    """Show the runs that were started, as they are now."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "extracts", orgs)
    named = [each.partition("~") for each in request.query_params.getlist("run")[:20]]
    own = [(dag_id, run_id) for dag_id, _, run_id in named if dag_id.startswith(f"{org.org}_")]
    found = [find_run(request, dag_id, run_id) for dag_id, run_id in own]
    airflow = request.scope.get("root_path", "").removesuffix(MOUNTED_AT)
    return show(
        request,
        "started.html",
        tab="extracts",
        org=org,
        orgs=orgs,
        runs=[each for each in found if each],
        refused=request.query_params.getlist("refused")[:20],
        run_link=lambda run: run_link(airflow, run.dag_id, run.dag_run_id),
        dag_link=lambda run: f"{airflow}/dags/{run.dag_id}",
    )


def runs_of(org: OrgDefinition, what: What, objects: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    """Return the DAGs to start with their parameters: each group of objects has an extract DAG of its own."""
    if what is What.COMPARE:
        chosen = [name for name in org.all_objects if not objects or name in objects]
        return [(f"{org.org}_reconcile", {"objects": chosen})] if chosen else []
    found = []
    for group in org.all_groups:
        chosen = [name for name in group.objects if not objects or name in objects]
        if chosen:
            dag_id = f"{org.org}_extract" + (f"_{group.name}" if group.name else "")
            found.append((dag_id, {"mode": what.value, "objects": chosen}))
    return found


def _lead(request: Request, org: str, started: Sequence[Started], refused: Sequence[str]) -> str:
    """Return where to go: to the run itself, unless this is Airflow's frame, there are several, or it waits."""
    root = request.scope.get("root_path", "")
    alone = len(started) == 1 and not refused and not started[0].paused
    if alone and request.headers.get("sec-fetch-dest") == "document":
        return run_link(root.removesuffix(MOUNTED_AT), started[0].dag_id, started[0].dag_run_id)
    query = [("org", org), *(("run", f"{each.dag_id}~{each.dag_run_id}") for each in started)]
    return f"{root}/extracts/started?{urlencode([*query, *(('refused', each) for each in refused)])}"
