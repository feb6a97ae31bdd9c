"""Assess the health of an org: judge every check, grade the objects, keep it all in one transaction."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from include.config.checks import CheckDefinition
from include.config.orgs import OrgDefinition
from include.errors import FatalError, Unbalanced, WarehouseDown
from include.quality.catalogue import Catalogue, choose_checks
from include.quality.grade import grade_all, grade_object, share_of, verdict_of, worst_first
from include.quality.suite import unexpected_counts, with_verdicts
from include.quality.sweep import count_records, known_objects, sweep
from include.quality.validate import Documents, export_snapshot, validate_suites
from include.records import AirflowRun
from include.warehouse.assessments import (
    IssueResult,
    ObjectGrade,
    failing_before,
    finish_assessment,
    write_assessment,
    write_issues,
    write_object,
)
from include.warehouse.engine import transaction
from include.warehouse.findings import records_with_issue, settle_findings, sweep_counts
from include.warehouse.locks import object_lock
from include.warehouse.runs import bury_runs, finish_run, start_run

_SUBJECT = "assessment"


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
        Unbalanced: Great Expectations counts another number of failing records than the sweep.
        WarehouseDown: the warehouse does not answer.
    """
    with object_lock(engine, org.org, _SUBJECT, wait=True):
        with transaction(engine) as ledger:
            bury_runs(ledger, kind="health", org=org.org, subject=_SUBJECT)
            run_id = start_run(ledger, kind="health", org=org.org, subject=_SUBJECT, run=run)
        try:
            with transaction(engine) as connection:
                assessment = _assess(engine, connection, org, checks, now=now, run_id=run_id)
                finish_run(connection, run_id, "success")
        except OperationalError as error:
            raise WarehouseDown(f"the warehouse broke off the assessment of {org.org}; look at its log") from error
        except BaseException as error:
            with transaction(engine) as ledger:
                finish_run(ledger, run_id, "failed", f"the assessment was stopped by {type(error).__name__}")
            raise
    return assessment


def _assess(
    engine: Engine,
    connection: Connection,
    org: OrgDefinition,
    checks: Mapping[str, CheckDefinition],
    *,
    now: datetime,
    run_id: int,
) -> Assessment:
    started = time.monotonic()
    snapshot = export_snapshot(connection)
    schema = org.schema_name
    catalogue = choose_checks(org, checks.values(), known_objects(connection, org.org, schema))
    catalogue = catalogue.without(sweep(connection, catalogue, schema=schema, now=now))
    records, failing = count_records(connection, schema, catalogue.objects), sweep_counts(connection)
    by_object = {name: tuple(c for c in catalogue.assessable if c.object == name) for name in catalogue.objects}
    documents = validate_suites(engine, snapshot, by_object, schema=schema, now=now) if by_object else {}
    with_issue = records_with_issue(connection)
    _compare(catalogue, failing, documents)

    grades = [
        grade_object(name, records=records[name], records_with_issue=with_issue.get(name, 0))
        for name in catalogue.objects
    ]
    overall = grade_all(grades)
    row = write_assessment(
        connection,
        org=org.org,
        run_id=run_id,
        assessed_at=now,
        records=overall.records,
        records_with_issue=overall.records_with_issue,
        grade=overall.grade,
    )
    settled = settle_findings(connection, org.org, row.assessment_id, [c.check for c in catalogue.assessable])
    issues = _issues(catalogue, records, failing, settled, failing_before(connection, row.previous_id))
    write_issues(connection, row.assessment_id, issues)
    _write_objects(connection, row.assessment_id, grades, documents, {issue.check_id: issue for issue in issues})
    finish_assessment(connection, row.assessment_id, seconds=time.monotonic() - started)
    return Assessment(
        assessment_id=row.assessment_id,
        grade=overall.grade,
        records=overall.records,
        records_with_issue=overall.records_with_issue,
        issues=issues,
    )


def _compare(catalogue: Catalogue, failing: Mapping[str, int], documents: Mapping[str, Documents]) -> None:
    """Refuse an assessment in which Great Expectations and the sweep disagree: one of them reads the check wrongly."""
    counted = {name: n for each in documents.values() for name, n in unexpected_counts(each.validation).items()}
    silent = [check.check for check in catalogue.assessable if counted.get(check.check) is None]
    if silent:
        raise FatalError(
            f"Great Expectations could not evaluate {', '.join(silent)}; nothing was kept of this assessment"
        )
    differing = [check.check for check in catalogue.assessable if counted[check.check] != failing.get(check.check, 0)]
    if differing:
        raise Unbalanced(
            f"Great Expectations and the stored findings disagree on {', '.join(differing)};"
            " nothing was kept of this assessment. Please report it with the definitions of these checks"
        )


def _issues(
    catalogue: Catalogue,
    records: Mapping[str, int],
    failing: Mapping[str, int],
    settled: Mapping[str, tuple[int, int]],
    before: Mapping[str, int],
) -> tuple[IssueResult, ...]:
    assessed = [
        _described(
            check,
            verdict=verdict_of(failing.get(check.check, 0), records[check.object], check.max_share),
            records=records[check.object],
            failing=failing.get(check.check, 0),
            share=share_of(failing.get(check.check, 0), records[check.object]),
            previous_failing=before.get(check.check),
            appeared=settled[check.check][0],
            mended=settled[check.check][1],
        )
        for check in catalogue.assessable
    ]
    missing = [_described(check, verdict="not_assessed", reason=reason) for check, reason in catalogue.missing]
    return tuple(sorted(assessed + missing, key=worst_first))


def _described(check: CheckDefinition, **found: object) -> IssueResult:
    return IssueResult(
        check_id=check.check,
        object=check.object,
        title=check.title,
        why=check.why,
        category=check.category,
        severity=check.severity,
        max_share=check.max_share,
        fix=check.fix,
        **found,  # type: ignore[arg-type]
    )


def _write_objects(
    connection: Connection,
    assessment_id: int,
    grades: list[ObjectGrade],
    documents: Mapping[str, Documents],
    issues: Mapping[str, IssueResult],
) -> None:
    for grade in grades:
        kept = documents[grade.object]
        validation = with_verdicts(kept.validation, issues)
        write_object(connection, assessment_id, grade, suite=kept.suite, validation=validation)
