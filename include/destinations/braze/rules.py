"""What Braze takes: names, types and sizes, as a check of one profile before it is sent. Pure: no network, no clock.

Source: the vendor's pages "Track users", "User attributes object" and "Event object".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from include.records import Event, Profile, ProfileAction

MAX_OBJECTS = 75  # attributes and events of a request together; older contracts allow 75 of each
MAX_BYTES = 3_900_000  # the platform takes 4 MB; the rest is for our own arithmetic
MAX_DELETIONS = 50
MAX_EVENT_BYTES = 50_000

TEXTS = (
    "first_name", "last_name", "email", "phone", "country", "home_city", "language", "gender", "dob", "time_zone",
    "image_url", "email_subscribe", "push_subscribe", "date_of_first_session", "date_of_last_session",
)  # fmt: skip
_ALIASES = {"phone_number": "phone", "city": "home_city", "birthday": "dob"}  # as other platforms name them
RESERVED = frozenset(
    (*TEXTS, "external_id", "user_alias", "braze_id", "phone", "push_token_import", "push_tokens", "current_location")
)
_SUBSCRIPTIONS = ("opted_in", "unsubscribed", "subscribed")

Problem = tuple[str, str]  # cause, message; neither holds a value of the record

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def attribute_name(name: str) -> str:
    """Return the platform's own name of a standard attribute."""
    return _ALIASES.get(name, name)


def problem_of(profile: Profile) -> Problem | None:
    """Return the first reason why the platform would refuse or lose something of this profile, or None."""
    return next(_problems(profile), None)


def _problems(profile: Profile) -> Iterator[Problem]:
    yield from _identifier_problems(profile)
    for name, value in profile.attributes.items():
        yield from _attribute_problems(attribute_name(name), value)
    for name, value in profile.custom_attributes.items():
        if name in RESERVED or name.startswith("_"):
            yield "invalid_name", f"{_shown(name)} is a name of Braze's own; a custom attribute must have another"
        yield from _custom_problems("custom attribute", name, value)
    for event in profile.events:
        yield from _event_problems(event)


def _identifier_problems(profile: Profile) -> Iterator[Problem]:
    if not profile.identifiers and not profile.custom_identifiers:
        yield "no_identifier", "the record has no uuid (Braze's external_id), user alias, e-mail or phone number"
    for name, value in {**profile.custom_identifiers, **profile.identifiers}.items():
        if not isinstance(value, str) or not value.strip():
            yield "invalid_identifier", f"identifier {_shown(name)} must be text that isn't blank"
        elif name == "email" and not _EMAIL.fullmatch(value):
            yield "invalid_email", "identifier email must be an e-mail address"
        elif name == "phone_number" and not _E164.fullmatch(value):
            yield "invalid_phone", "identifier phone_number must be a number in E.164 form, such as +4930123456"
    unknown = set(profile.identifiers) - {"uuid", "email", "phone_number", "external_id"}
    for name in sorted(unknown):
        yield "unknown_identifier", f"{_shown(name)} is no identifier; use uuid, email, phone_number or a custom one"
    keys = {"uuid", "external_id"} & set(profile.identifiers)
    if profile.action is ProfileAction.DELETE and not keys and not profile.custom_identifiers:
        yield "no_key_to_delete", "Braze deletes by uuid (its external_id) or user alias; the record has neither"


def _attribute_problems(name: str, value: Any) -> Iterator[Problem]:
    if name not in TEXTS:
        yield "unknown_attribute", f"{_shown(name)} is no standard attribute of Braze; map it as a custom one"
    elif value is None:
        return
    elif name == "email" and not (isinstance(value, str) and _EMAIL.fullmatch(value)):
        yield "invalid_email", "attribute email must be an e-mail address"
    elif name == "phone" and not (isinstance(value, str) and _E164.fullmatch(value)):
        yield "invalid_phone", "attribute phone must be a number in E.164 form"
    elif name == "dob" and not _is_date(value):
        yield "invalid_dob", "attribute dob must be a date of the form YYYY-MM-DD"
    elif name.endswith("_subscribe") and value not in _SUBSCRIPTIONS:
        yield f"invalid_{name}", f"attribute {name} must be one of {', '.join(_SUBSCRIPTIONS)}"
    elif name == "country" and not (isinstance(value, str) and re.fullmatch("[A-Z]{2}", value)):
        yield "invalid_country", "attribute country must be a country code of two capitals, such as DE"
    elif not isinstance(value, str):
        yield f"invalid_{name}", f"attribute {name} must be text"


def _custom_problems(kind: str, name: str, value: Any) -> Iterator[Problem]:
    if not name or len(name) > 255 or name.startswith("$"):
        yield "invalid_name", f"a {kind} must have a name of at most 255 characters that doesn't begin with $"
    elif not _is_json(value):
        yield "invalid_value", f"{kind} {_shown(name)} must be text, a number, true or false, a list or an object"


def _event_problems(event: Event) -> Iterator[Problem]:
    if not event.name or len(event.name) > 255:
        yield "invalid_event_name", "an event's name must have 1 to 255 characters"
    if event.at.tzinfo is None:
        yield "invalid_event_time", "an event's time must have a zone"
    for name, value in {**event.params, **event.custom_params}.items():
        yield from _custom_problems("event parameter", name, value)


def _is_date(value: Any) -> bool:
    if not isinstance(value, str) or not re.match(r"\d{4}-\d{2}-\d{2}", value):
        return False
    try:
        date.fromisoformat(value[:10])
    except ValueError:
        return False
    return len(value) == 10 or value[10] == "T"


def _is_json(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_json(each) for each in value)
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and _is_json(each) for name, each in value.items())
    return value is None or isinstance(value, str | bool) or (isinstance(value, int | float) and math.isfinite(value))


def _shown(name: str) -> str:
    # Names come from definitions, yet a name that looks like a value isn't repeated.
    return name if re.fullmatch(r"[A-Za-z0-9_]{1,60}", name) else "(unprintable name)"
