"""Mask what a preview shows of people: the shape of a request stays, its values go. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from include.config.pushes import PushDefinition
from include.record_ids import whole_id
from include.records import Profile
from include.warehouse.personal.masks import MASK

_PLAIN_KEYS = frozenset({"type"})  # of the platforms' envelopes: the kind of an element, never a person's value


def masked_body(body: Any, push: PushDefinition, profile: Profile, plain: Collection[str] = ()) -> Any:
    """Return a request's JSON with every value masked that could be a person's.

    Shown are the keys, what is not filled, the names of events and the record's Id; behind their names the definition's
    fixed values and the values of attributes whose field is not personal; and yes and no that the platform's form asks
    for. Behind a name that stands for a personal field nothing is shown, not even what is shown elsewhere: from a value
    that is shown for some and masked for others, one could tell who has it.

    Args:
        body: the request.
        push: the definition.
        profile: whose request it is.
        plain: the field paths that are not personal.
    """
    mapped = list(_mapped(push, profile))
    personal = {name for name, path, _ in mapped if path not in plain}
    personal |= {*push.identifiers.standard, *push.identifiers.custom}
    answered = any(isinstance(value, bool) for name, _, value in mapped if name in personal)
    # The key of a model's row may be somebody's address.
    own_id = profile.record_id if whole_id(profile.record_id) == profile.record_id else ""
    shown = _Shown(
        own_id=own_id,
        anywhere=frozenset(event.name for event in profile.events),
        behind=_behind_names(push, mapped, plain, personal),
        personal=frozenset(personal),
        yes_or_no=not answered,
    )
    return _masked(body, shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """Hold what is shown of a request: the record's Id, values anywhere, values behind names, none behind others."""

    own_id: str
    anywhere: frozenset[str]
    behind: Mapping[str, Collection[str]]
    personal: frozenset[str]
    yes_or_no: bool  # behind a name that is not known


def _behind_names(
    push: PushDefinition, mapped: Iterable[tuple[str, str, Any]], plain: Collection[str], personal: Collection[str]
) -> Mapping[str, Collection[str]]:
    """Return the values that may be shown behind a name; none behind one that is also a personal field's."""
    fixed = [push.fixed, push.custom_fixed]
    if push.event is not None:
        fixed += [push.event.fixed_params, push.event.custom_fixed_params]
    found: list[tuple[str, Any]] = [(name, value) for values in fixed for name, value in values.items()]
    found += [(name, value) for name, path, value in mapped if path in plain]
    values: dict[str, set[str]] = {}
    for name, value in found:
        if name not in personal:
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


def _masked(value: Any, shown: _Shown, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _masked(each, shown, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_masked(each, shown, key) for each in value]
    return value if _is_shown(value, shown, key) else MASK


def _is_shown(value: Any, shown: _Shown, key: str) -> bool:
    if value is None or str(value) == shown.own_id:
        return True
    if key in shown.personal:
        return False
    if isinstance(value, bool) and key not in shown.behind:
        return shown.yes_or_no
    return key in _PLAIN_KEYS or str(value) in shown.anywhere or str(value) in shown.behind.get(key, ())
