"""The extracts page: is the copy complete and fresh, and what did the runs do."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy import Engine
from starlette.responses import Response

from headwater.ui.capabilities import MayRun
from headwater.ui.links import run_link
from headwater.ui.listing import PAGE_SIZE, read_listing
from headwater.ui.rendering import MOUNTED_AT, show
from headwater.ui.start import TITLES
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.config.loader import load_definitions
from include.warehouse.belongings import Leftover, leftovers
from include.warehouse.overview import ObjectOverview, api_usage, extract_runs, objects_overview
from include.warehouse.overview.runs import SORTS, STATES

router = APIRouter()


@router.get("/extracts")
def extracts(request: Request, engine: Warehouse, chosen: ChosenOrg, may_run: MayRun) -> Response:
    """Show every object of an org, its API usage, and the log of runs."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "extracts", orgs)
    root = request.scope.get("root_path", "")
    listing = read_listing(request.query_params, path=f"{root}/extracts", sorts=tuple(SORTS), filters=("org", "state"))
    state = listing.filters["state"]
    log = extract_runs(
        engine,
        org.org,
        search=listing.search,
        state=state if state in STATES else "",
        sort=listing.sort,
        descending=listing.descending,
        limit=PAGE_SIZE,
        offset=listing.offset,
    )
    objects = objects_overview(engine, org.org)
    return show(
        request,
        "extracts.html",
        tab="extracts",
        org=org,
        orgs=orgs,
        every_object=objects,
        objects=[each for each in objects if _matches(each, listing.search)],
        usage=api_usage(engine, org.org),
        log=log,
        listing=listing,
        states=STATES,
        startable=_startable(org.org) if may_run else (),
        titles=TITLES,
        leftovers=_left_behind(engine, org.org),
        run_link=lambda run: run_link(root.removesuffix(MOUNTED_AT), run.dag_id, run.dag_run_id, run.task_id),
    )


def _startable(org: str) -> tuple[str, ...]:
    """Return what of the org's definition can be read by hand; nothing when it is defined no more."""
    definition = load_definitions().orgs.get(org)
    return tuple(sorted(definition.all_sources)) if definition else ()


def _left_behind(engine: Engine, org: str) -> list[Leftover]:
    """Return what of this org is kept and defined no more; nothing while a definition cannot be read."""
    definitions = load_definitions()
    if definitions.errors:
        return []
    defined = {name: each.all_sources for name, each in definitions.orgs.items()}
    return [each for each in leftovers(engine, defined) if each.org == org]


def _matches(overview: ObjectOverview, search: str) -> bool:
    return search.lower() in f"{overview.object} {overview.label} {overview.state or ''} {overview.message}".lower()
