"""Compare the definitions with what the orgs really hold: unknown objects and fields, with the nearest API name; pure.

What a file alone proves wrong is found by the loader. This is the part that only the org can prove.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from include.config.checks import CheckDefinition
from include.config.duplicates import own_fields
from include.config.filters import comparisons
from include.config.loader import Definitions
from include.config.orgs import OrgDefinition
from include.config.pushes import PushDefinition
from include.errors import DefinitionError
from include.records import Describe, Field

Described = Mapping[str, Describe]  # of one org, by API name of the object

_COMPOUND = frozenset({"address", "location"})


def inspect_definitions(
    definitions: Definitions,
    describes: Mapping[str, Described],
    *,
    known_objects: Mapping[str, Mapping[str, str]] | None = None,
) -> list[DefinitionError]:
    """Return one error for each object or field that a definition names and its org does not have.

    Args:
        definitions: what the folder defines.
        describes: for each org that could be asked, its objects by API name; an org left out is not inspected.
        known_objects: for each org, labels of all its objects by API name; used for suggestions only.
    """
    errors: list[DefinitionError] = []
    for name in definitions.orgs:
        if name in describes:
            labels = (known_objects or {}).get(name, {})
            errors += _unknown_objects(definitions, name, describes[name], labels)
            errors += _in_duplicates(definitions.orgs[name], describes[name])
    for push in definitions.pushes.values():
        if push.org in describes:
            errors += _in_push(push, describes[push.org])
    asked = {name: describes[name] for name in definitions.orgs if name in describes}
    for check in definitions.checks.values():
        errors += _in_check(check, asked)
    return errors


def missing_part(object: str, path: str, described: Described) -> str:
    """Return what is wrong with a field path such as ``Email`` or ``Account.Name`` seen from `object`, or "".

    A path through an object that was not described is not judged: the org may have it all the same.
    """
    *relations, last = path.split(".")
    for relation in relations:
        if object not in described:
            return ""
        lookup = _lookup_field(described[object], relation)
        if lookup is None:
            return f"{object} has no relationship {relation}{_nearest(relation, _relationships(described[object]))}"
        targets = [each for each in lookup.reference_to if each in described]
        if not targets:
            return ""
        object = targets[0]
    return _missing_field(described[object], last) if object in described else ""


def nearest_name(written: str, labels: Mapping[str, str]) -> str | None:
    """Return the API name that was most likely meant, or None.

    Args:
        written: what a person wrote: a name in the wrong case, without its ``__c``, misspelt, or a label.
        labels: the label of each name there is, by API name.
    """
    wanted = _plain(written)
    for spelling in (_plain, _without_suffix):
        for name in labels:
            if spelling(name) == wanted:
                return name
    for name, label in labels.items():
        if label and _plain(label) == wanted:
            return name
    spellings = {_plain(label): name for name, label in labels.items() if label}
    spellings |= {_without_suffix(name): name for name in labels}
    spellings |= {_plain(name): name for name in labels}
    close = get_close_matches(wanted, list(spellings), n=1, cutoff=0.6)
    return spellings[close[0]] if close else None


def _unknown_objects(
    definitions: Definitions, org: str, described: Described, labels: Mapping[str, str]
) -> Iterator[DefinitionError]:
    candidates = {each.object: each.label for each in described.values()} | dict(labels)
    for object in definitions.orgs[org].all_objects:
        if object not in described:
            hint = _nearest(object, candidates)
            yield DefinitionError(
                f"the org has no object {object} that our user can see{hint}", file=f"orgs/{org}.yaml", key="objects"
            )


def _in_duplicates(org: OrgDefinition, described: Described) -> Iterator[DefinitionError]:
    """Yield what keeps a field that a person named from being compared; the rules that want it would not say so."""
    for object, definition in org.duplicates.items():
        if object not in described:
            continue
        for role, field in own_fields(object, definition).items():
            problem = _missing_field(described[object], field) or _of_another_type(described[object], role, field)
            if problem:
                yield DefinitionError(problem, file=f"orgs/{org.org}.yaml", key=f"duplicates.{object}.{role}")


_TYPES = {"leave_out": "boolean", "birthdate": "date"}


def _of_another_type(described: Describe, role: str, name: str) -> str:
    field, wanted = described.field(name), _TYPES.get(role, "")
    if field is None or not wanted or field.type == wanted:
        return ""
    what = "a checkbox" if wanted == "boolean" else "a date"
    return f"{described.object}.{name} is of type {field.type}; {role} takes {what}"


def _in_push(push: PushDefinition, described: Described) -> Iterator[DefinitionError]:
    file = f"pushes/{push.push}.yaml"
    for object in push.source.objects_read:
        if object not in described:
            hint = _nearest(object, _labels_of_objects(described))
            yield DefinitionError(
                f"the org {push.org!r} has no object {object} that our user can see{hint}",
                file=file,
                key=f"source.{push.source.kind}",
            )
            return
    if push.source.object is None:
        return  # its columns are those of its result, which the select task looks up
    paths = [*push.field_paths, *(("source.filter", each.field) for each in comparisons(push.source.filter or ()))]
    for key, path in paths:
        problem = missing_part(push.source.object, path, described)
        if problem:
            yield DefinitionError(problem, file=file, key=key)


def _in_check(check: CheckDefinition, described: Mapping[str, Described]) -> Iterator[DefinitionError]:
    """Yield what keeps a check from running in every org; one org in which it runs is enough.

    With several orgs a check may be meant for one of them; in the others it is simply not assessed.
    """
    problems = [_problems_of(check, each) for each in described.values()]
    if problems and all(problems):
        for problem in min(problems, key=len):
            yield DefinitionError(problem, file="checks/", key=check.check)


def _problems_of(check: CheckDefinition, described: Described) -> list[str]:
    problems: list[str] = []
    for object, fields in check.needs.items():
        if object not in described:
            hint = _nearest(object, _labels_of_objects(described))
            problems.append(f"no org reads an object {object}{hint}; the check is not assessed")
            continue
        missing = (_missing_field(described[object], field) for field in fields)
        if not check.where_present:
            problems += [f"{problem}; the check is not assessed" for problem in missing if problem]
    return problems


def _missing_field(described: Describe, name: str) -> str:
    field = described.field(name)
    if field is None:
        labels = {each.name: each.label for each in described.fields}
        return f"{described.object} has no field {name}{_nearest(name, labels)}"
    if field.type in _COMPOUND:
        parts = ", ".join(each.name for each in described.fields if each.compound == name and each.name != name)
        return (
            f"{described.object}.{name} is made of parts and is not kept; name one of them: {parts or 'none is seen'}"
        )
    return ""


def _lookup_field(described: Describe, relation: str) -> Field | None:
    """Return the field behind a relationship: Account -> AccountId, Region__r -> Region__c."""
    name = f"{relation.removesuffix('__r')}__c" if relation.endswith("__r") else f"{relation}Id"
    field = described.field(name)
    return field if field is not None and field.reference_to else None


def _relationships(described: Describe) -> dict[str, str]:
    return {
        f"{each.name.removesuffix('__c')}__r" if each.name.endswith("__c") else each.name.removesuffix("Id"): each.label
        for each in described.fields
        if each.reference_to
    }


def _labels_of_objects(described: Described) -> dict[str, str]:
    return {each.object: each.label for each in described.values()}


def _nearest(written: str, labels: Mapping[str, str]) -> str:
    found = nearest_name(written, labels)
    if found is None:
        return ""
    label = labels[found]
    by_label = label and _plain(label) == _plain(written) and _plain(found) != _plain(written)
    return f" ({label!r} is the label of {found}; write that)" if by_label else f" (did you mean {found}?)"


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _without_suffix(name: str) -> str:
    return _plain(re.sub(r"__[cr]$", "", name))
