"""The pushes of an org, and what one of them would send: a preview of one record or a hundred, with nothing sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends, HTTPException, Request
from sqlalchemy import Engine
from starlette.responses import Response

from headwater.ui.api.answers import shown_key
from headwater.ui.capabilities import Capability, MayRun, MaySeeUnmasked, changes
from headwater.ui.forms import Form, FormFields, read_form, wrong_field
from headwater.ui.links import run_link
from headwater.ui.listing import plain, whole_number
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

_FORM = FormFields(one=("push", "records", "count", "skip_hook", "unmasked"), longest=20_000)
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
    """Return what the form of a request asks for; keys of records may be people's, so they stand in no address.

    Raises:
        HTTPException: one of its fields says nothing that it may say.
    """
    form = await read_form(request, _FORM)
    count = whole_number(form.one("count") or "1")
    if count is None or not 1 <= count <= MOST_RECORDS:
        raise wrong_field("count", f"be a number from 1 to {MOST_RECORDS}")
    ids = tuple(dict.fromkeys(form.one("records").replace(",", " ").split()))
    if len(ids) > MOST_RECORDS:
        raise wrong_field("records", f"name {MOST_RECORDS} records at most")
    return Wish(
        push=form.one("push"),
        record_ids=ids,
        count=count,
        skip_hook=_ticked(form, "skip_hook"),
        unmasked=_ticked(form, "unmasked"),
    )


def _ticked(form: Form, name: str) -> bool:
    if form.one(name) not in ("", "yes", "no"):
        raise wrong_field(name, "be yes or no")
    return form.one(name) == "yes"


@router.get("/pushes")
def pushes(request: Request, engine: Warehouse, chosen: ChosenOrg, may_run: MayRun) -> Response:
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
        may_run=may_run,
    )


@router.get("/pushes/preview")
def ask(request: Request, chosen: ChosenOrg, unmasked: MaySeeUnmasked, may_run: MayRun) -> Response:
    """Show the form of a push's preview (`?push=`)."""
    push = _defined(request.query_params.get("push", ""))
    wish = Wish(push=push.push, record_ids=(), count=1, skip_hook=push.options.skip_hook, unmasked=False)
    return _shown(request, chosen, push, wish, unmasked, may_run=may_run)


@router.post("/pushes/preview", dependencies=changes(Capability.RUN))
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
    may_run: bool = True,
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
        may_run=may_run,
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
