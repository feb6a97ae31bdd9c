"""What the card on Airflow's home page shows of each org: figures, whether they are good, and where they lead."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from sqlalchemy import Engine

from headwater.ui import formats
from headwater.ui.warehouse import Warehouse
from include.warehouse.health.assessments import latest_assessment, one_assessment
from include.warehouse.overview import list_orgs, onboarding_overview, usage_overview
from include.warehouse.overview.glance import Glance, glance_at
from include.warehouse.overview.health import change
from include.warehouse.overview.onboarding import Onboarding
from include.warehouse.overview.usage import Budget

router = APIRouter()

MOST_ORGS = 5


@router.get("/home.json")
def home(engine: Warehouse) -> dict[str, Any]:
    """Return the figures of the first orgs. Counts only: the card is on everybody's first page.

    The tone of a figure: `bad`, `good`, `plain`, or `beside` where only what is said beside it is bad.
    """
    orgs = list_orgs(engine)
    left_out = len(orgs) - MOST_ORGS
    return {
        "orgs": [_org(engine, each.org) for each in orgs[:MOST_ORGS]],
        "more": f"and {left_out} more {'org' if left_out == 1 else 'orgs'}" if left_out > 0 else "",
    }


def _org(engine: Engine, org: str) -> dict[str, Any]:
    glance = glance_at(engine, org)
    onboarding = onboarding_overview(engine, org)
    return {
        "org": org,
        "note": _note(onboarding, glance),
        "figures": [
            _grade(engine, org),
            _copy(org, glance),
            _deliveries(org, glance),
            _errors(org, glance),
            _budget(org, usage_overview(engine, org).budget),
        ],
    }


def _note(onboarding: Onboarding | None, glance: Glance) -> str:
    if onboarding and onboarding.incomplete:
        return f"onboarding: {onboarding.complete} of {len(onboarding.objects)} objects complete"
    troubles = len(glance.troubles)
    return f"{troubles} {'run needs' if troubles == 1 else 'runs need'} a look" if troubles else ""


def _grade(engine: Engine, org: str) -> dict[str, Any]:
    newest = latest_assessment(engine, org)
    before = one_assessment(engine, org, newest.previous_id) if newest and newest.previous_id else None
    moved = change(newest.grade, before.grade) if newest and before else None
    if newest is None:
        says, tone = "not assessed yet", "plain"
    elif moved is None or formats.stayed(moved):
        says, tone = f"assessed {_ago(newest.assessed_at)}", "plain"
    else:
        says = f"{formats.points(moved)} than before"
        tone = "good" if moved > 0 else "bad"
    return _figure("Grade", "health", org, says=says, tone=tone, share=newest.grade if newest else None)


def _copy(org: str, glance: Glance) -> dict[str, Any]:
    differs = sum(abs(each.difference or 0) for each in glance.differing)
    says = f"as of {_ago(glance.as_of)}" if glance.as_of else "not compared yet"
    value = differs if glance.compared else None
    return _figure("Difference, rows", "extracts", org, says=says, tone="bad" if differs else "plain", value=value)


def _deliveries(org: str, glance: Glance) -> dict[str, Any]:
    says = f"{formats.number(glance.failed)} failed" if glance.failed else "in the last 24 h"
    return _figure(
        "Delivered", "pushes", org, says=says, tone="beside" if glance.failed else "plain", value=glance.delivered
    )


def _errors(org: str, glance: Glance) -> dict[str, Any]:
    found = glance.errors
    says = f"{formats.number(found.unknown)} need a decision" if found.unknown else "open"
    tone = "bad" if found.open else "plain"
    value = min(found.open, found.most)
    return _figure("Sync errors", "errors", org, says=says, tone=tone, value=value) | {"more": found.more}


def _budget(org: str, budget: Budget) -> dict[str, Any]:
    if not budget.allowed or budget.used is None:
        return _figure("API calls", "usage", org, says="by us in 24 h", tone="plain", value=budget.ours_of_the_day)
    says = f"of {formats.number(budget.allowed)} used in 24 h"
    return _figure(
        "API calls", "usage", org, says=says, tone="bad" if budget.tight else "plain",
        share=budget.used / budget.allowed,
    )  # fmt: skip


def _figure(label: str, page: str, org: str, *, says: str, tone: str, **shown: Any) -> dict[str, Any]:
    path = f"/headwater/{page}?org={quote(org, safe='')}"
    return {"label": label, "path": path, "says": says, "tone": tone, **shown}


def _ago(at: datetime | None) -> str:
    return formats.ago(at, datetime.now(UTC))
