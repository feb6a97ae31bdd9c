"""Make the event of a record, and the key under which it is sent at most once. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from include.activation.transforms import compile_fields, convert_fields
from include.activation.values import as_moment
from include.config.push_mapping import EventDefinition
from include.records import Event

Made = tuple[Event | None, bool]  # the event, and whether a parameter was left out of it


def compile_event(
    push: str, definition: EventDefinition, *, salt: bytes
) -> Callable[[Mapping[str, Any], str, datetime | None, str, datetime], Made]:
    """Return a function from (row, record Id, stamp, run, now) to the event.

    There is none when the field that names it or gives its time is empty.
    """
    params, custom_params = compile_fields(definition.params, salt), compile_fields(definition.custom_params, salt)
    every_run = definition.when == "every_run"

    def make(row: Mapping[str, Any], record_id: str, stamp: datetime | None, run: str, now: datetime) -> Made:
        name = definition.name or event_name(row[definition.name_field or ""])
        at = now if definition.time == "processing" else as_moment(row[definition.time])
        if not name or at is None:
            return None, False
        standard, some_left_out = convert_fields(params, row)
        custom, more_left_out = convert_fields(custom_params, row)
        return (
            Event(
                key=event_key(push, record_id, stamp=stamp, run=run if every_run else None),
                name=name,
                at=at,
                params=standard | definition.fixed_params,
                custom_params=custom | definition.custom_fixed_params,
            ),
            some_left_out or more_left_out,
        )

    return make


def event_key(push: str, record_id: str, *, stamp: datetime | None, run: str | None) -> str:
    """Return the key: one event for each change of a record, or with `run` one for each run."""
    if run is not None:
        return f"{push}:{record_id}:run:{run}"
    return f"{push}:{record_id}:{stamp.astimezone(UTC).isoformat(timespec='milliseconds') if stamp else '-'}"


def event_name(value: Any) -> str:
    """Return a field's value as an event's name: "Closed Won" becomes ``closed_won``."""
    return re.sub(r"[^a-z0-9.-]+", "_", str(value or "").casefold()).strip("_.-")
