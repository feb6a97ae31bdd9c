"""Judge the checks that are due and settle the ledger of findings: on changed records where they decide it alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from include.config.checks import CheckDefinition
from include.quality.catalogue import KnownObject
from include.quality.increment import Increment, few_enough, find_increment, looked_up
from include.quality.sweep import fill
from include.warehouse.assessments import IssueResult
from include.warehouse.changed_rows import Moment, keep_changed, keep_pointing, this_moment
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
        schema: where the org's tables are.
        now: the moment of the assessment.
    """
    moment = this_moment(connection, schema)
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
    """Return by temporary table of changed records the checks to be judged on it; where they are many, none is."""
    records = {issue.object: issue.records for issue in before.values()}
    changed: dict[str, str] = {}
    for number, object in enumerate(increment.objects):
        table = f"changed_{number}"
        rows = keep_changed(connection, table, schema, object, since=increment.since, moment=moment)
        if few_enough(rows, records.get(object, 0)):
            changed[object] = table
    tables: dict[str, list[CheckDefinition]] = {}
    for object in sorted({check.object for check in increment.checks} & changed.keys()):
        own = [check for check in increment.checks if check.object == object]
        tables[changed[object]] = [check for check in own if not looked_up(check)]
        pointing = [check for check in own if looked_up(check)]
        pointed = {(each.field, changed.get(each.object, "")) for check in pointing for each in looked_up(check)}
        if pointing and all(known for _, known in pointed):
            table = f"pointing_{changed[object]}"
            rows = keep_pointing(connection, table, schema, object, changed[object], pointed)
            if few_enough(rows, records.get(object, 0)):
                tables[table] = pointing
    return {table: checks for table, checks in tables.items() if checks}
