"""Lists of Bulk jobs of all kinds, a thousand at a time."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.jobs import ClassicJob
from include.sandbox.org.jobs.formats import json_stamp
from include.sandbox.org.refusals import Refusal

_A_LIST = 1000
_TYPES = ("V2Query", "V2Ingest", "Classic", "BigObjectIngest")


def list_all(call: Call, kinds: Sequence[str]) -> Answer:
    """Answer with the jobs of these kinds, or of the one that was asked for."""
    asked = call.params.get("jobType")
    if asked and asked not in _TYPES:
        raise Refusal(400, "INVALID_QUERY_VALUE", f"Invalid value for jobType: {asked}")
    cut_only = call.params.get("isPkChunkingEnabled", "").lower() == "true"
    jobs = _bodies(call, (asked,) if asked else kinds, cut_only=cut_only)
    mode = call.params.get("concurrencyMode")
    if mode:
        jobs = [each for each in jobs if str(each["concurrencyMode"]).lower() == mode.lower()]
    start = record_of(call.params["queryLocator"]) if call.params.get("queryLocator") else 0
    shown = jobs[start : start + _A_LIST]
    following = start + len(shown)
    more = following < len(jobs)
    # The locator's link leads to the ingest jobs whichever list it came from, as Salesforce's own does.
    also = f"&jobType={asked}" if asked else ""
    url = f"/services/data/v{call.version}/jobs/ingest?queryLocator={locator_of(following)}{also}" if more else None
    return Answer(body={"done": not more, "records": shown, "nextRecordsUrl": url})


def locator_of(record: int) -> str:
    """Return the locator of a place in a list or a result."""
    return base64.urlsafe_b64encode(str(record).encode()).decode().rstrip("=")


def record_of(locator: str) -> int:
    """Return the place that a locator means, or refuse it."""
    try:
        place = int(base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)))
    except ValueError as error:
        raise Refusal(400, "INVALID_LOCATOR", "The locator is invalid") from error
    if place < 0:
        raise Refusal(400, "INVALID_LOCATOR", "The locator is invalid")
    return place


def _bodies(call: Call, kinds: Sequence[str], *, cut_only: bool) -> list[dict[str, Any]]:
    """Return jobs as they are listed; only those of the older API can be cut into ranges of Ids."""
    org = call.org
    listed: list[dict[str, Any]] = []
    if "V2Query" in kinds and not cut_only:
        listed += [each.body(full=True) for each in org.jobs.all()]
    if "V2Ingest" in kinds and not cut_only:
        listed += [each.body(full=True) for each in org.loads.all()]
    if "Classic" in kinds:
        listed += [_classic(each) for each in org.classic.all() if each.chunk or not cut_only]
    return listed


def _classic(job: ClassicJob) -> dict[str, Any]:
    """Return a job of the older API as the newer one lists it."""
    return {
        "id": job.id,
        "operation": job.operation,
        "object": job.object,
        "createdById": job.created_by,
        "createdDate": json_stamp(job.created),
        "systemModstamp": json_stamp(job.changed),
        "state": job.state,
        "concurrencyMode": job.mode,
        "contentType": job.content,
        "apiVersion": float(job.version),
        "jobType": "Classic",
    }
