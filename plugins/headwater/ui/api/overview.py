"""An org at a glance."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from headwater.ui.api.addressed import TheOrg
from headwater.ui.api.answers import Answer, Moment
from headwater.ui.api.usage import BudgetAnswer
from headwater.ui.warehouse import Warehouse
from include.warehouse.overview import health_overview, usage_overview
from include.warehouse.overview.glance import glance_at

router = APIRouter(tags=["Overview"])


class CopyAnswer(Answer):
    """Say how complete the copy of one object was when it was compared last; null: not compared yet."""

    object: str
    first_loaded_at: Moment | None
    cursor_at: Moment | None = Field(description="It was read safely up to here.")
    here: int | None
    in_org: int | None
    difference: int | None = Field(description="in_org − here")
    as_of: Moment | None


class DeliveredAnswer(Answer):
    """Say what became of the records of a push in runs of the last 24 hours."""

    push: str
    platform: str
    runs: int
    selected: int
    delivered: int
    accepted: int
    failed: int
    held: int
    last_at: Moment


class OpenErrorsAnswer(Answer):
    """Count the records that did not arrive."""

    open: int
    more: bool = Field(description="There are more than were counted.")
    unknown: int
    waiting: int = Field(description="They go again only when something changes.")
    oldest_at: Moment | None


class TroubleAnswer(Answer):
    """Hold the newest run of something, because it did not end well."""

    kind: str
    subject: str
    state: str
    message: str
    started_at: Moment
    dag_id: str
    dag_run_id: str
    task_id: str


class OverviewAnswer(Answer):
    """Hold an org at a glance."""

    grade: float | None
    weighted: float | None = Field(description="The grade with a record's worst issue weighed by its severity.")
    grade_change: float | None = Field(description="Since the assessment before.")
    assessed_at: Moment | None
    failing_issues: int | None = Field(description="Issues over their threshold; null: never assessed.")
    here: int
    in_org: int
    as_of: Moment | None = Field(description="When the least fresh object was compared.")
    objects: tuple[CopyAnswer, ...]
    deliveries: tuple[DeliveredAnswer, ...]
    errors: OpenErrorsAnswer
    schema_waiting: int = Field(description="Changes of fields that wait for a person.")
    troubles: tuple[TroubleAnswer, ...]
    budget: BudgetAnswer


@router.get("/orgs/{org}/overview", summary="Read an org at a glance")
def overview(engine: Warehouse, org: TheOrg) -> OverviewAnswer:
    """Return grade, completeness, freshness, deliveries, errors and budget of an org."""
    glance = glance_at(engine, org.org)
    health = health_overview(engine, org.org)
    return OverviewAnswer.model_validate(
        {
            "grade": health.grade if health else None,
            "weighted": health.assessment.weighted if health else None,
            "grade_change": health.grade_change if health else None,
            "assessed_at": health.assessment.assessed_at if health else None,
            "failing_issues": sum(each.verdict == "failed" for each in health.issues) if health else None,
            "here": glance.here,
            "in_org": glance.in_org,
            "as_of": glance.as_of,
            "objects": glance.objects,
            "deliveries": glance.deliveries,
            "errors": glance.errors,
            "schema_waiting": glance.schema_waiting,
            "troubles": glance.troubles,
            "budget": usage_overview(engine, org.org).budget,
        }
    )
