"""What Insider One takes: names, types and patterns, as a check of one user before it is sent.

Stricter than the platform exactly where the platform loses something without telling: an unknown key at the root of
`attributes`, a name with the prefix ``c_``, an event older than its retention. Pure: no network, no clock.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from include.records import Event, Profile

MAX_USERS = 1_000
MAX_BYTES = 4_900_000  # the server refuses more than 5,000,000; the rest is for our own arithmetic

Problem = tuple[str, str]  # cause, message; neither holds a value of the record
Rule = tuple[Callable[[Any], bool], str]

_EMAIL = re.compile(r".+@.+\..+")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_UTC_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z")
_EVENT_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_CUSTOM_NAME = re.compile(r"(?!c_)[a-z0-9][a-z0-9_]*")
_TEXT_OR_FLAG = (str, bool)
_JUNK = frozenset({"", "undefined", "anonymous", "null", "0", "1"})
_REQUIRED_PARAMS = {
    "purchase": ("event_group_id", "currency", "quantity", "unit_sale_price"),
    "cart_page_view": ("event_group_id", "currency", "unit_sale_price"),
}
# Default retention (academy, "Data Retention"). Sign-up, lead-form and e-mail events are kept for 365 days, but their
# API names are not published: with 90 days we skip too much and say so; the other way round would lose events.
_RETENTION_DAYS = {"purchase": 730}
_DEFAULT_RETENTION_DAYS = 90


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    # JSON knows neither NaN nor infinity, and orjson would send a null for them.
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, _TEXT_OR_FLAG) or _is_number(value)


@lru_cache(maxsize=4096)  # names come from definitions, or from the values of a picklist
def _names_custom(name: str) -> bool:
    return _CUSTOM_NAME.fullmatch(name) is not None


@lru_cache(maxsize=4096)
def _names_event(name: str) -> bool:
    return _EVENT_NAME.fullmatch(name) is not None


def _is_custom_value(value: Any) -> bool:
    return isinstance(value, _TEXT_OR_FLAG) or _is_scalar(value) or _is_list_of(_is_scalar)(value)


def _is_list_of(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list | tuple) and all(test(each) for each in value)


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_key(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower() not in _JUNK


_TEXT: Rule = (_is_text, "must be text")
_NUMBER: Rule = (_is_number, "must be a finite number")
_FLAG: Rule = (_is_flag, "must be true or false")
_NUMBERS: Rule = (_is_list_of(_is_number), "must be a list of numbers")
_EMAIL_RULE: Rule = (_matches(_EMAIL), "must be an e-mail address")
_PHONE_RULE: Rule = (_matches(_PHONE), "must be a phone number in E.164, such as +4930123456")
_KEY_RULE: Rule = (_is_key, "must be text that identifies somebody, not blank or a placeholder")

IDENTIFIERS: Mapping[str, Rule] = {"email": _EMAIL_RULE, "phone_number": _PHONE_RULE, "uuid": _KEY_RULE}
_ATTRIBUTES: Mapping[str, Rule] = {
    **IDENTIFIERS,
    **dict.fromkeys(("name", "surname", "gender", "city", "lo", "locale"), _TEXT),
    **dict.fromkeys(("email_optin", "sms_optin", "whatsapp_optin", "gdpr_optin"), _FLAG),
    **dict.fromkeys(("static_segment_id", "list_id"), _NUMBERS),
    "age": _NUMBER,
    "birthday": (_matches(_UTC_TIME), "must be a time in UTC, such as 1993-03-12T00:00:00Z"),
    "country": (_matches(re.compile("[A-Z]{2}")), "must be a country code of two capitals, such as DE"),
    "language": (_matches(re.compile("[a-z]{2}(_[A-Z]{2})?")), "must be a language code, such as de or de_DE"),
}
_PARAMS: Mapping[str, Rule] = {
    **dict.fromkeys(
        ("product_id", "name", "url", "shipping_cost", "promotion_name", "locale", "color", "size"),
        _TEXT,
    ),
    **dict.fromkeys(("unit_price", "unit_sale_price", "promotion_discount"), _NUMBER),
    "event_group_id": (lambda value: isinstance(value, str) and value != "", "must be text, not empty"),
    "taxonomy": (_is_list_of(_is_text), "must be a list of texts"),
    "currency": (_matches(re.compile("[A-Z]{3}")), "must be a currency code of three capitals, such as EUR"),
    "quantity": (_is_integer, "must be a whole number"),
}
_CAUSES = {"email": "invalid_email", "phone_number": "invalid_phone", "uuid": "invalid_identifier"}


def problem_of(profile: Profile) -> Problem | None:
    """Return the first reason why the platform would refuse or lose something of this profile, or None."""
    return next(_problems(profile), None)


def expired(event: Event, now: datetime) -> bool:
    """Say whether the event is older than what the platform keeps: it would answer success and drop it."""
    if event.at.tzinfo is None:
        return False  # refused for another reason
    days = _RETENTION_DAYS.get(event.name, _DEFAULT_RETENTION_DAYS)
    return event.at < now - timedelta(days=days)


def _problems(profile: Profile) -> Iterator[Problem]:
    yield from _identifier_problems(profile)
    yield from _named_problems("attribute", profile.attributes, _ATTRIBUTES)
    yield from _custom_problems("custom attribute", profile.custom_attributes)
    for event in profile.events:
        yield from _event_problems(event)


def _identifier_problems(profile: Profile) -> Iterator[Problem]:
    if not profile.identifiers and not profile.custom_identifiers:
        yield "no_identifier", "the record has no e-mail, phone number, uuid or custom identifier"
    for name, value in profile.identifiers.items():
        rule = IDENTIFIERS.get(name)
        if rule is None:
            yield (
                "unknown_identifier",
                f"{_shown(name)} is no identifier; use email, phone_number, uuid or a custom one",
            )
        elif not rule[0](value):
            yield _CAUSES[name], f"identifier {name} {rule[1]}"
    for name, value in profile.custom_identifiers.items():
        if not name or not _is_key(value):
            yield "invalid_identifier", f"custom identifier {_shown(name)} {_KEY_RULE[1]}"


def _named_problems(kind: str, values: Mapping[str, Any], rules: Mapping[str, Rule]) -> Iterator[Problem]:
    for name, value in values.items():
        rule = rules.get(name)
        if rule is None:
            word = kind.replace(" ", "_")
            yield f"unknown_{word}", f"{_shown(name)} is no standard {kind}; map it as a custom one, or it is lost"
        elif value is not None and not rule[0](value):
            yield _CAUSES.get(name, f"invalid_{name}"), f"{kind} {name} {rule[1]}"


def _custom_problems(kind: str, values: Mapping[str, Any]) -> Iterator[Problem]:
    for name, value in values.items():
        if not _names_custom(name):
            yield "invalid_name", f"{kind} {_shown(name)} must be named in lower case, without the prefix c_"
        elif value is not None and not _is_custom_value(value):
            yield "invalid_value", f"{kind} {name} must be text, a number, true or false, or a list of them"


def _event_problems(event: Event) -> Iterator[Problem]:
    if not _names_event(event.name):
        yield "invalid_event_name", "an event's name must be lower case: letters, digits, dot, dash, underscore"
    if event.at.tzinfo is None:
        yield "invalid_event_time", "an event's time must have a zone"
    yield from _named_problems("event parameter", event.params, _PARAMS)
    yield from _custom_problems("custom event parameter", event.custom_params)
    for name in _REQUIRED_PARAMS.get(event.name, ()):
        if event.params.get(name) is None:
            yield "missing_event_parameter", f"event {event.name} needs the parameter {name}"


def _shown(name: str) -> str:
    # Names come from definitions, yet a name that looks like a value isn't repeated.
    return name if re.fullmatch(r"[A-Za-z0-9_]{1,60}", name) else "(unprintable name)"
