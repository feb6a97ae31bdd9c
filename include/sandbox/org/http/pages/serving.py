"""The pages as HTTP; they answer this machine alone, as the control plane does."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from include.sandbox.org.http.gate import METHODS, Handler, json_response
from include.sandbox.org.http.local import Admits
from include.sandbox.org.http.pages.controls import from_elsewhere, run_form
from include.sandbox.org.http.pages.overview import overview
from include.sandbox.org.http.pages.record import find_record
from include.sandbox.org.http.pages.shown import show
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal, not_found

_HOME = "/sandbox/"
_GET = ("GET", "HEAD")
_ID_SIZES = (15, 18)

Endpoint = tuple[str, Handler, tuple[str, ...]]


def control_pages(admits: Admits) -> tuple[Endpoint, ...]:
    """Return the paths of the org's own page and its forms."""

    def home(_org: Org, _request: Request, _body: bytes) -> Response:
        return RedirectResponse(_HOME, 308)

    def page(org: Org, request: Request, _body: bytes) -> Response:
        return _guarded(request, admits) or show("overview.html", **overview(org, request.query_params))

    def form(org: Org, request: Request, body: bytes) -> Response:
        return _guarded(request, admits) or _answer_form(org, request, body)

    return (
        ("/sandbox", home, _GET),
        ("/sandbox/", page, _GET),
        ("/sandbox/page/{form}", form, ("POST",)),
    )


def record_pages(admits: Admits) -> tuple[Endpoint, ...]:
    """Return the paths of the pages of records; the shortest comes last of all paths."""

    def page(org: Org, request: Request, _body: bytes) -> Response:
        guard = _guarded(request, admits)
        if guard is not None:
            return guard
        object_name, given = request.path_params.get("object"), request.path_params["id"]
        record = find_record(org, object_name, given)
        if record is None:
            return show("missing.html", status=404, id=given, object=object_name)
        return show("record.html", **record)

    def short(org: Org, request: Request, body: bytes) -> Response:
        given = request.path_params["id"]
        if len(given) not in _ID_SIZES or not given.isalnum() or request.method not in _GET:
            return json_response(not_found().body(), 404)
        return page(org, request, body)

    return (
        ("/lightning/r/{object}/{id}/view", page, _GET),
        ("/lightning/r/{id}/view", page, _GET),
        ("/{id}", short, METHODS),
    )


def _guarded(request: Request, admits: Admits) -> Response | None:
    if admits(request):
        return None
    return show("refused.html", status=403)


def _answer_form(org: Org, request: Request, body: bytes) -> Response:
    if from_elsewhere(request.headers):
        refusal = Refusal(403, "FORBIDDEN", "A page of another site can't use the control plane")
        return json_response(refusal.body(), 403)
    form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        said = {"done": run_form(org, request.path_params["form"], form)}
    except Refusal as refusal:
        said = {"refused": refusal.message}
    return RedirectResponse(f"{_HOME}?{urlencode(said)}#said", 303)
