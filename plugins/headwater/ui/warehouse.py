"""Lend a page the warehouse and the org that its address asks for."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine
from starlette.responses import Response

from headwater.ui.listing import plain
from headwater.ui.rendering import show
from include.warehouse.overview import Org, list_orgs, onboarding_overview


def open_warehouse(request: Request) -> Engine:
    """Return this process's engine."""
    engine: Engine = request.app.state.open_warehouse()
    return engine


Warehouse = Annotated[Engine, Depends(open_warehouse)]


def choose_org(request: Request, engine: Warehouse) -> tuple[Org | None, list[Org]]:
    """Return the org of the address (`?org=`), else the first one, and all that there are to choose from."""
    orgs = list_orgs(engine)
    asked = plain(request.query_params.get("org", ""))
    chosen = next((org for org in orgs if org.org == asked), None)
    chosen = chosen or (orgs[0] if orgs and not asked else None)
    request.state.onboarding = onboarding_overview(engine, chosen.org) if chosen else None
    return chosen, orgs


ChosenOrg = Annotated[tuple[Org | None, list[Org]], Depends(choose_org)]


def no_such_org(request: Request, tab: str, orgs: list[Org]) -> Response:
    """Answer when there is no org yet (a fresh installation), or none of the name that was asked for."""
    asked = plain(request.query_params.get("org", ""))
    return show(request, "no_org.html", status=404 if asked else 200, tab=tab, org=None, orgs=orgs, asked=asked)
