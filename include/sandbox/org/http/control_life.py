"""The org's life by the control plane, and stamps that records share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from include.sandbox.org.http.given import bounded, members, number, whole
from include.sandbox.org.life.settings import Settings
from include.sandbox.org.life.team import KINDS, team_of
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.store.changes import Changes
from include.sandbox.org.store.tables import FOREVER

Body = Mapping[str, Any]
_MOST_STEPS = 10_000
_BUSIEST, _LATEST, _HEAVIEST = 60_000, 86_400, 1_000_000
_SEEDS = 1 << 53
_MOST_RECORDS = 1_000_000
_YEARS = 50 * 366 * 86_400


def set_life(org: Org, body: Body) -> dict[str, Any]:
    """Let people work at a pace, make some changes at once by `steps`, or stop; a given seed begins anew."""
    if body.get("stop"):
        org.life.stop()
        return org.life.shown()
    org.life.become(_settings(org.life.settings, body), anew="seed" in body)
    if "steps" in body:
        count = whole(body, "steps", 1, least=1, most=_MOST_STEPS)
        made = org.life.steps(team_of(org), count)
        return {**org.life.shown(), "made": [each.kind for each in made]}
    if body:
        org.life.begin(team_of(org))
    return org.life.shown()


def _settings(before: Settings, body: Body) -> Settings:
    """Return the settings with what the body changes."""
    weights = members(body, "weights") if "weights" in body else before.weights
    unknown = sorted(set(weights) - set(KINDS))
    if unknown:
        raise Refusal(400, "INVALID_INPUT", f"nobody does {unknown[0]!r}; there are {', '.join(KINDS)}")
    after = replace(
        before,
        changes_per_minute=number(body, "changes_per_minute", before.changes_per_minute, most=_BUSIEST),
        seed=whole(body, "seed", before.seed, least=-_SEEDS, most=_SEEDS),
        late_share=number(body, "late_share", before.late_share, most=1),
        late_seconds=number(body, "late_seconds", before.late_seconds, most=_LATEST),
        working_hours=bool(body.get("working_hours", before.working_hours)),
        weights={name: bounded(name, weight, most=_HEAVIEST) for name, weight in weights.items()},
    )
    if after.changes_per_minute <= 0:
        raise Refusal(400, "INVALID_INPUT", "changes_per_minute is more than 0; say stop to end it")
    return after


def give_equal_stamps(org: Org, body: Body) -> dict[str, Any]:
    """Give n records one SystemModstamp: now, or `ago` seconds back."""
    target = org.catalogue.find(str(body.get("object", "")))
    if target is None:
        raise Refusal(400, "INVALID_TYPE", f"no object is called {body.get('object')!r}")
    ids = body.get("ids")
    if ids is None:
        seed = whole(body, "seed", org.clock.milliseconds(), least=-_SEEDS, most=_SEEDS)
        count = whole(body, "n", 1, most=_MOST_RECORDS)
        ids = Changes(org.database, org.catalogue, org.clock).draw(target, count, seed)
    ago = timedelta(seconds=whole(body, "ago", 0, least=-_YEARS, most=_YEARS))
    stamp = (org.clock.second() - ago).replace(tzinfo=None)
    with org.database.write() as cursor:
        cursor.execute(
            f'UPDATE "{target.name}" SET "SystemModstamp" = ?'
            f' WHERE _until = {FOREVER} AND "Id" IN (SELECT unnest(?::VARCHAR[]))',
            [stamp, list(ids)],
        )
    return {"ids": list(ids), "stamp": stamp.isoformat() + "Z"}


COMMANDS: dict[str, Callable[[Org, Body], dict[str, Any]]] = {"life": set_life, "stamps": give_equal_stamps}
LOOKS: dict[str, Callable[[Org, Mapping[str, str]], Any]] = {"life": lambda org, _params: org.life.shown()}
