"""Health: assessments, their issues, the failing records of an issue, and Great Expectations' documents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import Field

from headwater.ui.api.addressed import TheAssessment, TheOrg
from headwater.ui.api.answers import AfterNumber, Answer, Limit, Moment, Page, Search, cut, number
from headwater.ui.links import record_link
from headwater.ui.listing import plain
from headwater.ui.pages.issues import matching
from headwater.ui.warehouse import Warehouse
from include.config.loader import load_definitions
from include.warehouse.duplicates.matches import Match, matches_of
from include.warehouse.engine import transaction
from include.warehouse.health.assessments import AssessmentRow, expectation_documents, one_issue, recent_assessments
from include.warehouse.overview import HealthOverview, failing_records, health_overview
from include.warehouse.overview.issue_trend import issue_trend

router = APIRouter(tags=["Health"])

AfterId = Annotated[
    str | None,
    Query(pattern=r"^([A-Za-z0-9]{15,18})?$", description="`next` of the page before; none or empty: first page."),
]
TheObject = Annotated[str, Path(max_length=100, description="API name of an object.")]
TheCheck = Annotated[str, Path(max_length=200, description="Name of the check in the definitions.")]
Severity = Literal["critical", "error", "warning", "info"]


class AssessmentAnswer(Answer):
    """Hold one assessment without its issues."""

    assessment_id: int
    assessed_at: Moment
    previous_id: int | None
    records: int
    records_with_issue: int
    grade: float | None = Field(description="Share of records without any issue (0 to 1).")
    weighted: float | None
    seconds: float


class AssessmentsAnswer(Page[AssessmentAnswer]):
    """Hold one page of assessments, the newest first."""


class ObjectGradeAnswer(Answer):
    """Hold the grade of one object."""

    object: str
    records: int
    records_with_issue: int
    grade: float | None
    weighted: float | None


class OneAssessmentAnswer(AssessmentAnswer):
    """Hold one assessment with the grades of its objects."""

    grade_change: float | None = Field(description="Since the assessment before.")
    objects: tuple[ObjectGradeAnswer, ...]


class IssueAnswer(Answer):
    """Hold what one check found."""

    check_id: str
    object: str
    title: str
    why: str
    category: str
    severity: Severity
    verdict: Literal["passed", "failed", "not_assessed"]
    reason: str = Field(description="Of `not_assessed`: what is missing, and what to add where.")
    records: int
    failing: int
    share: float
    max_share: float = Field(description="A greater share fails the check.")
    previous_failing: int | None
    trend: int | None = Field(description="How many more records fail than last time; negative: fewer.")
    appeared: int
    mended: int
    fix: str


class IssuesAnswer(Answer):
    """Hold the issues of an assessment: failed ones first, the gravest on top."""

    assessment_id: int
    items: tuple[IssueAnswer, ...]


class TrendPoint(Answer):
    """Say how many records failed a check at an assessment."""

    assessment_id: int
    assessed_at: Moment
    verdict: str
    records: int
    failing: int
    share: float


class OneIssueAnswer(IssueAnswer):
    """Hold one issue with its trend, the oldest assessment first."""

    assessment_id: int
    over_time: tuple[TrendPoint, ...]


class MatchAnswer(Answer):
    """Hold the surest of the records that a record is one with, as it is now."""

    matched_id: str
    rule: str
    score: float = Field(description="How sure that is (0 to 1).")
    others: int = Field(description="How many records it is one with.")
    cluster_id: int | None = Field(description="Null for a match with a record of another object.")


class FindingAnswer(Answer):
    """Hold the Id of a failing record."""

    object: str
    record_id: str
    first_seen_at: Moment | None = Field(description="null: that assessment is no longer kept.")
    is_new: bool
    link: str = Field(description="The record in Salesforce; empty before the first contact.")
    match: MatchAnswer | None = Field(description="Of a check of duplicates only.")


class FindingsAnswer(Page[FindingAnswer]):
    """Hold one page of failing records in order of Id; the issue's `failing` says how many there are."""


@router.get("/orgs/{org}/assessments", summary="List the assessments")
def assessments(engine: Warehouse, org: TheOrg, limit: Limit = 50, after: AfterNumber = None) -> AssessmentsAnswer:
    """Return the assessments of an org, the newest first."""
    found = recent_assessments(engine, org.org, limit=limit + 1, before=number(after))
    items, following = cut(list(found), limit, lambda each: each.assessment_id)
    return AssessmentsAnswer.model_validate({"items": items, "next": following})


@router.get("/orgs/{org}/assessments/{assessment}", summary="Read one assessment")
def assessment(engine: Warehouse, org: TheOrg, found: TheAssessment) -> OneAssessmentAnswer:
    """Return an assessment with the grade of each object."""
    overview = _overview(engine, org.org, found)
    plain_answer = AssessmentAnswer.model_validate(found)
    return OneAssessmentAnswer.model_validate(
        {**plain_answer.model_dump(), "grade_change": overview.grade_change, "objects": overview.objects}
    )


