"""The page on schema changes: what an org's administrators changed, what became of it, and what of ours uses it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from headwater.ui.capabilities import Capability, MayAccept, changes
from headwater.ui.forms import FormFields, read_form, wrong_field
from headwater.ui.listing import PAGE_SIZE, read_listing, whole_number
from headwater.ui.rendering import show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.config.loader import load_definitions
from include.config.orgs import OrgDefinition
from include.config.schema_changes import ChangeClass
from include.config.users import users_of
from include.warehouse.engine import transaction
from include.warehouse.overview import schema_changes
from include.warehouse.overview.schema import KINDS, STATES
from include.warehouse.schema_changes import accept_change

router = APIRouter()

_FORM = FormFields(one=("change",), longest=10_000)


@router.get("/schema")
def schema(request: Request, engine: Warehouse, chosen: ChosenOrg, may_accept: MayAccept) -> Response:
    """Show the changes of an org's fields: what waits for a person first, then the newest."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "schema", orgs)
    root = request.scope.get("root_path", "")
    listing = read_listing(
        request.query_params, path=f"{root}/schema", sorts=("seen",), filters=("org", "kind", "state")
    )
    kind, state = listing.filters["kind"], listing.filters["state"]
    found = schema_changes(
        engine,
        org.org,
        search=listing.search,
        kind=kind if kind in KINDS else "",
        state=state if state in STATES else "",
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
        states=STATES,
        page_size=PAGE_SIZE,
        policies=_policies(definitions.orgs.get(org.org)),
        may_accept=may_accept,
        accepted=request.query_params.get("accepted") == "yes",
        users={
            (each.object, each.field): users_of(definitions, org.org, each.object, each.field) for each in found.changes
        },
    )


async def read_change(request: Request) -> int:
    """Return the number of the change that a form is about.

    Raises:
        HTTPException: it holds none.
    """
    form = await read_form(request, _FORM)
    change_id = whole_number(form.one("change"))
    if change_id is None:
        raise wrong_field("change", "be the number of the change to accept")
    return change_id


@router.post("/schema/accept", dependencies=changes(Capability.ACCEPT))
def accept(
    request: Request,
    engine: Warehouse,
    chosen: ChosenOrg,
    change_id: Annotated[int, Depends(read_change)],
    user: GetUserDep,
) -> Response:
    """Write that a person accepts a change that the policy holds back; the next run follows it."""
    org, _ = chosen
    if org is None:
        raise HTTPException(404, "There is no such org.")
    with transaction(engine) as connection:
        done = accept_change(connection, org.org, change_id, user.get_name())
    if not done:
        raise HTTPException(
            409, "This change does not wait any more: it was accepted already, or the org took it back."
        )
    root = request.scope.get("root_path", "")
    return RedirectResponse(f"{root}/schema?{urlencode({'org': org.org, 'accepted': 'yes'})}", status_code=303)


def _policies(org: OrgDefinition | None) -> list[tuple[ChangeClass, str, list[tuple[str, str]]]]:
    """Return each class with the org's policy and the objects that have another one."""
    if org is None:
        return []
    own = org.schema_changes
    return [
        (
            each,
            getattr(own, each.value).value,
            [
                (name, own.policy_of(name, each).value)
                for name in sorted(own.objects)
                if getattr(own.objects[name], each.value) is not None
            ],
        )
        for each in ChangeClass
    ]
