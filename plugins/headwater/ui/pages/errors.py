"""The page of sync errors: what did not arrive, why, what happens next, and what a person may decide about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from headwater.ui.api.answers import shown_key
from headwater.ui.capabilities import Capability, MayRun, MaySeeUnmasked, changes
from headwater.ui.decisions import carry_out
from headwater.ui.forms import FormFields, read_form, wrong_field
from headwater.ui.links import record_link, run_link
from headwater.ui.listing import PAGE_SIZE, plain, read_listing, whole_number
from headwater.ui.reads import note_keys
from headwater.ui.rendering import MOUNTED_AT, show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.config.loader import load_definitions
from include.warehouse.overview.error_page import MOST_LOOKED_THROUGH, newest_errors
from include.warehouse.overview.errors import AGES, CLASSES, SHOWN, SORTS, ErrorFilter, SyncError, one_error
from include.warehouse.pushes.retries import Decision

router = APIRouter()

FILTERS = ("push", "platform", "cause", "cause_class", "age", "shown")
_MOST_CHOSEN = 1_000  # errors; a page shows fifty
_FORM = FormFields(one=("decide", "last", "back", "q", *FILTERS), many={"error": _MOST_CHOSEN})
_SLUG = re.compile(r"[a-z0-9_]{1,60}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Hold what a person decides, and about which errors: the chosen ones, or all that the list showed."""

    decision: Decision
    error_ids: tuple[int, ...]
    all_of: ErrorFilter | None
    last: int
    back: str


async def read_order(request: Request) -> Order:
    """Return the order in the form of a request.

    Raises:
        HTTPException: it holds none.
    """
    form = await read_form(request, _FORM)
    decision, _, scope = form.one("decide").partition(":")
    if decision not in set(Decision) or scope not in ("", "all"):
        raise wrong_field("decide", "be retry, arrived or dismiss; with “:all” it is about all that match")
    ids = [whole_number(each) for each in form.many("error")]
    last = whole_number(form.one("last", "0"))
    if None in ids or last is None:
        raise wrong_field("error" if None in ids else "last", "be the number of a sync error")
    if scope == "all" and not last:
        raise wrong_field("last", "be the number of the newest sync error that was seen")
    return Order(
        decision=Decision(decision),
        error_ids=tuple(each for each in ids if each is not None) if not scope else (),
        all_of=_filter({name: plain(form.one(name)) for name in (*FILTERS, "q")}) if scope else None,
        last=last,
        back=form.one("back"),
    )


@router.get("/errors")
def errors(
    request: Request, engine: Warehouse, chosen: ChosenOrg, may_run: MayRun, unmasked: MaySeeUnmasked, user: GetUserDep
) -> Response:
    """Show the sync errors of an org, searched and filtered."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "errors", orgs)
    root = request.scope.get("root_path", "")
    listing = read_listing(request.query_params, path=f"{root}/errors", sorts=tuple(SORTS), filters=("org", *FILTERS))
    wanted = _filter({**listing.filters, "q": listing.search})
    found = newest_errors(
        engine,
        org.org,
        wanted,
        sort=listing.sort,
        descending=listing.descending,
        limit=PAGE_SIZE,
        offset=listing.offset,
    )
    if unmasked:
        keys = [each.record_id for each in found.errors]
        note_keys(engine, org.org, keys, who=user.get_name(), where="on the page Sync errors")
    return show(
        request,
        "errors.html",
        tab="errors",
        org=org,
        orgs=orgs,
        found=replace(found, errors=tuple(_by_key(each, unmasked=unmasked) for each in found.errors)),
        wanted=wanted,
        most=MOST_LOOKED_THROUGH,
        listing=listing,
        narrowed=wanted != ErrorFilter(),
        choices={"age": tuple(AGES), "cause_class": CLASSES, "shown": SHOWN},
        may_run=may_run,
        told=_told(request.query_params),
        record_link=lambda error: record_link(org.instance_url, error.object, error.record_id),
    )


@router.get("/errors/{error_id}")
def error(
    request: Request,
    error_id: str,
    engine: Warehouse,
    chosen: ChosenOrg,
    may_run: MayRun,
    unmasked: MaySeeUnmasked,
    user: GetUserDep,
) -> Response:
    """Show one error with its history. The record is shown by Id only."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "errors", orgs)
    number = whole_number(error_id)
    details = one_error(engine, org.org, number) if number is not None else None
    if details is None:
        raise HTTPException(404, "There is no such sync error in this org.")
    if unmasked:
        where = f"on the page of the sync error {details.error.error_id}"
        note_keys(engine, org.org, [details.error.record_id], who=user.get_name(), where=where)
    airflow = request.scope.get("root_path", "").removesuffix(MOUNTED_AT)
    return show(
        request,
        "error.html",
        tab="errors",
        org=org,
        orgs=orgs,
        error=_by_key(details.error, unmasked=unmasked),
        history=details.history,
        may_run=may_run,
        told=_told(request.query_params),
        record_link=record_link(org.instance_url, details.error.object, details.error.record_id),
        run_link=lambda line: run_link(airflow, line.dag_id, line.dag_run_id),
    )


