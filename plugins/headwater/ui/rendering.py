"""Turn templates into pages: one environment, autoescaped, with our formats as filters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from headwater.ui import formats
from headwater.ui.assets import ASSETS
from include.record_ids import whole_id

TEMPLATES = Path(__file__).parent / "templates"
MOUNTED_AT = "/headwater"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """Name one page of the shell. Later pages add a line to TABS."""

    name: str
    title: str


TABS = (
    Tab(name="overview", title="Overview"),
    Tab(name="health", title="Health"),
    Tab(name="duplicates", title="Duplicates"),
    Tab(name="extracts", title="Extracts"),
    Tab(name="pushes", title="Pushes"),
    Tab(name="errors", title="Sync errors"),
    Tab(name="record", title="Record"),
    Tab(name="schema", title="Schema"),
    Tab(name="fields", title="Fields"),
    Tab(name="usage", title="API usage"),
    Tab(name="notifications", title="Notifications"),
)

CHARTS = ("uplot-1.6.32.min.js", "uplot-1.6.32.min.css")  # static/NOTICE.md says whose they are

environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.filters.update(
    number=formats.number,
    counted=formats.counted,
    platform=formats.platform,
    signed=formats.signed,
    percent=formats.percent,
    points=formats.points,
    moment=formats.moment,
    span=formats.span,
    part=lambda text: quote(str(text), safe=""),
)
environment.tests.update(stayed=formats.stayed, record_id=lambda key: whole_id(key) == key)
environment.globals.update(window=formats.window, tabs=TABS, chart_files=CHARTS)


def show(request: Request, template: str, *, status: int = 200, tab: str = "", **values: Any) -> HTMLResponse:
    """Return a page. `root` is where our pages live, `airflow` where Airflow's do; both know a path prefix."""
    now = datetime.now(UTC)
    root = request.scope.get("root_path", "")
    html = environment.get_template(template).render(
        request=request,
        root=root,
        airflow=root.removesuffix(MOUNTED_AT),
        asset=lambda name: f"{root}/static/{name}?v={ASSETS[name].version}",
        tab=tab,
        now=now,
        ago=lambda at: formats.ago(at, now),
        onboarding=getattr(request.state, "onboarding", None),
        **{"org": None, "charts": False, **values},
    )
    return HTMLResponse(html, status_code=status)
