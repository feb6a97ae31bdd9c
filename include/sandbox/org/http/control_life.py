"""The org's life by the control plane, and stamps that records share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from include.sandbox.org.clock import Clock
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.store.changes import Changes
from include.sandbox.org.store.tables import FOREVER

Body = Mapping[str, Any]


def give_equal_stamps(org: Org, body: Body) -> dict[str, Any]:
    """Give n records one SystemModstamp: now, or `ago` seconds back."""
    target = org.catalogue.find(str(body.get("object", "")))
    if target is None:
        raise Refusal(400, "INVALID_TYPE", f"no object is called {body.get('object')!r}")
    ids = body.get("ids")
    if ids is None:
        seed = int(body.get("seed", org.clock.milliseconds()))
        ids = Changes(org.database, org.catalogue, org.clock).draw(target, int(body.get("n", 1)), seed)
    stamp = _second_ago(org.clock, float(body.get("ago", 0)))
    with org.database.write() as cursor:
        cursor.execute(
            f'UPDATE "{target.name}" SET "SystemModstamp" = ?, "LastModifiedDate" = least("LastModifiedDate", ?)'
            f' WHERE _until = {FOREVER} AND "Id" IN (SELECT unnest(?::VARCHAR[]))',
            [stamp, stamp, list(ids)],
        )
    return {"ids": list(ids), "stamp": stamp.isoformat() + "Z"}


def _second_ago(clock: Clock, seconds: float) -> datetime:
    return (clock.second() - timedelta(seconds=int(seconds))).replace(tzinfo=None)


COMMANDS: dict[str, Callable[[Org, Body], dict[str, Any]]] = {"stamps": give_equal_stamps}
LOOKS: dict[str, Callable[[Org, Mapping[str, str]], Any]] = {"life": lambda org, _params: org.life.shown(org)}
