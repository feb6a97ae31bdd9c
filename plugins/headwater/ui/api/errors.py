"""Sync errors: what did not arrive, why, and what a person decides about it."""

from __future__ import annotations

from typing import Annotated, Literal

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from headwater.ui.api.addressed import TheOrg
from headwater.ui.api.answers import (
    LONGEST_TEXT,
    AfterNumber,
    Answer,
    Limit,
    Moment,
    Page,
    Search,
    cut,
    number,
    shown_key,
)
from headwater.ui.api.bodies import described_body, read_body
from headwater.ui.capabilities import Capability, MaySeeUnmasked, changes
from headwater.ui.decisions import carry_out
from headwater.ui.listing import plain
from headwater.ui.reads import note_keys
from headwater.ui.warehouse import Warehouse
from include.warehouse.overview.errors import ErrorFilter, SyncError, errors_before, one_error
from include.warehouse.pushes.retries import Decision

router = APIRouter(tags=["Sync errors"])

_MOST_NAMED = 1_000
_Text = Annotated[str, Query(max_length=LONGEST_TEXT)]
_Class = Literal["", "passing", "permanent", "unknown"]
_Age = Literal["", "hour", "day", "week"]
_Shown = Literal["open", "settled", "all"]
_Number = Annotated[int, Field(ge=1, le=10**18)]


class ErrorAnswer(Answer):
    """Hold one record that did not arrive. Neither cause nor message holds a value of it."""

    error_id: int
    push: str
    platform: str
    object: str
    record_id: str = Field(description="Its Id; the key of a model's row only for who may see people, else masked.")
    outcome: Literal["rejected", "unknown"]
    event: bool = Field(description="The fate of an event is unknown, not that of a profile.")
    cause: str
    message: str
    cause_class: Literal["passing", "permanent", "unknown"]
    attempts: int
    first_run_id: int
    last_run_id: int
    first_at: Moment
    last_at: Moment
    next_try_at: Moment | None = Field(description="null: it does not go again by itself.")
    asked_by: str
    settled_at: Moment | None
    settled_by: str


class ErrorsAnswer(Page[ErrorAnswer]):
    """Hold one page of errors, the newest first. They are not counted: there may be a million."""


class ErrorEventAnswer(Answer):
    """Hold one line of an error's history."""

    at: Moment
    run_id: int | None
    what: str
    who: str
    cause: str
    message: str


class OneErrorAnswer(ErrorAnswer):
    """Hold one error with its history, the newest line first."""

    history: tuple[ErrorEventAnswer, ...]


