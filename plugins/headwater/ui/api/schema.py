"""Changes of an org's fields, and what was decided about them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from headwater.ui.api.addressed import TheOrg
from headwater.ui.api.answers import AfterNumber, Answer, Counted, Limit, Moment, Search, cut, number
from headwater.ui.listing import plain
from headwater.ui.warehouse import Warehouse
from include.warehouse.overview import schema_changes

router = APIRouter(tags=["Fields"])

_Kind = Literal["", "added", "removed", "returned", "type", "length", "label", "picklist", "formula"]
_State = Literal["", "waiting", "followed", "frozen", "failed", "overtaken"]


class SchemaChangeAnswer(Answer):
    """Hold one change of one field."""

    change_id: int
    object: str
    field: str
    kind: str
    before: str
    after: str
    seen_at: Moment
    change_class: str = Field(description="The key of the definition whose policy ruled it.")
    policy: str
    state: str
    note: str
    waits: bool = Field(description="A person has to decide about it.")
    accepted_at: Moment | None
    accepted_by: str
    settled_at: Moment | None


class SchemaChangesAnswer(Counted[SchemaChangeAnswer]):
    """Hold one page of changes, the newest first."""

    waiting: int = Field(description="How many wait for a person.")


@router.get("/orgs/{org}/schema-changes", summary="List the changes of fields")
def changes(
    engine: Warehouse,
    org: TheOrg,
    q: Search = "",
    kind: Annotated[_Kind, Query(description="Only changes of this kind.")] = "",
    state: Annotated[_State, Query(description="Only changes in this state.")] = "",
    limit: Limit = 50,
    after: AfterNumber = None,
) -> SchemaChangesAnswer:
    """Return what changed in the fields of an org, searched and filtered."""
    found = schema_changes(
        engine,
        org.org,
        search=plain(q),
        kind=kind,
        state=state,
        newest_first=True,
        before=number(after),
        limit=limit + 1,
    )
    items, following = cut(list(found.changes), limit, lambda each: each.change_id)
    return SchemaChangesAnswer.model_validate(
        {"items": items, "next": following, "total": found.total, "waiting": found.waiting}
    )
