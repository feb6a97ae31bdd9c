"""Say in sixteen bytes what a payload is, so that one can tell whether it was sent before. Pure."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from include.config.pushes import PushDefinition
from include.records import Profile, ProfileAction

# Raise it when mapping turns the same row into another payload: every record is then mapped and compared once.
MAPPING_VERSION = 1


def fingerprint(profile: Profile, push: PushDefinition) -> bytes:
    """Return the hash of what the platform would get, and where; the time of processing is no part of it."""
    timed = push.event is not None and push.event.time != "processing"
    content: list[Any] = [
        push.destination.platform,
        push.destination.connection,
        profile.identifiers,
        profile.custom_identifiers,
        profile.attributes,
        profile.custom_attributes,
        [
            (event.name, event.params, event.custom_params, event.at.isoformat() if timed else None)
            for event in profile.events
        ],
    ]
    if profile.action is not ProfileAction.UPSERT:
        content.append(profile.action.value)
    if push.nulls == "clear" and _holds_nulls(profile):
        content.append("clear")  # an empty value is then something to send
    return hashlib.blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def _holds_nulls(profile: Profile) -> bool:
    return None in profile.attributes.values() or None in profile.custom_attributes.values()


def mapping_seed(push: PushDefinition) -> int:
    """Return a number (64 bits, signed) that changes when the mapping does: rows are hashed with it."""
    said = push.model_dump(
        mode="json",
        include={
            "org", "source", "destination", "identifiers", "attributes", "custom_attributes", "fixed", "custom_fixed",
            "phone", "event", "match", "nulls",
        },
    )  # fmt: skip
    content = orjson.dumps([MAPPING_VERSION, said], option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big", signed=True)
