"""Show what would be asked of HubSpot for a record, as far as it can be told before the platform is met. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from include.config.platforms import Match
from include.destinations.hubspot import body as bodies
from include.destinations.protocol import Policy
from include.records import Profile, ProfileAction

Step = tuple[str, bytes]
_BATCH = "POST /crm/v3/objects/contacts/batch/"
_FOUND = "{the contact that is found}"


def steps(record: Profile, *, policy: Policy, unique_property: str) -> Iterator[Step]:
    """Yield the requests of a record in their order: look if need be, write, tell its events."""
    values = bodies.properties(record, unique_property=unique_property, types={}, clear_nulls=policy.clear_nulls)
    key = bodies.key_of(record, unique_property)
    gone = record.action is not ProfileAction.UPSERT
    looks = policy.compare or gone or policy.match is not Match.UPSERT or bool(record.former_identifiers)
    if looks and not record.platform_id and key is not None:
        yield f"{_BATCH}read", bodies.reading([key[1]], key[0], values)
    contact = record.platform_id or _FOUND
    if record.action is ProfileAction.ARCHIVE:
        yield f"{_BATCH}archive", orjson.dumps({"inputs": [{"id": contact}]})
        return
    if record.platform_id or gone or policy.match is Match.UPDATE_ONLY or key is None:
        yield f"{_BATCH}update", orjson.dumps({"inputs": [bodies.update(record, contact, values)]})
    else:
        yield f"{_BATCH}upsert", orjson.dumps({"inputs": [bodies.upsert(record, key, values)]})
    if record.events and not gone:
        yield "POST /events/v3/send/batch", bodies.events_of([record], {record.record_id: contact}).body
