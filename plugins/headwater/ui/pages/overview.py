"""The first page: how an org is doing, at a glance; every card leads to the page that says more."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy import Engine
from starlette.responses import Response

from headwater.ui.charts import Chart, count_chart
from headwater.ui.links import run_link
from headwater.ui.rendering import MOUNTED_AT, show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.config.loader import load_definitions
from include.warehouse.health.assessments import issues_of, latest_assessment, one_assessment
from include.warehouse.overview import usage_overview
from include.warehouse.overview.activity import deliveries_by_day
from include.warehouse.overview.glance import Trouble, glance_at, lines_of_orgs
from include.warehouse.overview.health import change

router = APIRouter()

_PAGES = {"extract": "extracts", "reconcile": "extracts", "health": "health", "push": "pushes"}
_WORST = 3  # issues that the card of the grade names


@router.get("/overview")
def overview(request: Request, engine: Warehouse, chosen: ChosenOrg) -> Response:
    """Show an org at a glance, and a line for each other one."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "overview", orgs)
    root = request.scope.get("root_path", "")
    newest = latest_assessment(engine, org.org)
    before = one_assessment(engine, org.org, newest.previous_id) if newest and newest.previous_id else None
    issues = issues_of(engine, newest.assessment_id) if newest else ()
    return show(
        request,
        "overview.html",
        tab="overview",
        org=org,
        orgs=orgs,
        glance=glance_at(engine, org.org),
        newest=newest,
        before=before,
        change=change(newest.grade, before.grade) if newest and before else None,
        over=[issue for issue in issues if issue.verdict == "failed"],
        worst=_WORST,
        budget=usage_overview(engine, org.org).budget,
        charts=True,
        chart=_deliveries(engine, org.org),
        pushes=sum(1 for each in load_definitions().pushes.values() if each.org == org.org),
        lines=lines_of_orgs(engine, [each.org for each in orgs]) if len(orgs) > 1 else (),
        run_link=lambda run: run_link(root.removesuffix(MOUNTED_AT), run.dag_id, run.dag_run_id, run.task_id),
        page_of=_page_of,
    )


def _deliveries(engine: Engine, org: str) -> Chart | None:
    """Return the chart of what was delivered, nothing while nothing ever was."""
    days = deliveries_by_day(engine, org)
    if not any(each.delivered or each.failed for each in days):
        return None
    return count_chart(
        "Deliveries by the day",
        "records",
        [each.day for each in days],
        {"Delivered": [each.delivered for each in days], "Failed": [each.failed for each in days]},
    )


def _page_of(trouble: Trouble) -> str:
    """Return the name of our page that says more about a run."""
    return _PAGES[trouble.kind]
