"""Show what would be asked of Intercom for a record, as far as it can be told before the platform is met. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from include.config.platforms import Match
from include.destinations.intercom import body as bodies
from include.destinations.protocol import Policy
from include.records import Profile, ProfileAction

Step = tuple[str, bytes]
_FOUND = "{the contact that is found}"
_GONE = {ProfileAction.ARCHIVE: "POST /contacts/{}/archive", ProfileAction.DELETE: "DELETE /contacts/{}"}


def steps(record: Profile, *, policy: Policy, types: bodies.Types) -> Iterator[Step]:
    """Yield the requests of a record in their order: look, write, tell its events."""
    filters = bodies.filters_of(record, by_id=True)
    if policy.compare or not record.platform_id:
        yield "POST /contacts/search", orjson.dumps(bodies.search(filters[: bodies.FILTERS_IN_A_SEARCH]))
    contact = record.platform_id or _FOUND
    if record.action in _GONE:
        yield _GONE[record.action].format(contact), b"{}"
        return
    body = bodies.contact(record, types=types, clear_nulls=policy.clear_nulls)
    clears = record.action is ProfileAction.CLEAR
    if policy.match is not Match.CREATE_ONLY or clears:
        yield f"PUT /contacts/{contact}", orjson.dumps(body)
    if policy.match is not Match.UPDATE_ONLY and not record.platform_id and not clears:
        yield "POST /contacts (if none is found)", orjson.dumps(bodies.creation(body))
    for number, event in enumerate(record.events, start=1):
        nth = f" ({number})" if len(record.events) > 1 else ""
        yield f"POST /events{nth}", orjson.dumps(bodies.event(event, contact))
