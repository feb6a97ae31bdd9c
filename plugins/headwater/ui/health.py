"""The health page: the grade, where it comes from, and which way it goes."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from headwater.ui.charts import draw_grades
from headwater.ui.issues import FILTERS, SEVERITIES, SHOWN, SORTS, by_category, matching
from headwater.ui.listing import read_listing, whole_number
from headwater.ui.rendering import show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.warehouse.assessments import recent_assessments
from include.warehouse.overview import health_overview

router = APIRouter()


@router.get("/health")
def health(request: Request, engine: Warehouse, chosen: ChosenOrg) -> Response:
    """Show an assessment of an org (`?org=`), the newest unless `?assessment=` names another."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "health", orgs)
    asked = whole_number(request.query_params.get("assessment", ""))
    overview = health_overview(engine, org.org, asked)
    recent = recent_assessments(engine, org.org, limit=60)
    if overview is None:
        return show(request, "health_empty.html", tab="health", org=org, orgs=orgs, status=404 if recent else 200)
    shown = overview.assessment
    listing = read_listing(
        request.query_params,
        path=f"{request.scope.get('root_path', '')}/health",
        sorts=tuple(SORTS),
        filters=("org", "assessment", *FILTERS),
    )
    wanted = {name: listing.filters[name] for name in FILTERS}
    issues = matching(overview.issues, search=listing.search, **wanted)
    return show(
        request,
        "health.html",
        tab="health",
        org=org,
        orgs=orgs,
        overview=overview,
        shown=shown,
        recent=recent,
        is_newest=not recent or recent[0].assessment_id == shown.assessment_id,
        chart=draw_grades(recent[:30]),
        before={each.object: each for each in overview.previous_objects},
        listing=listing,
        categories=by_category(issues, sort=listing.sort, descending=listing.descending),
        not_assessed=[issue for issue in issues if issue.verdict == "not_assessed"],
        matching=len(issues),
        objects=sorted({issue.object for issue in overview.issues}),
        severities=SEVERITIES,
        choices=SHOWN,
    )
