"""One record by its Id; personal values only for who may see people."""

from __future__ import annotations

from typing import Annotated, Any

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, HTTPException, Path
from pydantic import Field

from headwater.ui.api.addressed import TheOrg
from headwater.ui.api.answers import Answer, Moment
from headwater.ui.capabilities import MaySeeUnmasked
from headwater.ui.links import record_link
from headwater.ui.listing import plain
from headwater.ui.reads import note_read
from headwater.ui.warehouse import Warehouse
from include.record_ids import whole_id
from include.warehouse.overview.record import record_overview

router = APIRouter(tags=["Record"])


class ValueAnswer(Answer):
    """Hold one field of a record."""

    name: str
    label: str
    type: str = Field(description="Salesforce's word for it; empty: it was never described.")
    personal: bool
    masked: bool = Field(description="It is filled, and who asks may not see it.")
    value: Any = Field(description="Numbers with decimals are text, so that they stay exact; null: empty or masked.")
    gone_at: Moment | None = Field(description="The org no longer describes the field; the value is the last one.")
    reference_to: tuple[str, ...]


class RowRunAnswer(Answer):
    """Hold the run that wrote the row as it is now."""

    run_id: int
    kind: str
    state: str
    started_at: Moment
    ended_at: Moment | None
    dag_id: str
    dag_run_id: str
    task_id: str
    mode: str | None
    low: Moment | None
    high: Moment | None


class RowAnswer(Answer):
    """Hold the row of a record as the warehouse has it."""

    object: str
    label: str
    values: tuple[ValueAnswer, ...]
    loaded_at: Moment
    deleted_at: Moment | None
    merged_into: str
    run: RowRunAnswer | None
    rejected_at: Moment | None = Field(description="A newer version could not be stored then.")
    rejected_cause: str


class RecordFindingAnswer(Answer):
    """Hold one finding of a record."""

    check_id: str
    object: str
    title: str
    why: str
    severity: str
    category: str
    fix: str
    first_seen_at: Moment | None
    mended: bool
    mended_at: Moment | None
    assessed: bool = Field(description="The newest assessment knows the check.")


class RecordOutcomeAnswer(Answer):
    """Say what became of a record in one execution of a push."""

    run_id: int
    push: str
    platform: str
    dry_run: bool
    outcome: str
    cause: str
    message: str
    at: Moment


class RecordErrorAnswer(Answer):
    """Hold one sync error of a record."""

    error_id: int
    push: str
    platform: str
    outcome: str
    cause: str
    message: str
    attempts: int
    first_at: Moment
    last_at: Moment
    settled_at: Moment | None
    settled_by: str


class RecordAnswer(Answer):
    """Hold all that is known of one Id."""

    record_id: str
    link: str = Field(description="The record in Salesforce; empty when the org's address or the object is not known.")
    row: RowAnswer | None = Field(description="null: no table has it (any more).")
    findings: tuple[RecordFindingAnswer, ...]
    outcomes: tuple[RecordOutcomeAnswer, ...]
    errors: tuple[RecordErrorAnswer, ...]


@router.get("/orgs/{org}/records/{record_id}", summary="Read what is known of a record")
def record(
    engine: Warehouse,
    org: TheOrg,
    unmasked: MaySeeUnmasked,
    user: GetUserDep,
    record_id: Annotated[str, Path(max_length=18, description="An Id of 15 or 18 characters.")],
) -> RecordAnswer:
    """Return a record's row, findings, outcomes and errors.

    Who is shown personal values is named in the audit trail.
    """
    whole = whole_id(plain(record_id))
    found = record_overview(engine, org.org, whole, unmasked=unmasked) if whole else None
    if found is None or not found.known:
        raise HTTPException(404, "Nothing is known of such a record in this org.")
    object = found.row.object if found.row else next((each.object for each in found.findings), "")
    row = None
    if found.row:
        values = [
            {
                "name": each.name,
                "label": each.label,
                "type": each.type,
                "personal": each.personal,
                "masked": each.filled and each.value is None,
                "value": each.value,
                "gone_at": each.gone_at,
                "reference_to": each.reference_to,
            }
            for each in found.row.values
        ]
        if unmasked:
            shown = [each.name for each in found.row.values if each.filled]
            note_read(engine, org.org, object, who=user.get_name(), record_ids=[found.record_id], fields=shown)
        row = {**{name: getattr(found.row, name) for name in RowAnswer.model_fields}, "values": values}
    return RecordAnswer.model_validate(
        {
            "record_id": found.record_id,
            "link": record_link(org.instance_url, object, found.record_id) if object else "",
            "row": row,
            "findings": found.findings,
            "outcomes": found.outcomes,
            "errors": found.errors,
        }
    )
