"""What the platform itself refuses, with its own keys and texts; pure.

Not stricter than the real server: what it loses without telling, `attributes.py` loses too.
Keys and texts marked "guess" are not documented.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

MAX_USERS = 1_000
MAX_BYTES = 5_000_000

Errors = dict[str, list[str]]

_EMAIL = re.compile(r"^.+@.+\..+$")
_PHONE = re.compile(r"^\+[1-9]\d{6,14}$")
# The key prints a rule that allows capitals, the server refuses them all the same.
_EVENT_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]*$")
_RFC3339 = re.compile(r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$")
# The documentation asks for a quantity on a purchase; a recorded purchase without one was taken.
_REQUIRED_PARAMS = {
    "purchase": ("event_group_id", "currency", "unit_sale_price"),
    "cart_page_view": ("event_group_id", "currency", "unit_sale_price"),
}
# Days; "custom events 90, purchase 730, sign-up, lead-form and e-mail events 365". Names beside purchase and
# email_click are a guess.
RETENTION_DAYS = {
    "purchase": 730,
    **dict.fromkeys(("email_delivered", "email_open", "email_click", "sign_up", "user_register", "lead_form"), 365),
}
DEFAULT_RETENTION_DAYS = 90


def refusals(user: Any, index: int) -> Errors | None:
    """Return the errors for one user of a request under the platform's keys, or None if it is taken."""
    errors: Errors = {}
    at = f"users.{index}."
    if not isinstance(user, dict):
        user = {}
    identifiers = user.get("identifiers")
    if not identifiers and not user.get("insider_id"):
        for key in ("identifiers", "insider_id"):
            errors[f"{at}{key}.required"] = ["either insider_id or idenifiers must be specified"]
    elif identifiers:
        _judge_identifiers(identifiers, at, errors)
    if not user.get("attributes") and not user.get("events"):
        errors[f"{at}attributes.required"] = ["either attributes or events must be specified"]  # guess
    elif "attributes" in user and not (isinstance(user["attributes"], dict) and user["attributes"]):
        errors[f"{at}attributes.required"] = ["attributes must have at least one attribute"]  # guess
    events = user.get("events")
    if events:
        _judge_events(events, at, errors)
    return errors or None


def clearing_refusals(user: Any, index: int) -> Errors | None:
    """Return the errors for one user of an attribute/delete, or None if it is taken.

    The documentation says that identifiers can't be deleted there; how it says so is a guess.
    """
    errors: Errors = {}
    at = f"users.{index}."
    if not isinstance(user, dict):
        user = {}
    identifiers = user.get("identifiers")
    if not identifiers and not user.get("insider_id"):
        for key in ("identifiers", "insider_id"):
            errors[f"{at}{key}.required"] = ["either insider_id or idenifiers must be specified"]
    elif identifiers:
        _judge_identifiers(identifiers, at, errors)
    custom = user.get("custom")
    asked = [user, custom if isinstance(custom, dict) else {}]
    if not any(part.get(kind) for part in asked for kind in ("whole", "partial")):
        errors[f"{at}whole.required"] = ["whole or partial must be specified"]  # guess
    if any(not _is_names(part.get("whole", [])) for part in asked):
        errors[f"{at}whole.type(slice)"] = ["whole must be an array of names"]  # guess
    elif set(user.get("whole", [])) & {"email", "phone_number", "uuid"}:
        errors[f"{at}whole.*.in(identifiers)"] = ["identifiers can not be deleted"]  # guess
    return errors or None


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _judge_identifiers(identifiers: Any, at: str, errors: Errors) -> None:
    if not isinstance(identifiers, dict):
        errors[f"{at}identifiers.*.type(map)"] = ["identifiers must be an object"]  # guess
        return
    for key, value in identifiers.items():
        if key == "custom":
            continue
        if key not in ("email", "phone_number", "uuid"):
            text = "key must be one of phone_number(pn), email(em) or uuid"
            errors.setdefault(f"{at}identifiers.*.in(defaults_column)", []).append(text)
        elif not isinstance(value, str):
            errors.setdefault(f"{at}identifiers.*.type(string)", []).append(f"{key} must be string: {value}")
        elif key == "email" and not _EMAIL.match(value):
            errors[f"{at}identifiers.*.regexp(^.+@.+\\..+$)"] = [f"not a valid email address: {value}"]
        elif key == "phone_number" and not _PHONE.match(value):
            errors[f"{at}identifiers.*.regexp(^\\+[1-9]\\d{{6,14}}$)"] = [f"user has an invalid phone number: {value}"]


def _judge_events(events: Any, at: str, errors: Errors) -> None:
    if not isinstance(events, list):
        errors[f"{at}events.type(slice)"] = ["events must be an array"]  # guess
        return
    for number, event in enumerate(events):
        here = f"{at}events.{number}."
        if not isinstance(event, dict):
            event = {}
        name = event.get("event_name")
        if not isinstance(name, str) or not _EVENT_NAME.match(name):
            errors[f"{here}event_name.*.regexp(^[a-z0-9][a-zA-Z0-9._-]*$)"] = [f"invalid event name: {name}"]
        if event_time(event) is None:
            errors[f"{here}timestamp.*.rfc3339"] = ["timestamp must be in RFC 3339 format"]  # guess
        params = event.get("event_params") or {}
        missing = [key for key in _REQUIRED_PARAMS.get(str(name), ()) if params.get(key) in (None, "")]
        if missing:
            texts = [f"{key} parameter is required on {name} event" for key in missing]
            errors[f"{here}event_params.*.required"] = texts


def event_time(event: dict[str, Any]) -> datetime | None:
    """Return the event's time, or None if the platform can't read it."""
    text = event.get("timestamp")
    return _parsed(text) if isinstance(text, str) else None


@lru_cache(maxsize=4_096)
def _parsed(text: str) -> datetime | None:
    # Kept, because the events of one run mostly have one time.
    if not _RFC3339.match(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except ValueError:
        return None
