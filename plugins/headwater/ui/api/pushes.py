"""Pushes: what is defined, its executions, and what became of each record in one of them."""

from __future__ import annotations

from typing import Annotated, Literal

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import Field

from headwater.ui.api.addressed import TheOrg
from headwater.ui.api.answers import AfterNumber, Answer, Limit, Moment, Page, cut, number, shown_key
from headwater.ui.capabilities import MaySeeUnmasked
from headwater.ui.listing import plain
from headwater.ui.pages.outcome_pages import PLACE, outcome_page
from headwater.ui.reads import note_keys
from headwater.ui.warehouse import Warehouse
from include.config.loader import load_definitions
from include.warehouse.overview.push_runs import (
    causes_of_outcomes,
    one_push_run,
    push_runs,
)
from include.warehouse.overview.pushes import pushes_overview

router = APIRouter(tags=["Pushes"])

Outcome = Literal["", "delivered", "accepted", "skipped", "rejected", "unknown", "held"]
TheRun = Annotated[int, Path(ge=1, le=10**18, description="Number of a run.")]


class CountsAnswer(Answer):
    """Count the outcomes of a run; they sum to `selected` once it is settled."""

    selected: int
    delivered: int
    accepted: int
    unchanged: int
    skipped: int
    rejected: int
    unknown: int
    held: int


class LastRunAnswer(Answer):
    """Hold the last run of a push."""

    at: Moment
    state: str
    message: str
    counts: CountsAnswer
    guard: str = Field(description="Why a person was asked; empty: nobody needed to be.")
    dry_run: bool
    dag_run_id: str


class PushAnswer(Answer):
    """Hold one push."""

    push: str
    description: str
    source: str
    platform: str
    last: LastRunAnswer | None = Field(description="null: it never ran.")


class PushesAnswer(Answer):
    """Hold the pushes of an org."""

    items: tuple[PushAnswer, ...]


class PushRunAnswer(Answer):
    """Hold one execution of a push."""

    run_id: int
    push: str
    platform: str
    object: str
    mode: str
    low: Moment | None
    high: Moment | None
    skip_hook: bool
    fast_fail: bool
    dry_run: bool
    guard: str
    state: str
    message: str
    counts: CountsAnswer
    selected_at: Moment
    settled_at: Moment | None
    started_at: Moment
    ended_at: Moment | None
    dag_id: str
    dag_run_id: str


class PushRunsAnswer(Page[PushRunAnswer]):
    """Hold one page of executions, the newest first."""


class CauseAnswer(Answer):
    """Say how many records had an outcome for a cause."""

    outcome: str
    cause: str
    records: int


class OnePushRunAnswer(PushRunAnswer):
    """Hold one execution with the causes of what did not simply arrive, the most frequent first."""

    causes: tuple[CauseAnswer, ...]


class OutcomeAnswer(Answer):
    """Hold what became of one record."""

    record_id: str = Field(description="Its Id; the key of a model's row only for who may see people, else masked.")
    outcome: str
    cause: str
    message: str
    at: Moment


class OutcomesAnswer(Page[OutcomeAnswer]):
    """Hold one page of outcomes. Unchanged records have none: they are a count of the run."""


@router.get("/orgs/{org}/pushes", summary="List the pushes")
def pushes(engine: Warehouse, org: TheOrg) -> PushesAnswer:
    """Return the pushes that are defined for an org, with their last run."""
    last = pushes_overview(engine, org.org)
    defined = [each for each in load_definitions().pushes.values() if each.org == org.org]
    return PushesAnswer.model_validate(
        {
            "items": [
                {
                    "push": each.push,
                    "description": each.description,
                    "source": each.source.name,
                    "platform": each.destination.platform,
                    "last": last.get(each.push),
                }
                for each in defined
            ]
        }
    )


@router.get("/orgs/{org}/pushes/{push}/runs", summary="List the executions of a push")
def runs(
    engine: Warehouse,
    org: TheOrg,
    push: Annotated[str, Path(max_length=100, description="Name of a push.")],
    limit: Limit = 50,
    after: AfterNumber = None,
) -> PushRunsAnswer:
    """Return the executions of a push; one that is defined no more has those that are kept."""
    found = push_runs(engine, org.org, plain(push), before=number(after), limit=limit + 1)
    items, following = cut(found, limit, lambda each: each.run_id)
    return PushRunsAnswer.model_validate({"items": items, "next": following})


@router.get("/orgs/{org}/push-runs/{run_id}", summary="Read one execution of a push")
def run(engine: Warehouse, org: TheOrg, run_id: TheRun) -> OnePushRunAnswer:
    """Return one execution with its counts and causes."""
    found = one_push_run(engine, org.org, run_id)
    if found is None:
        raise HTTPException(404, "The org has no such execution of a push.")
    causes = causes_of_outcomes(engine, run_id)
    return OnePushRunAnswer.model_validate({**PushRunAnswer.model_validate(found).model_dump(), "causes": causes})


@router.get("/orgs/{org}/push-runs/{run_id}/outcomes", summary="List the outcomes of an execution")
def outcomes(
    engine: Warehouse,
    org: TheOrg,
    run_id: TheRun,
    unmasked: MaySeeUnmasked,
    user: GetUserDep,
    outcome: Annotated[Outcome, Query(description="Only this outcome.")] = "",
    cause: Annotated[str, Query(max_length=200, description="Only this cause.")] = "",
    limit: Limit = 100,
    after: Annotated[
        str | None,
        Query(pattern=PLACE, description="`next` of the page before; none: first page."),
    ] = None,
) -> OutcomesAnswer:
    """Return what became of each record of an execution, in order of its key."""
    if one_push_run(engine, org.org, run_id) is None:
        raise HTTPException(404, "The org has no such execution of a push.")
    page = outcome_page(engine, run_id, outcome=outcome, cause=plain(cause), after=after or "", limit=limit)
    if unmasked:
        keys, where = [each.record_id for each in page.records], f"of the run {run_id}, by the API"
        note_keys(engine, org.org, keys, who=user.get_name(), where=where)
    shown = [OutcomeAnswer.model_validate(each) for each in page.records]
    return OutcomesAnswer(
        items=tuple(
            each.model_copy(update={"record_id": shown_key(each.record_id, unmasked=unmasked)}) for each in shown
        ),
        next=page.following or None,
    )
