"""Mask what a preview shows of people: the shape of a request stays, its values go. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from include.config.pushes import PushDefinition
from include.record_ids import whole_id
from include.records import Profile

_PLAIN_KEYS = frozenset({"type"})  # of the platforms' envelopes: the kind of an element, never a person's value


def masked_body(body: Any, push: PushDefinition, profile: Profile, plain: Collection[str] = ()) -> Any:
    """Return a request's JSON with every value masked that could be a person's.

    Shown are the keys, true and false, the definition's fixed values, the names of events, the record's Id, and the
    values of attributes whose field is not personal: where their name stands in the request with their value behind it.

    Args:
        body: the request.
        push: the definition.
        profile: whose request it is.
        plain: the field paths that are not personal.
    """
    fixed = [*push.fixed.values(), *push.custom_fixed.values()]
    if push.event is not None:
        fixed += [*push.event.fixed_params.values(), *push.event.custom_fixed_params.values()]
    shown = {str(value) for value in fixed} | {event.name for event in profile.events}
    if whole_id(profile.record_id) == profile.record_id:  # the key of a model's row may be somebody's address
        shown.add(profile.record_id)
    return _masked(body, shown, _plain_values(push, profile, plain))


def masked_text(text: str) -> str:
    """Return the first letter of a text, and that there is more."""
    return f"{text[:1]}•••" if len(text) > 1 else "•" if text else ""


def _plain_values(push: PushDefinition, profile: Profile, plain: Collection[str]) -> Mapping[str, Collection[str]]:
    """Return the values that may be shown behind a name; none behind one that is also a personal field's."""
    mapped = list(_mapped(push, profile))
    personal = {*push.identifiers.standard, *push.identifiers.custom}
    personal |= {name for name, path, _ in mapped if path not in plain}
    values: dict[str, set[str]] = {}
    for name, path, value in mapped:
        if path in plain and name not in personal:
            values.setdefault(name, set()).update(map(str, value if isinstance(value, list | tuple) else [value]))
    return values


def _mapped(push: PushDefinition, profile: Profile) -> Iterator[tuple[str, str, Any]]:
    """Yield the name, the field path and the value of what is mapped, but for identifiers: those are people's."""
    groups = [(push.attributes, profile.attributes), (push.custom_attributes, profile.custom_attributes)]
    if push.event is not None:
        for event in profile.events:
            groups += [(push.event.params, event.params), (push.event.custom_params, event.custom_params)]
    for mapped, values in groups:
        for name, field in mapped.items():
            yield name, field.field, values.get(name)


def _masked(value: Any, shown: Collection[str], plain: Mapping[str, Collection[str]], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _masked(each, shown, plain, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_masked(each, shown, plain, key) for each in value]
    if value is None or isinstance(value, bool) or key in _PLAIN_KEYS or str(value) in shown:
        return value
    if str(value) in plain.get(key, ()):
        return value
    return masked_text(value) if isinstance(value, str) else "•••"
