"""Judge the checks that are due and settle the ledger of findings: on changed records where they decide it alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from include.config.checks import CheckDefinition
from include.quality.catalogue import KnownObject
from include.quality.increment import Increment, few_enough, find_increment, looked_up
from include.quality.lookups import Lookup
from include.quality.predicate import expression
from include.quality.sweep import fill
from include.warehouse.assessments import IssueResult
from include.warehouse.changed_rows import Moment, keep_all, keep_changed, keep_compared, keep_finding
from include.warehouse.findings import Sweep, keep_touched, settle_findings


@dataclass(slots=True, kw_only=True)
class Judging:
    """Hold one assessment's judging: the checks that are due, what was found of them, and what could not be judged."""

    connection: Connection
    before: Mapping[str, IssueResult]
    whole: Sweep
    some: Mapping[str, tuple[Sweep, Sequence[CheckDefinition]]]  # by table of changed records: what was judged on it
    refused: Mapping[str, str]
    seen: Mapping[str, str]

    @property
    def touched(self) -> str:
        """Return the table that takes the records of which a finding appeared or was mended; "" at the first time."""
        return "touched" if self.before else ""

    def settle(self, org: str, assessment_id: int, judged: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Bring the findings of the checks that were judged to what was found; return appeared and mended of each."""
        judged_on = {check.check: table for table, (_, checks) in self.some.items() for check in checks}
        names = list(judged)
        if self.touched:
            keep_touched(self.connection, self.touched)
        rest = [name for name in names if name not in judged_on]
        settled = settle_findings(self.connection, org, assessment_id, self.whole, rest, touched=self.touched)
        for table, (sweep, _) in self.some.items():
            own = [name for name in names if judged_on.get(name) == table]
            settled |= settle_findings(
                self.connection, org, assessment_id, sweep, own, among=table, touched=self.touched
            )
        return settled

    def failing(self, settled: Mapping[str, tuple[int, int]]) -> dict[str, int]:
        """Return how many records fail each check that was judged."""
        counted = self.whole.counts()
        partly = {check.check for _, checks in self.some.values() for check in checks}
        return {
            name: self.before[name].failing + appeared - mended if name in partly else counted.get(name, 0)
            for name, (appeared, mended) in settled.items()
        }


def judge(
    connection: Connection,
    due: Sequence[CheckDefinition],
    known: Mapping[str, KnownObject],
    before: Mapping[str, IssueResult],
    moment: Moment,
    *,
    schema: str,
    now: datetime,
) -> Judging:
    """Find the records that fail the checks that are due.

    Args:
        connection: the assessment's; its snapshot is what is judged.
        due: the checks.
        known: what the warehouse has of each object.
        before: what the assessment before found, by check.
        moment: what that snapshot is, and what is known of changes.
        schema: where the org's tables are.
        now: the moment of the assessment.
    """
    increment = find_increment(due, known, before, moment, schema=schema, now=now)
    refused: dict[str, str] = {}
    some: dict[str, tuple[Sweep, Sequence[CheckDefinition]]] = {}
    for table, checks in _tables(connection, increment, before, moment, schema).items():
        sweep = Sweep(connection, f"found_{table}")
        refused |= fill(connection, sweep, checks, schema=schema, now=now, among=table)
        some[table] = (sweep, checks)
    partly = {check.check for _, checks in some.values() for check in checks}
    whole = Sweep(connection, "found")
    refused |= fill(connection, whole, [each for each in due if each.check not in partly], schema=schema, now=now)
    return Judging(connection=connection, before=before, whole=whole, some=some, refused=refused, seen=increment.seen)


def _tables(
    connection: Connection, increment: Increment, before: Mapping[str, IssueResult], moment: Moment, schema: str
) -> dict[str, list[CheckDefinition]]:
    """Return by temporary table of records the checks to be judged on it; where they are many, none is."""
    records = {issue.object: issue.records for issue in before.values()}
    changed: dict[str, str] = {}
    for number, object in enumerate(increment.objects):
        table = f"changed_{number}"
        rows = keep_changed(connection, table, moment.journals[object], since=increment.since)
        if few_enough(rows, records.get(object, 0)):
            changed[object] = table
    found = _FoundAgain(connection=connection, increment=increment, moment=moment, schema=schema, changed=changed)
    tables: dict[str, list[CheckDefinition]] = {}
    for check in increment.checks:
        if {check.object, *check.needs} <= changed.keys():
            own = [changed[check.object], *(found.table(check.object, each) for each in looked_up(check))]
            tables.setdefault("+".join(dict.fromkeys(name for name in own if name)), []).append(check)
    few: dict[str, list[CheckDefinition]] = {}
    for number, (names, checks) in enumerate(tables.items()):
        name = names
        if "+" in names:
            name = f"again_{number}"
            rows = keep_all(connection, name, names.split("+"))
            if not few_enough(rows, records.get(checks[0].object, 0)):
                continue
        few[name] = checks
    return few


@dataclass(slots=True, kw_only=True)
class _FoundAgain:
    """Find the records whose verdict another record may have changed: by what it is, or was, found by."""

    connection: Connection
    increment: Increment
    moment: Moment
    schema: str
    changed: Mapping[str, str]
    known: dict[tuple[str, Lookup], str] = field(default_factory=dict)

    def table(self, object: str, lookup: Lookup) -> str:
        """Return the table of an object's records that a lookup concerns; "" when nothing changed that it reads."""
        if (object, lookup) not in self.known:
            number = len(self.known)
            compared = f"compared_{number}"
            rows = keep_compared(
                self.connection,
                compared,
                self.schema,
                lookup.object,
                self.moment.journals[lookup.object],
                since=self.increment.since,
                fields=lookup.fields,
                alias=lookup.alias,
                compared=expression(lookup.theirs),
            )
            name = f"finding_{number}" if rows else ""
            if rows:
                keep_finding(self.connection, name, self.schema, object, expression(lookup.own), compared)
            self.known[object, lookup] = name
        return self.known[object, lookup]
