"""Decide which checks need to be judged on some records only: all others would fail or pass as they did. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time

from include.config.checks import CheckDefinition
from include.config.folded_expectations import Filled, Folded
from include.quality.catalogue import KnownObject
from include.quality.lookups import Lookup, lookups_of, own_fields
from include.quality.predicate import condition
from include.warehouse.engine import quoted
from include.warehouse.health.assessments import IssueResult
from include.warehouse.health.changed_rows import Moment
from include.warehouse.health.journals import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Increment:
    """Hold the checks to be judged on changed records, and the moment since when changes count.

    `seen` has a word for each check that is due: what it is judged on now.
    """

    checks: tuple[CheckDefinition, ...]
    since: int
    seen: Mapping[str, str]

    @property
    def objects(self) -> tuple[str, ...]:
        """Return the objects whose changed rows must be known, by name."""
        return tuple(sorted({object for check in self.checks for object in _read(check)}))


def find_increment(
    due: Iterable[CheckDefinition],
    known: Mapping[str, KnownObject],
    before: Mapping[str, IssueResult],
    moment: Moment,
    *,
    schema: str,
    now: datetime,
) -> Increment:
    """Return which of the checks that are due can be judged on what changed.

    Args:
        due: the checks to be judged.
        known: what the warehouse has of each object.
        before: what the assessment before found, by check.
        moment: what this assessment sees.
        schema: where the org's tables are.
        now: the moment of the assessment.
    """
    seen: dict[str, str] = {}
    chosen: list[CheckDefinition] = []
    since = moment.low
    for check in due:
        basis = _basis(check, known, moment, schema=schema, now=now)
        seen[check.check] = f"{basis}@{moment.low}" if basis else ""
        past = before[check.check].seen if check.check in before else ""
        if basis and past.rpartition("@")[0] == basis:
            chosen.append(check)
            since = min(since, seen_from(past))
    return Increment(checks=tuple(chosen), since=since, seen=seen)


def looked_up(check: CheckDefinition) -> tuple[Lookup, ...]:
    """Return by what a check finds other records, where that can be told."""
    return lookups_of(check.predicate) or ()


def seen_from(seen: str) -> int:
    """Return from where on changes count that a verdict does not know; it must have been told what was judged."""
    return int(seen.rpartition("@")[2])


def wanted_journals(checks: Iterable[CheckDefinition]) -> dict[str, Wanted]:
    """Return what must be written down of each object, so that these checks can be judged on what changed."""
    listed = tuple(checks)
    wanted: dict[str, Wanted] = {}
    for object in sorted({object for check in listed for object in _read(check)}):
        own = [check for check in listed if check.object == object]
        fields = [each.fields for check in listed for each in looked_up(check) if each.object == object]
        fields += [own_fields(check.predicate) for check in own if looked_up(check)]
        wanted[object] = Wanted(
            fields=frozenset().union(*fields),
            conditions=frozenset(passed_over(own).values()),
        )
    return wanted


def passed_over(checks: Iterable[CheckDefinition]) -> dict[str, str]:
    """Return by check the condition of the records that it passes over: those with an empty field that it speaks of."""
    return {
        check.check: " OR ".join(f"{quoted(field)} IS NULL" for field in check.expect.columns)
        for check in checks
        if isinstance(check.expect, Folded) and not isinstance(check.expect, Filled)
    }


def read_first(low: int, checks: Iterable[CheckDefinition], seen: Mapping[str, str]) -> dict[str, int]:
    """Return by object from where on its journal is still needed for the next assessment.

    Args:
        low: from where on changes count that this assessment does not know.
        checks: those that were assessed.
        seen: by check what its verdict was judged on.
    """
    first: dict[str, int] = {}
    for check in checks:
        of_check = seen_from(seen[check.check]) if seen.get(check.check) else low
        for object in _read(check):
            first[object] = min(first.get(object, low), of_check)
    return first


def _read(check: CheckDefinition) -> frozenset[str]:
    return frozenset({check.object, *check.needs})


def _basis(
    check: CheckDefinition, known: Mapping[str, KnownObject], moment: Moment, *, schema: str, now: datetime
) -> str:
    """Return a hash of all but rows that a verdict follows from; "" when changed records do not decide it alone."""
    needed = sorted(_read(check))
    lookups = lookups_of(check.predicate)
    if check.unfolded or lookups is None:
        return ""
    if not all(known[name].version and name in moment.places for name in needed):
        return ""
    read = [(each.object, each.fields) for each in lookups]
    read += [(check.object, own_fields(check.predicate))] if lookups else []
    if not all(fields <= moment.journals[object].fields for object, fields in read):
        return ""
    today = datetime.combine(now.date(), time(), tzinfo=UTC)
    said = condition(check.predicate, schema=schema, now=today)
    content = json.dumps([check.object, said, [moment.places[name] for name in needed]])
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def few_enough(changed: int, records: int) -> bool:
    """Return whether judging changed records by their Ids is cheaper than reading the whole table."""
    return changed * 5 <= max(records, 1000)
