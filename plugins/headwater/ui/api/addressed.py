"""Find what the path of a request names: an org, an assessment; what there is not is 404."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Path

from headwater.ui.listing import plain
from headwater.ui.warehouse import Warehouse
from include.warehouse.health.assessments import AssessmentRow, latest_assessment, one_assessment
from include.warehouse.overview import Org, list_orgs


def addressed_org(
    engine: Warehouse, org: Annotated[str, Path(max_length=100, description="Name of the org in the definitions.")]
) -> Org:
    """Return the org that the path names.

    Raises:
        HTTPException: there is none.
    """
    found = next((each for each in list_orgs(engine) if each.org == org), None)
    if found is None:
        raise HTTPException(404, "There is no such org.")
    return found


TheOrg = Annotated[Org, Depends(addressed_org)]


def addressed_assessment(
    engine: Warehouse,
    org: TheOrg,
    assessment: Annotated[str, Path(pattern=r"^(latest|[0-9]{1,18})$", description="Its number, or `latest`.")],
) -> AssessmentRow:
    """Return the assessment that the path names.

    Raises:
        HTTPException: there is none.
    """
    latest = assessment == "latest"
    found = latest_assessment(engine, org.org) if latest else one_assessment(engine, org.org, int(assessment))
    if found is None:
        raise HTTPException(404, "The org was never assessed." if latest else "There is no such assessment.")
    return found


TheAssessment = Annotated[AssessmentRow, Depends(addressed_assessment)]


def readable(text: str) -> str:
    """Return a text of a path as it may be looked up; PostgreSQL takes no NUL."""
    return plain(text)