@router.get("/orgs/{org}/assessments/{assessment}/issues", summary="List the issues of an assessment")
def issues(
    engine: Warehouse,
    org: TheOrg,
    found: TheAssessment,
    q: Search = "",
    object: Annotated[str, Query(max_length=100, description="Only issues of this object.")] = "",
    severity: Severity | Literal[""] = "",
    show: Annotated[
        Literal["", "failing", "worse", "clean"], Query(description="Only those with, with more, or without records.")
    ] = "",
) -> IssuesAnswer:
    """Return the issues of an assessment, searched and filtered."""
    overview = _overview(engine, org.org, found)
    shown = matching(overview.issues, search=plain(q), object=object, severity=severity, show=show)
    return IssuesAnswer.model_validate({"assessment_id": found.assessment_id, "items": shown})


@router.get("/orgs/{org}/assessments/{assessment}/issues/{check_id}", summary="Read one issue with its trend")
def issue(engine: Warehouse, org: TheOrg, found: TheAssessment, check_id: TheCheck) -> OneIssueAnswer:
    """Return one issue, and how many records it had at this assessment and those before."""
    shown = one_issue(engine, found.assessment_id, plain(check_id))
    if shown is None:
        raise HTTPException(404, "There is no such issue in this assessment.")
    trend = issue_trend(engine, org.org, shown.check_id, last=found.assessment_id)
    return OneIssueAnswer.model_validate(
        {
            **IssueAnswer.model_validate(shown).model_dump(),
            "assessment_id": found.assessment_id,
            "over_time": tuple(TrendPoint.model_validate(each) for each in trend),
        }
    )


@router.get("/orgs/{org}/assessments/{assessment}/issues/{check_id}/findings", summary="List the failing records")
def findings(
    engine: Warehouse,
    org: TheOrg,
    found: TheAssessment,
    check_id: TheCheck,
    q: Annotated[str, Query(max_length=18, description="An Id, or the beginning of one.")] = "",
    new: Annotated[bool, Query(description="Only those that this assessment found first.")] = False,
    limit: Limit = 100,
    after: AfterId = None,
) -> FindingsAnswer:
    """Return the records that failed a check, by Id. No value of a record is among them."""
    shown = one_issue(engine, found.assessment_id, plain(check_id))
    if shown is None or shown.verdict == "not_assessed":
        raise HTTPException(404, "There is no such issue in this assessment, or it was not assessed.")
    page = failing_records(
        engine,
        org.org,
        shown.check_id,
        found.assessment_id,
        search=plain(q),
        only_new=new,
        after=after or "",
        limit=limit,
    )
    check = load_definitions().checks.get(shown.check_id)
    matched: dict[str, Match] = {}
    if check and check.duplicates:
        with transaction(engine) as connection:
            named = [each.record_id for each in page.records]
            matched = matches_of(connection, org.org, shown.object, check.duplicates, named)
    return FindingsAnswer(
        items=tuple(
            FindingAnswer(
                object=each.object,
                record_id=each.record_id,
                first_seen_at=each.first_seen_at,
                is_new=each.is_new,
                link=record_link(org.instance_url, each.object, each.record_id),
                match=MatchAnswer.model_validate(match) if (match := matched.get(each.record_id)) else None,
            )
            for each in page.records
        ),
        next=page.records[-1].record_id if page.later else None,
    )


@router.get("/orgs/{org}/assessments/{assessment}/objects/{object}/suite", summary="Read an expectation suite")
def suite(engine: Warehouse, org: TheOrg, found: TheAssessment, object: TheObject) -> dict[str, Any]:
    """Return Great Expectations' suite of an object, as it was assessed."""
    return _documents(engine, found, object)[0]


@router.get("/orgs/{org}/assessments/{assessment}/objects/{object}/validation", summary="Read a validation result")
def validation(engine: Warehouse, org: TheOrg, found: TheAssessment, object: TheObject) -> dict[str, Any]:
    """Return Great Expectations' validation result of an object: counts, no value of a record."""
    return _documents(engine, found, object)[1]


def _overview(engine: Warehouse, org: str, found: AssessmentRow) -> HealthOverview:
    overview = health_overview(engine, org, found.assessment_id)
    if overview is None:
        raise HTTPException(404, "There is no such assessment.")
    return overview


def _documents(engine: Warehouse, found: AssessmentRow, object: str) -> tuple[dict[str, Any], dict[str, Any]]:
    documents = expectation_documents(engine, found.assessment_id, plain(object))
    if documents is None:
        raise HTTPException(404, "The object was not assessed then.")
    return documents
