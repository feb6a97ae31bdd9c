"""Put the pages together: one FastAPI app, behind Airflow's login as a whole.

No documentation routes (FastAPI serves them without the app's dependencies) and no mounts (a mounted app escapes the
login): whatever this app answers, it answers to somebody who is signed in. The one exception is named in OTHER_LOGIN.
"""

from __future__ import annotations

from collections.abc import Callable

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI
from sqlalchemy import Engine

from headwater.ui import assets
from headwater.ui.api import routes as api
from headwater.ui.pages import (
    connection,
    duplicates,
    errors,
    expectations,
    export,
    extracts,
    fields,
    health,
    home,
    issue,
    landing,
    metrics,
    mutes,
    notifications,
    overview,
    push_runs,
    pushes,
    record,
    schema,
    start,
    usage,
)
from headwater.ui.refusals import add_refusals
from headwater.ui.security import SecurityHeaders

OTHER_LOGIN = (metrics.PATH,)  # these ask for a token of their own instead: a scraper signs in nowhere


def build_pages(open_warehouse: Callable[[], Engine], *, metrics_token: Callable[[], str] = lambda: "") -> FastAPI:
    """Return the app.

    Args:
        open_warehouse: gives the engine, once the first page asks for it; called again until it succeeds.
        metrics_token: gives what a scraper of the metrics must send; "": nobody gets them.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(get_user)])
    app.state.open_warehouse = open_warehouse
    app.state.metrics_token = metrics_token
    pages = (
        landing,
        overview,
        home,
        assets,
        connection,
        health,
        issue,
        mutes,
        duplicates,
        expectations,
        export,
        extracts,
        start,
        pushes,
        push_runs,
        errors,
        record,
        schema,
        fields,
        usage,
        notifications,
        api,
    )
    for module in pages:
        app.include_router(module.router)
    app.add_route(metrics.PATH, metrics.metrics, methods=["GET"])  # a plain route: the app's dependencies pass it by
    app.add_middleware(SecurityHeaders)
    add_refusals(app)
    return app
