"""One issue: what it is, why it matters, and the records that have it."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from headwater.ui.export import forms
from headwater.ui.links import record_link
from headwater.ui.listing import PAGE_SIZE, plain, read_listing, whole_number
from headwater.ui.rendering import show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.warehouse.assessments import latest_assessment, one_assessment, one_issue
from include.warehouse.overview import FailingRecords, failing_records

router = APIRouter()


@router.get("/health/issue/{check_id}")
def issue(request: Request, check_id: str, engine: Warehouse, chosen: ChosenOrg) -> Response:
    """Show one issue at an assessment and its failing records, searchable by Id. Records are shown by Id only."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "health", orgs)
    asked = whole_number(request.query_params.get("assessment", ""))
    newest = latest_assessment(engine, org.org)
    shown = one_assessment(engine, org.org, asked) if asked is not None else newest
    found = one_issue(engine, shown.assessment_id, plain(check_id)) if shown else None
    if shown is None or found is None:
        raise HTTPException(404, "there is no such issue in this assessment")
    listing = read_listing(
        request.query_params,
        path=f"{request.scope.get('root_path', '')}/health/issue/{found.check_id}",
        sorts=("id", "first_seen"),
        descending=False,
        filters=("org", "assessment"),
    )
    if found.verdict == "not_assessed":
        records = FailingRecords(records=(), total=0)
    else:
        records = failing_records(
            engine,
            org.org,
            found.check_id,
            shown.assessment_id,
            search=listing.search,
            sort=listing.sort,
            descending=listing.descending,
            limit=PAGE_SIZE,
            offset=listing.offset,
        )
    return show(
        request,
        "issue.html",
        tab="health",
        org=org,
        orgs=orgs,
        issue=found,
        shown=shown,
        is_newest=newest is not None and newest.assessment_id == shown.assessment_id,
        records=records,
        listing=listing,
        forms=forms(),
        record_link=lambda record: record_link(org.instance_url, record.object, record.record_id),
    )
