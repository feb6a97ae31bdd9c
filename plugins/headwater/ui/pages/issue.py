"""One issue: what it is, why it matters, which way it goes, and the records that have it."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from sqlalchemy import Engine
from starlette.responses import Response

from headwater.ui.capabilities import MayEdit, MaySeeUnmasked
from headwater.ui.charts import Chart, count_chart
from headwater.ui.links import record_link
from headwater.ui.listing import PAGE_SIZE, plain
from headwater.ui.pages.export import forms
from headwater.ui.pages.mutes import told_of
from headwater.ui.pages.shown_assessment import shown_assessment
from headwater.ui.rendering import show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.config.loader import load_definitions
from include.record_ids import whole_id
from include.warehouse.health.assessments import AssessmentRow, IssueResult, one_issue
from include.warehouse.health.problems import problems_of
from include.warehouse.overview import FailingRecords, failing_records
from include.warehouse.overview.issue_trend import issue_trend

router = APIRouter()


@router.get("/health/issue/{check_id}")
def issue(
    request: Request, check_id: str, engine: Warehouse, chosen: ChosenOrg, may_edit: MayEdit, unmasked: MaySeeUnmasked
) -> Response:
    """Show one issue at an assessment and its failing records, found by Id. Records are shown by Id only."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "health", orgs)
    shown, newest = shown_assessment(engine, org.org, request.query_params)
    found = one_issue(engine, shown.assessment_id, plain(check_id)) if shown else None
    if shown is None or found is None:
        raise HTTPException(404, "there is no such issue in this assessment")
    search = plain(request.query_params.get("q", ""))
    only_new = request.query_params.get("show") == "new"
    kept = {"org": org.org, "assessment": request.query_params.get("assessment", ""), "q": search}
    kept |= {"show": "new"} if only_new else {}
    path = f"{request.scope.get('root_path', '')}/health/issue/{found.check_id}"
    return show(
        request,
        "issue.html",
        tab="health",
        org=org,
        orgs=orgs,
        charts=True,
        issue=found,
        shown=shown,
        is_newest=newest is not None and newest.assessment_id == shown.assessment_id,
        side_by_side=_side_by_side(found),
        alone=problems_of(engine, shown.assessment_id).alone.get(found.check_id),
        chart=_trend(engine, org.org, found, shown, f"{path}?{urlencode({'org': org.org})}&assessment="),
        records=_records(request, engine, found, shown, search, only_new=only_new),
        search=search,
        only_new=only_new,
        path=path,
        page_at=lambda where, record: f"{path}?{urlencode({k: v for k, v in {**kept, where: record}.items() if v})}",
        forms=forms(),
        told=told_of(engine, org.org, found.check_id),
        may_edit=may_edit,
        unmasked=unmasked,
        record_link=lambda record: record_link(org.instance_url, record.object, record.record_id),
    )


def _side_by_side(found: IssueResult) -> dict[str, str]:
    """Return which list of clusters shows the records of a check for duplicates side by side; none of another check."""
    check = load_definitions().checks.get(found.check_id)
    sought = check.duplicates if check else None
    if sought is None or sought.among not in ("", found.object):
        return {}
    return {"object": found.object, **({"rule": sought.rules[0]} if len(sought.rules) == 1 else {})}


def _records(
    request: Request, engine: Engine, found: IssueResult, shown: AssessmentRow, search: str, *, only_new: bool
) -> FailingRecords:
    if found.verdict == "not_assessed":
        return FailingRecords(records=())
    return failing_records(
        engine,
        shown.org,
        found.check_id,
        shown.assessment_id,
        search=whole_id(search) or search,
        only_new=only_new,
        after=plain(request.query_params.get("after", "")),
        before=plain(request.query_params.get("before", "")),
        limit=PAGE_SIZE,
    )


def _trend(engine: Engine, org: str, found: IssueResult, shown: AssessmentRow, link: str) -> Chart:
    points = [
        each
        for each in issue_trend(engine, org, found.check_id, last=shown.assessment_id)
        if each.verdict != "not_assessed"
    ]
    return count_chart(
        "Failing records over assessments",
        "records",
        [each.assessed_at for each in points],
        {"Failing records": [each.failing for each in points]},
        links=[f"{link}{each.assessment_id}" for each in points],
        marked=len(points) - 1 if points else None,
    )
