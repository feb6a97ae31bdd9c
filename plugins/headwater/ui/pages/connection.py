"""Check an org's connection from the extracts page: a button, and a page with what was found."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from headwater.ui.capabilities import Capability, changes
from headwater.ui.rendering import show
from headwater.ui.warehouse import Warehouse
from include.config.budget import Work
from include.config.loader import load_definitions
from include.errors import BudgetPaused, RetryableError
from include.extract.check_connection import check_connection
from include.warehouse.overview import list_orgs

router = APIRouter()


@router.post("/connection", dependencies=changes(Capability.RUN))
def check(request: Request, engine: Warehouse) -> Response:
    """Ask the org (`?org=`) and show what was found; it costs a few of its API calls."""
    from headwater.hooks import salesforce_client

    definitions = load_definitions()
    definition = definitions.orgs.get(request.query_params.get("org", ""))
    if definition is None:
        raise HTTPException(404, "There is no such org in the definitions.")
    report, problem = None, ""
    try:
        opened = partial(salesforce_client, definition, work=Work.INTERACTIVE)
        report = check_connection(engine, opened, definition, definitions)
    except (BudgetPaused, RetryableError) as error:
        problem = str(error)
    orgs = list_orgs(engine)
    org = next((each for each in orgs if each.org == definition.org), None)
    return show(
        request,
        "connection.html",
        tab="extracts",
        org=org,
        orgs=orgs,
        name=definition.org,
        report=report,
        problem=problem,
    )
