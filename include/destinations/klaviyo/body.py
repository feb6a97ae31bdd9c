"""The bodies of requests to Klaviyo: which profiles may be sent, how they go, and how they are put into batches. Pure.

A bulk import updates what it is given and clears nothing; so a profile whose standard attribute is to be emptied goes
by itself to the endpoint that takes a null. Custom attributes are unset in bulk as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import orjson

from include.destinations.klaviyo import rules
from include.destinations.protocol import Batch, Limits, Policy
from include.destinations.results import receipts_of
from include.records import Event, Outcome, Profile, ProfileAction, Receipt

LIMITS = Limits(max_records=rules.MAX_PROFILES, max_bytes=rules.MAX_BYTES)
SINGLY = 100  # records of a batch that go one by one: between two batches a push can be stopped

_JOB_HEAD = b'{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":['
_JOB_TAIL = b"]}}}}"
_EVENTS_HEAD = b'{"data":{"type":"event-bulk-create-job","attributes":{"events-bulk-create":{"data":['
_EVENTS_TAIL = b"]}}}}"
_JOB_BYTES = len(_JOB_HEAD) + len(_JOB_TAIL)
_EVENTS_BYTES = len(_EVENTS_HEAD) + len(_EVENTS_TAIL)


class Way(StrEnum):
    """Say how a profile goes to the platform; the records of a batch go the same way."""

    BULK = "bulk"
    SINGLE = "single"  # with a null that only the single endpoint takes
    DELETION = "deletion"


def way(profile: Profile, policy: Policy) -> Way:
    """Return how this profile must go."""
    if profile.action is ProfileAction.DELETE:
        return Way.DELETION
    clears = policy.clear_nulls and any(value is None for value in profile.attributes.values())
    return Way.SINGLE if clears or (profile.action is ProfileAction.CLEAR and profile.attributes) else Way.BULK


def check(profile: Profile, policy: Policy, *, now: datetime) -> Receipt | None:
    """Return why this profile must not be sent (rejected or skipped), or None if it may."""
    problem = rules.problem_of(profile, now)
    if problem is not None:
        return _refusal(profile, *problem)
    if profile.action is ProfileAction.DELETE:
        return None if deletion(profile) else _refusal(profile, *_NO_KEY_TO_DELETE, Outcome.SKIPPED)
    try:
        size = len(orjson.dumps(resource(profile, policy)))
        event_size = max(
            (len(orjson.dumps(event_entry(profile, [each], backfill=True))) for each in profile.events), default=0
        )
    except orjson.JSONEncodeError:
        return _refusal(profile, "not_json", "the record holds a value that JSON can't express")
    if event_size + _EVENTS_BYTES > LIMITS.max_bytes:
        return _refusal(profile, "too_large", "an event of the record alone is larger than a request may be")
    return _too_large(profile) if size > rules.MAX_PROFILE_BYTES else None


def build(
    profiles: Iterable[Profile], policy: Policy, *, skip_hook: bool, max_records: int | None = None
) -> Iterator[Batch]:
    """Yield batches of checked profiles, within the limits by count and by serialized bytes; one open batch a way."""
    most = min(max_records or LIMITS.max_records, LIMITS.max_records)
    open_batches = {each: _Open(most=most if each is Way.BULK else min(most, SINGLY)) for each in Way}
    for profile in profiles:
        mine = open_batches[way(profile, policy)]
        entry = orjson.dumps(resource(profile, policy))
        if len(entry) > rules.MAX_PROFILE_BYTES:
            mine.refused.append(_too_large(profile))
            continue
        if not mine.fits(entry):
            yield mine.batch(skip_hook=skip_hook)
            mine.clear()
        mine.add(profile, entry)
    for mine in open_batches.values():
        if mine.records or mine.refused:
            yield mine.batch(skip_hook=skip_hook)


@dataclass(slots=True, kw_only=True)
class _Open:
    """Hold the batch that is being filled."""

    most: int
    records: list[Profile] = field(default_factory=list)
    entries: list[bytes] = field(default_factory=list)
    refused: list[Receipt] = field(default_factory=list)
    size: int = _JOB_BYTES

    def fits(self, entry: bytes) -> bool:
        return not self.records or (len(self.records) < self.most and self.size + len(entry) + 1 <= LIMITS.max_bytes)

    def add(self, profile: Profile, entry: bytes) -> None:
        self.records.append(profile)
        self.entries.append(entry)
        self.size += len(entry) + 1

    def batch(self, *, skip_hook: bool) -> Batch:
        body = _JOB_HEAD + b",".join(self.entries) + _JOB_TAIL if self.records else b""
        return Batch(records=tuple(self.records), body=body, skip_hook=skip_hook, refused=tuple(self.refused))

    def clear(self) -> None:
        self.records, self.entries, self.refused, self.size = [], [], [], _JOB_BYTES


def job_batch(records: Sequence[Profile], policy: Policy, *, skip_hook: bool) -> Batch:
    """Return these records as one bulk import, whatever its size: for parts of a batch that was within the limits."""
    entries = [orjson.dumps(resource(record, policy)) for record in records]
    return Batch(records=tuple(records), body=_JOB_HEAD + b",".join(entries) + _JOB_TAIL, skip_hook=skip_hook)


def event_batches(records: Iterable[Profile], *, skip_hook: bool) -> Iterator[Batch]:
    """Yield the events of these records as bulk requests; a record with many events may be in several."""
    chunk: list[Profile] = []
    count, size = 0, _EVENTS_BYTES
    for record in records:
        for part in _parts(record):
            length = len(orjson.dumps(event_entry(part, part.events, backfill=skip_hook))) + 1
            if chunk and (count + len(part.events) > rules.MAX_EVENTS or size + length > LIMITS.max_bytes):
                yield event_batch(chunk, skip_hook=skip_hook)
                chunk, count, size = [], 0, _EVENTS_BYTES
            chunk.append(part)
            count += len(part.events)
            size += length
    if chunk:
        yield event_batch(chunk, skip_hook=skip_hook)


def event_batch(records: Sequence[Profile], *, skip_hook: bool) -> Batch:
    """Return the events of these records as one bulk request."""
    entries = [orjson.dumps(event_entry(record, record.events, backfill=skip_hook)) for record in records]
    return Batch(records=tuple(records), body=_EVENTS_HEAD + b",".join(entries) + _EVENTS_TAIL, skip_hook=skip_hook)


def single_batch(record: Profile, policy: Policy, *, skip_hook: bool) -> Batch:
    """Return one profile as a request of its own, in which a null clears a standard attribute."""
    return Batch(records=(record,), body=orjson.dumps({"data": resource(record, policy)}), skip_hook=skip_hook)


def single_event(record: Profile, event: Event, *, skip_hook: bool) -> Batch:
    """Return one event as a request of its own."""
    profile = {"data": {"type": "profile", "attributes": _identifiers(record)}}
    attributes = _event(event) | {"backfill": skip_hook, "profile": profile}
    body = orjson.dumps({"data": {"type": "event", "attributes": attributes}})
    return Batch(records=(replace(record, events=(event,)),), body=body, skip_hook=skip_hook)


def deletion(profile: Profile) -> bytes:
    """Return the request that erases a profile; empty when the platform has no key for it (it takes one, of three)."""
    identifiers = _identifiers(profile)
    key = next(((name, identifiers[name]) for name in ("email", "phone_number") if name in identifiers), None)
    if not profile.platform_id and key is None:
        return b""
    who: dict[str, Any] = {"type": "profile"}
    who |= {"id": profile.platform_id} if profile.platform_id else {"attributes": dict([key] if key else [])}
    job = {"type": "data-privacy-deletion-job", "attributes": {"profile": {"data": who}}}
    return orjson.dumps({"data": job})


def resource(profile: Profile, policy: Policy) -> dict[str, Any]:
    """Return a profile as the platform's resource; what is None is left out, or cleared where that is wanted."""
    everything = profile.action is ProfileAction.CLEAR
    clears = policy.clear_nulls or everything
    known = {name: None if everything else value for name, value in profile.attributes.items()}
    wanted = {name: value for name, value in known.items() if value is not None or clears}
    attributes: dict[str, Any] = {name: value for name, value in wanted.items() if not _is_of_location(name)}
    location = {name: value for name, value in wanted.items() if _is_of_location(name)}
    custom = {} if everything else {name: v for name, v in profile.custom_attributes.items() if v is not None}
    attributes |= _identifiers(profile)
    attributes |= {"location": location} if location else {}
    attributes |= {"properties": custom} if custom else {}
    found: dict[str, Any] = {"type": "profile", "attributes": attributes}
    empty = [name for name in profile.custom_attributes if name not in custom]
    if clears and empty:
        found["meta"] = {"patch_properties": {"unset": empty}}
    return found


