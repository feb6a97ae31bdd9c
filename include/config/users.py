"""Say which pushes and checks use a field, so that a change of it is seen for what it breaks; pure."""

from __future__ import annotations

from include.config.loader import Definitions


def users_of(definitions: Definitions, org: str, object: str, field: str) -> tuple[str, ...]:
    """Return the pushes and checks of an org that use a field of an object, as `push <name>` and `check <id>`.

    A field that is reached through a relationship (`Account.Name` of a contact) counts where its own name matches and
    the push reads over that relationship.
    """
    found = [
        f"push {push.push}"
        for push in definitions.pushes.values()
        if push.org == org
        and any(_uses(each, path, object, field) for each in push.source.objects_read for _, path in push.field_paths)
    ]
    found += [f"check {check.check}" for check in definitions.checks.values() if field in check.needs.get(object, ())]
    return tuple(dict.fromkeys(found))


def _uses(source: str, path: str, object: str, field: str) -> bool:
    *relations, last = path.split(".")
    if not relations:
        return source == object and last == field
    by_lookup = source == object and relations[0] in (field.removesuffix("Id"), field.replace("__c", "__r"))
    return by_lookup or (last == field and relations[-1].removesuffix("__r") in (object, object.removesuffix("__c")))
