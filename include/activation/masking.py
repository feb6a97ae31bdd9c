"""Mask what a preview shows of people: the shape of a request stays, its values go. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from include.config.pushes import PushDefinition
from include.records import Profile

_PLAIN_KEYS = frozenset({"type"})  # of the platforms' envelopes: the kind of an element, never a person's value


def masked_body(body: Any, push: PushDefinition, profile: Profile) -> Any:
    """Return a request's JSON with every value masked that could be a person's.

    Shown are the keys, true and false, the definition's fixed values, the names of events, and the record's Id.
    """
    fixed = [*push.fixed.values(), *push.custom_fixed.values()]
    if push.event is not None:
        fixed += [*push.event.fixed_params.values(), *push.event.custom_fixed_params.values()]
    shown = {str(value) for value in fixed} | {event.name for event in profile.events} | {profile.record_id}
    return _masked(body, shown)


def masked_text(text: str) -> str:
    """Return the first letter of a text, and that there is more."""
    return f"{text[:1]}•••" if len(text) > 1 else "•" if text else ""


def _masked(value: Any, shown: Collection[str], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _masked(each, shown, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_masked(each, shown, key) for each in value]
    if value is None or isinstance(value, bool) or key in _PLAIN_KEYS or str(value) in shown:
        return value
    return masked_text(value) if isinstance(value, str) else "•••"
