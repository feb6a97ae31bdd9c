"""Lend a page the warehouse and the org that its address asks for."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from psycopg import sql
from sqlalchemy import Connection, Engine, event
from starlette.responses import Response

from headwater.ui.listing import plain
from headwater.ui.rendering import show
from include.warehouse.engine import driver
from include.warehouse.overview import Org, list_orgs, onboarding_overview

_PATIENCE = "headwater_page_seconds"
PAGE_SECONDS = 5.0  # a statement of a page that lasts longer is broken off: it would only keep others waiting


def open_warehouse(request: Request) -> Engine:
    """Return this process's engine; what only reads is broken off when one of its statements lasts too long."""
    engine: Engine = request.app.state.open_warehouse()
    if request.method not in ("GET", "HEAD"):
        return engine
    return impatient(engine, getattr(request.app.state, "page_seconds", PAGE_SECONDS))


def impatient(engine: Engine, seconds: float) -> Engine:
    """Return the engine with the same connections, which lets no statement last longer."""
    if not event.contains(engine, "engine_connect", _set_patience):
        event.listen(engine, "engine_connect", _set_patience)
    return engine.execution_options(**{_PATIENCE: seconds})


def _set_patience(connection: Connection) -> None:
    """Set how long statements may last, where the connection that was lent does not have it so already.

    For the session, not for each transaction: a page has ten transactions, and each would pay for one more answer.
    """
    wanted = connection.get_execution_options().get(_PATIENCE, 0)
    lent = connection.connection
    if lent.info.get(_PATIENCE, 0) == wanted:
        return
    raw = driver(connection)
    raw.execute(sql.SQL("SET statement_timeout = {}").format(sql.Literal(int(wanted * 1000))))
    raw.commit()
    lent.info[_PATIENCE] = wanted


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
