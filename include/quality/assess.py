"""Assess the health of an org: judge every check, grade the objects, keep it all in one transaction."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from include.config.checks import CheckDefinition
from include.config.orgs import OrgDefinition
from include.errors import WarehouseDown
from include.quality.catalogue import Catalogue, choose_checks
from include.quality.documents import Documents, Tally, documents_of
from include.quality.due import Due, due_checks
from include.quality.duplicate_checks import Compared, compare_records
from include.quality.grade import WEIGHTS, grade_all, grade_object
from include.quality.increment import few_enough, passed_over
from include.quality.issues import Found, Past, insist_on_agreement, put_together
from include.quality.journals import forget_seen, keep_journals
from include.quality.judging import judge
from include.quality.news import note_grade_changes, note_issue_changes
from include.quality.suite import with_verdicts
from include.quality.sweep import known_objects, prepare
from include.quality.validate import export_snapshot, judge_by_gx
from include.records import AirflowRun
from include.warehouse.engine import transaction
from include.warehouse.health.assessments import (
    AssessmentRow,
    IssueResult,
    ObjectGrade,
    documents_before,
    finish_assessment,
    grades_before,
    issues_before,
    take_over_object,
    write_assessment,
    write_issues,
    write_object,
)
from include.warehouse.health.changed_rows import Moment, this_moment
from include.warehouse.health.counted import count_live
from include.warehouse.health.findings import learn_findings
from include.warehouse.health.held_tables import hold_tables, tables_of
from include.warehouse.health.problems import (
    ProblemRecords,
    Weighed,
    count_problems,
    counted_before,
    recount_problems,
    take_over_problems,
    write_problems,
)
from include.warehouse.locks import ASSESSMENT, object_lock
from include.warehouse.runs import bury_runs, finish_run, start_run


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Hold what an assessment found; `issues` has every check that is switched on, the worst first."""

    assessment_id: int
    grade: float | None
    records: int
    records_with_issue: int
    issues: tuple[IssueResult, ...]


def assess_org(
    engine: Engine,
    org: OrgDefinition,
    checks: Mapping[str, CheckDefinition],
    *,
    now: datetime,
    run: AirflowRun,
) -> Assessment:
    """Judge every check on one consistent view of the warehouse, and keep counts, grades and all failing Ids.

    Two assessments of one org wait for each other. A killed one leaves nothing but its run, marked failed by the next.

    Raises:
        Unbalanced: `expect` and `bad_when` of a check that has both count differently.
        WarehouseDown: the warehouse does not answer.
    """
    with object_lock(engine, org.org, ASSESSMENT, wait=True):
        with transaction(engine) as ledger:
            bury_runs(ledger, kind="health", org=org.org, subject=ASSESSMENT)
            run_id = start_run(ledger, kind="health", org=org.org, subject=ASSESSMENT, run=run)
        try:
            compared = compare_records(engine, org, checks.values())
            keep_journals(engine, org, checks.values())
            read = {name for check in checks.values() if check.enabled for name in (check.object, *check.needs)}
            tables = tables_of(engine, org.schema_name, read)
            with transaction(engine) as connection:
                hold_tables(connection, org.schema_name, tables)
                assessment = _assess(engine, connection, org, checks, compared, now=now, run_id=run_id)
                finish_run(connection, run_id, "success")
        except OperationalError as error:
            raise WarehouseDown(f"the warehouse broke off the assessment of {org.org}; look at its log") from error
        except BaseException as error:
            with transaction(engine) as ledger:
                finish_run(ledger, run_id, "failed", f"the assessment was stopped by {type(error).__name__}")
            raise
        with transaction(engine) as connection:
            learn_findings(connection)
    return assessment


def _assess(
    engine: Engine,
    connection: Connection,
    org: OrgDefinition,
    checks: Mapping[str, CheckDefinition],
    compared: Compared,
    *,
    now: datetime,
    run_id: int,
) -> Assessment:
    started = time.monotonic()
    snapshot = export_snapshot(connection)
    schema = org.schema_name
    known = known_objects(connection, org.org, schema)
    catalogue = choose_checks(org, checks.values(), known).without(compared.refused)
    row = write_assessment(connection, org=org.org, run_id=run_id, assessed_at=now)
    past = Past(
        assessment_id=row.previous_id,
        issues=issues_before(connection, row.previous_id),
        grades=grades_before(connection, row.previous_id),
    )
    due = due_checks(catalogue.assessable, known, past.bases, now=now, compared=compared.states)
    prepare(connection)
    moment = this_moment(connection, org.org, schema)
    judging = judge(connection, due.checks, known, past.issues, moment, schema=schema, now=now)
    by_gx = [check for check in due.checks if check.unfolded and check.check not in judging.refused]
    judged, unjudged = judge_by_gx(engine, snapshot, by_gx, schema=schema, now=now)
    catalogue = catalogue.without({**judging.refused, **unjudged})
    judged_now = [check.check for check in due.checks if check in catalogue.assessable]
    settled = judging.settle(org.org, row.assessment_id, judged_now)

    looked_at = _objects_to_look_at(catalogue, due, past)
    tallies = _tally(connection, catalogue, looked_at, judging.failing(settled), past, moment, schema)
    insist_on_agreement(catalogue, tallies, judged)
    found = Found(tallies=tallies, judged=judged, settled=settled, bases=due.bases, seen=judging.seen)
    issues = put_together(catalogue, found, past)
    whole = [check.check for check in catalogue.assessable if not check.names_records]
    issues = note_issue_changes(connection, org, row.assessment_id, issues, whole=whole, now=now)
    write_issues(connection, row.assessment_id, issues)
    forget_seen(connection, moment, catalogue.assessable, issues)
    graded = _Graded(
        connection=connection, org=org, row=row, catalogue=catalogue, found=found, past=past, touched=judging.touched,
        now=now,
    )  # fmt: skip
    overall = grade_all(
        graded.anew(object, issues) if object in looked_at else graded.as_before(object, past)
        for object in catalogue.objects
    )
    grades = grades_before(connection, row.assessment_id).values()
    note_grade_changes(connection, org, row.assessment_id, (overall, *grades), now=now)
    finish_assessment(connection, row.assessment_id, overall, seconds=time.monotonic() - started)
    return Assessment(
        assessment_id=row.assessment_id,
        grade=overall.grade,
        records=overall.records,
        records_with_issue=overall.records_with_issue,
        issues=issues,
    )


