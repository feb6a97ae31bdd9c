"""Register Headwater's pages and their entry in Airflow's navigation; nothing else."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from headwater.ui.mount import LazyPages, path_below_airflow


class HeadwaterPlugin(AirflowPlugin):
    """Put the pages below /headwater, the entry *CRM* into the navigation bar, and a card on the home page."""

    name = "headwater"
    fastapi_apps: list[Any] = [{"app": LazyPages(), "url_prefix": "/headwater", "name": "Headwater"}]  # noqa: RUF012
    external_views: list[Any] = [  # noqa: RUF012
        {
            "name": "CRM",  # the navigation bar cuts labels after about eight letters
            "href": path_below_airflow("/headwater/"),
            "destination": "nav",
            "url_route": "crm",
            "nav_top_level": True,
            "icon": path_below_airflow("/headwater/static/icon-light.svg"),
            "icon_dark_mode": path_below_airflow("/headwater/static/icon-dark.svg"),
        }
    ]
    react_apps: list[Any] = [  # noqa: RUF012
        {
            "name": "Headwater",  # the name under which home.js leaves its component
            "bundle_url": path_below_airflow("/headwater/static/home.js"),
            "destination": "dashboard",
            "url_route": "crm-card",
        }
    ]
