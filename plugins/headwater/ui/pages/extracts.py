"""The extracts page: is the copy complete and fresh, and what did the runs do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Engine
from starlette.responses import Response

from headwater.ui.capabilities import MayRun
from headwater.ui.charts import Chart, count_chart
from headwater.ui.links import run_link
from headwater.ui.listing import PAGE_SIZE, Listing, read_listing
from headwater.ui.pages.start import TITLES
from headwater.ui.rendering import MOUNTED_AT, show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.config.loader import load_definitions
from include.warehouse.belongings import Leftover, leftovers
from include.warehouse.overview import ObjectOverview, Org, api_usage, extract_runs, objects_overview
from include.warehouse.overview.activity import rows_by_day
from include.warehouse.overview.glance import lines_of_orgs
from include.warehouse.overview.runs import SORTS, STATES, Stretch, idle_stretches

router = APIRouter()


@router.get("/extracts")
def extracts(request: Request, engine: Warehouse, chosen: ChosenOrg, may_run: MayRun) -> Response:
    """Show every object of an org, its API usage, and the log of runs."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "extracts", orgs)
    root = request.scope.get("root_path", "")
    listing = read_listing(
        request.query_params, path=f"{root}/extracts", sorts=tuple(SORTS), filters=("org", "state", "idle", "log")
    )
    log = _log(engine, org.org, orgs, listing)
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
        charts=True,
        chart=_chart(engine, org.org),
        lines=lines_of_orgs(engine, [each.org for each in orgs]),
        totals=_totals(objects),
        **log,
        listing=listing,
        states=STATES,
        startable=_startable(org.org) if may_run else (),
        titles=TITLES,
        leftovers=_left_behind(engine, org.org),
        run_link=lambda run: run_link(root.removesuffix(MOUNTED_AT), run.dag_id, run.dag_run_id, run.task_id),
    )


def _log(engine: Engine, org: str, orgs: list[Org], listing: Listing) -> dict[str, Any]:
    """Return the page of the log: idle runs are folded unless somebody asks for them, or for one state."""
    state = listing.filters["state"] if listing.filters["state"] in STATES else ""
    every_org = listing.filters["log"] == "all" and len(orgs) > 1
    idle = listing.filters["idle"] == "shown" or bool(state)
    whose = [each.org for each in orgs] if every_org else [org]
    log = extract_runs(
        engine,
        whose,
        search=listing.search,
        state=state,
        sort=listing.sort,
        descending=listing.descending,
        limit=PAGE_SIZE + 1,
        offset=listing.offset,
        idle=idle,
    )
    in_time = listing.sort == "started" and listing.descending and not listing.search
    stretches: dict[int, Stretch] = {}
    if in_time and not idle and (log.runs or listing.page == 1):
        stretches = idle_stretches(
            engine,
            whose,
            [run.run_id for run in log.runs],
            from_newest=listing.page == 1,
            to_oldest=len(log.runs) <= PAGE_SIZE,
        )
    return {
        "log": replace(log, runs=log.runs[:PAGE_SIZE]),
        "following": log.runs[PAGE_SIZE].run_id if len(log.runs) > PAGE_SIZE else 0,
        "idle": idle,
        "every_org": every_org,
        "stretches": stretches,
    }


def _totals(objects: Sequence[ObjectOverview]) -> dict[str, int]:
    """Return the rows here and in the org over all objects that were compared; differences do not cancel each other."""
    compared = [each for each in objects if each.as_of]
    return {
        "objects": len(compared),
        "here": sum(each.here or 0 for each in compared),
        "org": sum(each.org or 0 for each in compared),
        "difference": sum(abs(each.difference or 0) for each in compared),
    }


def _chart(engine: Engine, org: str) -> Chart:
    days = rows_by_day(engine, org)
    return count_chart(
        "Rows by the day",
        "rows",
        [each.day for each in days],
        {"Read": [each.read for each in days], "Changed here": [each.changed for each in days]},
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
