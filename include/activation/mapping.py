"""Map a row of the warehouse to the profile that a platform gets. Pure and total: a profile, or a skip.

What a definition says is compiled once into closures; a row then costs only what it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.activation.countries import country_code
from include.activation.events import compile_event
from include.activation.identifiers import InvalidValue, compile_identifiers, identifier
from include.activation.transforms import Fields, compile_fields, convert_fields
from include.activation.values import is_blank
from include.config.pushes import PushDefinition
from include.records import Event, Outcome, Profile, ProfileAction, Receipt

LEFT_OUT = "attribute_left_out"  # the note of a record of which a value could not be converted
_STANDARD = ("email", "phone_number", "country")  # attributes that every platform wants in one form

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapper:
    """Turn rows of one push into profiles; made by `compile_mapping`."""

    push: PushDefinition
    identify: Callable[[Row, str | None, str], Any]
    attributes: Fields
    custom_attributes: Fields
    formed: tuple[tuple[str, str], ...]  # name and path of the attributes that have a form of their own
    event: Callable[..., Any] | None

    @property
    def in_every_run(self) -> bool:
        """Return whether each run has something to tell of every record."""
        return self.push.event is not None and self.push.event.when == "every_run"

    def profile(
        self, row: Row, *, record_id: str, stamp: datetime | None, run: str, now: datetime
    ) -> tuple[Profile, str] | Receipt:
        """Return the profile of a row and a note of what was left out of it, or why the record is skipped.

        Args:
            row: values by field path, as `PushDefinition.field_paths` names them.
            record_id: the record's Id.
            stamp: when the record last changed in the org.
            run: names the run, for events that are sent in every one.
            now: the time of processing.

        Raises:
            InvalidIdentifier: an identifier is not valid and the push wants the run to fail then.
        """
        country = self._country(row)
        found = self.identify(row, country, record_id)
        if isinstance(found, InvalidValue):
            return _skipped(record_id, found.cause, found.message)
        identifiers, custom = found
        if not identifiers and not custom:
            return _skipped(record_id, "no_valid_identifier", "none of the mapped identifiers holds a valid value")
        attributes, some_left_out = convert_fields(self.attributes, row)
        customs, more_left_out = convert_fields(self.custom_attributes, row)
        left_out = some_left_out or more_left_out
        for name, path in self.formed:
            formed = _formed(name, row[path], country)
            if formed is None and not is_blank(row[path]):
                left_out = True  # it is no empty field: what the platform has is not to be emptied for it
            else:
                attributes[name] = formed
        push = self.push
        if push.fixed:
            attributes |= push.fixed
        if push.custom_fixed:
            customs |= push.custom_fixed
        events: tuple[Event, ...] = ()
        if self.event is not None:
            event, param_left_out = self.event(row, record_id, stamp, run, now)
            events = () if event is None else (event,)
            left_out = left_out or param_left_out
        return (
            Profile(
                record_id=record_id,
                identifiers=identifiers,
                custom_identifiers=custom,
                attributes=attributes,
                custom_attributes=customs,
                events=events,
                as_of=stamp,
            ),
            LEFT_OUT if left_out else "",
        )

    def gone(
        self, *, record_id: str, identifiers: Mapping[str, str], custom: Mapping[str, str], action: ProfileAction
    ) -> Profile:
        """Return what is to be done to the profile of a record that is gone; a cleared one loses what the push set."""
        clears = action is ProfileAction.CLEAR
        push = self.push
        return Profile(
            record_id=record_id,
            identifiers=identifiers,
            custom_identifiers=custom,
            attributes=dict.fromkeys((*push.attributes, *push.fixed)) if clears else {},
            custom_attributes=dict.fromkeys((*push.custom_attributes, *push.custom_fixed)) if clears else {},
            action=action,
        )

    def identifiers_of(self, row: Row, record_id: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Return the identifiers of a row, standard and custom; both empty where it has no valid one."""
        found = self.identify(row, self._country(row), record_id)
        return ({}, {}) if isinstance(found, InvalidValue) else found

    def _country(self, row: Row) -> str | None:
        phone = self.push.phone
        said = row[phone.country_field] if phone.country_field else None
        return (country_code(said) if isinstance(said, str) else None) or phone.default_country


def compile_mapping(push: PushDefinition, *, salt: bytes = b"") -> Mapper:
    """Return what maps the rows of a push.

    Args:
        push: the definition.
        salt: the org's, for the transform `hash`; see `needs_salt`.
    """
    formed = {name: each for name, each in push.attributes.items() if name in _STANDARD and not each.transform}
    plain = {name: each for name, each in push.attributes.items() if name not in formed}
    return Mapper(
        push=push,
        identify=compile_identifiers(push.identifiers, salt=salt),
        attributes=compile_fields(plain, salt),
        custom_attributes=compile_fields(push.custom_attributes, salt),
        formed=tuple((name, each.field) for name, each in formed.items()),
        event=compile_event(push.push, push.event, salt=salt) if push.event else None,
    )


def needs_salt(push: PushDefinition) -> bool:
    """Return whether a mapped field is hashed."""
    return any("hash" in field.transform for _, field in push.mapped_fields)


def _formed(name: str, value: Any, country: str | None) -> Any:
    """Return an attribute in the form that platforms want of its name, or None where it is none."""
    if name == "country":
        return country_code(value) if isinstance(value, str) else None
    return identifier(name, value, country)


def _skipped(record_id: str, cause: str, message: str) -> Receipt:
    return Receipt(record_id=record_id, outcome=Outcome.SKIPPED, cause=cause, message=message)
