"""The page on API usage: what an org allows, who uses it, and what to do when it becomes scarce."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from headwater.ui.links import record_link
from headwater.ui.listing import plain
from headwater.ui.rendering import show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.warehouse.overview import record_changers, usage_overview
from include.warehouse.overview.changers import MOST_ROWS

router = APIRouter()


@router.get("/usage")
def usage(request: Request, engine: Warehouse, chosen: ChosenOrg) -> Response:
    """Show an org's budget and our calls of the last 24 hours, by purpose and object (`?q=`) and by hour."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "usage", orgs)
    search = plain(request.query_params.get("q", ""))
    overview = usage_overview(engine, org.org, search=search)
    return show(
        request,
        "usage.html",
        tab="usage",
        org=org,
        orgs=orgs,
        overview=overview,
        budget=overview.budget,
        search=search,
        highest=max((each.calls for each in overview.hours), default=0),
        changers=record_changers(engine, org.org),
        most_rows=MOST_ROWS,
        user_link=lambda user_id: record_link(org.instance_url, "User", user_id),
    )
