"""Judge the checks that are due and settle the ledger of findings: on changed records where they decide it alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from include.config.checks import CheckDefinition
from include.quality.catalogue import KnownObject
from include.quality.increment import Increment, few_enough, find_increment, looked_up
from include.quality.lookups import Lookup, own_fields
from include.quality.predicate import expression
from include.quality.sweep import fill
from include.warehouse.engine import quoted
from include.warehouse.health.assessments import IssueResult
from include.warehouse.health.changed_rows import (
    Moment,
    Written,
    keep_all,
    keep_changed,
    keep_compared,
    keep_finding,
    keep_written,
)
from include.warehouse.health.findings import Sweep, keep_touched, settle_findings

_NONE = ""  # a table without rows


@dataclass(slots=True, kw_only=True)
class Judging:
    """Hold one assessment's judging: the checks that are due, what was found of them, and what could not be judged."""

    connection: Connection
    before: Mapping[str, IssueResult]
    whole: Sweep
    some: Mapping[str, tuple[Sweep, Sequence[CheckDefinition]]]  # by table of changed records: what was judged on it
    refused: Mapping[str, str]
    seen: Mapping[str, str]
    untouched: Sequence[CheckDefinition] = ()  # nothing changed that they read

    @property
    def touched(self) -> str:
        """Return the table that takes the records of which a finding appeared or was mended; "" at the first time."""
        return "touched" if self.before else ""

    @property
    def _judged_on(self) -> dict[str, str]:
        """Return by check that was not judged whole the table that it was judged on."""
        partly = {check.check: table for table, (_, checks) in self.some.items() for check in checks}
        return partly | dict.fromkeys((check.check for check in self.untouched), _NONE)

    def settle(self, org: str, assessment_id: int, judged: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Bring the findings of the checks that were judged to what was found; return appeared and mended of each."""
        judged_on = self._judged_on
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
        return settled | {name: (0, 0) for name in names if judged_on.get(name) == _NONE}

    def failing(self, settled: Mapping[str, tuple[int, int]]) -> dict[str, int]:
        """Return how many records fail each check that was judged."""
        counted = self.whole.counts()
        partly = self._judged_on
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
    tables = _tables(connection, increment, before, moment, schema)
    untouched = tables.pop(_NONE, [])
    for table, checks in tables.items():
        sweep = Sweep(connection, f"found_{table}")
        refused |= fill(connection, sweep, checks, schema=schema, now=now, among=table)
        some[table] = (sweep, checks)
    partly = {check.check for check in (*untouched, *(each for _, checks in some.values() for each in checks))}
    whole = Sweep(connection, "found")
    refused |= fill(connection, whole, [each for each in due if each.check not in partly], schema=schema, now=now)
    return Judging(
        connection=connection, before=before, whole=whole, some=some, refused=refused, seen=increment.seen,
        untouched=untouched,
    )  # fmt: skip


def _tables(
    connection: Connection, increment: Increment, before: Mapping[str, IssueResult], moment: Moment, schema: str
) -> dict[str, list[CheckDefinition]]:
    """Return by temporary table of records the checks to be judged on it; where they are many, none is.

    Under no table are those that nothing concerns that changed.
    """
    records = {issue.object: issue.records for issue in before.values()}
    changed: dict[str, str] = {}
    for number, object in enumerate(increment.objects):
        table = f"changed_{number}"
        rows = keep_changed(connection, table, moment.journals[object], since=increment.since)
        judged = {check.object for check in increment.checks if object in (check.object, *check.needs)}
        if few_enough(rows, max(records.get(each, 0) for each in judged)):
            changed[object] = table if rows else _NONE
    concerned = _Concerned(connection=connection, since=increment.since, moment=moment, schema=schema)
    tables: dict[tuple[str, ...], list[CheckDefinition]] = {}
    for check in increment.checks:
        if {check.object, *check.needs} <= changed.keys():
            names = concerned.by(check) if looked_up(check) else [changed[check.object]]
            tables.setdefault(tuple(dict.fromkeys(name for name in names if name)), []).append(check)
    few: dict[str, list[CheckDefinition]] = {}
    for number, (several, checks) in enumerate(tables.items()):
        name = f"concerned_{number}" if len(several) > 1 else _NONE.join(several)
        rows = keep_all(connection, name, several) if len(several) > 1 else concerned.rows.get(name, 0)
        if few_enough(rows, records.get(checks[0].object, 0)):
            few[name] = checks
    return few


@dataclass(slots=True, kw_only=True)
class _Concerned:
    """Find the records whose verdict may have changed, of checks that find other records.

    They are those that changed in a field that the check reads, and those that find, or found, another one that did.
    """

    connection: Connection
    since: int
    moment: Moment
    schema: str
    known: dict[object, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def by(self, check: CheckDefinition) -> list[str]:
        """Return the tables of the records that a check concerns; _NONE stands for one without any."""
        written = self._written(check.object, own_fields(check.predicate))
        if written not in self.known:
            self._note(written, keep_written(self.connection, self._name, written))
        return [self.known[written], *(self._finding(check.object, each) for each in looked_up(check))]

    def _finding(self, object: str, lookup: Lookup) -> str:
        if (object, lookup) not in self.known:
            compared = f"compared_{len(self.known)}"
            written = self._written(lookup.object, lookup.fields)
            said = expression(lookup.theirs)
            rows = keep_compared(self.connection, compared, written, alias=lookup.alias, compared=said)
            if rows:
                own = expression(lookup.own)
                rows = keep_finding(self.connection, self._name, self.schema, object, own, compared)
            self._note((object, lookup), rows)
        return self.known[object, lookup]

    def _written(self, object: str, fields: frozenset[str]) -> Written:
        table = quoted(self.schema, object)
        return Written(table=table, journal=self.moment.journals[object], since=self.since, fields=fields)

    @property
    def _name(self) -> str:
        return f"written_{len(self.known)}"

    def _note(self, what: object, rows: int) -> None:
        name = self._name
        self.known[what] = name if rows else _NONE
        self.rows[name] = rows
