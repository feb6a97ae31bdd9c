"""Decide which checks need to be judged on changed records only: all others would fail or pass as they did. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time

from include.config.checks import CheckDefinition
from include.quality.catalogue import KnownObject
from include.quality.lookups import Lookup, lookups_of
from include.quality.predicate import condition
from include.warehouse.assessments import IssueResult
from include.warehouse.changed_rows import Moment


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
        own = {check.object for check in self.checks}
        return tuple(sorted(own | {each.object for check in self.checks for each in looked_up(check)}))


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
        past = before[check.check].seen.rpartition("@") if check.check in before else ("", "", "")
        if basis and past[0] == basis and moment.reaches(int(past[2])):
            chosen.append(check)
            since = min(since, int(past[2]))
    return Increment(checks=tuple(chosen), since=since, seen=seen)


def looked_up(check: CheckDefinition) -> tuple[Lookup, ...]:
    """Return what a check looks up by Id."""
    return lookups_of(check.predicate) or ()


def _basis(
    check: CheckDefinition, known: Mapping[str, KnownObject], moment: Moment, *, schema: str, now: datetime
) -> str:
    """Return a hash of all but rows that a verdict follows from; "" when changed records do not decide it alone."""
    needed = sorted({check.object, *check.needs})
    if check.unfolded or lookups_of(check.predicate) is None:
        return ""
    if not all(known[name].version and name in moment.places for name in needed):
        return ""
    today = datetime.combine(now.date(), time(), tzinfo=UTC)
    said = condition(check.predicate, schema=schema, now=today)
    content = json.dumps([check.object, said, [moment.places[name] for name in needed]])
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def few_enough(changed: int, records: int) -> bool:
    """Return whether judging changed records by their Ids is cheaper than reading the whole table."""
    return changed * 5 <= max(records, 1000)
