"""Make the event of a record, and the key under which it is sent at most once. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from include.activation.values import as_moment, json_value
from include.config.pushes import EventDefinition
from include.records import Event


def event_of(definition: EventDefinition, row: Mapping[str, Any], *, key: str, now: datetime) -> Event | None:
    """Return the event of a row, or None when the field that names it or gives its time is empty."""
    name = definition.name or event_name(row[definition.name_field or ""])
    at = now if definition.time == "processing" else as_moment(row[definition.time])
    if not name or at is None:
        return None
    params = {each: json_value(row[path]) for each, path in definition.params.items()}
    custom = {each: json_value(row[path]) for each, path in definition.custom_params.items()}
    return Event(
        key=key,
        name=name,
        at=at,
        params=params | definition.fixed_params,
        custom_params=custom | definition.custom_fixed_params,
    )


def event_key(push: str, record_id: str, *, stamp: datetime | None, run: str | None) -> str:
    """Return the key: one event for each change of a record, or with `run` one for each run."""
    if run is not None:
        return f"{push}:{record_id}:run:{run}"
    return f"{push}:{record_id}:{stamp.astimezone(UTC).isoformat(timespec='milliseconds') if stamp else '-'}"


def event_name(value: Any) -> str:
    """Return a field's value as an event's name: "Closed Won" becomes ``closed_won``."""
    return re.sub(r"[^a-z0-9.-]+", "_", str(value or "").casefold()).strip("_.-")
