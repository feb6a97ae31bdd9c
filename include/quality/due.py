"""Decide which checks must be judged again and which still stand: nothing that they read has changed. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from include.config.checks import CheckDefinition
from include.quality.catalogue import KnownObject
from include.quality.predicate import condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Hold the checks to be judged now, those that stand as they were, and what each is judged on."""

    checks: tuple[CheckDefinition, ...]
    standing: tuple[CheckDefinition, ...]
    bases: Mapping[str, str]


def due_checks(
    checks: Iterable[CheckDefinition],
    known: Mapping[str, KnownObject],
    before: Mapping[str, str],
    *,
    now: datetime,
    compared: Mapping[str, str] = MappingProxyType({}),
) -> Due:
    """Return what must be judged: checks whose definition or data changed, and daily those that read the clock.

    Where GX itself judges a check of an object, it is due with any other of that object: its answer is not kept apart.

    Args:
        checks: those that can be assessed.
        known: what the warehouse has of each object.
        before: the basis of each verdict of the assessment before.
        now: the moment of the assessment.
        compared: by check of duplicates, a word that is another when a pair came or went.
    """
    listed = tuple(checks)
    bases = {check.check: basis_of(check, known, now=now, compared=compared) for check in listed}
    # Where nothing but duplicates is looked for, no other check notices how many records there are.
    counted = {check.object for check in listed if check.duplicates is None}
    for check in listed:
        if bases[check.check] and check.object not in counted:
            bases[check.check] = _hash([bases[check.check], known[check.object].version])
    changed = {
        check.check for check in listed if not bases[check.check] or before.get(check.check) != bases[check.check]
    }
    touched = {check.object for check in listed if check.check in changed}
    due = tuple(check for check in listed if check.check in changed or (check.unfolded and check.object in touched))
    return Due(checks=due, standing=tuple(check for check in listed if check not in due), bases=bases)


def basis_of(
    check: CheckDefinition,
    known: Mapping[str, KnownObject],
    *,
    now: datetime,
    compared: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return a hash of all that the verdict follows from; "" when it can't be told, so that nothing is taken over."""
    if check.duplicates is not None:  # it follows from the pairs alone, whatever else changed
        pairs = compared.get(check.check, "")
        return _hash([check.object, check.duplicates.model_dump(mode="json"), pairs]) if pairs else ""
    versions = {name: known[name].version for name in sorted({check.object, *check.needs})}
    if not all(versions.values()):
        return ""
    day = now.date().isoformat() if check.clock else ""
    return _hash([_said(check), _question(check), versions, day])


def asked_by(check: CheckDefinition) -> str:
    """Return a hash of what a check asks, whatever the data: another one, and an older verdict answers it no more."""
    return _hash([_said(check), _question(check)])


def _said(check: CheckDefinition) -> dict[str, object]:
    return check.model_dump(mode="json", include={"object", "bad_when", "expect"})


def _question(check: CheckDefinition) -> str:
    """Return what the warehouse is asked: another list that comes with us makes another question of the same words."""
    if not check.names_records:
        return ""
    return condition(check.predicate, schema="", now=datetime.min.replace(tzinfo=UTC))


def _hash(content: object) -> str:
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()
