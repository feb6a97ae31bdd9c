"""See to it that duplicates are found before the checks that name them are judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from include.config.checks import CheckDefinition
from include.config.orgs import OrgDefinition
from include.quality.duplicates import RULES_ACROSS, find_duplicates
from include.quality.sweep import known_objects
from include.warehouse.engine import transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Hold, by check of duplicates, a word that is another when a pair came or went; or why it can't be judged."""

    states: Mapping[str, str]
    refused: Mapping[str, str]


def compare_records(engine: Engine, org: OrgDefinition, checks: Iterable[CheckDefinition]) -> Compared:
    """Bring the pairs up to date that the checks ask for, in transactions of their own, and say how that went."""
    asking = {check.check: check for check in checks if check.enabled and check.duplicates is not None}
    if not asking:
        return Compared(states={}, refused={})
    with transaction(engine) as connection:
        loaded = {name for name, each in known_objects(connection, org.org, org.schema_name).items() if each.loaded}
    wanted = {name: sides for name, check in asking.items() if set(sides := _sides(check)) <= loaded}
    found = find_duplicates(engine, org, set(wanted.values()))
    states: dict[str, str] = {}
    refused: dict[str, str] = {}
    for name, sides in wanted.items():
        rules = _rules(asking[name])
        unusable = {**_foreign(org, sides, rules), **found[sides].unusable}
        if all(rule in unusable for rule in rules):
            refused[name] = _why_not(rules, unusable)
        else:
            states[name] = found[sides].state
    return Compared(states=states, refused=refused)


def _sides(check: CheckDefinition) -> tuple[str, str]:
    assert check.duplicates is not None
    return check.object, check.duplicates.among or check.object


def _rules(check: CheckDefinition) -> tuple[str, ...]:
    assert check.duplicates is not None
    return check.duplicates.rules


def _foreign(org: OrgDefinition, sides: tuple[str, str], rules: Iterable[str]) -> dict[str, str]:
    """Return, by rule by which such records are never compared, the reason: finding nothing, it would pass."""
    one, other = sides
    definition = org.duplicates.get(one)
    if definition is None:
        return {}
    known = definition.rules if one == other else RULES_ACROSS
    compared = f"{one}, a {definition.kind}, is" if one == other else f"{one} and {other} are"
    return {rule: f"{compared} compared by {', '.join(known)} only" for rule in rules if rule not in known}


def _why_not(rules: Iterable[str], unusable: Mapping[str, str]) -> str:
    """Return why none of the rules could be used, each reason once."""
    reasons: dict[str, list[str]] = {}
    for rule in rules:
        reasons.setdefault(unusable[rule], []).append(rule)
    return "; ".join(f"{', '.join(named)}: {reason}" for reason, named in reasons.items())
