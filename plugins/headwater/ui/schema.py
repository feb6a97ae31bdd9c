"""The page on schema changes: what an org's administrators changed, and what of ours uses it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from headwater.ui.listing import PAGE_SIZE, read_listing
from headwater.ui.rendering import show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.config.loader import load_definitions
from include.config.users import users_of
from include.warehouse.overview import schema_changes
from include.warehouse.overview.schema import KINDS

router = APIRouter()


@router.get("/schema")
def schema(request: Request, engine: Warehouse, chosen: ChosenOrg) -> Response:
    """Show the changes of an org's fields, the newest first."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "schema", orgs)
    root = request.scope.get("root_path", "")
    listing = read_listing(request.query_params, path=f"{root}/schema", sorts=("seen",), filters=("org", "kind"))
    kind = listing.filters["kind"]
    found = schema_changes(
        engine,
        org.org,
        search=listing.search,
        kind=kind if kind in KINDS else "",
        limit=PAGE_SIZE,
        offset=listing.offset,
    )
    definitions = load_definitions()
    return show(
        request,
        "schema.html",
        tab="schema",
        org=org,
        orgs=orgs,
        found=found,
        listing=listing,
        kinds=KINDS,
        page_size=PAGE_SIZE,
        users={
            (each.object, each.field): users_of(definitions, org.org, each.object, each.field) for each in found.changes
        },
    )