def event_entry(profile: Profile, events: Sequence[Event], *, backfill: bool) -> dict[str, Any]:
    """Return the events of one profile as an element of a bulk request."""
    who = {"data": {"type": "profile", "attributes": _identifiers(profile)}}
    listed = [{"type": "event", "attributes": _event(each) | {"backfill": backfill}} for each in events]
    attributes = {"backfill": backfill, "profile": who, "events": {"data": listed}}
    return {"type": "event-bulk-create", "attributes": attributes}


def _event(event: Event) -> dict[str, Any]:
    at = event.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    properties = {name: value for name, value in event.custom_params.items() if value is not None}
    standard = {name: value for name, value in event.params.items() if value is not None}
    metric = {"data": {"type": "metric", "attributes": {"name": event.name}}}
    return {**standard, "properties": properties, "time": at, "unique_id": event.key, "metric": metric}


def _parts(record: Profile) -> Iterator[Profile]:
    """Yield a record with at most so many events as a request may hold, each key once."""
    events = tuple({event.key: event for event in record.events}.values())
    for start in range(0, len(events), rules.MAX_EVENTS):
        yield replace(record, events=events[start : start + rules.MAX_EVENTS])


def _identifiers(profile: Profile) -> dict[str, str]:
    named = {rules.IDENTIFIERS[name]: value for name, value in profile.identifiers.items() if name in rules.IDENTIFIERS}
    return named | dict(profile.custom_identifiers)


def _is_of_location(name: str) -> bool:
    return name in rules.LOCATION_ATTRIBUTES or name in rules.COORDINATES


_NO_KEY_TO_DELETE = (
    "no_key_to_delete",
    "Klaviyo erases a profile by its own id, e-mail or phone number; the record has none of them",
)


def _refusal(profile: Profile, cause: str, message: str, outcome: Outcome = Outcome.REJECTED) -> Receipt:
    return receipts_of([profile], outcome, cause, message)[0]


def _too_large(profile: Profile) -> Receipt:
    return _refusal(profile, "too_large", f"the record alone is larger than {rules.MAX_PROFILE_BYTES:,} bytes")
