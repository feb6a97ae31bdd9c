"""Find the assessment that an address is about."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Engine

from headwater.ui.listing import whole_number
from include.warehouse.health.assessments import AssessmentRow, latest_assessment, one_assessment


def shown_assessment(
    engine: Engine, org: str, query: Mapping[str, str]
) -> tuple[AssessmentRow | None, AssessmentRow | None]:
    """Return the assessment of `?assessment=`, the newest without it, and the newest; None where there is none."""
    newest = latest_assessment(engine, org)
    asked = whole_number(query.get("assessment", ""))
    return (newest if asked is None else one_assessment(engine, org, asked)), newest
