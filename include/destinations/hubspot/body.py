"""The bodies of requests to HubSpot: inputs of a batch of contacts, of a reading, of events. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

import orjson

from include.destinations.hubspot import rules
from include.destinations.protocol import Batch, Limits
from include.records import Event, Profile, ProfileAction

LIMITS = Limits(max_records=100, max_bytes=10_000_000)
EVENTS_AT_ONCE = 500

_CUSTOM = "custom."  # before the name of a custom identifier among the former ones

Key = tuple[str, str]  # property that is unique, its value
Input = dict[str, Any]
Inputs = Mapping[str, Input]  # by record Id

_NAMESPACE = uuid.UUID("6f1e0b0a-5d0a-4c0e-9a51-6b8f3d0f7c11")  # ours, so that an event's key always is the same uuid


def build(profiles: Iterable[Profile], *, skip_hook: bool, max_records: int | None = None) -> Iterator[Batch]:
    """Yield batches in which nobody is named twice: the platform refuses such a batch as a whole.

    They have no body yet; whether a record is to be changed or made shows only when it is sent.
    """
    most = min(max_records or LIMITS.max_records, LIMITS.max_records)
    records: list[Profile] = []
    seen: set[Key] = set()
    for profile in profiles:
        keys = _all_keys(profile)
        if records and (len(records) == most or seen & keys):
            yield Batch(records=tuple(records), body=b"", skip_hook=skip_hook)
            records, seen = [], set()
        records.append(profile)
        seen |= keys
    if records:
        yield Batch(records=tuple(records), body=b"", skip_hook=skip_hook)


def key_of(profile: Profile, unique_property: str, *, former: bool = False) -> Key | None:
    """Return by which property a contact is found, the strongest one: uuid, another unique one, the e-mail address."""
    earlier = profile.former_identifiers if former else {}
    identifiers = {**profile.identifiers, **earlier}
    if "uuid" in identifiers and unique_property:
        return unique_property, identifiers["uuid"]
    own = {name.removeprefix(_CUSTOM): value for name, value in earlier.items() if name.startswith(_CUSTOM)}
    for name, value in sorted({**profile.custom_identifiers, **own}.items()):
        return name, value
    return ("email", identifiers["email"]) if "email" in identifiers else None


def properties(profile: Profile, *, unique_property: str, types: rules.Types, clear_nulls: bool) -> dict[str, str]:
    """Return the properties of a contact; every value is text, and an empty one clears."""
    clears = clear_nulls or profile.action is ProfileAction.CLEAR
    values = {rules.NAMES.get(name, name): value for name, value in profile.attributes.items()}
    values |= profile.custom_attributes
    if profile.action is not ProfileAction.CLEAR:
        values |= _identifying(profile, unique_property)
    else:
        kept = {"email", unique_property, *profile.custom_identifiers}  # the platform knows the contact by them
        values = {name: value for name, value in values.items() if name not in kept}
    return {
        name: _text(value, types[name].kind if name in types else "")
        for name, value in values.items()
        if value is not None or (clears and name != "email")
    }


def upsert(profile: Profile, key: Key, values: Mapping[str, str]) -> Input:
    """Return a record as an input of batch/upsert."""
    name, value = key
    return {
        "id": value, "idProperty": name, "properties": dict(values), "objectWriteTraceId": profile.record_id,
    }  # fmt: skip


def update(profile: Profile, object_id: str, values: Mapping[str, str]) -> Input:
    """Return a record as an input of batch/update."""
    return {"id": object_id, "properties": dict(values), "objectWriteTraceId": profile.record_id}


def reading(keys: Sequence[str], id_property: str, names: Iterable[str]) -> bytes:
    """Return the body of a reading of contacts, by a unique property or ("") by their own ids."""
    body: Input = {
        "inputs": [{"id": key} for key in keys],
        "properties": sorted({*names, *filter(None, [id_property])}),
    }
    return orjson.dumps(body | ({"idProperty": id_property} if id_property else {}))


def batch_of(records: Sequence[Profile], inputs: Inputs) -> Batch:
    """Return a batch of these records with the body of their inputs."""
    body = orjson.dumps({"inputs": [inputs[record.record_id] for record in records]})
    return Batch(records=tuple(records), body=body, skip_hook=False)


def events_of(records: Sequence[Profile], object_ids: Mapping[str, str]) -> Batch:
    """Return a batch of the events of these records."""
    inputs = [event(one, object_ids[record.record_id]) for record in records for one in record.events]
    return Batch(records=tuple(records), body=orjson.dumps({"inputs": inputs}), skip_hook=False)


def event(one: Event, object_id: str) -> Input:
    """Return an event as an input; its uuid is made of its key, and the platform stores the first one of a uuid."""
    at = one.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    values = {
        name: _text(value, "") for name, value in {**one.params, **one.custom_params}.items() if value is not None
    }
    return {
        "eventName": one.name, "objectId": object_id, "occurredAt": at,
        "uuid": str(uuid.uuid5(_NAMESPACE, one.key)), "properties": values,
    }  # fmt: skip


def differing(values: Mapping[str, str], held: Mapping[str, Any]) -> dict[str, str]:
    """Return of the properties those that the platform holds otherwise."""
    return {name: value for name, value in values.items() if not _same(name, value, held.get(name))}


def _same(name: str, mine: str, held: Any) -> bool:
    text = "" if held is None else str(held)
    if name == "email":
        return mine.casefold() == text.casefold()
    if mine == text:
        return True
    try:
        return float(mine) == float(text)
    except ValueError:
        return _instant(mine) == _instant(text)


def _instant(text: str) -> str:
    """Return a time without what is only another way of writing it."""
    return text.removesuffix("Z").removesuffix(".000").removesuffix("T00:00:00")


def _identifying(profile: Profile, unique_property: str) -> dict[str, Any]:
    found = {"email": profile.identifiers.get("email"), "phone": profile.identifiers.get("phone_number")}
    if unique_property:
        found[unique_property] = profile.identifiers.get("uuid")
    return {name: value for name, value in {**found, **profile.custom_identifiers}.items() if value is not None}


def _all_keys(profile: Profile) -> set[Key]:
    keys = {(kind, value.casefold()) for kind, value in profile.identifiers.items() if kind != "phone_number"}
    keys |= set(profile.custom_identifiers.items())
    return keys | ({("id", profile.platform_id)} if profile.platform_id else set())


def _text(value: Any, kind: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ";".join(value)
    if kind == "date" and isinstance(value, str):
        return value[:10]  # a day: the platform refuses an hour other than midnight in UTC
    return str(value)
