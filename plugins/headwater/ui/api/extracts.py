"""Extracts: the objects of an org, their comparisons with it, and the log of runs."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field

from headwater.ui.api.addressed import TheOrg
from headwater.ui.api.answers import AfterNumber, Answer, Counted, Limit, Moment, Page, Search, cut, number
from headwater.ui.listing import plain
from headwater.ui.warehouse import Warehouse
from include.warehouse.overview import extract_runs, objects_overview
from include.warehouse.overview.certificates import certificates_of

router = APIRouter(tags=["Extracts"])

State = Literal["", "running", "success", "skipped", "paused", "degraded", "failed"]


class ObjectAnswer(Answer):
    """Hold what is known of one object: its last comparison, its last run, its last load."""

    object: str
    label: str
    cursor_at: Moment | None = Field(description="It was read safely up to here.")
    cursor_field: str | None = Field(description="The stamp it is read by; empty: none, it is read whole.")
    first_loaded_at: Moment | None = Field(description="null: the first load is not complete.")
    selection: str = Field(description="SOQL of its filter or query; empty: all records.")
    here: int | None
    in_org: int | None = Field(validation_alias="org")
    difference: int | None = Field(description="in_org − here")
    as_of: Moment | None
    note: str
    run_id: int | None
    state: str | None
    message: str
    dag_id: str | None
    dag_run_id: str | None
    task_id: str | None
    started_at: Moment | None
    ended_at: Moment | None
    mode: str | None
    low: Moment | None
    high: Moment | None
    plan: str | None
    rows_read: int | None
    inserted: int | None
    updated: int | None
    unchanged: int | None
    deleted: int | None
    rejected: int | None
    committed_at: Moment | None
    reconciled_at: Moment | None
    vanished: int | None
    quarantined: bool
    open_rejects: int
    left_out: tuple[str, ...] = Field(description="Fields that have no column.")
    calculated: tuple[str, ...] = Field(description="Formulas and roll-ups: they change without a stamp.")
    calculated_as_of: Moment | None


class ObjectsAnswer(Answer):
    """Hold the objects of an org, by name."""

    items: tuple[ObjectAnswer, ...]


class CertificateAnswer(Answer):
    """Hold one comparison of the rows here with those in the org."""

    certificate_id: int
    run_id: int | None
    here: int
    in_org: int
    difference: int = Field(description="in_org − here")
    as_of: Moment
    note: str
    written_at: Moment


class CertificatesAnswer(Page[CertificateAnswer]):
    """Hold one page of comparisons, the newest first."""


class ExtractRunAnswer(Answer):
    """Hold one run of one object; the load's part is null when the run committed none."""

    run_id: int
    object: str
    state: str
    message: str
    dag_id: str
    dag_run_id: str
    task_id: str
    try_number: int
    run_type: str
    started_at: Moment
    ended_at: Moment | None
    mode: str | None
    low: Moment | None
    high: Moment | None
    plan: str | None
    rows_read: int | None
    inserted: int | None
    updated: int | None
    unchanged: int | None
    deleted: int | None
    rejected: int | None


class ExtractRunsAnswer(Counted[ExtractRunAnswer]):
    """Hold one page of runs, the newest first."""


@router.get("/orgs/{org}/objects", summary="List the objects")
def objects(engine: Warehouse, org: TheOrg) -> ObjectsAnswer:
    """Return every object of an org: those that are held, and those that a run has tried to read."""
    return ObjectsAnswer.model_validate({"items": objects_overview(engine, org.org)})


@router.get("/orgs/{org}/objects/{object}/certificates", summary="List the comparisons of an object")
def certificates(
    engine: Warehouse,
    org: TheOrg,
    object: Annotated[str, Path(max_length=100, description="API name of an object.")],
    limit: Limit = 50,
    after: AfterNumber = None,
) -> CertificatesAnswer:
    """Return how many rows of an object were here and in the org, at each comparison."""
    found = certificates_of(engine, org.org, plain(object), before=number(after), limit=limit + 1)
    items, following = cut(found, limit, lambda each: each.certificate_id)
    return CertificatesAnswer.model_validate({"items": items, "next": following})


@router.get("/orgs/{org}/extracts", summary="List the runs of extracts")
def extracts(
    engine: Warehouse,
    org: TheOrg,
    q: Search = "",
    state: Annotated[State, Query(description="Only runs in this state.")] = "",
    limit: Limit = 50,
    after: AfterNumber = None,
) -> ExtractRunsAnswer:
    """Return the log of extract runs, searched and filtered."""
    found = extract_runs(engine, org.org, search=plain(q), state=state, limit=limit + 1, before=number(after))
    items, following = cut(list(found.runs), limit, lambda each: each.run_id)
    return ExtractRunsAnswer.model_validate({"items": items, "next": following, "total": found.total})
