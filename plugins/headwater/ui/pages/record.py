"""One record: its row, its findings, where it went. Personal values are masked unless one may see them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from headwater.ui.capabilities import MaySeeUnmasked
from headwater.ui.formats import moment
from headwater.ui.links import record_link, run_link
from headwater.ui.listing import plain
from headwater.ui.reads import note_read
from headwater.ui.rendering import MOUNTED_AT, show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.record_ids import whole_id
from include.warehouse.overview.duplicate_cluster import Cell
from include.warehouse.overview.duplicates import find_clusters
from include.warehouse.overview.record import RecordValue, record_overview
from include.warehouse.overview.record_past import MOST_OUTCOMES, MOST_RUNS
from include.warehouse.personal.masks import MASK

router = APIRouter()


@router.get("/record")
def find(request: Request, chosen: ChosenOrg) -> Response:
    """Lead to the record of an Id (`?id=`), or ask for one."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "record", orgs)
    asked = plain(request.query_params.get("id", ""))
    record_id = whole_id(asked)
    if record_id is None:
        return show(
            request, "record_find.html", status=404 if asked else 200, tab="record", org=org, orgs=orgs, asked=asked
        )
    root = request.scope.get("root_path", "")
    return RedirectResponse(f"{root}/record/{record_id}?{urlencode({'org': org.org})}", status_code=303)


@router.get("/record/{record_id}")
def record(
    request: Request, record_id: str, engine: Warehouse, chosen: ChosenOrg, unmasked: MaySeeUnmasked, user: GetUserDep
) -> Response:
    """Show what is known of a record. Who is shown personal values is named in the audit trail."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "record", orgs)
    asked = plain(record_id)
    found = whole_id(asked)
    overview = record_overview(engine, org.org, found, unmasked=unmasked) if found else None
    if overview is None or not overview.known:
        return show(request, "record_find.html", status=404, tab="record", org=org, orgs=orgs, asked=asked)
    airflow = request.scope.get("root_path", "").removesuffix(MOUNTED_AT)
    row = overview.row
    object = row.object if row else next((each.object for each in overview.findings), "")
    if row and unmasked:
        shown, ids = [each.name for each in row.values if each.filled], [overview.record_id]
        note_read(engine, org.org, object, who=user.get_name(), record_ids=ids, fields=shown, page="its page")
    return show(
        request,
        "record.html",
        tab="record",
        org=org,
        orgs=orgs,
        asked=asked,
        overview=overview,
        row=row,
        object=object,
        unmasked=unmasked,
        cluster=next(iter(find_clusters(engine, org.org, object, record_id=overview.record_id).lines), None),
        most_runs=MOST_RUNS,
        most_outcomes=MOST_OUTCOMES,
        said=said,
        in_salesforce=record_link(org.instance_url, object, overview.record_id) if object else "",
        run_link=lambda run: run_link(airflow, run.dag_id, run.dag_run_id, getattr(run, "task_id", "")),
    )


def said(field: RecordValue | Cell) -> Any:
    """Return a value as a person reads it."""
    if not field.filled:
        return Markup('<span class="muted">empty</span>')
    value = field.value
    if value is None:
        return Markup('<span class="masked" title="Personal: you may not see it">{}</span>').format(MASK)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    return value.isoformat() if isinstance(value, date) else str(value)
