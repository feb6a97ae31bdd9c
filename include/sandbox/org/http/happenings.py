"""What happens in the org just before it answers a call: by a fault's order, and so at a known place of a run."""

from __future__ import annotations

import logging
import re
from typing import Any

from starlette.requests import Request

from include.sandbox.org.faults import Fault
from include.sandbox.org.http.control import COMMANDS
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal

_LOG = logging.getLogger(__name__)
_JOB = re.compile(r"/jobs/(?:query|ingest)/(\w{15,18})")


def happen(org: Org, request: Request, fault: Fault) -> None:
    """Let happen what a fault says; what it can't do it leaves, for the call itself must go on."""
    options = fault.options
    if fault.kind == "job_lost":
        _lose_job(org, request.url.path)
        return
    if fault.kind == "expire_sessions":
        org.sessions.expire_all()
        return
    if fault.kind == "late_commit":
        seconds = float(options.get("seconds", 5))
        _command(org, "touch", {"n": 3, **options, "visible_after_seconds": seconds})
    elif fault.kind == "equal_stamps":
        _command(org, "stamps", options)
    elif fault.kind == "schema_change":
        _command(org, "metadata", options)
    else:
        _command(org, str(options.get("command", "")), options.get("body") or {})


def _command(org: Org, name: str, body: dict[str, Any]) -> None:
    try:
        COMMANDS[name](org, body)
    except Refusal as refusal:
        # Records may be locked or gone by then; the run that is being tested must not see any of this.
        _LOG.warning("The ordered %s could not happen: %s", name, refusal)


def _lose_job(org: Org, path: str) -> None:
    match = _JOB.search(path)
    if match is None:
        return
    query, load = org.jobs.find(match.group(1)), org.loads.find(match.group(1))
    if query is not None:
        org.jobs.delete(query)
    elif load is not None:
        org.loads.delete(load)
