"""The bodies of requests to Braze: which profiles may be sent, and how they are put into batches. Pure.

Attributes and events go in requests of their own, the events last: a record whose attributes are refused has no event
at the platform then, which would be stored a second time when the record is sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from enum import StrEnum
from typing import Any

import orjson

from include.config.platforms import Match
from include.destinations.braze import rules
from include.destinations.protocol import Batch, Limits, Policy
from include.destinations.results import receipts_of
from include.records import Event, Outcome, Profile, ProfileAction, Receipt

LIMITS = Limits(max_records=rules.MAX_OBJECTS, max_bytes=rules.MAX_BYTES)

_HEADS = {"attributes": b'{"attributes":[', "events": b'{"events":['}
_TAIL = b"]}"
_ENVELOPE_BYTES = len(_HEADS["attributes"]) + len(_TAIL)


class Way(StrEnum):
    """Say which request a profile goes by; the records of a batch go the same way."""

    TRACK = "track"
    DELETE_ID = "external_ids"  # the keys of the deletion's body
    DELETE_ALIAS = "user_aliases"


def way(profile: Profile) -> Way:
    """Return how this profile must go."""
    if profile.action is not ProfileAction.DELETE:
        return Way.TRACK
    return Way.DELETE_ID if "external_id" in _who(profile) else Way.DELETE_ALIAS


def check(profile: Profile, policy: Policy) -> Receipt | None:
    """Return why this profile must not be sent (rejected or skipped), or None if it may."""
    problem = rules.problem_of(profile)
    if problem is not None:
        return _refusal(profile, *problem)
    if profile.action is ProfileAction.DELETE:
        return None
    attributes = attributes_of(profile, policy)
    if attributes is None and not profile.events:
        return _refusal(profile, "nothing_to_send", "every attribute of the record is empty", Outcome.SKIPPED)
    try:
        size = len(orjson.dumps(attributes or {}))
        event_size = max((len(orjson.dumps(event_of(profile, each, policy))) for each in profile.events), default=0)
    except orjson.JSONEncodeError:
        return _refusal(profile, "not_json", "the record holds a value that JSON can't express")
    if event_size > rules.MAX_EVENT_BYTES:
        return _refusal(profile, "too_large", f"an event is larger than {rules.MAX_EVENT_BYTES:,} bytes")
    return _too_large(profile) if size + _ENVELOPE_BYTES > LIMITS.max_bytes else None


def build(
    profiles: Iterable[Profile], policy: Policy, *, skip_hook: bool, max_records: int | None = None
) -> Iterator[Batch]:
    """Yield batches of checked profiles, within the limits by count and by serialized bytes; one open batch a way."""
    most = min(max_records or LIMITS.max_records, LIMITS.max_records)
    filling = {each: _Open(most=most if each is Way.TRACK else min(most, rules.MAX_DELETIONS)) for each in Way}
    for profile in profiles:
        mine = filling[way(profile)]
        size = len(orjson.dumps(attributes_of(profile, policy) or {}))
        if size + _ENVELOPE_BYTES > LIMITS.max_bytes:
            mine.refused.append(_too_large(profile))
            continue
        if mine.records and (len(mine.records) == mine.most or mine.size + size + 1 > LIMITS.max_bytes):
            yield _closed(mine, policy, skip_hook)
            filling[way(profile)] = mine = _Open(most=mine.most)
        mine.records.append(profile)
        mine.size += size + 1
    for mine in filling.values():
        if mine.records or mine.refused:
            yield _closed(mine, policy, skip_hook)


@dataclass(slots=True, kw_only=True)
class _Open:
    """Hold the batch that is being filled."""

    most: int
    records: list[Profile] = field(default_factory=list)
    refused: list[Receipt] = field(default_factory=list)
    size: int = _ENVELOPE_BYTES


def _closed(mine: _Open, policy: Policy, skip_hook: bool) -> Batch:
    records = tuple(mine.records)
    deletes = bool(records) and way(records[0]) is not Way.TRACK
    body = deletion_body(records) if deletes else attributes_body(records, policy)
    return Batch(records=records, body=body, skip_hook=skip_hook, refused=tuple(mine.refused))


def attributes_body(records: Iterable[Profile], policy: Policy) -> bytes:
    """Return the request that sends the attributes of those records that have some; empty when none has."""
    found = (attributes_of(record, policy) for record in records)
    entries = [orjson.dumps(each) for each in found if each is not None]
    return _HEADS["attributes"] + b",".join(entries) + _TAIL if entries else b""


def with_attributes(records: Iterable[Profile], policy: Policy) -> tuple[Profile, ...]:
    """Return the records that have an element in the request of attributes, in its order."""
    return tuple(record for record in records if attributes_of(record, policy) is not None)


def event_batches(records: Iterable[Profile], policy: Policy, *, skip_hook: bool) -> Iterator[Batch]:
    """Yield the events of these records in requests; a record with very many events may be in several."""
    chunk: list[Profile] = []
    count, size = 0, _ENVELOPE_BYTES
    for record in records:
        for part in _parts(record):
            length = sum(len(orjson.dumps(event_of(part, each, policy))) + 1 for each in part.events)
            if chunk and (count + len(part.events) > rules.MAX_OBJECTS or size + length > LIMITS.max_bytes):
                yield event_batch(chunk, policy, skip_hook=skip_hook)
                chunk, count, size = [], 0, _ENVELOPE_BYTES
            chunk.append(part)
            count += len(part.events)
            size += length
    if chunk:
        yield event_batch(chunk, policy, skip_hook=skip_hook)


def event_batch(records: Sequence[Profile], policy: Policy, *, skip_hook: bool) -> Batch:
    """Return the events of these records as one request."""
    entries = [orjson.dumps(event_of(record, event, policy)) for record in records for event in record.events]
    body = _HEADS["events"] + b",".join(entries) + _TAIL
    return Batch(records=tuple(records), body=body, skip_hook=skip_hook)


def deletion_body(records: Sequence[Profile]) -> bytes:
    """Return the request that deletes these profiles, which are known by keys of one kind."""
    keys = [_who(record) for record in records]
    if way(records[0]) is Way.DELETE_ID:
        return orjson.dumps({"external_ids": [key["external_id"] for key in keys]})
    return orjson.dumps({"user_aliases": [key["user_alias"] for key in keys]})


def attributes_of(profile: Profile, policy: Policy) -> dict[str, Any] | None:
    """Return the profile as an element of `attributes`, or None if there is nothing to say of it."""
    everything = profile.action is ProfileAction.CLEAR
    clears = policy.clear_nulls or everything
    named = {rules.attribute_name(name): value for name, value in profile.attributes.items()}
    known = {**named, **profile.custom_attributes}
    wanted = {name: None if everything else value for name, value in known.items() if value is not None or clears}
    who = _who(profile)
    fields = wanted | ({} if everything else _contacts(profile))
    fields = {name: value for name, value in fields.items() if name not in who}
    return {**who, "_update_existing_only": _only_existing(profile, policy), **fields} if fields else None


def event_of(profile: Profile, event: Event, policy: Policy) -> dict[str, Any]:
    """Return an event as an element of `events`."""
    at = event.at.astimezone(UTC)
    time = at.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    properties = {n: v for n, v in {**event.params, **event.custom_params}.items() if v is not None}
    found = {
        **_who(profile),
        "name": event.name,
        "time": time,
        "_update_existing_only": _only_existing(profile, policy),
    }
    return found | ({"properties": properties} if properties else {})


def _only_existing(profile: Profile, policy: Policy) -> bool:
    return policy.match is Match.UPDATE_ONLY or profile.action is ProfileAction.CLEAR


def _who(profile: Profile) -> dict[str, Any]:
    """Return the one key by which the platform is to find the profile: the strongest that the record has."""
    known = profile.identifiers
    for name in ("external_id", "uuid"):
        if name in known:
            return {"external_id": known[name]}
    for label, alias in profile.custom_identifiers.items():
        return {"user_alias": {"alias_label": label, "alias_name": alias}}
    if "email" in known:
        return {"email": known["email"]}
    return {"phone": known["phone_number"]} if "phone_number" in known else {}


def _contacts(profile: Profile) -> dict[str, str]:
    """Return the identifiers that are fields of the profile as well."""
    named = (("email", "email"), ("phone_number", "phone"))
    return {field: profile.identifiers[name] for name, field in named if name in profile.identifiers}


def _parts(record: Profile) -> Iterator[Profile]:
    """Yield a record with at most so many events as a request may hold, each key once."""
    events = tuple({event.key: event for event in record.events}.values())
    for start in range(0, len(events), rules.MAX_OBJECTS):
        yield replace(record, events=events[start : start + rules.MAX_OBJECTS])


def _refusal(profile: Profile, cause: str, message: str, outcome: Outcome = Outcome.REJECTED) -> Receipt:
    return receipts_of([profile], outcome, cause, message)[0]


def _too_large(profile: Profile) -> Receipt:
    return _refusal(profile, "too_large", "the record alone is larger than a request may be")
