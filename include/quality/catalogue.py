"""Decide which checks can be assessed on an org, and say for each other one what is missing and where to add it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from include.config.checks import CheckDefinition
from include.config.inspect import nearest_name
from include.config.orgs import OrgDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownObject:
    """Hold what the warehouse has of an object: whether its first load is complete, and its usable columns.

    `version` differs once a run has changed rows of it; "" when no run is on record.
    """

    loaded: bool
    columns: frozenset[str]
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Hold the checks that can be assessed, and the others with the reason why not."""

    assessable: tuple[CheckDefinition, ...]
    missing: tuple[tuple[CheckDefinition, str], ...]

    @property
    def objects(self) -> tuple[str, ...]:
        """Return the objects that at least one check judges, by name."""
        return tuple(sorted({check.object for check in self.assessable}))

    def of(self, object: str) -> tuple[CheckDefinition, ...]:
        """Return the checks that judge this object."""
        return tuple(check for check in self.assessable if check.object == object)

    def without(self, refused: Mapping[str, str]) -> Catalogue:
        """Return the catalogue with these checks moved to the missing ones; `refused` gives their reasons by name."""
        moved = tuple((check, refused[check.check]) for check in self.assessable if check.check in refused)
        return Catalogue(
            assessable=tuple(check for check in self.assessable if check.check not in refused),
            missing=self.missing + moved,
        )


def choose_checks(org: OrgDefinition, checks: Iterable[CheckDefinition], known: Mapping[str, KnownObject]) -> Catalogue:
    """Return which of the checks that are switched on can be assessed on what is known of the org."""
    assessable: list[CheckDefinition] = []
    missing: list[tuple[CheckDefinition, str]] = []
    for check in sorted(checks, key=lambda each: each.check):
        if not check.enabled:
            continue
        reasons = [
            reason for name in check.needs if (reason := _missing(org, name, check.needs[name], known.get(name)))
        ]
        if reasons:
            missing.append((check, "; ".join(reasons)))
        else:
            assessable.append(check)
    return Catalogue(assessable=tuple(assessable), missing=tuple(missing))


def _missing(org: OrgDefinition, name: str, fields: tuple[str, ...], known: KnownObject | None) -> str:
    """Return what stands in the way of reading these fields of an object, or ""."""
    if name not in org.all_objects:
        near = nearest_name(name, dict.fromkeys(org.all_objects, ""))
        meant = f", or write {near} if that is meant" if near else ""
        return f"{name} is not read from this org: add {name} to objects in orgs/{org.org}.yaml{meant}"
    if known is None or not known.loaded:
        return f"{name} is not loaded yet: its first extract must be complete"
    absent = [f"{name}.{field}" for field in fields if field not in known.columns]
    if absent:
        verb = "is" if len(absent) == 1 else "are"
        unknown = next(field for field in fields if field not in known.columns)
        near = nearest_name(unknown, dict.fromkeys(known.columns, ""))
        meant = f", or write {near} if that is meant" if near else ""
        return (
            f"{', '.join(absent)} {verb} not shown by the org: let the connection's user read it,"
            f" or switch the check off (enabled: false){meant}"
        )
    return ""
