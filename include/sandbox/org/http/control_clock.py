"""The clock and the allocations by the control plane, and stamps that records share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from include.sandbox.org.allocation import MAXIMA
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.writing import bin as recycle_bin

Body = Mapping[str, Any]


def set_clock(org: Org, body: Body) -> dict[str, Any]:
    """Set the org's clock: to a time, off the machine's, ahead, to a rate; or put the Date header off it."""
    clock = org.clock
    if body.get("reset"):
        clock.reset()
    if "rate" in body:
        clock.run(float(body["rate"]))
    if "set" in body:
        clock.set(_epoch(body["set"]))
    elif "offset" in body:
        clock.offset = float(body["offset"])
    if "advance" in body:
        clock.advance(float(body["advance"]))
    if "skew" in body:
        clock.shift_date_header(float(body["skew"]))
    recycle_bin.purge(org)  # what the bin has kept too long by the new time is gone at once
    return show_clock(org)


def show_clock(org: Org) -> dict[str, Any]:
    """Return what the clock says and how it runs."""
    clock = org.clock
    return {"now": clock.now().isoformat(), "offset": clock.offset, "rate": clock.rate, "skew": clock.skew}


def set_allocation(org: Org, body: Body) -> dict[str, Any]:
    """Set the daily maximum, what is used, other apps' calls an hour, quotas of apps, Bulk work, long calls."""
    allocation = org.allocation
    allocation.set(maximum=body.get("max"), used=body.get("used"))
    if "others" in body:
        allocation.set_others({str(app): float(hourly) for app, hourly in (body["others"] or {}).items()})
    if "quotas" in body:
        allocation.quotas = {str(app): int(quota) for app, quota in (body["quotas"] or {}).items()}
    for name, wanted in (body.get("work") or {}).items():
        if name not in MAXIMA:
            raise Refusal(400, "INVALID_INPUT", f"nothing is counted as {name!r}; there are {', '.join(MAXIMA)}")
        allocation.set_work(name, maximum=wanted.get("max"), used=wanted.get("used"))
    long_calls = body.get("long_calls") or {}
    allocation.long_calls.most = int(long_calls.get("max", allocation.long_calls.most))
    allocation.long_calls.seconds = float(long_calls.get("seconds", allocation.long_calls.seconds))
    allocation.long_calls.others = int(long_calls.get("others", allocation.long_calls.others))
    return show_allocation(org)


def show_allocation(org: Org) -> dict[str, Any]:
    """Return what may be used and what is."""
    allocation = org.allocation
    long_calls = allocation.long_calls
    return {
        "max": allocation.maximum,
        "used": allocation.used(),
        "apps": {app: allocation.used_by(app) for app in allocation.apps()},
        "others": allocation.others(),
        "quotas": allocation.quotas,
        "work": {name: {"max": allocation.maxima[name], "remaining": allocation.remaining(name)} for name in MAXIMA},
        "long_calls": {"max": long_calls.most, "seconds": long_calls.seconds, "now": long_calls.count()},
    }


def _epoch(wanted: Any) -> float:
    """Return a time given as seconds since 1970 or as ISO 8601; without an offset it is UTC."""
    if isinstance(wanted, (int, float)):
        return float(wanted)
    try:
        moment = datetime.fromisoformat(str(wanted))
    except ValueError as error:
        raise Refusal(400, "INVALID_INPUT", f"{wanted!r} is no time") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


COMMANDS: dict[str, Callable[[Org, Body], dict[str, Any]]] = {"allocation": set_allocation, "clock": set_clock}
LOOKS: dict[str, Callable[[Org, Mapping[str, str]], Any]] = {
    "allocation": lambda org, _params: show_allocation(org),
    "clock": lambda org, _params: show_clock(org),
}
