"""What the page of the org shows: a look at every part, as plain values for the template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.sandbox.org.calls import ReceivedCall
from include.sandbox.org.faults import KINDS
from include.sandbox.org.generator import defects
from include.sandbox.org.http import control
from include.sandbox.org.metadata.fields import TYPES
from include.sandbox.org.org import Org
from include.sandbox.org.store.tables import visible_sql

_CALLS, _JOBS = 50, 25
_SEARCHED = 20_000  # of the calls in the log
_JOB_ENDS = ("Failed", "TimedOut", "Aborted")


def overview(org: Org, params: Mapping[str, str]) -> dict[str, Any]:
    """Return everything that the page shows."""
    counts = control.counts(org)
    wanted, errors = params.get("q", "").strip(), params.get("errors") == "1"
    found = _calls(org, wanted, errors=errors)
    return {
        "org_id": org.org_id,
        "now": org.clock.now(),
        "offset": org.clock.offset,
        "rate": org.clock.rate,
        "seed": org.database.meta().get("seed", "?"),
        "objects": _objects(org, counts),
        "records": sum(each["present"] for each in counts.values()),
        "deleted": sum(each["deleted"] for each in counts.values()),
        "allocation": _allocation(org),
        "sessions": org.sessions.count(),
        "jobs": _jobs(org),
        "calls": found[:_CALLS],
        "calls_found": len(found),
        "calls_size": _CALLS,
        "wanted": wanted,
        "errors": errors,
        "faults": _faults(org),
        "kinds": list(KINDS),
        "job_ends": _JOB_ENDS,
        "life": control.LOOKS["life"](org, {}),
        "defects": _defects(org),
        "types": TYPES,
        "done": params.get("done", "")[:300],
        "refused": params.get("refused", "")[:300],
    }


def _objects(org: Org, counts: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    snapshot = org.catalogue.snapshot
    rows = [
        {"name": name, "label": target.plural, "fields": len(target.fields), "changed": snapshot.changed.get(name),
         **counts.get(name, {"present": 0, "deleted": 0})}
        for name, target in snapshot.objects.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row["present"] == 0, row["name"]))


def _allocation(org: Org) -> dict[str, Any]:
    used, most = org.allocation.used(), org.allocation.maximum
    return {"used": used, "max": most, "left": max(0, most - used), "share": min(1.0, used / most) if most else 1.0}


def _jobs(org: Org) -> list[dict[str, Any]]:
    """Return the latest Bulk jobs, queries and loads."""
    jobs: list[Any] = sorted(
        (*org.jobs.all(), *org.loads.all(), *org.classic.all()), key=lambda job: float(job.created), reverse=True
    )
    return [
        {"id": job.id, "operation": job.operation, "object": job.object, "state": job.state, "created": job.created,
         "records": _processed(job),
         "milliseconds": getattr(job, "milliseconds", 0), "error": getattr(job, "error", "")}
        for job in jobs[:_JOBS]
    ]  # fmt: skip


def _processed(job: Any) -> int:
    """Return how many records a job of any API went through; an older one counts by batch."""
    if hasattr(job, "batches"):
        return sum(each.processed for each in job.batches)
    return int(job.records if hasattr(job, "records") else job.processed)


def _calls(org: Org, wanted: str, *, errors: bool) -> list[ReceivedCall]:
    """Return calls, the newest first: those whose method, path, parts or status hold all wanted words."""
    words = wanted.lower().split()
    found = []
    for call in org.calls.latest(_SEARCHED):
        if errors and call.status < 400:
            continue
        text = f"{call.method} {call.path} {call.status} {' '.join(call.parts)}".lower()
        if all(word in text for word in words):
            found.append(call)
    return found


def _faults(org: Org) -> dict[str, Any]:
    """Return what is ordered, with words for what an order leaves open."""
    shown = org.faults.shown()
    ordered = [
        {
            "kind": f"{each['kind']} {each['status']}" if "status" in each else each["kind"].replace("_", " "),
            "method": each.get("method") or "any method",
            "match": each.get("match") or "any path",
            "times": "always" if each.get("times") is None else f"{each['times']:,}",
            "met": each.get("met", 0),
        }
        for each in shown["ordered"]
    ]
    return {"ordered": ordered, "jobs": shown["jobs"], "plan": shown["plan"]}


def _defects(org: Org) -> list[dict[str, Any]]:
    """Count the planted defects that are still there, in one pass over each object."""
    seen = visible_sql("t", str(org.clock.milliseconds()))
    counted: dict[str, int] = {}
    for name in dict.fromkeys(each.object for each in defects.DEFECTS):
        here = [each for each in defects.DEFECTS if each.object == name]
        counts = ", ".join(f"count(*) FILTER (WHERE (t._defects & {defects.bit(each)}) <> 0)" for each in here)
        row = org.database.rows(f'SELECT {counts} FROM "{name}" t WHERE NOT t."IsDeleted" AND {seen}')[0]
        counted |= {each.name: count for each, count in zip(here, row, strict=True)}
    return [
        {"name": each.name, "object": each.object, "meaning": each.meaning, "count": counted[each.name]}
        for each in defects.DEFECTS
    ]
