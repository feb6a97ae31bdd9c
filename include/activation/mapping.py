"""Map a row of the warehouse to the profile that a platform gets. Pure and total: a profile, or a skip."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from include.activation.countries import country_code
from include.activation.events import event_key, event_of
from include.activation.identifiers import valid_email, valid_key
from include.activation.phones import e164
from include.activation.values import json_value
from include.config.pushes import PushDefinition
from include.records import Event, Outcome, Profile, Receipt


def map_row(
    push: PushDefinition,
    row: Mapping[str, Any],
    *,
    record_id: str,
    stamp: datetime | None,
    run: str,
    now: datetime,
) -> Profile | Receipt:
    """Return the profile of a row, or a receipt that says why it is skipped.

    An identifier that isn't valid is left out; a record without any is skipped.

    Args:
        push: the definition.
        row: values by field path, as `PushDefinition.field_paths` names them.
        record_id: the record's Id.
        stamp: when the record last changed in the org.
        run: names the run, for events that are sent in every one.
        now: the time of processing.
    """
    country = _country(push, row)
    identifiers = _identifiers(push, row, country)
    custom = {name: key for name, path in push.identifiers.custom.items() if (key := valid_key(row[path]))}
    if not identifiers and not custom:
        return Receipt(
            record_id=record_id,
            outcome=Outcome.SKIPPED,
            cause="no_valid_identifier",
            message="none of the mapped identifiers holds a valid value",
        )
    return Profile(
        record_id=record_id,
        identifiers=identifiers,
        custom_identifiers=custom,
        attributes={name: _attribute(name, row[path], country) for name, path in push.attributes.items()} | push.fixed,
        custom_attributes={name: json_value(row[path]) for name, path in push.custom_attributes.items()}
        | push.custom_fixed,
        events=_events(push, row, record_id, stamp, run, now),
    )


def _country(push: PushDefinition, row: Mapping[str, Any]) -> str | None:
    said = row[push.phone.country_field] if push.phone.country_field else None
    return (country_code(said) if isinstance(said, str) else None) or push.phone.default_country


def _identifiers(push: PushDefinition, row: Mapping[str, Any], country: str | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("email", "phone_number", "uuid"):
        for path in getattr(push.identifiers, name) or ():
            value = _identifier(name, row[path], country)
            if value is not None:
                found[name] = value
                break
    return found


def _identifier(name: str, value: Any, country: str | None) -> str | None:
    if name == "email":
        return valid_email(value)
    if name == "phone_number":
        key = valid_key(value)
        return e164(key, country) if key else None
    return valid_key(value)


def _attribute(name: str, value: Any, country: str | None) -> Any:
    """Return an attribute's value; those that every platform wants in one form are brought to it, or left empty."""
    if name in ("email", "phone_number"):
        return _identifier(name, value, country)
    if name == "country" and isinstance(value, str):
        return country_code(value)
    return json_value(value)


def _events(
    push: PushDefinition, row: Mapping[str, Any], record_id: str, stamp: datetime | None, run: str, now: datetime
) -> tuple[Event, ...]:
    if push.event is None:
        return ()
    every_run = push.event.when == "every_run"
    key = event_key(push.push, record_id, stamp=stamp, run=run if every_run else None)
    event = event_of(push.event, row, key=key, now=now)
    return () if event is None else (event,)
