"""What HubSpot takes: names and values of a contact's properties, as a check of one record before it is sent. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from include.records import Event, Outcome, Profile, ProfileAction, Receipt

MAX_TEXT = 65_536
NAMES = {"phone_number": "phone"}  # the name that has a form of its own in every mapping

Problem = tuple[str, str]
Types = Mapping[str, "Property"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_EVENT = re.compile(r"(pe\d+_)?[a-z][a-z0-9_-]*")
_IDENTIFIERS = ("email", "uuid", "phone_number")


class Property:
    """Say what a property of contacts at the platform is, as far as it matters for writing to it."""

    __slots__ = ("kind", "read_only", "unique")

    def __init__(self, kind: str, *, read_only: bool = False, unique: bool = False) -> None:
        self.kind = kind
        self.read_only = read_only
        self.unique = unique


def check(profile: Profile, *, clear_nulls: bool, unique_property: str) -> Receipt | None:
    """Return why this record must not be sent (rejected or skipped), or None if it may."""
    problem = next(_problems(profile, unique_property), None)
    if problem is not None:
        return Receipt(record_id=profile.record_id, outcome=Outcome.REJECTED, cause=problem[0], message=problem[1])
    values = (*profile.attributes.values(), *profile.custom_attributes.values())
    says_nothing = not profile.events and all(value is None for value in values)
    if profile.action is ProfileAction.UPSERT and says_nothing and not clear_nulls:
        message = "every attribute of the record is empty"
        return Receipt(record_id=profile.record_id, outcome=Outcome.SKIPPED, cause="nothing_to_send", message=message)
    return None


def misfit(names: Mapping[str, Any], known: Types) -> Problem | None:
    """Return why the platform would refuse a whole batch for these names, or None; nothing is known: None."""
    if not known:
        return None
    for name in names:
        found = known.get(name)
        if found is None:
            return "unknown_property", f"contacts at HubSpot have no property {shown(name)}; make it there first"
        if found.read_only:
            return "read_only_property", f"the property {shown(name)} of contacts at HubSpot can't be written"
    return None


def shown(name: str) -> str:
    """Return a name as a message may repeat it."""
    return name if re.fullmatch(r"[a-z0-9_]{1,100}", name) else "(unprintable name)"


def _problems(profile: Profile, unique_property: str) -> Iterator[Problem]:
    yield from _identifier_problems(profile, unique_property)
    for name, value in (*profile.attributes.items(), *profile.custom_attributes.items()):
        if not _NAME.fullmatch(name):
            yield "invalid_name", f"property {shown(name)} must be named in lower case, as HubSpot's internal names are"
        elif not _is_value(value):
            yield "invalid_value", f"property {name} must be text, a number, true or false, or a list of texts"
    for event in profile.events:
        yield from _event_problems(event)


def _identifier_problems(profile: Profile, unique_property: str) -> Iterator[Problem]:
    known = {"email", "uuid"} & set(profile.identifiers)
    if not known and not profile.custom_identifiers and not profile.platform_id:
        yield "no_identifier", "the record has no e-mail address, uuid or unique property; a phone number is not enough"
    for name, value in profile.identifiers.items():
        if name not in _IDENTIFIERS:
            yield "unknown_identifier", f"{shown(name)} is no identifier; use email, uuid or a unique property"
        elif name == "uuid" and not unique_property:
            message = "the connection names no `unique_property` of contacts to hold the uuid"
            yield "unknown_identifier", message
        elif name == "email" and not _EMAIL.fullmatch(value):
            yield "invalid_email", "identifier email must be an e-mail address"
    for name, value in profile.custom_identifiers.items():
        if not _NAME.fullmatch(name) or not value.strip():
            yield "invalid_identifier", f"custom identifier {shown(name)} must be a property's name, with a value"


def _event_problems(event: Event) -> Iterator[Problem]:
    if not _EVENT.fullmatch(event.name):
        yield "invalid_event_name", "an event's name must be lower case, as HubSpot's definition of it is named"
    if event.at.tzinfo is None:
        yield "invalid_event_time", "an event's time must have a zone"
    for name, value in (*event.params.items(), *event.custom_params.items()):
        if not _is_value(value):
            yield "invalid_value", f"event property {shown(name)} must be text, a number, true or false"


def _is_value(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_TEXT
    if isinstance(value, list | tuple):
        return all(isinstance(each, str) and ";" not in each for each in value)
    return value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))
