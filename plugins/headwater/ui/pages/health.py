"""The health page: the grade, where it comes from, and which way it goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from sqlalchemy import Engine
from starlette.responses import Response

from headwater.ui.charts import grade_chart
from headwater.ui.listing import Listing, read_listing, whole_number
from headwater.ui.pages.issues import CHANGES, FILTERS, SEVERITIES, SHOWN, SORTS, by_category, lifts, matching
from headwater.ui.rendering import show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.warehouse.health.assessments import AssessmentRow, recent_assessments
from include.warehouse.health.problems import problems_of
from include.warehouse.overview import HealthOverview, health_overview
from include.warehouse.overview.assessment_picker import assessment_on, neighbours
from include.warehouse.overview.grade_trend import object_grade_trend

router = APIRouter()

_PICKED_FROM = 60  # assessments that the picker lists; older ones are found by their day
_DRAWN = 60


@router.get("/health")
def health(request: Request, engine: Warehouse, chosen: ChosenOrg) -> Response:
    """Show an assessment of an org (`?org=`), the newest unless `?assessment=` or a day (`?on=`) names another."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "health", orgs)
    recent = recent_assessments(engine, org.org, limit=_PICKED_FROM)
    overview = health_overview(engine, org.org, _asked(engine, org.org, request.query_params))
    if overview is None:
        return show(request, "health_empty.html", tab="health", org=org, orgs=orgs, status=404 if recent else 200)
    root = request.scope.get("root_path", "")
    listing = read_listing(
        request.query_params,
        path=f"{root}/health",
        sorts=tuple(SORTS),
        filters=("org", "assessment", *FILTERS),
    )
    shown = overview.assessment
    is_newest = not recent or recent[0].assessment_id == shown.assessment_id
    drawn = recent[:_DRAWN] if shown in recent[:_DRAWN] else _until(engine, org.org, shown)
    grades = object_grade_trend(engine, [each.assessment_id for each in drawn])
    earlier, later = neighbours(engine, org.org, shown.assessment_id)
    return show(
        request,
        "health.html",
        tab="health",
        org=org,
        orgs=orgs,
        charts=True,
        overview=overview,
        shown=shown,
        recent=recent,
        earlier=earlier,
        later=later,
        is_newest=is_newest,
        chart=grade_chart(
            drawn, grades, shown=shown.assessment_id, link=f"{root}/health?{urlencode({'org': org.org})}&assessment="
        ),
        before={each.object: each for each in overview.previous_objects},
        listing=listing,
        **_issues(engine, overview, listing),
    )


def _issues(engine: Engine, overview: HealthOverview, listing: Listing) -> dict[str, Any]:
    """Return what the lists of issues show: failing ones by category, and folded below them the others."""
    problems = problems_of(engine, overview.assessment.assessment_id)
    wanted = {name: listing.filters[name] for name in FILTERS}
    issues = matching(overview.issues, search=listing.search, **wanted)
    sort, down = listing.sort, listing.descending
    narrowed = bool(listing.search or any(wanted.values()))
    failing = [each for each in issues if each.failing or each.verdict == "failed"]
    within = [] if narrowed else [each for each in failing if each.verdict != "failed"]
    if len(within) == len(failing):  # then there is nothing that they could stand behind
        within = []
    first = [each for each in failing if each not in within]
    return {
        "categories": by_category(
            first, sort=sort, descending=down, records=problems.by_category if not within else None
        ),
        "over": len(first) if within else 0,
        "within": by_category(within, sort=sort, descending=down),
        "clean": by_category(
            [each for each in issues if not each.failing and each.verdict == "passed"], sort=sort, descending=down
        ),
        "not_assessed": [issue for issue in issues if issue.verdict == "not_assessed"],
        "summary": by_category(overview.issues, sort="severity", descending=True, records=problems.by_category),
        "not_assessed_in": Counter(each.category for each in overview.issues if each.verdict == "not_assessed"),
        "lifts": lifts(overview.issues, problems.alone, overview.assessment.records),
        "matching": len(issues),
        "narrowed": narrowed,
        "objects": sorted({issue.object for issue in overview.issues}),
        "all_categories": sorted({issue.category for issue in overview.issues}),
        "severities": SEVERITIES,
        "choices": SHOWN,
        "changes": [each for each in CHANGES if any(issue.change == each for issue in overview.issues)],
    }


def _asked(engine: Engine, org: str, query: Mapping[str, str]) -> int | None:
    """Return the assessment that the address names, None for the newest; a day without one leads to one before it."""
    named = whole_number(query.get("assessment", ""))
    if named is not None or not query.get("on"):
        return named
    try:
        day = date.fromisoformat(query["on"])
    except ValueError:
        return None
    return assessment_on(engine, org, day)


def _until(engine: Engine, org: str, shown: AssessmentRow) -> tuple[AssessmentRow, ...]:
    """Return an assessment and those before it."""
    return recent_assessments(engine, org, limit=_DRAWN, before=shown.assessment_id + 1)
