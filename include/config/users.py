"""Say what of ours uses a field, so that a change of it is seen for what it breaks; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from include.config.filters import comparisons
from include.config.loader import Definitions
from include.config.orgs import OrgDefinition
from include.config.pushes import PushDefinition
from include.config.queries import QueryDefinition

_ROLES = {
    "identifiers": "identifier",
    "attributes": "attribute",
    "custom_attributes": "attribute",
    "event": "event",
    "phone": "country of phones",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldUse:
    """Name a push, check, query or filter of an org that uses a field, and as what it does."""

    kind: str
    name: str
    role: str = ""


def uses_of(definitions: Definitions, org: str, object: str, field: str) -> tuple[FieldUse, ...]:
    """Return what of an org uses a field of an object, as `users_of` does, each push with what the field is to it."""
    found = [
        FieldUse(kind="push", name=push.push, role=role)
        for push in definitions.pushes.values()
        if push.org == org
        for role in _roles(push, object, field)
    ]
    found += [
        FieldUse(kind="check", name=check.check)
        for check in definitions.checks.values()
        if field in check.needs.get(object, ())
    ]
    if org in definitions.orgs:
        for words in _reading(definitions.orgs[org], object, field):
            kind, _, name = words.partition(" ")
            found.append(FieldUse(kind=kind, name=name.removeprefix("of ")))
    return tuple(dict.fromkeys(found))


def _roles(push: PushDefinition, object: str, field: str) -> Iterator[str]:
    paths = [(_ROLES[key.partition(".")[0]], path) for key, path in push.field_paths]
    if push.source.filter:
        paths += [("filter", each.field) for each in comparisons(push.source.filter)]
    for role, path in paths:
        if any(_uses(each, path, object, field) for each in push.source.objects_read):
            yield role


def users_of(definitions: Definitions, org: str, object: str, field: str) -> tuple[str, ...]:
    """Return what of an org uses a field of an object, as `push <name>`, `check <id>`, `query <name>` and `filter`.

    A field that is reached through a relationship (`Account.Name` of a contact) counts where its own name matches and
    the push or query reads over that relationship.
    """
    found = [
        f"push {push.push}"
        for push in definitions.pushes.values()
        if push.org == org
        and any(_uses(each, path, object, field) for each in push.source.objects_read for _, path in push.field_paths)
    ]
    found += [f"check {check.check}" for check in definitions.checks.values() if field in check.needs.get(object, ())]
    if org in definitions.orgs:
        found += _reading(definitions.orgs[org], object, field)
    return tuple(dict.fromkeys(found))


def _reading(org: OrgDefinition, object: str, field: str) -> Iterator[str]:
    """Yield what in the org's own definition reads by the field."""
    for query in org.queries:
        if _queried(query, object, field):
            yield f"query {query.name}"
    for filtered, conditions in org.filters.items():
        if any(_uses(filtered, each.field, object, field) for each in comparisons(conditions)):
            yield f"filter of {filtered}"


def _queried(query: QueryDefinition, object: str, field: str) -> bool:
    parts = query.parts
    if any(_uses(parts.object, each.path, object, field) for each in parts.columns if each.path):
        return True
    return parts.object == object and re.search(rf"(?<![\w.]){re.escape(field)}\b", parts.tail) is not None


def _uses(source: str, path: str, object: str, field: str) -> bool:
    *relations, last = path.split(".")
    if not relations:
        return source == object and last == field
    by_lookup = source == object and relations[0] in (field.removesuffix("Id"), field.replace("__c", "__r"))
    return by_lookup or (last == field and relations[-1].removesuffix("__r") in (object, object.removesuffix("__c")))
