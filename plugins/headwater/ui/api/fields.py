"""Fields: what each holds, who uses it, whether it is personal, and the trail of such decisions."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import Field

from headwater.ui.api.addressed import TheOrg
from headwater.ui.api.answers import AfterNumber, Answer, Counted, Limit, Moment, Search, cut, number
from headwater.ui.capabilities import MaySeeUnmasked
from headwater.ui.listing import plain
from headwater.ui.warehouse import Warehouse
from include.config.loader import load_definitions
from include.config.users import uses_of
from include.warehouse.overview.fields import audit_trail, registered_fields, registered_object, registered_objects

router = APIRouter(tags=["Fields"])

_ALL = 10_000  # Salesforce has at most some thousand objects, and some hundred fields in one
_State = Literal["", "undecided", "personal", "plain", "fixed", "gone"]


class ReviewAnswer(Answer):
    """Count what people decided about the fields of an object."""

    object: str
    label: str
    fields: int
    undecided: int
    decided: int
    personal: int = Field(description="Fields that count as personal; what nobody decided does.")
    review: Literal["reviewed", "partly reviewed", "unreviewed"]
    decided_at: Moment | None


class ReviewsAnswer(Answer):
    """Hold the objects whose fields are known, by name."""

    items: tuple[ReviewAnswer, ...]


class SuggestionAnswer(Answer):
    """Hold what is suggested about a field, and why; nothing applies it but a person."""

    personal: bool
    reason: str


class UseAnswer(Answer):
    """Name a push, check, query or filter that uses a field, and as what it does."""

    kind: str
    name: str
    role: str


class FieldAnswer(Answer):
    """Hold one field."""

    name: str
    label: str
    type: str = Field(description="Salesforce's word for it.")
    length: int
    nillable: bool
    calculated: bool
    personal: bool
    state: str = Field(description="`fixed`: nothing to decide; `undecided`, `lapsed`: nobody has decided.")
    decided_by: str
    decided_at: Moment | None
    first_seen_at: Moment
    gone_at: Moment | None = Field(description="The org no longer describes it; its column is kept.")
    filled_share: float | None = Field(description="Of the sampled rows; null: never sampled.")
    suggestion: SuggestionAnswer | None
    changed: str = Field(description="The kind of its last change; empty: it never changed.")
    changed_at: Moment | None
    used_by: tuple[UseAnswer, ...]


class FieldsAnswer(Answer):
    """Hold the fields of an object, in the org's order."""

    object: str
    items: tuple[FieldAnswer, ...]


class AuditAnswer(Answer):
    """Hold one line of the audit trail: names and our words, never a value."""

    audit_id: int
    at: Moment
    who: str
    what: str
    object: str
    field: str
    before: str
    after: str


class AuditTrailAnswer(Counted[AuditAnswer]):
    """Hold one page of the audit trail, the newest first."""


@router.get("/orgs/{org}/fields", summary="List what is decided about the fields of each object")
def reviews(engine: Warehouse, org: TheOrg, q: Search = "") -> ReviewsAnswer:
    """Return the objects whose fields are known, with how many people decided about."""
    found, _ = registered_objects(engine, org.org, search=plain(q), sort="object", descending=False, limit=_ALL)
    return ReviewsAnswer.model_validate({"items": found})


@router.get("/orgs/{org}/objects/{object}/fields", summary="List the fields of an object")
def fields(
    engine: Warehouse,
    org: TheOrg,
    object: Annotated[str, Path(max_length=100, description="API name of an object.")],
    q: Search = "",
    state: Annotated[_State, Query(description="Only fields in this state.")] = "",
) -> FieldsAnswer:
    """Return the fields of an object with type, personal or not, suggestion, and what uses them."""
    if registered_object(engine, org.org, plain(object)) is None:
        raise HTTPException(404, "There is no such object in this org, or nothing is known of its fields yet.")
    found, _ = registered_fields(engine, org.org, plain(object), search=plain(q), state=state, limit=_ALL)
    definitions = load_definitions()
    names = [name for name in FieldAnswer.model_fields if name != "used_by"]
    items = [
        {
            **{name: getattr(each, name) for name in names},
            "used_by": uses_of(definitions, org.org, plain(object), each.name),
        }
        for each in found
    ]
    return FieldsAnswer.model_validate({"object": plain(object), "items": items})


@router.get("/orgs/{org}/audit", summary="List who decided what about fields, and who took people along")
def audit(
    engine: Warehouse,
    org: TheOrg,
    unmasked: MaySeeUnmasked,
    q: Search = "",
    object: Annotated[str, Query(max_length=100, description="Only lines about this object.")] = "",
    limit: Limit = 50,
    after: AfterNumber = None,
) -> AuditTrailAnswer:
    """Return the audit trail of an org; the lines on who was shown people only to who may see people."""
    found, total = audit_trail(
        engine,
        org.org,
        object=plain(object),
        search=plain(q),
        limit=limit + 1,
        before=number(after),
        readers=unmasked,
    )
    items, following = cut(list(found), limit, lambda each: each.audit_id)
    return AuditTrailAnswer.model_validate({"items": items, "next": following, "total": total})
