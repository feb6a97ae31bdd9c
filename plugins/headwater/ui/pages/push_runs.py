"""The executions of a push, and what became of each record in one of them."""

from __future__ import annotations

from urllib.parse import urlencode

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from headwater.ui.api.answers import shown_key
from headwater.ui.capabilities import MayRun, MaySeeUnmasked
from headwater.ui.links import record_link, run_link
from headwater.ui.listing import PAGE_SIZE, plain, whole_number
from headwater.ui.pages.outcome_pages import outcome_page
from headwater.ui.reads import note_keys
from headwater.ui.rendering import MOUNTED_AT, show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.config.loader import load_definitions
from include.warehouse.overview.push_runs import PushRunOverview, causes_of_outcomes, one_push_run, push_runs

router = APIRouter()

WRITTEN = ("delivered", "accepted", "skipped", "rejected", "unknown", "held")  # unchanged records are a count alone


@router.get("/pushes/{push}/runs")
def runs(request: Request, push: str, engine: Warehouse, chosen: ChosenOrg, may_run: MayRun) -> Response:
    """List the executions of a push, the newest first; one that is defined no more has those that are kept."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "pushes", orgs)
    name, after = plain(push), plain(request.query_params.get("after", ""))
    found = push_runs(engine, org.org, name, before=whole_number(after), limit=PAGE_SIZE + 1)
    definition = load_definitions().pushes.get(name)
    definition = definition if definition and definition.org == org.org else None
    if definition is None and not found and not after:
        raise HTTPException(404, "There is no such push in the definitions, and no execution of one is kept.")
    shown = found[:PAGE_SIZE]
    airflow = request.scope.get("root_path", "").removesuffix(MOUNTED_AT)
    return show(
        request,
        "push_runs.html",
        tab="pushes",
        org=org,
        orgs=orgs,
        push=name,
        may_run=may_run,
        definition=definition,
        runs=shown,
        after=after,
        following=str(shown[-1].run_id) if len(found) > PAGE_SIZE else "",
        run_link=lambda run: run_link(airflow, run.dag_id, run.dag_run_id),
    )


@router.get("/pushes/{push}/runs/{run_id}")
def run(
    request: Request,
    push: str,
    run_id: str,
    engine: Warehouse,
    chosen: ChosenOrg,
    unmasked: MaySeeUnmasked,
    user: GetUserDep,
) -> Response:
    """Show one execution: its counts, the causes, and the records (`?outcome=`, `?cause=`) in order of their key."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "pushes", orgs)
    number = whole_number(run_id)
    found = one_push_run(engine, org.org, number) if number is not None else None
    if found is None or found.push != plain(push):
        raise HTTPException(404, "There is no such execution of this push, or it is no longer kept.")
    query = request.query_params
    outcome = query.get("outcome", "") if query.get("outcome") in WRITTEN else ""
    cause = plain(query.get("cause", ""))
    page = outcome_page(
        engine, found.run_id, outcome=outcome, cause=cause, after=query.get("after", ""), limit=PAGE_SIZE
    )
    if unmasked:
        keys = [each.record_id for each in page.records]
        where = f"on the page of the run {found.run_id} of {found.push}"
        note_keys(engine, org.org, keys, who=user.get_name(), where=where)
    kept = {"org": org.org} | ({"outcome": outcome} if outcome else {}) | ({"cause": cause} if cause else {})
    root = request.scope.get("root_path", "")
    here = f"{root}{request.url.path.removeprefix(root)}"
    return show(
        request,
        "push_run.html",
        tab="pushes",
        org=org,
        orgs=orgs,
        run=found,
        counts=_counts(found),
        causes=causes_of_outcomes(engine, found.run_id),
        records=page.records,
        next_link=f"{here}?{urlencode({**kept, 'after': page.following})}" if page.following else "",
        first_link=f"{here}?{urlencode(kept)}" if query.get("after") else "",
        all_link=f"{here}?{urlencode({'org': org.org})}",
        filtered=lambda **only: f"{here}?{urlencode({'org': org.org, **only})}",
        outcome=outcome,
        cause=cause,
        written=WRITTEN,
        key=lambda record_id: shown_key(record_id, unmasked=unmasked),
        record_link=lambda record_id: record_link(org.instance_url, found.object, record_id),
        run_link=run_link(root.removesuffix(MOUNTED_AT), found.dag_id, found.dag_run_id),
    )


def _counts(run: PushRunOverview) -> dict[str, int]:
    """Return the outcomes of a run in the order in which a person asks for them; those of no record are left out."""
    order = ("delivered", "accepted", "unchanged", "skipped", "rejected", "unknown", "held")
    every = {name: getattr(run.counts, name) for name in order}
    return {name: count for name, count in every.items() if count}
