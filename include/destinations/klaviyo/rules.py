"""What Klaviyo takes: names, types and sizes, as a check of one profile before it is sent. Pure: no network, no clock.

Source: the vendor's API description, revision 2026-07-15 (profiles and events).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from include.records import Event, Profile

MAX_PROFILES = 10_000
MAX_PROFILE_BYTES = 100_000
MAX_EVENTS = 1_000
MAX_BYTES = 4_900_000  # the platform takes 5 MB; the rest is for our own arithmetic
MAX_EVENT_PROPERTIES = 400
MAX_TEXT_BYTES = 100_000

IDENTIFIERS = {"email": "email", "phone_number": "phone_number", "uuid": "external_id", "external_id": "external_id"}
PLAIN_ATTRIBUTES = ("first_name", "last_name", "organization", "locale", "title", "image")
LOCATION_ATTRIBUTES = ("address1", "address2", "city", "country", "region", "zip", "timezone", "ip")
COORDINATES = ("latitude", "longitude")
EVENT_PARAMS = ("value", "value_currency")

Problem = tuple[str, str]  # cause, message; neither holds a value of the record

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)


def problem_of(profile: Profile, now: datetime) -> Problem | None:
    """Return the first reason why the platform would refuse something of this profile, or None."""
    return next(_problems(profile, now), None)


def _problems(profile: Profile, now: datetime) -> Iterator[Problem]:
    yield from _identifier_problems(profile)
    for name, value in profile.attributes.items():
        yield from _attribute_problems(name, value)
    for name, value in profile.custom_attributes.items():
        yield from _custom_problems("custom attribute", name, value)
    for event in profile.events:
        yield from _event_problems(event, now)


def _identifier_problems(profile: Profile) -> Iterator[Problem]:
    if not profile.identifiers and not profile.custom_identifiers:
        yield "no_identifier", "the record has no e-mail, phone number or uuid (Klaviyo's external_id)"
    for name in profile.custom_identifiers:
        if name != "external_id":
            yield (
                "unknown_identifier",
                f"{_shown(name)} is no identifier at Klaviyo; use email, phone_number, or uuid for its external_id",
            )
    for name, value in {**profile.identifiers, **profile.custom_identifiers}.items():
        if name not in IDENTIFIERS and name not in profile.custom_identifiers:
            yield "unknown_identifier", f"{_shown(name)} is no identifier; use email, phone_number or uuid"
        elif not isinstance(value, str) or not value.strip():
            yield "invalid_identifier", f"identifier {_shown(name)} must be text that isn't blank"
        elif name == "email" and not _EMAIL.fullmatch(value):
            yield "invalid_email", "identifier email must be an e-mail address"
        elif name == "phone_number" and not _E164.fullmatch(value):
            yield "invalid_phone", "identifier phone_number must be a number in E.164 form, such as +4930123456"


def _attribute_problems(name: str, value: Any) -> Iterator[Problem]:
    if name in COORDINATES:
        if value is not None and not (_is_text(value) or _is_number(value)):
            yield f"invalid_{name}", f"attribute {name} must be a number"
    elif name in ("email", "phone_number"):
        matches = _EMAIL.fullmatch if name == "email" else _E164.fullmatch
        if value is not None and not (isinstance(value, str) and matches(value)):
            yield f"invalid_{name}", f"attribute {name} has not the form that the platform wants"
    elif name not in PLAIN_ATTRIBUTES and name not in LOCATION_ATTRIBUTES:
        yield (
            "unknown_attribute",
            f"{_shown(name)} is no standard attribute of Klaviyo; map it as a custom one",
        )
    elif value is not None and not _is_text(value):
        yield f"invalid_{name}", f"attribute {name} must be text"


def _custom_problems(kind: str, name: str, value: Any) -> Iterator[Problem]:
    if not name or len(name) > 255:
        yield "invalid_name", f"a {kind} must have a name of at most 255 characters"
    elif not _is_json(value):
        yield "invalid_value", f"{kind} {_shown(name)} must be text, a number, true or false, a list or an object"


def _event_problems(event: Event, now: datetime) -> Iterator[Problem]:
    if not event.key:
        yield "no_event_key", "an event must have a key: the platform would count two of one second as one"
    if not event.name or len(event.name) >= 128:
        yield "invalid_event_name", "an event's name must have 1 to 127 characters"
    if event.at.tzinfo is None:
        yield "invalid_event_time", "an event's time must have a zone"
    elif not _OLDEST < event.at <= now + timedelta(days=365):
        yield "invalid_event_time", "an event's time must be after 1990 and at most a year ahead"
    for name, value in event.params.items():
        yield from _param_problems(name, value)
    if len(event.custom_params) > MAX_EVENT_PROPERTIES:
        yield "too_many_parameters", f"an event may have at most {MAX_EVENT_PROPERTIES} parameters"
    for name, value in event.custom_params.items():
        yield from _custom_problems("custom event parameter", name, value)
        if isinstance(value, str) and len(value.encode(errors="replace")) > MAX_TEXT_BYTES:
            yield "too_large", f"custom event parameter {_shown(name)} is longer than 100 KB"


def _param_problems(name: str, value: Any) -> Iterator[Problem]:
    if name not in EVENT_PARAMS:
        yield (
            "unknown_event_parameter",
            f"{_shown(name)} is no standard event parameter (value, value_currency); map it as a custom one",
        )
    elif value is None:
        return
    elif name == "value" and not _is_number(value):
        yield "invalid_value", "event parameter value must be a number"
    elif name == "value_currency" and not (isinstance(value, str) and _CURRENCY.fullmatch(value)):
        yield "invalid_value_currency", "event parameter value_currency must be three capitals, such as EUR"


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_json(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_json(each) for each in value)
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and _is_json(each) for name, each in value.items())
    return value is None or isinstance(value, str | bool) or _is_number(value)


def _shown(name: str) -> str:
    # Names come from definitions, yet a name that looks like a value isn't repeated.
    return name if re.fullmatch(r"[A-Za-z0-9_]{1,60}", name) else "(unprintable name)"
