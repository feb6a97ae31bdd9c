"""Describe the JSON API: an OpenAPI document and a page made from it, both behind the login like everything else."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response

from headwater.ui.api.bodies import schemas_of
from headwater.ui.api.errors import DecisionOrder
from headwater.ui.api.problems import MEDIA_TYPE
from headwater.ui.rendering import show

VERSION = "1.0.0"
VERSION_PATH = "/api/v1"
DOCUMENT_TYPE = "application/vnd.oai.openapi+json;version=3.1"

_ABOUT = (
    "What the pages show, as JSON. Sign in as in Airflow's own API: `POST /auth/token` gives a token for the header"
    " `Authorization: Bearer …`; a page of this site may use its cookie. Times are ISO 8601 in UTC, shares lie between"
    " 0 and 1. Lists come a page at a time: hand `next` over as `after`. Problems are `application/problem+json`"
    " (RFC 9457)."
)
_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of Airflow's `POST /auth/token`.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "_token",
        "description": "Airflow's login in a browser; what changes something must come from a page of this site.",
    },
}
_BODIES = (DecisionOrder,)
_METHODS = ("get", "post", "put", "patch", "delete")

router = APIRouter(include_in_schema=False)


@router.get("/api/openapi.json")
def openapi(request: Request) -> Response:
    """Send the OpenAPI document."""
    return JSONResponse(describe(request), media_type=DOCUMENT_TYPE)


@router.get("/api/")
def reference(request: Request) -> Response:
    """Show the operations of the API as a page."""
    document = describe(request)
    return show(request, "api.html", tab="api", document=document, operations=_by_tag(document))


def describe(request: Request) -> dict[str, Any]:
    """Return the OpenAPI document of the routes below the version's path; it is not to be changed."""
    return _described(request.app, request.scope.get("root_path", ""))


@lru_cache(maxsize=4)  # an app's routes stay, and describing them takes a third of a second
def _described(app: FastAPI, root: str) -> dict[str, Any]:
    routes = [each for each in app.routes if isinstance(each, APIRoute) and each.path.startswith(f"{VERSION_PATH}/")]
    document = get_openapi(
        title="Headwater",
        version=VERSION,
        description=_ABOUT,
        routes=routes,
        servers=[{"url": root or "/"}],
    )
    for body in _BODIES:
        document["components"]["schemas"] |= schemas_of(body)
    document["components"]["securitySchemes"] = _SCHEMES
    document["security"] = [{"bearer": []}, {"cookie": []}]
    for operation in _operations(document):
        operation.pop("security", None)  # that of the whole document
        for status, answer in operation["responses"].items():
            if int(status) >= 400 and "content" in answer:
                answer["content"] = {MEDIA_TYPE: answer["content"].pop("application/json")}
    return document


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [path[method] for path in document["paths"].values() for method in _METHODS if method in path]


def _by_tag(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the operations under their subjects, each with method and path."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                found.setdefault(item[method]["tags"][0], []).append({"method": method, "path": path, **item[method]})
    return found
