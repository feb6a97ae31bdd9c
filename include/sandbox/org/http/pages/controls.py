"""Forms of the page: each is one command of the control plane, and leads back to the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from include.sandbox.org.http import control
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal, not_found

Form = Mapping[str, str]
_MOST = 100_000
_UNITS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}


def run_form(org: Org, name: str, form: Form) -> str:
    """Do what a form asks and return what was done, in words."""
    action = _FORMS.get(name)
    if action is None:
        raise not_found(f"no form is called {name}")
    try:
        return action(org, form)
    except (ValueError, KeyError) as error:
        raise Refusal(400, "INVALID_INPUT", f"This can't be done: {error}") from error


def from_elsewhere(headers: Mapping[str, str]) -> bool:
    """Say whether a page of another site sent a form: a browser tells, and other clients don't."""
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host", "")


def _records(org: Org, form: Form) -> str:
    verb, name, count = form["verb"], form["object"], _number(form, "n", 1)
    if verb not in ("touch", "create", "delete"):
        raise ValueError(verb)
    done = _command(org, verb, {"object": name, "n": count})
    return f"{verb.capitalize()}: {len(done['ids']):,} of {name}"


def _faults(org: Org, form: Form) -> str:
    if form.get("clear"):
        _command(org, "faults", {"clear": True})
        return "All faults taken back"
    kind, times = form["kind"], _number(form, "times", 1)
    if kind.startswith("job:"):
        _command(org, "faults", {"bulk_job": kind.removeprefix("job:"), "times": times})
        return f"The next {times:,} Bulk jobs end as {kind.removeprefix('job:')}"
    body: dict[str, Any] = {"kind": kind, "times": times, "match": form.get("match", "").strip()}
    if kind == "answer":
        body["status"] = _number(form, "status", 500)
    _command(org, "faults", body)
    return f"Ordered {times:,} × {kind}"


def _sessions(org: Org, form: Form) -> str:
    ended = _command(org, "expire-sessions", {"forgive": bool(form.get("forgive"))})["ended"]
    return f"Ended {ended:,} sessions"


def _allocation(org: Org, form: Form) -> str:
    wanted = {name: _number(form, name, 0) for name in ("max", "used") if form.get(name, "").strip()}
    now = _command(org, "allocation", wanted)
    return f"Allocation: {now['used']:,} of {now['max']:,} calls used"


def _clock(org: Org, form: Form) -> str:
    if form.get("reset"):
        now = _command(org, "clock", {"offset": 0})
    else:
        ahead = float(form.get("amount") or 0) * _UNITS[form["unit"]]
        now = _command(org, "clock", {"offset": org.clock.offset + ahead})
    return f"The org's clock says {now['now'][:19]} UTC"


def _field(org: Org, form: Form) -> str:
    order: dict[str, Any] = {"change": "add_field", "object": form["object"], "type": form["type"]}
    order |= {key: form[key].strip() for key in ("name", "label", "parent") if form.get(key, "").strip()}
    _command(org, "metadata", order)
    return f"Added {order['name']} to {order['object']}"


def _life(org: Org, form: Form) -> str:
    if form.get("stop"):
        _command(org, "life", {"stop": True})
        return "Life stopped"
    pace = float(form.get("pace") or 30)
    seed = {"seed": _number(form, "seed", 1)} if form.get("seed", "").strip() else {}
    _command(org, "life", {"changes_per_minute": pace, **seed})
    return f"People work at {pace:g} changes a minute"


def _command(org: Org, name: str, body: dict[str, Any]) -> dict[str, Any]:
    return control.COMMANDS[name](org, body)


def _number(form: Form, name: str, usual: int) -> int:
    text = form.get(name, "").strip()
    number = int(text) if text else usual
    if not 0 <= number <= _MOST and name in ("n", "times"):
        raise ValueError(f"{name} must be between 0 and {_MOST:,}")
    return number


_FORMS: Mapping[str, Callable[[Org, Form], str]] = {
    "records": _records,
    "faults": _faults,
    "sessions": _sessions,
    "allocation": _allocation,
    "clock": _clock,
    "field": _field,
    "life": _life,
}
