"""The messages of the signed webhook: which profiles may be sent, how they are put together and signed. Pure.

After Standard Webhooks 1.0.0: the id of a message is the same at every attempt, also of another process; what is signed
is ``id.timestamp.body``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from include.destinations.protocol import Batch, Limits, Policy
from include.destinations.results import receipts_of
from include.records import Event, Outcome, Profile, ProfileAction, Receipt

LIMITS = Limits(max_records=1_000, max_bytes=1_000_000)
TYPE = "headwater.records"

_HEAD = b'{"records":['
_TAIL = b"]}"
_ENVELOPE_BYTES = len(_HEAD) + len(_TAIL)
_SECRET = re.compile(r"whsec_([A-Za-z0-9+/]+={0,2})")


def secret_of(text: str) -> bytes | None:
    """Return the key in a secret (``whsec_`` and the base64 of 24 to 64 bytes), or None if it is none."""
    found = _SECRET.fullmatch(text.strip())
    if found is None:
        return None
    try:
        key = base64.b64decode(found[1], validate=True)
    except binascii.Error:
        return None
    return key if 24 <= len(key) <= 64 else None


def signature(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header that proves who sent a message; while a secret is replaced, one signature of each."""
    content = b".".join((message_id.encode(), str(timestamp).encode(), body))
    digests = (hmac.digest(key, content, hashlib.sha256) for key in keys)
    return " ".join("v1," + base64.b64encode(digest).decode() for digest in digests)


def message_id(records: Iterable[Profile]) -> str:
    """Return the id of the message that holds these records, as they were then: the same in every process."""
    content = [
        [
            each.record_id,
            each.action.value,
            each.as_of.astimezone(UTC).isoformat() if each.as_of else None,
            each.identifiers,
            each.custom_identifiers,
            each.attributes,
            each.custom_attributes,
            [event.key for event in each.events],  # not its time, which may be that of processing
        ]
        for each in records
    ]
    digest = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()
    return "msg_" + base64.b32encode(digest[:20]).decode().lower()


def message(batch: Batch, *, at: datetime) -> bytes:
    """Return the body of a message; `at` is when it was first sent."""
    head = orjson.dumps({"type": TYPE, "timestamp": at.astimezone(UTC).isoformat(timespec="seconds")})
    return head[:-1] + b',"data":' + batch.body + b"}"


def check(profile: Profile, policy: Policy) -> Receipt | None:
    """Return why this profile must not be sent (rejected or skipped), or None if it may."""
    problem = next(_problems(profile), None)
    if problem is not None:
        return _refusal(profile, *problem)
    entry = _entry(profile, policy)
    if profile.action is ProfileAction.UPSERT and not (
        entry.get("attributes") or entry.get("custom_attributes") or profile.events
    ):
        return _refusal(profile, "nothing_to_send", "every attribute of the record is empty", Outcome.SKIPPED)
    try:
        size = len(orjson.dumps(entry))
    except orjson.JSONEncodeError:
        return _refusal(profile, "not_json", "the record holds a value that JSON can't express")
    return _too_large(profile) if size + _ENVELOPE_BYTES > LIMITS.max_bytes else None


def build(
    profiles: Iterable[Profile], policy: Policy, *, skip_hook: bool, max_records: int | None = None
) -> Iterator[Batch]:
    """Yield batches of checked profiles, within the limits by count and by serialized bytes."""
    most = min(max_records or LIMITS.max_records, LIMITS.max_records)
    records: list[Profile] = []
    entries: list[bytes] = []
    refused: list[Receipt] = []
    size = _ENVELOPE_BYTES
    for profile in profiles:
        entry = orjson.dumps(_entry(profile, policy))
        if len(entry) + _ENVELOPE_BYTES > LIMITS.max_bytes:
            refused.append(_too_large(profile))
            continue
        if records and (len(records) == most or size + len(entry) + 1 > LIMITS.max_bytes):
            yield _batch(records, entries, skip_hook, refused)
            records, entries, refused, size = [], [], [], _ENVELOPE_BYTES
        records.append(profile)
        entries.append(entry)
        size += len(entry) + 1
    if records or refused:
        yield _batch(records, entries, skip_hook, refused)


def batch_of(records: Sequence[Profile], policy: Policy, *, skip_hook: bool) -> Batch:
    """Return these records as one batch, whatever its size: for the halves of a batch that was within the limits."""
    return _batch(list(records), [orjson.dumps(_entry(record, policy)) for record in records], skip_hook, [])


def _batch(records: list[Profile], entries: list[bytes], skip_hook: bool, refused: list[Receipt]) -> Batch:
    body = _HEAD + b",".join(entries) + _TAIL if entries else b""
    return Batch(records=tuple(records), body=body, skip_hook=skip_hook, refused=tuple(refused))


def _entry(profile: Profile, policy: Policy) -> dict[str, Any]:
    """Return the profile as an element of `records`; what is None is left out unless it is to be cleared."""
    clears = policy.clear_nulls or profile.action is ProfileAction.CLEAR
    everything = profile.action is ProfileAction.CLEAR
    found: dict[str, Any] = {
        "record_id": profile.record_id,
        "action": profile.action.value,
        "identifiers": dict(profile.identifiers),
    }
    if profile.custom_identifiers:
        found["custom_identifiers"] = dict(profile.custom_identifiers)
    for name, values in (("attributes", profile.attributes), ("custom_attributes", profile.custom_attributes)):
        kept = {k: None if everything else v for k, v in values.items() if v is not None or clears}
        if kept:
            found[name] = kept
    if profile.as_of:
        found["as_of"] = profile.as_of.astimezone(UTC).isoformat(timespec="milliseconds")
    if profile.events:
        found["events"] = [_event(event) for event in profile.events]
    return found


def _event(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = {
        "key": event.key,
        "name": event.name,
        "time": event.at.astimezone(UTC).isoformat(timespec="milliseconds"),
    }
    for name, values in (("params", event.params), ("custom_params", event.custom_params)):
        kept = {key: value for key, value in values.items() if value is not None}
        if kept:
            found[name] = kept
    return found


def _problems(profile: Profile) -> Iterator[tuple[str, str]]:
    if not profile.identifiers and not profile.custom_identifiers:
        yield "no_identifier", "the record has no identifier"
    for values in (profile.identifiers, profile.custom_identifiers):
        if not all(isinstance(value, str) and value.strip() for value in values.values()):
            yield "invalid_identifier", "an identifier must be text that isn't blank"
    for values in (profile.attributes, profile.custom_attributes):
        if not all(_is_json(value) for value in values.values()):
            yield "invalid_value", "an attribute must be text, a number, true or false, a list or an object"
    for event in profile.events:
        if not event.key or not event.name:
            yield "invalid_event_name", "an event must have a key and a name"
        if event.at.tzinfo is None:
            yield "invalid_event_time", "an event's time must have a zone"
        if not all(_is_json(value) for value in (*event.params.values(), *event.custom_params.values())):
            yield "invalid_value", "an event parameter must be text, a number, true or false, a list or an object"


def _is_json(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_json(each) for each in value)
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and _is_json(each) for name, each in value.items())
    return value is None or isinstance(value, str | bool) or (isinstance(value, int | float) and math.isfinite(value))


def _refusal(profile: Profile, cause: str, text: str, outcome: Outcome = Outcome.REJECTED) -> Receipt:
    return receipts_of([profile], outcome, cause, text)[0]


def _too_large(profile: Profile) -> Receipt:
    return _refusal(
        profile, "too_large", f"the record alone is larger than a message may be ({LIMITS.max_bytes:,} bytes)"
    )
