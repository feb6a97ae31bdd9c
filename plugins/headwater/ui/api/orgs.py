"""The orgs that there are."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from headwater.ui.api.answers import Answer, Moment
from headwater.ui.warehouse import Warehouse
from include.warehouse.overview import list_orgs
from include.warehouse.overview.glance import lines_of_orgs

router = APIRouter(tags=["Orgs"])


class OrgAnswer(Answer):
    """Name an org, with its grade and how complete its copy is."""

    org: str = Field(description="Its name in the definitions.")
    name: str = Field(description="Its name in Salesforce; empty before the first contact.")
    instance_url: str
    is_sandbox: bool | None
    grade: float | None = Field(description="Share of records without any issue (0 to 1).")
    assessed_at: Moment | None
    difference: int | None = Field(description="Rows by which the copy differs from the org, without signs, summed.")
    as_of: Moment | None = Field(description="When the least fresh object was compared.")


class OrgsAnswer(Answer):
    """Hold all orgs."""

    items: tuple[OrgAnswer, ...]


@router.get("/orgs", summary="List the orgs")
def orgs(engine: Warehouse) -> OrgsAnswer:
    """Return all orgs that were reached, or tried to be reached, by name."""
    known = list_orgs(engine)
    lines = {each.org: each for each in lines_of_orgs(engine, [each.org for each in known])}
    return OrgsAnswer(
        items=tuple(
            OrgAnswer(
                org=each.org,
                name=each.name,
                instance_url=each.instance_url,
                is_sandbox=each.is_sandbox,
                grade=lines[each.org].grade,
                assessed_at=lines[each.org].assessed_at,
                difference=lines[each.org].difference,
                as_of=lines[each.org].as_of,
            )
            for each in known
        )
    )
