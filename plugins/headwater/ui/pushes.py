"""The pushes of an org, and what one of them would send: a preview of one record or a hundred, with nothing sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import parse_qs

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends, HTTPException, Request
from sqlalchemy import Engine
from starlette.responses import Response

from headwater.ui.api.answers import shown_key
from headwater.ui.capabilities import Capability, MaySeeUnmasked, requires
from headwater.ui.links import run_link
from headwater.ui.listing import plain, whole_number
from headwater.ui.origin import SAME_ORIGIN
from headwater.ui.reads import note_preview
from headwater.ui.rendering import show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.activation.preview import MOST_RECORDS, PreviewedRecord, preview_push
from include.config.loader import load_definitions
from include.config.pushes import PushDefinition
from include.errors import HeadwaterError, WarehouseDown
from include.record_ids import whole_id
from include.warehouse.overview.pushes import pushes_overview

router = APIRouter()

_LONGEST_BODY = 20_000
# A key that is no Id may be somebody's address: that a row has it says that they are there.
_BY_ID = "Name records by their Id of 18 characters; rows by another key only if you may see people."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Hold which records a person wants to see; no Ids: those that changed last."""

    push: str
    record_ids: tuple[str, ...]
    count: int
    skip_hook: bool
    unmasked: bool


async def read_wish(request: Request) -> Wish:
    """Return what the form of a request asks for; keys of records may be people's, so they stand in no address."""
    body = await request.body()
    if len(body) > _LONGEST_BODY:
        raise HTTPException(413)
    form = parse_qs(body.decode("utf-8", "replace"))
    count = form.get("count", ["1"])[0]
    ids = form.get("records", [""])[0].replace(",", " ").split()
    return Wish(
        push=form.get("push", [""])[0],
        record_ids=tuple(dict.fromkeys(ids))[:MOST_RECORDS],
        count=min(whole_number(count) or 1, MOST_RECORDS),
        skip_hook=form.get("skip_hook") == ["yes"],
        unmasked=form.get("unmasked") == ["yes"],
    )


@router.get("/pushes")
def pushes(request: Request, engine: Warehouse, chosen: ChosenOrg) -> Response:
    """List the pushes of an org (`?q=` searches them) with what became of their last runs."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "pushes", orgs)
    search = plain(request.query_params.get("q", ""))
    defined = [each for each in load_definitions().pushes.values() if each.org == org.org]
    return show(
        request,
        "pushes.html",
        tab="pushes",
        org=org,
        orgs=orgs,
        search=search,
        defined=len(defined),
        pushes=[each for each in defined if search.casefold() in _searched(each)],
        last=pushes_overview(engine, org.org),
        run_link=run_link,
    )


@router.get("/pushes/preview")
def ask(request: Request, chosen: ChosenOrg, unmasked: MaySeeUnmasked) -> Response:
    """Show the form of a push's preview (`?push=`)."""
    push = _defined(request.query_params.get("push", ""))
    wish = Wish(push=push.push, record_ids=(), count=1, skip_hook=push.options.skip_hook, unmasked=False)
    return _shown(request, chosen, push, wish, unmasked)


@router.post("/pushes/preview", dependencies=[SAME_ORIGIN, requires(Capability.RUN)])
def preview(
    request: Request,
    engine: Warehouse,
    chosen: ChosenOrg,
    may: MaySeeUnmasked,
    user: GetUserDep,
    wish: Annotated[Wish, Depends(read_wish)],
) -> Response:
    """Show what would be sent of some records; nothing is sent, and only who saw it unmasked is written down."""
    push = _defined(wish.push)
    if not may and not all(whole_id(each) == each for each in wish.record_ids):
        return _shown(request, chosen, push, wish, may, problem=_BY_ID)
    try:
        found = _previewed(engine, push, wish, may)
    except WarehouseDown:
        raise
    except HeadwaterError as error:
        return _shown(request, chosen, push, wish, may, problem=str(error))
    if found and may and wish.unmasked:
        count, object = len(found), push.source.object or ""
        note_preview(engine, push.org, object, who=user.get_name(), push=push.push, count=count)
    return _shown(request, chosen, push, wish, may, found=found)


def _previewed(engine: Engine, push: PushDefinition, wish: Wish, may: bool) -> tuple[PreviewedRecord, ...]:
    from headwater.hooks import destination

    return preview_push(
        engine,
        push,
        destination(push),
        record_ids=wish.record_ids,
        limit=len(wish.record_ids) or wish.count,
        skip_hook=wish.skip_hook and push.platform.capabilities.skip_hook,
        unmasked=may and wish.unmasked,
        now=datetime.now(UTC),
    )


def _defined(name: str) -> PushDefinition:
    push = load_definitions().pushes.get(name)
    if push is None:
        raise HTTPException(404, "There is no such push in the definitions.")
    return push


def _shown(
    request: Request,
    chosen: ChosenOrg,
    push: PushDefinition,
    wish: Wish,
    may: bool,
    *,
    found: Sequence[PreviewedRecord] | None = None,
    problem: str = "",
) -> Response:
    _, orgs = chosen
    here = {each.record_id for each in found or ()}
    return show(
        request,
        "preview.html",
        tab="pushes",
        org=next((each for each in orgs if each.org == push.org), None),
        orgs=orgs,
        push=push,
        wish=wish,
        may_see_unmasked=may,
        most=MOST_RECORDS,
        found=found,
        # A key that the person typed tells them nothing; another one may be somebody's address.
        shown_key=lambda key: key if key in wish.record_ids else shown_key(key, unmasked=may and wish.unmasked),
        missing=[each for each in wish.record_ids if each not in here] if found is not None else [],
        problem=problem,
    )


def _searched(push: PushDefinition) -> str:
    said = (push.push, push.description, push.source.name, push.platform.title, push.destination.platform)
    return " ".join(said).casefold()
