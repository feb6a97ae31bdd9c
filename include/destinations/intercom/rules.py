"""What Intercom takes: names, types and how values are put, as a check of one record before it is sent. Pure.

Intercom wants times as whole unix seconds, standard attributes at the root of a contact and all others, which must
exist there, under `custom_attributes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from include.config.platforms import Match
from include.records import Event, Outcome, Profile, ProfileAction, Receipt

MAX_METADATA = 10  # more keys of an event are ignored there without a word
IDENTIFIERS = {"uuid": "external_id", "email": "email", "phone_number": "phone"}
NAMES = {"phone_number": "phone"}  # the name that has a form of its own in every mapping
DATES = frozenset({"signed_up_at", "last_seen_at"})
_TEXTS = frozenset({"name", "phone", "email", "avatar", "owner_id", "language_override", "role", "external_id"})
_FLAGS = frozenset({"unsubscribed_from_emails", "email_verified"})
STANDARD = _TEXTS | _FLAGS | DATES
NEVER_EMPTIED = frozenset({"email", "external_id", "role", "phone"})  # identifiers, and what a contact must have

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")
_EVENT_NAME = re.compile(r"[^\x00-\x1f]{1,120}")
_SHOWN = re.compile(r"[\w .&-]{1,60}")

Problem = tuple[str, str]


def check(profile: Profile, *, clear_nulls: bool) -> Receipt | None:
    """Return why this record must not be sent (rejected or skipped), or None if it may."""
    problem = next(_problems(profile), None)
    if problem is not None:
        return Receipt(record_id=profile.record_id, outcome=Outcome.REJECTED, cause=problem[0], message=problem[1])
    if profile.action is ProfileAction.UPSERT and not clear_nulls and _says_nothing(profile):
        message = "every attribute of the record is empty"
        return Receipt(record_id=profile.record_id, outcome=Outcome.SKIPPED, cause="nothing_to_send", message=message)
    return None


def seconds(text: str) -> int | None:
    """Return the unix seconds of an RFC 3339 time, or None if the text is none."""
    return int(datetime.fromisoformat(text).timestamp()) if _INSTANT.fullmatch(text) else None


def shown(name: str) -> str:
    """Return a name as a message may repeat it: names come from definitions, yet one like a value is not repeated."""
    return name if _SHOWN.fullmatch(name) else "(unprintable name)"


def may_create(match: Match) -> bool:
    """Say whether the push may make contacts."""
    return match is not Match.UPDATE_ONLY


def _says_nothing(profile: Profile) -> bool:
    values = (*profile.attributes.values(), *profile.custom_attributes.values())
    return not profile.events and all(value is None for value in values)


def _problems(profile: Profile) -> Iterator[Problem]:
    yield from _identifier_problems(profile)
    for name, value in profile.attributes.items():
        yield from _attribute_problems(NAMES.get(name, name), value)
    for name, value in profile.custom_attributes.items():
        if not _is_scalar(value) and not _is_texts(value):
            yield "invalid_value", f"custom attribute {shown(name)} must be text, a number, true or false"
    for event in profile.events:
        yield from _event_problems(event)


def _identifier_problems(profile: Profile) -> Iterator[Problem]:
    if profile.custom_identifiers:
        yield "unknown_identifier", "Intercom knows no custom identifiers; use uuid (its external_id), email or phone"
    if not profile.identifiers and not profile.platform_id:
        yield "no_identifier", "the record has no e-mail address, uuid (external_id) or phone number"
    for name, value in profile.identifiers.items():
        if name not in IDENTIFIERS:
            yield "unknown_identifier", f"{shown(name)} is no identifier; use uuid (its external_id), email or phone"
        elif not isinstance(value, str) or not value.strip():
            yield "invalid_identifier", f"identifier {name} must be text that identifies somebody"


def _attribute_problems(name: str, value: Any) -> Iterator[Problem]:
    if name not in STANDARD:
        yield "unknown_attribute", f"{shown(name)} is no standard attribute of a contact; map it as a custom one"
        return
    rule, words = _RULES[name]
    if value is not None and not rule(value):
        yield f"invalid_{name}", f"attribute {name} {words}"


def _event_problems(event: Event) -> Iterator[Problem]:
    if not _EVENT_NAME.fullmatch(event.name):
        yield "invalid_event_name", "an event's name must be text of at most 120 characters"
    if event.at.tzinfo is None:
        yield "invalid_event_time", "an event's time must have a zone"
    params = {**event.params, **event.custom_params}
    if sum(value is not None for value in params.values()) > MAX_METADATA:
        yield "too_many_parameters", f"Intercom keeps {MAX_METADATA} parameters of an event and drops the rest"
    for name, value in params.items():
        if not _is_scalar(value) and not _is_rich(value):
            yield "invalid_value", f"event parameter {shown(name)} must be text, a number, true or false"


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_time(value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return True
    return isinstance(value, str) and seconds(value) is not None


def _is_scalar(value: Any) -> bool:
    # JSON knows neither NaN nor infinity
    return value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and value == value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _is_rich(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) in ({"url", "value"}, {"amount", "currency"})


_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(_TEXTS, (_is_text, "must be text")),
    **dict.fromkeys(_FLAGS, (_is_flag, "must be true or false")),
    **dict.fromkeys(DATES, (_is_time, "must be a time, such as 2026-01-31T10:20:30Z")),
}
