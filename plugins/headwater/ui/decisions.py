"""Carry out what a person decides about sync errors, whether a page or a program says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import Engine

from headwater.ui.airflow_rest import Refused, start_run
from include.config.loader import load_definitions
from include.record_ids import whole_id
from include.warehouse.overview.errors import ErrorFilter
from include.warehouse.pushes.retries import Decided, Decision, decide

_MOST_NAMED = 500  # records that a run is given by name; more go with a run of all that is due


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOut:
    """Say about how many errors was decided, of which pushes Airflow started a run, and of which it did not."""

    errors: int
    started: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def carry_out(
    request: Request,
    engine: Engine,
    org: str,
    decision: Decision,
    *,
    who: str,
    error_ids: Sequence[int] = (),
    all_of: ErrorFilter | None = None,
    last: int = 0,
) -> CarriedOut:
    """Write down what was decided; what is to be tried again goes at once, with a run of its push.

    The arguments are those of `decide`; `request` is its user's, in whose name runs are started.
    """
    decided = decide(engine, org, decision, who=who, error_ids=error_ids, all_of=all_of, last=last)
    started, refused = _start(request, decided) if decision is Decision.RETRY else ((), ())
    return CarriedOut(errors=decided.errors, started=started, refused=refused)


def _start(request: Request, decided: Decided) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Start a run of each push; return the pushes whose run Airflow started, and those whose run it did not."""
    started: list[str] = []
    refused: list[str] = []
    known = load_definitions().pushes
    for push, record_ids in decided.records.items():
        if push not in known:
            refused.append(push)
            continue
        try:
            start_run(request, f"push_{push}", _only(record_ids))
        except Refused:
            refused.append(push)
        else:
            started.append(push)
    return tuple(started), tuple(refused)


def _only(record_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the parameters by which a run takes these records only; none, and it takes all that is due.

    Everybody sees the parameters of a run, and Airflow logs them: a key that is no Id may be somebody's address.
    """
    few = len(record_ids) <= _MOST_NAMED
    return {"record_ids": list(record_ids)} if few and all(whole_id(each) == each for each in record_ids) else {}
