"""Faults by the control plane: order them, plan them, look at what was met."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from include.sandbox.org.faults import KINDS, Fault, Plan
from include.sandbox.org.faults.fault import STUCK
from include.sandbox.org.faults.plan import PLANNED
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal

Body = Mapping[str, Any]
_COMMON = frozenset(
    (
        "match", "method", "object", "soql", "kind", "status", "body", "headers", "delay", "times", "after", "every",
        "probability", "seed",
    )
)  # fmt: skip
_JOB_STATES = ("Failed", "Aborted", STUCK)


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
    if kind not in KINDS:
        raise Refusal(400, "INVALID_INPUT", f"no kind of fault is called {kind!r}; there are {', '.join(KINDS)}")
    if kind in ("late_commit", "equal_stamps", "schema_change"):
        own["object"] = body.get("object")  # what it happens to, not what the call is about
    elif kind == "command":
        own["body"] = body.get("body")
    times = body.get("times", 1)
    return Fault(
        match=str(body.get("match", "")), method=body.get("method"),
        object=None if "object" in own else body.get("object"), soql=body.get("soql"), kind=kind,
        status=int(body.get("status", 500)), body=body.get("body"),
        headers={str(name): str(value) for name, value in (body.get("headers") or {}).items()},
        delay=float(body.get("delay", 1.0 if kind == "slow" else 0)), options=own,
        times=None if times is None else int(times), after=int(body.get("after", 0)),
        every=max(1, int(body.get("every", 1))), probability=float(body.get("probability", 1)),
        seed=int(body.get("seed", 0)),
    )  # fmt: skip


def _order_job(org: Org, body: Body) -> None:
    state = str(body["bulk_job"])
    if state not in _JOB_STATES:
        raise Refusal(400, "INVALID_INPUT", f"a Bulk job can be made to be {', '.join(_JOB_STATES)}, not {state!r}")
    org.faults.order_job(
        state, int(body.get("times", 1)), seconds=float(body.get("seconds", 30)), object=body.get("object")
    )


def plan_faults(org: Org, body: Body) -> dict[str, Any]:
    """Follow a seeded plan that disturbs about `rate` of the calls; `clear` ends it."""
    if body.get("clear"):
        org.faults.follow(None)
        return {"plan": None}
    kinds = tuple(str(each) for each in body.get("kinds") or PLANNED)
    unknown = [each for each in kinds if each not in KINDS]
    if unknown:
        raise Refusal(400, "INVALID_INPUT", f"no kind of fault is called {unknown[0]!r}; there are {', '.join(KINDS)}")
    seconds = body.get("seconds")
    plan = Plan(
        seed=int(body.get("seed", 1)), rate=float(body.get("rate", 0.05)), kinds=kinds,
        seconds=None if seconds is None else float(seconds), calm=int(body.get("calm", 0)),
        options=body.get("options"),
    )  # fmt: skip
    org.faults.follow(plan)
    return {"plan": plan.shown()}


def set_latency(org: Org, body: Body) -> dict[str, Any]:
    """Answer as slowly as a profile says: none, typical, slow, or one's own spans put into one of them."""
    own = {name: value for name, value in body.items() if name not in ("profile", "seed")}
    try:
        org.latency.choose(str(body.get("profile", "none")), seed=int(body.get("seed", 1)), own=own)
    except (KeyError, TypeError, ValueError) as error:
        raise Refusal(
            400, "INVALID_INPUT", "profile is one of none, typical, slow; token, rest, write and job are [least, most]"
        ) from error
    return org.latency.shown()


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
