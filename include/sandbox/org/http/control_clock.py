"""The clock and the allocations by the control plane, and stamps that records share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from include.sandbox.org.allocation import MAXIMA
from include.sandbox.org.clock import EARLIEST, LATEST
from include.sandbox.org.http.given import bounded, members, number, whole
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.writing import bin as recycle_bin

Body = Mapping[str, Any]
_FASTEST = 100_000.0  # seconds in one: an org's day in less than one
_FARTHEST = 10 * 366 * 86_400.0  # the Date header off the stamps
_MOST = 1_000_000_000  # of anything that is counted
_DAY = 86_400.0


def set_clock(org: Org, body: Body) -> dict[str, Any]:
    """Set the org's clock: to a time, off the machine's, ahead, to a rate; or put the Date header off it."""
    clock = org.clock
    rate = number(body, "rate", clock.rate, most=_FASTEST)
    skew = number(body, "skew", clock.skew, least=-_FARTHEST, most=_FARTHEST)
    moment = _moment(org, body)
    if body.get("reset"):
        clock.reset()
    if "rate" in body:
        clock.run(rate)
    if moment is not None:
        clock.set(moment)
    if "skew" in body:
        clock.shift_date_header(skew)
    recycle_bin.purge(org)  # what the bin has kept too long by the new time is gone at once
    return show_clock(org)


def _moment(org: Org, body: Body) -> float | None:
    """Return the time that it becomes, or None if it only goes on; refuse one that no record can be stamped with."""
    if not any(name in body for name in ("set", "offset", "advance")):
        return None
    span = LATEST - EARLIEST
    start = time.time() if body.get("reset") else org.clock.epoch()
    if "set" in body:
        start = _epoch(body["set"])
    elif "offset" in body:
        start = time.time() + bounded("offset", body["offset"], least=-span, most=span)
    moment = start + number(body, "advance", 0.0, least=-span, most=span)
    if not EARLIEST <= moment < LATEST:
        first, last = (datetime.fromtimestamp(each, tz=UTC).date() for each in (EARLIEST, LATEST))
        raise Refusal(400, "INVALID_INPUT", f"The org's clock goes from {first} to {last}")
    return moment


def show_clock(org: Org) -> dict[str, Any]:
    """Return what the clock says and how it runs."""
    clock = org.clock
    return {"now": clock.now().isoformat(), "offset": clock.offset, "rate": clock.rate, "skew": clock.skew}


def set_allocation(org: Org, body: Body) -> dict[str, Any]:
    """Set the daily maximum, what is used, other apps' calls an hour, quotas of apps, Bulk work, long calls."""
    allocation, long_calls = org.allocation, org.allocation.long_calls
    others = {app: bounded(app, each, most=_MOST) for app, each in members(body, "others").items()}
    quotas = {app: int(bounded(app, each, most=_MOST)) for app, each in members(body, "quotas").items()}
    work = {name: members(members(body, "work"), name) for name in members(body, "work")}
    for name in work:
        if name not in MAXIMA:
            raise Refusal(400, "INVALID_INPUT", f"nothing is counted as {name!r}; there are {', '.join(MAXIMA)}")
    counts = {name: (_count(wanted, "max"), _count(wanted, "used")) for name, wanted in work.items()}
    wanted = members(body, "long_calls")
    most = whole(wanted, "max", long_calls.most, most=_MOST)
    seconds = number(wanted, "seconds", long_calls.seconds, most=_DAY)
    pretended = whole(wanted, "others", long_calls.others, most=_MOST)
    allocation.set(maximum=_count(body, "max"), used=_count(body, "used"))
    if "others" in body:
        allocation.set_others(others)
    if "quotas" in body:
        allocation.quotas = quotas
    for name, (maximum, used) in counts.items():
        allocation.set_work(name, maximum=maximum, used=used)
    long_calls.most, long_calls.seconds, long_calls.others = most, seconds, pretended
    return show_allocation(org)


def _count(body: Body, name: str) -> int | None:
    """Return a number of calls, or None if the body names none."""
    return None if body.get(name) is None else whole(body, name, 0, most=_MOST)


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
        return bounded("set", wanted, least=EARLIEST, most=LATEST)
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