def _objects_to_look_at(catalogue: Catalogue, due: Due, past: Past) -> frozenset[str]:
    touched = {check.object for check in due.checks}
    return frozenset(
        object for object in catalogue.objects if object in touched or not past.graded_by(object, catalogue.of(object))
    )


def _tally(
    connection: Connection,
    catalogue: Catalogue,
    objects: Collection[str],
    failing: Mapping[str, int],
    past: Past,
    moment: Moment,
    schema: str,
) -> dict[str, Tally]:
    """Return what each check of these objects found: now, or before where that still stands."""
    tallies: dict[str, Tally] = {}
    for object in objects:
        checks = catalogue.of(object)
        records, missing = count_live(connection, schema, object, passed_over(checks), moment)
        for check in checks:
            name = check.check
            bad = failing[name] if name in failing else past.issues[name].failing
            tallies[name] = Tally(records=records, missing=missing.get(name, 0), failing=bad)
    return tallies


@dataclass(frozen=True, slots=True, kw_only=True)
class _Graded:
    """Write the grade of each object, with the documents of Great Expectations."""

    connection: Connection
    org: OrgDefinition
    row: AssessmentRow
    catalogue: Catalogue
    found: Found
    past: Past
    touched: str
    now: datetime

    def anew(self, object: str, issues: Sequence[IssueResult]) -> ObjectGrade:
        checks = self.catalogue.of(object)
        bad = self._problems(object, checks)
        write_problems(self.connection, self.row.assessment_id, object, bad)
        records = self.found.tallies[checks[0].check].records
        grade = grade_object(object, records=records, records_with_issue=bad.records, lost=bad.lost)
        before = documents_before(self.connection, self.row.previous_id, object)
        documents = documents_of(
            object,
            checks,
            self.found.tallies,
            self.found.judged,
            schema=self.org.schema_name,
            now=self.now,
            before=Documents(suite=before[0], validation=before[1]) if before else None,
        )
        validation = with_verdicts(documents.validation, {issue.check_id: issue for issue in issues})
        write_object(self.connection, self.row.assessment_id, grade, suite=documents.suite, validation=validation)
        return grade

    def _problems(self, object: str, checks: Sequence[CheckDefinition]) -> ProblemRecords:
        """Count an object's problem records: by difference where what is counted is the same and little changed."""
        weighed = {each.check: Weighed(weight=WEIGHTS[each.severity], category=each.category) for each in checks}
        before = None
        if self.past.assessment_id is not None and self.past.graded_by(object, checks) and self._adds_up(checks):
            before = counted_before(self.connection, self.past.assessment_id, self.past.grades[object])
        moved = sum(sum(self.found.settled.get(each.check, (0, 0))) for each in checks)
        if before is None or before.alone.keys() != weighed.keys() or not few_enough(moved, before.records):
            return count_problems(self.connection, self.org.org, object, weighed)
        return recount_problems(
            self.connection,
            self.org.org,
            object,
            weighed,
            before=before,
            assessment_id=self.row.assessment_id,
            touched=self.touched,
        )

    def _adds_up(self, checks: Sequence[CheckDefinition]) -> bool:
        """Return whether what appeared and was mended explains each count: it does not once an object was forgotten."""
        for name in (check.check for check in checks if check.check in self.found.settled):
            appeared, mended = self.found.settled[name]
            if self.past.issues[name].failing + appeared - mended != self.found.tallies[name].failing:
                return False
        return True

    def as_before(self, object: str, past: Past) -> ObjectGrade:
        assert past.assessment_id is not None
        take_over_object(self.connection, self.row.assessment_id, past.assessment_id, object)
        take_over_problems(self.connection, self.row.assessment_id, past.assessment_id, object)
        return past.grades[object]
