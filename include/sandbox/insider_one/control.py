"""Let people and tests look into the sandbox and order faults; no endpoint of the platform has these paths."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.insider_one.store import Store, insider_id
from include.sandbox.platform.control import LONGEST_PAGE, Control, json_response
from include.sandbox.platform.faults import Faults


def control_routes(store: Store, faults: Faults) -> list[Route]:
    """Return the endpoints below ``/sandbox/``."""

    async def profile(request: Request) -> Response:
        query = request.query_params
        identifiers = {kind: query[kind] for kind in ("uuid", "email", "phone_number") if kind in query}
        found = store.find({"insider_id": query.get("insider_id"), "identifiers": identifiers})
        if found is None:
            return json_response({"error": "no such profile"}, 404)
        number, content = found
        events = store.events(LONGEST_PAGE, 0, number)
        return json_response({"insider_id": insider_id(number), **content, "events": events})

    control = Control(
        service="insider_one",
        faults=faults,
        counts=store.counts,
        reset=store.reset,
        pages={"profiles": store.profiles, "events": store.events, "requests": store.requests},
    )
    return [*control.routes(), Route("/sandbox/profile", profile)]
