"""Mute an issue, or tell of it again: a form on its page, for whoever may change settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated
from urllib.parse import quote, urlencode

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends, HTTPException, Request
from sqlalchemy import Engine
from starlette.responses import RedirectResponse, Response

from headwater.ui.capabilities import Capability, changes
from headwater.ui.forms import FormFields, read_form, wrong_field
from headwater.ui.listing import plain
from headwater.ui.warehouse import ChosenOrg, Warehouse
from include.config.loader import load_definitions
from include.warehouse.engine import transaction
from include.warehouse.health.assessments import latest_assessment, one_issue
from include.warehouse.health.mutes import Mute, mutes, set_mute

router = APIRouter()

_FORM = FormFields(one=("tell", "until"), longest=10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Hold what a person wants: a mute until a day, for good (None), or its end (today)."""

    until: date | None


async def read_wish(request: Request) -> Wish:
    """Return what the form says.

    Raises:
        HTTPException: it is no such form, or its day is none that is to come.
    """
    form = await read_form(request, _FORM)
    today = datetime.now(UTC).date()
    tell = form.one("tell")
    if tell not in ("", "end", "never"):
        raise wrong_field("tell", "be end or never, or not be there")
    if tell:
        return Wish(until=today if tell == "end" else None)
    try:
        until = date.fromisoformat(form.one("until"))
    except ValueError as error:
        raise wrong_field("until", "be the day until which the issue is muted, e.g. 2026-12-31") from error
    if until <= today:
        raise wrong_field("until", "be a day that is to come")
    return Wish(until=until)


@router.post("/health/issue/{check_id}/mute", dependencies=changes(Capability.EDIT))
def mute(
    request: Request,
    check_id: str,
    engine: Warehouse,
    chosen: ChosenOrg,
    user: GetUserDep,
    wish: Annotated[Wish, Depends(read_wish)],
) -> Response:
    """Write who wants whom to be told, with a line of the audit trail; it holds from the next assessment on."""
    org, _ = chosen
    newest = latest_assessment(engine, org.org) if org else None
    if org is None or newest is None or one_issue(engine, newest.assessment_id, plain(check_id)) is None:
        raise HTTPException(404, "There is no such issue in the newest assessment.")
    with transaction(engine) as connection:
        set_mute(connection, org.org, plain(check_id), wish.until, who=user.get_name())
    root = request.scope.get("root_path", "")
    address = f"{root}/health/issue/{quote(plain(check_id), safe='')}?{urlencode({'org': org.org})}"
    return RedirectResponse(f"{address}#told", status_code=303)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOf:
    """Say whether people are told of an issue: its mutes that hold, and the team that it belongs to."""

    on_page: Mute | None
    in_definition: bool
    until: date | None  # of the definition; None: for good
    team: str


def told_of(engine: Engine, org: str, check_id: str) -> ToldOf:
    """Return what the page of an issue says of it."""
    today = datetime.now(UTC).date()
    with transaction(engine) as connection:
        said = [each for each in mutes(connection, org) if each.check_id == check_id and each.holds_on(today)]
    check = load_definitions().checks.get(check_id)
    muted = check is not None and check.muted_on(today)
    return ToldOf(
        on_page=said[0] if said else None,
        in_definition=muted,
        until=check.mute if check and muted and not isinstance(check.mute, bool) else None,
        team=check.owner or "" if check else "",
    )
