"""Read the outcomes of a run a page at a time, whether a page or a program asks for them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Engine

from include.warehouse.overview.push_runs import RunOutcome, outcomes_of_run

PLACE = r"^([A-Za-z0-9]{18})?(~[0-9]{1,9})?$"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomePage:
    """Hold one page of outcomes, and the place at which the next one begins ("": this is the last)."""

    records: tuple[RunOutcome, ...]
    following: str


def outcome_page(engine: Engine, run_id: int, *, outcome: str, cause: str, after: str, limit: int) -> OutcomePage:
    """Return outcomes of a run in order of the record's key, from a place on; nonsense is the beginning.

    A key that is no Id may be a person's and must not stand in an address: it is counted from the last Id.
    """
    key, _, said = (after if re.fullmatch(PLACE, after) else "").partition("~")
    place = int(said or 0)
    found = outcomes_of_run(engine, run_id, outcome=outcome, cause=cause, after=key, offset=place, limit=limit + 1)
    shown = tuple(found[:limit])
    if len(found) <= limit:
        return OutcomePage(records=shown, following="")
    last = shown[-1]
    return OutcomePage(records=shown, following=last.record_id if last.is_salesforce_id else f"{key}~{place + limit}")
