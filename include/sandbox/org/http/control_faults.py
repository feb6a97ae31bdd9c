"""Faults by the control plane: order them, plan them, look at what was met."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from include.sandbox.org.faults import KINDS, Fault, Plan
from include.sandbox.org.faults.fault import STUCK
from include.sandbox.org.faults.plan import PLANNED
from include.sandbox.org.http.given import bounded, members, number, whole
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal

Body = Mapping[str, Any]
_COMMON = frozenset(
    (
        "match", "method", "object", "soql", "kind", "status", "body", "headers", "delay", "times", "after", "every",
        "probability", "seed",
    )
)  # fmt: skip
_DAY = 86_400.0
_SEEDS = 1 << 53
_LEAST_STATUS = 200
_LONGEST_SPAN = 3600
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VISIBLE = re.compile(r"[ -~\t]*")
_MANY = 1_000_000
# What the kinds make of their own options.
_OPTIONS = {"seconds": _DAY, "retry_after": _DAY, "pause": _DAY, "pieces": _MANY, "bytes": 1 << 40, "n": _MANY}
_JOB_STATES = ("Failed", "TimedOut", "Aborted", STUCK)


def order_fault(org: Org, body: Body) -> dict[str, Any]:
    """Order a fault for coming calls, or an end for coming Bulk jobs; `clear` takes everything back."""
    if body.get("clear"):
        org.faults.clear()
    if "bulk_job" in body:
        _order_job(org, body)
    if "match" in body or "kind" in body:
        org.faults.order(_fault(body))
    return {"ordered": True}


def _fault(body: Body) -> Fault:
    kind = str(body.get("kind", "answer"))
    own = {name: value for name, value in body.items() if name not in _COMMON}
    _check_options(own)
    if kind not in KINDS:
        raise Refusal(400, "INVALID_INPUT", f"no kind of fault is called {kind!r}; there are {', '.join(KINDS)}")
    if kind in ("late_commit", "equal_stamps", "schema_change"):
        own["object"] = body.get("object")  # what it happens to, not what the call is about
    elif kind == "command":
        own["body"] = body.get("body")
    times = body.get("times", 1)
    return Fault(
        match=_text(body, "match") or "", method=_text(body, "method"),
        object=None if "object" in own else _text(body, "object"), soql=_text(body, "soql"), kind=kind,
        status=_status(body), body=body.get("body"),
        headers={name: _header(name, value) for name, value in members(body, "headers").items()},
        delay=number(body, "delay", 1.0 if kind == "slow" else 0, most=_DAY), options=own,
        times=None if times is None else whole(body, "times", 1, most=_MANY), after=whole(body, "after", 0, most=_MANY),
        every=whole(body, "every", 1, most=_MANY) or 1, probability=number(body, "probability", 1, most=1),
        seed=whole(body, "seed", 0, least=-_SEEDS, most=_SEEDS),
    )  # fmt: skip


def _check_options(own: Mapping[str, Any]) -> None:
    for name, most in _OPTIONS.items():
        if own.get(name) is not None:
            bounded(name, own[name], most=most)


def _status(body: Body) -> int:
    """Return the status of an ordered answer; 0 stands for the right answer."""
    status = whole(body, "status", 500, most=599)
    if 0 < status < _LEAST_STATUS:
        raise Refusal(400, "INVALID_INPUT", f"status is 0, or from {_LEAST_STATUS} to 599, not {status}")
    return status


def _text(body: Body, name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise Refusal(400, "INVALID_INPUT", f"{name} is text")
    return value


def _header(name: str, value: Any) -> str:
    text = str(value)
    if not (_TOKEN.fullmatch(name) and _VISIBLE.fullmatch(text)):
        raise Refusal(400, "INVALID_INPUT", f"{name!r} can't be a header")
    return text


def _order_job(org: Org, body: Body) -> None:
    state = str(body["bulk_job"])
    if state not in _JOB_STATES:
        raise Refusal(400, "INVALID_INPUT", f"a Bulk job can be made to be {', '.join(_JOB_STATES)}, not {state!r}")
    org.faults.order_job(
        state, whole(body, "times", 1, most=_MANY), seconds=number(body, "seconds", 30, most=_DAY),
        object=_text(body, "object"),
    )  # fmt: skip


def plan_faults(org: Org, body: Body) -> dict[str, Any]:
    """Follow a seeded plan that disturbs about `rate` of the calls; `clear` ends it."""
    if body.get("clear"):
        org.faults.follow(None)
        return {"plan": None}
    kinds = body.get("kinds") or PLANNED
    if not isinstance(kinds, (list, tuple)):
        raise Refusal(400, "INVALID_INPUT", "kinds is a list of kinds of faults")
    kinds = tuple(str(each) for each in kinds)
    unknown = [each for each in kinds if each not in KINDS]
    if unknown:
        raise Refusal(400, "INVALID_INPUT", f"no kind of fault is called {unknown[0]!r}; there are {', '.join(KINDS)}")
    options = {kind: members(members(body, "options"), kind) for kind in members(body, "options")}
    for own in options.values():
        number(own, "delay", 0, most=_DAY)
        _check_options(own)
    seconds = body.get("seconds")
    plan = Plan(
        seed=whole(body, "seed", 1, least=-_SEEDS, most=_SEEDS), rate=number(body, "rate", 0.05, most=1), kinds=kinds,
        seconds=None if seconds is None else bounded("seconds", seconds, most=366 * _DAY),
        calm=whole(body, "calm", 0, most=_MANY), options=options,
    )  # fmt: skip
    org.faults.follow(plan)
    return {"plan": plan.shown()}


def set_latency(org: Org, body: Body) -> dict[str, Any]:
    """Answer as slowly as a profile says: none, typical, slow, or one's own spans put into one of them."""
    own = {name: value for name, value in body.items() if name not in ("profile", "seed")}
    try:
        _check_spans(own)
        org.latency.choose(
            str(body.get("profile", "none")), seed=whole(body, "seed", 1, least=-_SEEDS, most=_SEEDS), own=own
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Refusal(
            400, "INVALID_INPUT", "profile is one of none, typical, slow; token, rest, write and job are [least, most]"
        ) from error
    return org.latency.shown()


def _check_spans(own: Mapping[str, Any]) -> None:
    for name, ends in own.items():
        for end in ends if isinstance(ends, list) else (ends,):
            bounded(name, end, most=_LONGEST_SPAN)
        if (name != "megabyte") != (isinstance(ends, list) and len(ends) == 2):
            raise ValueError(name)


COMMANDS: dict[str, Callable[[Org, Body], dict[str, Any]]] = {
    "faults": order_fault,
    "faults/plan": plan_faults,
    "latency": set_latency,
}
LOOKS: dict[str, Callable[[Org, Mapping[str, str]], Any]] = {
    "faults": lambda org, _params: org.faults.shown(),
    "faults/kinds": lambda _org, _params: {
        name: {"effect": each.effect.value, "befalls": each.to.value, "in_plans": each.planned}
        for name, each in KINDS.items()
    },
    "latency": lambda org, _params: org.latency.shown(),
}
