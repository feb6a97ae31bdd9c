"""The bodies of requests to Insider One: which profiles may be sent, and how they are put into batches. Pure.

An upsert ignores what is empty; what became empty is cleared by a request of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from include.destinations.insider_one import rules
from include.destinations.protocol import Batch, Limits
from include.records import Event, Outcome, Profile, ProfileAction, Receipt

LIMITS = Limits(max_records=rules.MAX_USERS, max_bytes=rules.MAX_BYTES)

_CUSTOM = "custom."  # before the name of a custom identifier among the former ones
_LISTS = frozenset({list, tuple})
_SMALL = 100_000  # bytes of the values alone: with all that stands around them they are far from filling a request
_ENVELOPE_BYTES = len(b'{"skip_hook":false,"users":[]}')


def check(profile: Profile, *, now: datetime, clear_nulls: bool = False) -> Receipt | None:
    """Return why this profile must not be sent (rejected or skipped), or None if it may."""
    problem = rules.problem_of(profile)
    if problem is not None:
        return _refusal(profile, *problem)
    if any(rules.expired(event, now) for event in profile.events):
        message = "the event is older than the platform keeps events; it would be dropped without notice"
        return _refusal(profile, "event_expired", message, Outcome.SKIPPED)
    if not says_something(profile):
        clears = profile.action is not ProfileAction.UPSERT or (clear_nulls and clearing(profile) is not None)
        if not clears:
            return _refusal(profile, "nothing_to_send", "every attribute of the record is empty", Outcome.SKIPPED)
    if _surely_fits(profile):
        return None
    try:
        size = len(orjson.dumps(_user(profile)))
    except orjson.JSONEncodeError:
        return _refusal(profile, "not_json", "the record holds a value that JSON can't express")
    return _too_large(profile) if size + _ENVELOPE_BYTES > LIMITS.max_bytes else None


def build(profiles: Iterable[Profile], *, skip_hook: bool, max_records: int | None = None) -> Iterator[Batch]:
    """Yield batches of checked profiles, within the limits by count and by serialized bytes.

    A batch holds upserts alone, or alone what is to be cleared or deleted; those are without a body.
    """
    most = min(max_records or LIMITS.max_records, LIMITS.max_records)
    gone: dict[ProfileAction, list[Profile]] = {ProfileAction.CLEAR: [], ProfileAction.DELETE: []}
    records: list[Profile] = []
    users: list[bytes] = []
    refused: list[Receipt] = []
    size = _ENVELOPE_BYTES - 1  # each user brings a comma, but the first
    for profile in profiles:
        if profile.action is not ProfileAction.UPSERT and profile.action in gone:
            apart = gone[profile.action]
            apart.append(profile)
            if len(apart) == most:
                yield _without_body(apart, skip_hook)
                apart.clear()
            continue
        user = orjson.dumps(_user(profile))
        if _ENVELOPE_BYTES + len(user) > LIMITS.max_bytes:
            refused.append(_too_large(profile))
            continue
        if records and (len(records) == most or size + len(user) + 1 > LIMITS.max_bytes):
            yield _batch(records, users, skip_hook, refused)
            records, users, refused, size = [], [], [], _ENVELOPE_BYTES - 1
        records.append(profile)
        users.append(user)
        size += len(user) + 1
    if records or refused:
        yield _batch(records, users, skip_hook, refused)
    for apart in gone.values():
        if apart:
            yield _without_body(apart, skip_hook)


def clearing(profile: Profile) -> dict[str, Any] | None:
    """Return what is to be emptied of a profile as an element of attribute/delete; None: nothing.

    Of an upsert it is what is empty in the source, of a record that is gone all that the push maps. Identifiers cannot
    be emptied there.
    """
    everything = profile.action is ProfileAction.CLEAR
    whole = [
        name
        for name, value in profile.attributes.items()
        if (everything or value is None) and name not in rules.IDENTIFIERS
    ]
    custom = [name for name, value in profile.custom_attributes.items() if everything or value is None]
    if not whole and not custom:
        return None
    user: dict[str, Any] = {"identifiers": identifiers_of(profile)}
    if whole:
        user["whole"] = whole
    return user | ({"custom": {"whole": custom}} if custom else {})


def clearing_batch(records: tuple[Profile, ...], *, skip_hook: bool) -> Batch:
    """Return the attribute/delete of these records, each of which has something to empty."""
    body = orjson.dumps({"users": [clearing(record) for record in records]})
    return Batch(records=records, body=body, skip_hook=skip_hook)


def identifiers_of(profile: Profile) -> dict[str, Any]:
    """Return the identifiers of a profile as the platform nests them."""
    return _with_custom(profile.identifiers, profile.custom_identifiers)


def _surely_fits(profile: Profile) -> bool:
    """Say by one cheap look whether a record is small and surely JSON: `build` serialises it anyway."""
    if len(profile.events) > 1:
        return False
    said: list[Any] = [profile.identifiers, profile.custom_identifiers, profile.attributes, profile.custom_attributes]
    said += [(event.params, event.custom_params) for event in profile.events]
    try:
        return len(orjson.dumps(said)) < _SMALL
    except orjson.JSONEncodeError:
        return False


def says_something(profile: Profile) -> bool:
    """Say whether an upsert of this profile would hold an attribute or an event: the platform refuses one without."""
    if profile.events:
        return True
    values = (*profile.attributes.values(), *profile.custom_attributes.values())
    return any(value is not None for value in values)


def identity_changes(profile: Profile) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return each identifier that the profile had and that is another now: the old one and the new one."""
    present = {**profile.identifiers, **{f"{_CUSTOM}{name}": v for name, v in profile.custom_identifiers.items()}}
    return [
        (_one(name, old), _one(name, present[name]))
        for name, old in sorted(profile.former_identifiers.items())
        if name in present and present[name] != old
    ]


