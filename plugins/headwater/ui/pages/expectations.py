"""Great Expectations' documents of an object at an assessment: as a page of our own, and as its JSON to take along.

Its own Data Docs load their templates from other hosts and print values of records; neither happens here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from fastapi import APIRouter, HTTPException, Request
from sqlalchemy import Engine
from starlette.responses import Response

from headwater.ui.listing import plain
from headwater.ui.pages.shown_assessment import shown_assessment
from headwater.ui.rendering import show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.warehouse.health.assessments import AssessmentRow, IssueResult, expectation_documents, issues_of

router = APIRouter()

Standing = Literal["exceeded", "not met", "within", "met"]

_ORDER = get_args(Standing)
_ABOUT = frozenset({"batch_id", "description", "notes", "severity", "meta", "unexpected_rows_query"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Hold one expectation with its result, as a person reads them."""

    check_id: str
    title: str
    type: str
    column: str
    arguments: Mapping[str, Any]
    query: str
    success: bool
    counts: Mapping[str, Any]
    issue: IssueResult | None

    @property
    def standing(self) -> Standing:
        """Return what the assessment makes of it: Great Expectations knows no allowed share."""
        if self.issue is None or self.issue.verdict == "not_assessed":
            return "met" if self.success else "not met"
        if self.issue.verdict == "failed":
            return "exceeded"
        return "within" if self.issue.failing else "met"


def read_results(validation: Mapping[str, Any], issues: Sequence[IssueResult]) -> tuple[Expected, ...]:
    """Return what Great Expectations' validation result says of each expectation, what is over its share first."""
    known = {issue.check_id: issue for issue in issues}
    found = []
    for each in validation.get("results", ()):
        said = each.get("expectation_config") or {}
        kwargs = said.get("kwargs") or {}
        check_id = (said.get("meta") or {}).get("check", "")
        found.append(
            Expected(
                check_id=check_id,
                title=said.get("description") or "",
                type=said.get("type") or said.get("expectation_type") or "",
                column=str(kwargs.get("column") or ""),
                arguments={k: v for k, v in kwargs.items() if k not in _ABOUT | {"column"} and v is not None},
                query=str(kwargs.get("unexpected_rows_query") or ""),
                success=bool(each.get("success")),
                counts={k: v for k, v in (each.get("result") or {}).items() if v is not None},
                issue=known.get(check_id),
            )
        )
    return tuple(sorted(found, key=lambda one: _ORDER.index(one.standing)))


@router.get("/health/expectations/{object}")
def expectations(request: Request, object: str, engine: Warehouse, chosen: ChosenOrg) -> Response:
    """Show the expectations of an object and what Great Expectations found of each."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "health", orgs)
    shown, newest, (_, validation) = _assessed(request, engine, org.org, object)
    return show(
        request,
        "expectations.html",
        tab="health",
        org=org,
        orgs=orgs,
        object=object,
        shown=shown,
        is_newest=newest is not None and newest.assessment_id == shown.assessment_id,
        results=read_results(validation, issues_of(engine, shown.assessment_id)),
        version=(validation.get("meta") or {}).get("great_expectations_version", ""),
    )


@router.get("/health/expectations/{object}/{document}")
def expectation_document(
    request: Request,
    object: str,
    document: Literal["suite", "validation"],
    engine: Warehouse,
    chosen: ChosenOrg,
) -> Response:
    """Send one of Great Expectations' documents as it is kept: definitions and counts, no value of a record."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "health", orgs)
    shown, _, (suite, validation) = _assessed(request, engine, org.org, object)
    chosen_document = suite if document == "suite" else validation
    name = f"{org.org}-{plain(object)}-{document}-{shown.assessed_at:%Y-%m-%d}.json"
    body = json.dumps(chosen_document, indent=2)
    safe = "".join(each for each in name if each.isascii() and (each.isalnum() or each in "-_."))
    return Response(
        body, media_type="application/json", headers={"Content-Disposition": f'attachment; filename="{safe}"'}
    )


def _assessed(
    request: Request, engine: Engine, org: str, object: str
) -> tuple[AssessmentRow, AssessmentRow | None, tuple[dict[str, Any], dict[str, Any]]]:
    """Return the assessment that is asked for, the newest one, and the object's suite and validation in the former."""
    shown, newest = shown_assessment(engine, org, request.query_params)
    documents = expectation_documents(engine, shown.assessment_id, plain(object)) if shown else None
    if shown is None or documents is None:
        raise HTTPException(404, "The object was not assessed then.")
    return shown, newest, documents