class Filter(BaseModel):
    """Choose errors; empty does not narrow."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field(default="", max_length=LONGEST_TEXT)
    push: str = Field(default="", max_length=LONGEST_TEXT)
    platform: str = Field(default="", max_length=LONGEST_TEXT)
    cause: str = Field(default="", max_length=LONGEST_TEXT)
    cause_class: _Class = ""
    age: _Age = ""


class AllOf(BaseModel):
    """Choose all open errors that match and that the caller could see."""

    model_config = ConfigDict(extra="forbid")

    filter: Filter = Filter()
    last: _Number = Field(description="The greatest `error_id` that was seen: later errors are left alone.")


class DecisionOrder(BaseModel):
    """Say what is to become of which errors: of those named, or of all that match."""

    model_config = ConfigDict(extra="forbid")

    decision: Decision = Field(
        description="`retry`: try it again now; `arrived`: it is at the platform; `dismiss`: it need not arrive."
    )
    error_ids: list[_Number] = Field(default_factory=list, max_length=_MOST_NAMED)
    all_of: AllOf | None = None

    @model_validator(mode="after")
    def _says_which(self) -> DecisionOrder:
        if bool(self.error_ids) == (self.all_of is not None):
            raise ValueError("give either `error_ids` or `all_of`")
        return self


class DecisionAnswer(Answer):
    """Say what was decided, and of which pushes Airflow started a run and of which it did not."""

    decision: Decision
    errors: int = Field(description="How many open errors it was about; settled ones and those of other orgs are none.")
    started: tuple[str, ...]
    refused: tuple[str, ...] = Field(description="Their errors go with the next run of the push.")


async def read_order(request: Request) -> DecisionOrder:
    """Return the order in the body of a request."""
    return await read_body(request, DecisionOrder)


@router.get("/orgs/{org}/errors", summary="List the sync errors")
def errors(
    engine: Warehouse,
    org: TheOrg,
    unmasked: MaySeeUnmasked,
    user: GetUserDep,
    q: Search = "",
    push: _Text = "",
    platform: _Text = "",
    cause: _Text = "",
    cause_class: Annotated[_Class, Query(description="What happens next: it passes, needs a change, is unknown.")] = "",
    age: Annotated[_Age, Query(description="Most time since the last failure.")] = "",
    shown: _Shown = "open",
    limit: Limit = 50,
    after: AfterNumber = None,
) -> ErrorsAnswer:
    """Return the sync errors of an org, searched and filtered."""
    asked = Filter(q=q, push=push, platform=platform, cause=cause, cause_class=cause_class, age=age)
    found = errors_before(engine, org.org, _filter(asked, shown), before=number(after), limit=limit + 1)
    items, following = cut(found, limit, lambda each: each.error_id)
    if unmasked:
        keys = [each.record_id for each in items]
        note_keys(engine, org.org, keys, who=user.get_name(), where="of sync errors, by the API")
    return ErrorsAnswer(items=tuple(_shown(each, unmasked) for each in items), next=following)


@router.get("/orgs/{org}/errors/{error_id}", summary="Read one sync error")
def error(
    engine: Warehouse,
    org: TheOrg,
    unmasked: MaySeeUnmasked,
    user: GetUserDep,
    error_id: Annotated[int, Path(ge=1, le=10**18, description="Its number.")],
) -> OneErrorAnswer:
    """Return one error with its history."""
    found = one_error(engine, org.org, error_id)
    if found is None:
        raise HTTPException(404, "There is no such sync error in this org.")
    if unmasked:
        key, where = found.error.record_id, f"of the sync error {error_id}, by the API"
        note_keys(engine, org.org, [key], who=user.get_name(), where=where)
    return OneErrorAnswer.model_validate({**_shown(found.error, unmasked).model_dump(), "history": found.history})


@router.post(
    "/orgs/{org}/errors/decisions",
    summary="Decide about sync errors",
    dependencies=changes(Capability.RUN),
    openapi_extra=described_body(DecisionOrder),
)
def decide(
    request: Request,
    engine: Warehouse,
    org: TheOrg,
    user: GetUserDep,
    order: Annotated[DecisionOrder, Depends(read_order)],
) -> DecisionAnswer:
    """Try errors again, or settle them, in the name of the user; what is tried again goes at once.

    The user needs the right to start DAG runs. A program sends a bearer token; a page that signs in by its cookie must
    be one of this site.
    """
    done = carry_out(
        request,
        engine,
        org.org,
        order.decision,
        who=user.get_name(),
        error_ids=order.error_ids,
        all_of=_filter(order.all_of.filter, "open") if order.all_of else None,
        last=order.all_of.last if order.all_of else 0,
    )
    return DecisionAnswer(decision=order.decision, errors=done.errors, started=done.started, refused=done.refused)


def _shown(found: SyncError, unmasked: bool) -> ErrorAnswer:
    told = ErrorAnswer.model_validate(found)
    return told.model_copy(update={"record_id": shown_key(told.record_id, unmasked=unmasked)})


def _filter(asked: Filter, shown: _Shown) -> ErrorFilter:
    return ErrorFilter(
        search=plain(asked.q),
        push=plain(asked.push),
        platform=plain(asked.platform),
        cause=plain(asked.cause),
        cause_class=asked.cause_class,
        age=asked.age,
        shown=shown,
    )
