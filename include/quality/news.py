"""Keep what an assessment changed: for the pages at once, for people when it is worth telling."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from include.config.orgs import OrgDefinition
from include.quality.changes import Seen, by_the_clock_now, decide, decide_grade
from include.warehouse.health.assessments import IssueResult, ObjectGrade
from include.warehouse.health.changes import (
    GRADE,
    Change,
    HealthNews,
    Layer,
    Standing,
    set_back_by,
    standings,
    write_news,
    write_standings,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """Hold one layer: what is shown changes at once, what is told has to last.

    `before` is what is `stored`, in the time of today's clock.
    """

    name: Layer
    settles_in: timedelta
    stored: Mapping[str, Standing]
    before: Mapping[str, Standing]
    after: dict[str, Standing] = field(default_factory=dict)


def note_issue_changes(
    connection: Connection,
    org: OrgDefinition,
    assessment_id: int,
    issues: Sequence[IssueResult],
    *,
    whole: Collection[str],
    now: datetime,
) -> tuple[IssueResult, ...]:
    """Return the issues with what changed of each, and write down how they stand and what is worth telling.

    In the first assessment of all, or the first after an upgrade, there is nothing to compare with: it is one news.
    The checks in `whole` judge an object as a whole: they have no failing records.
    """
    set_back = set_back_by(connection, org.org, assessment_id, now)
    shown = _layer(connection, org, "shown", set_back, now)
    told = _layer(connection, org, "told", set_back, now)
    news: list[HealthNews] = []
    marked: list[IssueResult] = []
    for issue in issues:
        seen, name = _seen(issue, counted=issue.check_id not in whole), issue.check_id
        changes = {}
        for layer in (shown, told):
            layer.after[name], changes[layer.name] = decide(
                layer.before.get(name), seen, org.health.tolerance, settles_in=layer.settles_in, now=now
            )
        marked.append(replace(issue, change=changes["shown"].value))
        if changes["told"] is not Change.UNCHANGED:
            news.append(_issue_news(assessment_id, issue, changes["told"], told.before.get(name)))
    if not told.before:
        news = [_beginning(assessment_id, marked)]
    _write(connection, org.org, (shown, told), news)
    return tuple(marked)


def note_grade_changes(
    connection: Connection,
    org: OrgDefinition,
    assessment_id: int,
    grades: Iterable[ObjectGrade],
    *,
    now: datetime,
) -> None:
    """Write down which grades went down or up; that of all objects has no name."""
    told = _layer(connection, org, "told", set_back_by(connection, org.org, assessment_id, now), now)
    news = []
    for grade in grades:
        name = f"{GRADE}{grade.object}"
        before = told.before.get(name)
        told.after[name], change = decide_grade(
            before,
            records=grade.records,
            with_issue=grade.records_with_issue,
            tolerance=org.health.tolerance,
            settles_in=told.settles_in,
            now=now,
        )
        if change is not Change.UNCHANGED:
            news.append(
                HealthNews(
                    assessment_id=assessment_id,
                    subject=name,
                    change=change,
                    object=grade.object,
                    failing=grade.records_with_issue,
                    records=grade.records,
                    before_failing=before.failing if before else None,
                    before_records=before.records if before else None,
                )
            )
    _write(connection, org.org, (told,), news)


def _layer(connection: Connection, org: OrgDefinition, name: Layer, set_back: timedelta, now: datetime) -> _Layer:
    settles_in = timedelta(hours=org.health.settle_hours if name == "told" else 0)
    stored = standings(connection, org.org, name)
    before = (
        {subject: by_the_clock_now(each, set_back, now) for subject, each in stored.items()} if set_back else stored
    )
    return _Layer(name=name, settles_in=settles_in, stored=stored, before=before)


def _write(connection: Connection, org: str, layers: Iterable[_Layer], news: Sequence[HealthNews]) -> None:
    for layer in layers:
        changed = {name: each for name, each in layer.after.items() if layer.stored.get(name) != each}
        write_standings(connection, org, layer.name, changed)
    write_news(connection, org, news)


def _seen(issue: IssueResult, *, counted: bool) -> Seen:
    return Seen(
        assessed=issue.verdict != "not_assessed",
        over=issue.verdict == "failed",
        failing=issue.failing,
        records=issue.records,
        allowed=issue.max_share,
        urgent=issue.severity == "critical",
        counted=counted,
    )


def _issue_news(assessment_id: int, issue: IssueResult, change: Change, before: Standing | None) -> HealthNews:
    known = before if before and before.judged else None
    return HealthNews(
        assessment_id=assessment_id,
        subject=issue.check_id,
        change=change,
        object=issue.object,
        failing=issue.failing,
        records=issue.records,
        before_failing=known.failing if known else None,
        before_records=known.records if known else None,
    )


def _beginning(assessment_id: int, issues: Sequence[IssueResult]) -> HealthNews:
    over = sum(issue.verdict == "failed" for issue in issues)
    return HealthNews(
        assessment_id=assessment_id, subject="", change=Change.FIRST, object="", failing=over, records=len(issues)
    )