@router.post("/errors/decide", dependencies=changes(Capability.RUN))
def decide_errors(
    request: Request,
    engine: Warehouse,
    chosen: ChosenOrg,
    user: GetUserDep,
    order: Annotated[Order, Depends(read_order)],
) -> Response:
    """Write down what a person decided; what is to be tried again goes at once, with a run of its push."""
    org, _ = chosen
    if org is None:
        raise HTTPException(404, "There is no such org.")
    if order.all_of is None and not order.error_ids:
        return RedirectResponse(_back(request, org.org, order, {"nothing": "1"}), status_code=303)
    done = carry_out(
        request,
        engine,
        org.org,
        order.decision,
        who=user.get_name(),
        error_ids=order.error_ids,
        all_of=order.all_of,
        last=order.last,
    )
    told: dict[str, Any] = {"decided": order.decision.value, "errors": done.errors}
    told |= {"started": ",".join(done.started)} if done.started else {}
    told |= {"refused": ",".join(done.refused)} if done.refused else {}
    return RedirectResponse(_back(request, org.org, order, told), status_code=303)


def _by_key(error: SyncError, *, unmasked: bool) -> SyncError:
    """Return an error with the key of its record as it may be shown."""
    return replace(error, record_id=shown_key(error.record_id, unmasked=unmasked))


def _filter(given: Mapping[str, str]) -> ErrorFilter:
    shown = given.get("shown", "")
    return ErrorFilter(
        search=given.get("q", ""),
        push=given.get("push", ""),
        platform=given.get("platform", ""),
        cause=given.get("cause", ""),
        cause_class=given.get("cause_class", "") if given.get("cause_class") in CLASSES else "",
        age=given.get("age", "") if given.get("age") in AGES else "",
        shown=shown if shown in SHOWN else "open",
    )


def _back(request: Request, org: str, order: Order, told: Mapping[str, Any]) -> str:
    """Return where the person came from: the list as it was filtered, or the one error; never another site."""
    root = request.scope.get("root_path", "")
    number = whole_number(order.back)
    if number is not None:
        return f"{root}/errors/{number}?{urlencode({'org': org, **told})}"
    asked = parse_qs(order.back)
    kept = {name: plain(asked[name][-1]) for name in (*FILTERS, "q", "sort", "order") if name in asked}
    return f"{root}/errors?{urlencode({'org': org, **kept, **told})}"


def _told(query: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what the page has to tell of a decision that was just made, as its address says; nothing is believed."""
    if query.get("nothing"):
        return {"nothing": True}
    decision, errors = query.get("decided", ""), whole_number(query.get("errors", ""))
    if decision not in set(Decision) or errors is None:
        return None
    known = load_definitions().pushes
    return {
        "nothing": False,
        "decision": decision,
        "errors": errors,
        "started": [each for each in query.get("started", "").split(",") if each in known],
        "refused": [each for each in query.get("refused", "").split(",") if _SLUG.fullmatch(each)],
    }
