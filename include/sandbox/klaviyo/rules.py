"""What the platform refuses, and how it says so; pure.

Names and limits are those of the vendor's API description; where it is silent about an answer, a comment says "guess".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

MAX_PROFILES = 10_000
MAX_EVENTS = 1_000
MAX_BYTES = 5_000_000
MAX_PROFILE_BYTES = 100_000
MAX_TEXT = 100_000
LOCATION = {"address1", "address2", "city", "country", "latitude", "longitude", "region", "zip", "timezone", "ip"}
TEXTS = {"email", "phone_number", "external_id", "first_name", "last_name", "organization", "locale", "title", "image"}
_ATTRIBUTES = TEXTS | {"_kx", "anonymous_id", "location", "properties"}
_EVENT = {"properties", "time", "value", "value_currency", "backfill", "metric", "unique_id", "profile"}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")

Problem = tuple[str, str]  # pointer below the element, what is wrong


def error(status: int, code: str, title: str, detail: str, pointer: str = "/data") -> dict[str, Any]:
    """Return one error as the platform writes them."""
    return {
        "id": "00000000-0000-4000-8000-000000000000",
        "status": status,
        "code": code,
        "title": title,
        "detail": detail,
        "source": {"pointer": pointer},
    }


def invalid(pointer: str, detail: str) -> dict[str, Any]:
    """Return the error for an element that isn't what it should be."""
    return error(400, "invalid", "Invalid input.", detail, pointer)


def shape_problems(profile: Any) -> Iterator[Problem]:
    """Yield what makes the platform refuse the whole request: wrong names, types and sizes."""
    if not isinstance(profile, dict) or profile.get("type") != "profile":
        yield "/type", "'type' must be 'profile'."
        return
    attributes = profile.get("attributes")
    if not isinstance(attributes, dict):
        yield "/attributes", "This field is required."
        return
    for name in sorted(set(attributes) - _ATTRIBUTES):
        yield f"/attributes/{name}", f"'{name}' is not a valid field for the resource 'profile'."
    for name in sorted(TEXTS & set(attributes)):
        if not isinstance(attributes[name], str | None):
            yield f"/attributes/{name}", "Not a valid string."
    yield from _location_problems(attributes.get("location"))
    if not isinstance(attributes.get("properties"), dict | None):
        yield "/attributes/properties", "Not a valid dictionary."
    if len(orjson.dumps(profile)) > MAX_PROFILE_BYTES:
        yield "", "The profile exceeds the maximum allowed size of 100KB."


def _location_problems(location: Any) -> Iterator[Problem]:
    if location is None:
        return
    if not isinstance(location, dict):
        yield "/attributes/location", "Not a valid dictionary."
        return
    for name, value in location.items():
        kinds = str | int | float | None if name in ("latitude", "longitude") else str | None
        if name not in LOCATION or not isinstance(value, kinds):
            yield f"/attributes/location/{name}", "Not a valid location."


def value_problem(attributes: dict[str, Any]) -> Problem | None:
    """Return what keeps one profile from being imported: no identifier, or one of a wrong form."""
    email, phone = attributes.get("email"), attributes.get("phone_number")
    if not any(attributes.get(name) for name in ("email", "phone_number", "external_id")):
        return "/attributes", "One of email, phone_number or external_id is required."
    if email is not None and not _EMAIL.fullmatch(email):
        return "/attributes/email", "Invalid email address."
    if phone is not None and not _PHONE.fullmatch(phone):
        return "/attributes/phone_number", "Invalid phone number format (Example of a valid format: +12345678901)."
    return None


def event_problems(event: Any, now: datetime) -> Iterator[Problem]:
    """Yield what is wrong with the attributes of one event."""
    if not isinstance(event, dict):
        yield "", "This field is required."
        return
    for name in sorted(set(event) - _EVENT):
        yield f"/{name}", f"'{name}' is not a valid field for the resource 'event'."
    properties = event.get("properties")
    if not isinstance(properties, dict) or len(properties) > 400:
        yield "/properties", "A dictionary of at most 400 properties is required."
    elif any(isinstance(value, str) and len(value) > MAX_TEXT for value in properties.values()):
        yield "/properties", "A string may not be larger than 100KB."
    name = metric_name(event)
    if not name or len(name) >= 128:
        yield "/metric", "A metric with a name of less than 128 characters is required."
    value = event.get("value")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        yield "/value", "Not a valid number."
    if "time" in event and event["time"] is not None and event_time(event["time"], now) is None:
        yield "/time", "Not a valid time."
    if not isinstance(event.get("unique_id"), str | None):
        yield "/unique_id", "Not a valid string."
    if not isinstance(event.get("backfill"), bool | None):
        yield "/backfill", "Not a valid boolean."


def metric_name(event: dict[str, Any]) -> str:
    """Return the name of the metric that an event belongs to, or ""."""
    metric = event.get("metric")
    content = metric.get("data") if isinstance(metric, dict) else None
    attributes = content.get("attributes") if isinstance(content, dict) and content.get("type") == "metric" else None
    name = attributes.get("name") if isinstance(attributes, dict) else None
    return name if isinstance(name, str) else ""


def event_time(text: Any, now: datetime) -> datetime | None:
    """Return the time of an event, truncated to the second; None if it is none that the platform takes."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    return at if datetime(1990, 1, 1, tzinfo=UTC) < at <= now + timedelta(days=366) else None
