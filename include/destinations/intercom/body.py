"""The bodies of requests to Intercom: a contact, a search for many, an event; what differs from what it holds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from typing import Any

from include.destinations.intercom import rules
from include.destinations.protocol import Batch, Limits
from include.records import Event, Profile, ProfileAction

LIMITS = Limits(max_records=100, max_bytes=5_000_000)
FILTERS_IN_A_GROUP = 15
GROUPS_IN_A_SEARCH = 2
FILTERS_IN_A_SEARCH = FILTERS_IN_A_GROUP * GROUPS_IN_A_SEARCH

Body = dict[str, Any]
Types = Mapping[str, str]  # custom attribute -> its type at the platform, as far as it is known
Filter = tuple[str, str]  # field of a contact, its value


def build(profiles: Iterable[Profile], *, skip_hook: bool, max_records: int | None = None) -> Iterator[Batch]:
    """Yield batches without a body: each contact is a request of its own."""
    most = min(max_records or LIMITS.max_records, LIMITS.max_records)
    records: list[Profile] = []
    for profile in profiles:
        records.append(profile)
        if len(records) == most:
            yield Batch(records=tuple(records), body=b"", skip_hook=skip_hook)
            records = []
    if records:
        yield Batch(records=tuple(records), body=b"", skip_hook=skip_hook)


def contact(profile: Profile, *, types: Types, clear_nulls: bool) -> Body:
    """Return a record as the body of a creation or an update."""
    clears = clear_nulls or profile.action is ProfileAction.CLEAR
    body = _converted(_standard(profile), dict.fromkeys(rules.DATES, "date"))
    custom = _converted(profile.custom_attributes, types)
    if not clears:
        body = {name: value for name, value in body.items() if value is not None}
        custom = {name: value for name, value in custom.items() if value is not None}
    else:
        # Identifiers cannot be emptied: the platform knows the contact by them.
        body = {name: value for name, value in body.items() if value is not None or name not in rules.NEVER_EMPTIED}
    return body | ({"custom_attributes": custom} if custom else {})


def creation(body: Body) -> Body:
    """Return the body with which a contact is made: a user, unless it is said otherwise; nothing is to be emptied."""
    custom = {name: value for name, value in body.get("custom_attributes", {}).items() if value is not None}
    kept = {name: value for name, value in body.items() if value is not None and name != "custom_attributes"}
    return {"role": "user"} | kept | ({"custom_attributes": custom} if custom else {})


def differing(body: Body, held: Mapping[str, Any]) -> Body:
    """Return of a body only what the platform holds otherwise."""
    held_custom = held.get("custom_attributes") or {}
    result = {
        name: value
        for name, value in body.items()
        if name != "custom_attributes" and not _same(name, value, held.get(name))
    }
    custom = {
        name: value
        for name, value in body.get("custom_attributes", {}).items()
        if not _same(name, value, held_custom.get(name))
    }
    if "email_verified" in result and "email" in body:
        result["email"] = body["email"]  # the platform takes the one only together with the other
    return result | ({"custom_attributes": custom} if custom else {})


def event(one: Event, contact_id: str) -> Body:
    """Return an event as the body of its request."""
    params = {**one.params, **one.custom_params}
    dates = {name: "date" for name in params if name.endswith("_date")}
    metadata = {name: value for name, value in _converted(params, dates).items() if value is not None}
    body: Body = {"event_name": one.name, "created_at": int(one.at.astimezone(UTC).timestamp()), "id": contact_id}
    return body | ({"metadata": metadata} if metadata else {})


def filters_of(profile: Profile, *, by_id: bool) -> list[Filter]:
    """Return what to search for to find the contact of a record; its own id says it all."""
    if by_id and profile.platform_id:
        return [("id", profile.platform_id)]
    found = [
        (rules.IDENTIFIERS[kind], value)
        for identifiers in (profile.identifiers, profile.former_identifiers)
        for kind, value in identifiers.items()
        if kind in rules.IDENTIFIERS
    ]
    strong = [each for each in found if each[0] != "phone"]
    return strong or found  # a phone number may belong to many: only where there is nothing else


def search(filters: Iterable[Filter]) -> Body:
    """Return a search for the contacts of any of these, at most `FILTERS_IN_A_SEARCH`."""
    ones = [{"field": field, "operator": "=", "value": value} for field, value in filters]
    groups = [
        {"operator": "OR", "value": ones[start : start + FILTERS_IN_A_GROUP]}
        for start in range(0, len(ones), FILTERS_IN_A_GROUP)
    ]
    query = groups[0] if len(groups) == 1 else {"operator": "OR", "value": groups}
    return {"query": query, "pagination": {"per_page": 150}}


def _standard(profile: Profile) -> Body:
    body = {rules.NAMES.get(name, name): value for name, value in profile.attributes.items()}
    if profile.action is ProfileAction.CLEAR:
        return body
    identifiers = {rules.IDENTIFIERS[kind]: value for kind, value in profile.identifiers.items()}
    return body | identifiers


def _converted(values: Mapping[str, Any], types: Types) -> Body:
    return {name: _as_type(name, value, types.get(name, "")) for name, value in values.items()}


def _as_type(name: str, value: Any, kind: str) -> Any:
    """Return the value as the platform's type of the attribute wants it; times are whole unix seconds."""
    if isinstance(value, str) and (kind in ("date", "datetime") or (not kind and name.endswith("_at"))):
        found = rules.seconds(value)
        return value if found is None else found
    if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list | tuple):
        return ", ".join(value)  # custom attributes hold no lists
    return value


def _same(name: str, mine: Any, held: Any) -> bool:
    if mine is None or mine == "":
        return held is None or held == ""
    if name == "avatar" and isinstance(held, Mapping):
        held = held.get("image_url")
    if name == "email" and isinstance(held, str):
        return str(mine).casefold() == held.casefold()
    if isinstance(mine, bool) or isinstance(held, bool):
        return mine is held
    return bool(mine == held)
