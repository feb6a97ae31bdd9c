"""Say how an installation does: services, objects, health, deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from include.errors import WarehouseDown
from include.local.plan import WAREHOUSE_DATABASE
from include.local.postgres import server_url
from include.local.services import read_plan
from include.local.site import Site, read_json
from include.local.supervision import find_supervisor, is_ready
from include.warehouse.engine import open_warehouse, transaction
from include.warehouse.overview import health_overview, list_orgs, objects_overview

Report = dict[str, Any]
_NOT_ASSESSED: Report = {"grade": None, "issues": []}

# Per push: what the platform has taken in all runs, what became of the last run's records, and what waits for a person.
_DELIVERIES = """
SELECT p.push, sum(p.delivered)::bigint AS profiles,
       (SELECT count(*) FROM headwater.outbox AS o WHERE o.push = p.push AND o.state = 'delivered') AS events,
       (SELECT count(*) FROM headwater.sync_error AS e WHERE e.push = p.push AND e.settled_at IS NULL) AS open_errors,
       count(*) AS runs, max(p.settled_at) AS last_run_at
  FROM headwater.push_run AS p
 GROUP BY p.push ORDER BY p.push
"""


def report(site: Site) -> Report:
    """Return everything that `make status` shows, ready to be written as JSON."""
    services = service_lines(site)
    found: Report = {"services": services, "objects": [], "health": dict(_NOT_ASSESSED), "deliveries": []}
    found["reachable"] = False
    if any(each["name"] == "postgres" and each["state"] == "ready" for each in services):
        port, password = site.settings.warehouse_port, site.secrets().postgres_password
        engine = open_warehouse(server_url(port, password, WAREHOUSE_DATABASE))
        try:
            found |= _from_warehouse(engine) | {"reachable": True}
        except (WarehouseDown, SQLAlchemyError) as error:
            found["problem"] = f"the warehouse cannot be read: {type(error).__name__}"
        finally:
            engine.dispose()
    return {**found, "url": site.url}


def service_lines(site: Site) -> list[Report]:
    """Return one line a planned service, and one for the supervisor."""
    kept = read_json(site.state_file).get("services")
    notes = kept if isinstance(kept, dict) else {}
    password = site.secrets().postgres_password if (site.home / "secrets.json").exists() else ""
    lines = [_supervisor_line(site)]
    for name, service in read_plan(site).items():
        note: Mapping[str, Any] = notes.get(name) or {}
        ready = is_ready(site, service, url=server_url(service.port, password))
        alive = bool(note.get("pid"))
        lines.append(
            {
                "name": name,
                "state": "ready" if ready else "starting" if alive else "down",
                "port": service.port or None,
                "pid": note.get("pid") if ready or alive else None,
                "restarts": note.get("restarts", 0),
                "since": note.get("started_at") or None,
                "log": service.log,
            }
        )
    return lines


def _supervisor_line(site: Site) -> Report:
    process = find_supervisor(site)
    return {
        "name": "supervisor",
        "state": "ready" if process else "down",
        "port": None,
        "pid": process.pid if process else None,
        "restarts": 0,
        "since": None,
        "log": str(site.log("supervisor")),
    }


def _from_warehouse(engine: Engine) -> Report:
    objects: list[Report] = []
    healths: list[Report] = []
    for org in list_orgs(engine):
        objects += [
            {
                "of": org.org,
                "object": each.object,
                "here": each.here,
                "org": each.org,
                "difference": each.difference,
                "as_of": _iso(each.as_of),
            }
            for each in objects_overview(engine, org.org)
        ]
        healths.append(_health(engine, org.org))
    # `health` is the first org's that was assessed, for who has one org only; `healths` has a line for every org.
    first = next((each for each in healths if each["grade"] is not None), dict(_NOT_ASSESSED))
    return {"objects": objects, "health": first, "healths": healths, "deliveries": _deliveries(engine)}


def _health(engine: Engine, org: str) -> Report:
    overview = health_overview(engine, org)
    if overview is None:
        return {"org": org, **_NOT_ASSESSED}
    return {
        "org": org,
        "grade": overview.grade,
        "assessed_at": _iso(overview.assessment.assessed_at),
        "issues": [
            {
                "check": each.check_id,
                "title": each.title,
                "object": each.object,
                "severity": each.severity,
                "verdict": each.verdict,
                "failing": each.failing,
                "share": each.share,
            }
            for each in overview.issues
            if each.failing
        ],
    }


def _deliveries(engine: Engine) -> list[Report]:
    with transaction(engine) as connection:
        rows = connection.execute(text(_DELIVERIES)).mappings()
        return [{**row, "last_run_at": _iso(row["last_run_at"])} for row in rows]


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
