"""The page on fields: what each holds, who uses it, and whether it is personal, which people decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qs, urlencode

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends, HTTPException, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from headwater.ui.capabilities import Capability, MayEdit, MaySeeUnmasked, changes
from headwater.ui.forms import FormFields, read_form, wrong_field
from headwater.ui.listing import PAGE_SIZE, plain, read_listing, whole_number
from headwater.ui.rendering import show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.config.loader import load_definitions
from include.config.users import uses_of
from include.warehouse.engine import transaction
from include.warehouse.overview.fields import (
    FIELD_SORTS,
    OBJECT_SORTS,
    STATES,
    audit_trail,
    registered_fields,
    registered_object,
    registered_objects,
    suggestions,
)
from include.warehouse.personal.content import sample_contents
from include.warehouse.personal.fields import decide_fields, decide_the_rest

router = APIRouter()

_FORM = FormFields(one=("object", "decide", "back"), many={"field": 1_000})
_DECISIONS = ("personal", "plain", "suggestions", "reviewed", "look")
_FILTERS = ("org", "object", "state")
_NEWEST = 5  # lines of the trail below a list


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Hold what a person decides about the fields of an object, and where the list was."""

    object: str
    decide: str
    fields: tuple[str, ...]
    back: str


async def read_decisions(request: Request) -> Decisions:
    """Return what the form of a request decides.

    Raises:
        HTTPException: it decides nothing.
    """
    form = await read_form(request, _FORM)
    one, _, name = form.one("decide").partition(":")  # the button beside one field names it
    if one not in _DECISIONS:
        raise wrong_field("decide", f"be one of {', '.join(_DECISIONS)}")
    return Decisions(
        object=plain(form.one("object")),
        decide=one,
        fields=(plain(name),) if name else tuple(plain(each) for each in form.many("field")),
        back=form.one("back"),
    )


@router.get("/fields")
def fields(
    request: Request, engine: Warehouse, chosen: ChosenOrg, may_edit: MayEdit, unmasked: MaySeeUnmasked
) -> Response:
    """Show an org's objects with their state of review, or the fields of one (`?object=`)."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "fields", orgs)
    object = plain(request.query_params.get("object", ""))
    path = f"{request.scope.get('root_path', '')}/fields"
    if object:
        return _fields_of(request, engine, chosen, object, path, may_edit=may_edit, unmasked=unmasked)
    listing = read_listing(request.query_params, path=path, sorts=tuple(OBJECT_SORTS), filters=("org",))
    found, total = registered_objects(
        engine,
        org.org,
        search=listing.search,
        sort=listing.sort,
        descending=listing.descending,
        limit=PAGE_SIZE,
        offset=listing.offset,
    )
    trail, lines = audit_trail(engine, org.org, limit=_NEWEST, readers=unmasked)
    return show(
        request,
        "fields.html",
        tab="fields",
        org=org,
        orgs=orgs,
        found=found,
        total=total,
        listing=listing,
        page_size=PAGE_SIZE,
        may_edit=may_edit,
        trail=trail,
        lines=lines,
    )


def _fields_of(
    request: Request, engine: Warehouse, chosen: ChosenOrg, object: str, path: str, *, may_edit: bool, unmasked: bool
) -> Response:
    org, orgs = chosen
    assert org is not None
    summary = registered_object(engine, org.org, object)
    if summary is None:
        raise HTTPException(404, "There is no such object in this org, or nothing is known of its fields yet.")
    listing = read_listing(
        request.query_params, path=path, sorts=tuple(FIELD_SORTS), descending=False, filters=_FILTERS
    )
    state = listing.filters["state"]
    found, total = registered_fields(
        engine,
        org.org,
        object,
        search=listing.search,
        state=state if state in STATES else "",
        sort=listing.sort,
        descending=listing.descending,
        limit=PAGE_SIZE,
        offset=listing.offset,
    )
    trail, lines = audit_trail(engine, org.org, object=object, limit=_NEWEST, readers=unmasked)
    definitions = load_definitions()
    return show(
        request,
        "fields_of_object.html",
        tab="fields",
        org=org,
        orgs=orgs,
        summary=summary,
        found=found,
        total=total,
        listing=listing,
        states=STATES,
        page_size=PAGE_SIZE,
        may_edit=may_edit,
        uses={each.name: uses_of(definitions, org.org, object, each.name) for each in found},
        trail=trail,
        lines=lines,
        done=whole_number(request.query_params.get("done", "")),
        looked=whole_number(request.query_params.get("looked", "")),
    )


@router.get("/fields/audit")
def audit(request: Request, engine: Warehouse, chosen: ChosenOrg, unmasked: MaySeeUnmasked) -> Response:
    """Show who decided what about fields, who took people's data along, and to who may see people who saw it."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "fields", orgs)
    listing = read_listing(
        request.query_params,
        path=f"{request.scope.get('root_path', '')}/fields/audit",
        sorts=("at",),
        filters=("org", "object"),
    )
    trail, lines = audit_trail(
        engine,
        org.org,
        object=listing.filters["object"],
        search=listing.search,
        limit=PAGE_SIZE,
        offset=listing.offset,
        readers=unmasked,
    )
    return show(
        request,
        "fields_audit.html",
        tab="fields",
        unmasked=unmasked,
        org=org,
        orgs=orgs,
        trail=trail,
        lines=lines,
        listing=listing,
        page_size=PAGE_SIZE,
    )


@router.post("/fields/decide", dependencies=changes(Capability.EDIT))
def decide(
    request: Request,
    engine: Warehouse,
    chosen: ChosenOrg,
    user: GetUserDep,
    decisions: Annotated[Decisions, Depends(read_decisions)],
) -> Response:
    """Write what a person decides, with a line of the audit trail for each field; it holds from the next request on."""
    org, _ = chosen
    if org is None or registered_object(engine, org.org, decisions.object) is None:
        raise HTTPException(404, "There is no such org, or no such object in it.")
    told: dict[str, int] = {}
    if decisions.decide == "look":
        told["looked"] = sample_contents(engine, org.org, decisions.object)
    else:
        with transaction(engine) as connection:
            told["done"] = _decide(connection, org.org, decisions, user.get_name())
    asked = parse_qs(decisions.back)
    kept = {name: plain(asked[name][-1]) for name in ("state", "q", "sort", "order", "page") if name in asked}
    root = request.scope.get("root_path", "")
    address = urlencode([("org", org.org), ("object", decisions.object), *kept.items(), *told.items()])
    return RedirectResponse(f"{root}/fields?{address}", status_code=303)


def _decide(connection: Connection, org: str, decisions: Decisions, by: str) -> int:
    object = decisions.object
    if decisions.decide == "reviewed":
        return decide_the_rest(connection, org, object, by=by)
    if decisions.decide == "suggestions":
        found = suggestions(connection, org, object)
        return sum(
            decide_fields(
                connection,
                org,
                object,
                [name for name, each in found.items() if each.personal is personal],
                personal=personal,
                by=by,
                what="accepted the suggestion",
            )
            for personal in (True, False)
        )
    return decide_fields(connection, org, object, decisions.fields, personal=decisions.decide == "personal", by=by)
