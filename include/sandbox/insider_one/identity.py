"""Change and remove the identifiers of a profile, as the identity endpoints do."""

from __future__ import annotations

from typing import Any

from include.sandbox.insider_one.store import Store

_KINDS = ("email", "phone_number", "uuid")


def change_identifier(store: Store, old: Any, new: Any) -> str | None:
    """Replace one identifier by another of the same kind; return the platform's text if that can't be."""
    if _count(old) != 1 or _count(new) != 1:
        return "there must be exactly 1 entry for both new and old identifiers"
    if _kind(old) is None or _kind(old) != _kind(new):
        return "no valid identifier"
    if old == new:
        return "identifier values are the same"
    if store.find({"identifiers": new}) is not None:
        return "new identifier already has a user assigned to it"
    found = store.find({"identifiers": old})
    if found is None:
        return "no valid identifier"
    number, profile = found
    identifiers = dict(profile["identifiers"])
    if "custom" in new:
        identifiers["custom"] = identifiers.get("custom", {}) | new["custom"]
    else:
        identifiers |= new
    store.replace(number, profile | {"identifiers": identifiers})
    return None


def remove_identifier(store: Store, one: Any) -> str | None:
    """Remove one identifier from its profile; return the platform's text if that can't be."""
    if _count(one) != 1 or _kind(one) is None:
        return "no valid identifier"
    found = store.find({"identifiers": one})
    if found is None:
        return "no valid identifier"
    number, profile = found
    identifiers = dict(profile["identifiers"])
    if _count(identifiers) <= 1:
        return "sole identifier can not be removed"  # guess
    if "custom" in one:
        identifiers["custom"] = {
            name: value for name, value in identifiers["custom"].items() if name not in one["custom"]
        }
    else:
        identifiers = {name: value for name, value in identifiers.items() if name not in one}
    store.replace(number, profile | {"identifiers": identifiers})
    return None


def _count(identifiers: Any) -> int:
    if not isinstance(identifiers, dict):
        return 0
    custom = identifiers.get("custom")
    return len(identifiers) - ("custom" in identifiers) + (len(custom) if isinstance(custom, dict) else 0)


def _kind(identifiers: dict[str, Any]) -> str | None:
    """Return the kind of the one identifier in it, or None if the platform knows no such kind."""
    if isinstance(identifiers.get("custom"), dict):
        return f"custom.{next(iter(identifiers['custom']))}"
    kind = str(next(iter(identifiers)))
    return kind if kind in _KINDS and isinstance(identifiers[kind], str) else None