def _one(name: str, value: str) -> dict[str, Any]:
    custom = name.removeprefix(_CUSTOM)
    return {name: value} if custom == name else {"custom": {custom: value}}


def _without_body(records: list[Profile], skip_hook: bool) -> Batch:
    return Batch(records=tuple(records), body=b"", skip_hook=skip_hook)


def _batch(records: list[Profile], users: list[bytes], skip_hook: bool, refused: list[Receipt]) -> Batch:
    flag = b"true" if skip_hook else b"false"
    body = b'{"skip_hook":' + flag + b',"users":[' + b",".join(users) + b"]}" if users else b""
    return Batch(records=tuple(records), body=body, skip_hook=skip_hook, refused=tuple(refused))


def batch_of(records: tuple[Profile, ...], *, skip_hook: bool) -> Batch:
    """Return these records as one batch, whatever its size: for the halves of a batch that was within the limits."""
    return _batch(list(records), [orjson.dumps(_user(record)) for record in records], skip_hook, [])


def _user(profile: Profile) -> dict[str, Any]:
    """Return the profile as an element of `users`; what is None is not sent."""
    user: dict[str, Any] = {"identifiers": identifiers_of(profile)}
    attributes = _with_custom(profile.attributes, profile.custom_attributes)
    if attributes:
        user["attributes"] = attributes
        # Lists are appended to what is stored unless told otherwise; ours are the whole truth.
        if _holds_lists(profile.attributes) or _holds_lists(profile.custom_attributes):
            user["not_append"] = True
    if profile.events:
        user["events"] = [_event(event) for event in profile.events]
    return user


def _holds_lists(values: Mapping[str, Any]) -> bool:
    return not _LISTS.isdisjoint(map(type, values.values()))


def _event(event: Event) -> dict[str, Any]:
    at = event.at.astimezone(UTC)
    precision = "milliseconds" if at.microsecond else "seconds"
    timestamp = at.replace(tzinfo=None).isoformat(timespec=precision) + "Z"
    params = _with_custom(event.params, event.custom_params)
    return {"event_name": event.name, "timestamp": timestamp} | ({"event_params": params} if params else {})


def _with_custom(standard: Mapping[str, Any], custom: Mapping[str, Any]) -> dict[str, Any]:
    values = _filled(standard)
    if custom:
        own = _filled(custom)
        if own:
            values["custom"] = own
    return values


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    if None in values.values():
        return {name: value for name, value in values.items() if value is not None}
    return dict(values)


def _refusal(profile: Profile, cause: str, message: str, outcome: Outcome = Outcome.REJECTED) -> Receipt:
    return Receipt(record_id=profile.record_id, outcome=outcome, cause=cause, message=message)


def _too_large(profile: Profile) -> Receipt:
    return _refusal(
        profile, "too_large", f"the record alone is larger than a request may be ({LIMITS.max_bytes:,} bytes)"
    )
