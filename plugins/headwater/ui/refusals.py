"""Answer what cannot be answered: a page that says what happened and what to do, or JSON to a program.

Nobody who is not signed in gets anything of ours, style sheet included; that one page carries its style with it,
allowed by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from functools import cache
from urllib.parse import quote

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from headwater.ui.api.problems import is_for_api, problem, wrong_values
from headwater.ui.failures import QuietFailures, place_of
from headwater.ui.rendering import MOUNTED_AT, TEMPLATES, show
from headwater.ui.security import POLICY
from include.errors import NotReady, WarehouseDown

log = logging.getLogger(__name__)

NO_LOGIN = "Invalid JWT token"  # Airflow's 403 for a login that was revoked or signed with another secret
NO_SUCH_TABLE = "42P01"  # undefined_table
NO_SUCH_SCHEMA = "3F000"  # invalid_schema_name
TOO_SLOW = "57014"  # query_canceled: by statement_timeout, which the pages set


def add_refusals(app: FastAPI) -> None:
    """Let the app answer its failures with our pages."""
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, wrong_values)
    app.add_exception_handler(WarehouseDown, warehouse_down)
    app.add_exception_handler(NotReady, not_ready)
    app.add_exception_handler(DBAPIError, query_failed)
    app.add_middleware(QuietFailures)


def refused(request: Request, error: Exception) -> Response:
    """Answer 401, 403, 404 and the like."""
    assert isinstance(error, HTTPException)
    if is_for_api(request):
        return problem(error.status_code, error.detail, headers=error.headers)
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": error.detail}, status_code=error.status_code, headers=error.headers)
    if error.status_code == 401 or error.detail == NO_LOGIN:
        return _sign_in(request)
    return show(request, "refused.html", status=error.status_code, code=error.status_code, detail=error.detail)


def warehouse_down(request: Request, error: Exception) -> Response:
    """Answer when the database does not."""
    log.warning("%s", error)
    return _out_of_order(request, "down", str(error))


def not_ready(request: Request, error: Exception) -> Response:
    """Answer when the connection to the warehouse is missing."""
    log.warning("%s", error)
    return _out_of_order(request, "unconnected", str(error))


def query_failed(request: Request, error: Exception) -> Response:
    """Answer when a database failed a query: the warehouse (by psycopg 3), or Airflow's own, which knows the logins."""
    assert isinstance(error, DBAPIError)
    state = getattr(error.orig, "sqlstate", None)
    log.warning("no answer to %s: %s, SQLSTATE %s", place_of(request.scope), type(error.orig).__name__, state)
    if not isinstance(error.orig, psycopg.Error):
        return _out_of_order(request, "airflow", "Airflow's own database does not answer, so no login can be checked.")
    if state in (NO_SUCH_TABLE, NO_SUCH_SCHEMA):
        return _out_of_order(
            request, "empty", "The tables of the schema headwater are missing or older than these pages."
        )
    if state == TOO_SLOW:
        return _out_of_order(request, "slow", "Reading this took longer than a page may wait, so it was broken off.")
    return _out_of_order(request, "down", f"The warehouse broke off (SQLSTATE {state or 'unknown'}).")


def _out_of_order(request: Request, kind: str, message: str) -> Response:
    if is_for_api(request):
        return problem(503, message, headers={"Retry-After": "30"})
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": message}, status_code=503, headers={"Retry-After": "30"})
    answer = show(request, "out_of_order.html", status=503, kind=kind, message=message)
    answer.headers["Retry-After"] = "30"
    return answer


def _sign_in(request: Request) -> Response:
    airflow = request.scope.get("root_path", "").removesuffix(MOUNTED_AT)
    # Without the host, which a request may name as it likes: the login takes people back within Airflow.
    back = quote(request.url.path + (f"?{request.url.query}" if request.url.query else ""), safe="")
    style, digest = _inline_style()
    page = show(request, "sign_in.html", status=401, style=style, login=f"{airflow}/auth/login?next={back}")
    page.headers["Content-Security-Policy"] = POLICY.replace("style-src 'self'", f"style-src 'sha256-{digest}'")
    return page


@cache
def _inline_style() -> tuple[str, str]:
    style = (TEMPLATES / "sign_in.css").read_text(encoding="utf-8")
    return style, base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
