"""Duplicates: clusters of records that are one, and what made each of them one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import Field

from headwater.ui.api.addressed import TheOrg
from headwater.ui.api.answers import Answer, Limit, Moment, Page
from headwater.ui.capabilities import MaySeeUnmasked
from headwater.ui.listing import plain
from headwater.ui.reads import note_read
from headwater.ui.warehouse import Warehouse
from include.record_ids import whole_id
from include.warehouse.overview.duplicate_cluster import cluster_overview
from include.warehouse.overview.duplicates import (
    COUNTED_TO,
    ClusterPage,
    duplicate_objects,
    find_clusters,
    list_clusters,
)

router = APIRouter(tags=["Duplicates"])


class ComparedObjectAnswer(Answer):
    """Say when the records of an object were compared with one another last."""

    object: str
    matched_at: Moment | None
    seconds: float | None
    whole: bool = Field(description="All records were compared, not only those that changed.")
    skipped: dict[str, str] = Field(description="Rules that were left out, and why.")


class ComparedObjectsAnswer(Answer):
    """Hold the objects whose records are compared."""

    items: tuple[ComparedObjectAnswer, ...]


class ClusterAnswer(Answer):
    """Hold one cluster; its number stays over runs."""

    cluster_id: int
    members: int
    best: float | None = Field(description="How sure the surest of its pairs is (0 to 1).")
    weakest: float = Field(description="How sure the weakest pair is that holds it together.")
    rules: tuple[str, ...]
    made_at: Moment
    changed_at: Moment
    first_id: str


class ClustersAnswer(Page[ClusterAnswer]):
    """Hold one page of clusters."""

    counted: int = Field(description=f"How many there are, counted up to {COUNTED_TO:,} and one; 0 with `rule`.")


class MemberAnswer(Answer):
    """Name a record of a cluster."""

    record_id: str
    joined_at: Moment
    deleted: bool
    held: bool = Field(description="Its row is in the warehouse.")


class CellAnswer(Answer):
    """Hold the value of one record."""

    filled: bool
    value: Any = Field(description="null: empty or masked.")


class ComparedFieldAnswer(Answer):
    """Hold a field of the records side by side, in the order of `members`."""

    name: str
    label: str
    masked: bool
    differs: bool
    cells: tuple[CellAnswer, ...]


class PairAnswer(Answer):
    """Hold two records that rules say are one, the surest rule first."""

    left_id: str
    right_id: str
    rules: tuple[str, ...]
    score: float
    found_at: Moment


class LinkAnswer(Answer):
    """Hold a record of another object that a member is, too."""

    own_id: str
    other_object: str
    other_id: str
    rule: str


class ChangeAnswer(Answer):
    """Hold what happened to a cluster."""

    at: Moment
    what: str
    record_id: str
    other_id: int | None


class OneClusterAnswer(Answer):
    """Hold a cluster with records side by side; one that ended has none any more."""

    cluster_id: int
    object: str
    count: int
    weakest: float
    made_at: Moment
    changed_at: Moment
    ended_at: Moment | None
    merged_into: int | None = Field(description="The cluster that it became a part of.")
    members: tuple[MemberAnswer, ...]
    next: str | None = Field(description="Hand it over as `after` to get the next members; null: these are the last.")
    fields: tuple[ComparedFieldAnswer, ...]
    pairs: tuple[PairAnswer, ...]
    links: tuple[LinkAnswer, ...]
    changes: tuple[ChangeAnswer, ...]


@router.get("/orgs/{org}/duplicates", summary="List the objects that are compared")
def objects(engine: Warehouse, org: TheOrg) -> ComparedObjectsAnswer:
    """Return the objects of an org whose records are compared with one another."""
    return ComparedObjectsAnswer.model_validate({"items": duplicate_objects(engine, org.org)})


@router.get("/orgs/{org}/duplicates/{object}", summary="List the clusters of an object")
def clusters(
    engine: Warehouse,
    org: TheOrg,
    object: Annotated[str, Path(max_length=100, description="API name of an object.")],
    order: Literal["largest", "newest"] = "largest",
    rule: Annotated[str, Query(max_length=100, description="Only clusters with a pair that this rule found.")] = "",
    record: Annotated[str, Query(max_length=18, description="Only the cluster of this record.")] = "",
    limit: Limit = 50,
    after: Annotated[
        str | None,
        Query(pattern=r"^[A-Za-z0-9-]{0,40}$", description="`next` of the page before; none: from the first."),
    ] = None,
) -> ClustersAnswer:
    """Return the open clusters of an object, the largest or the newest first."""
    if record:
        whole = whole_id(plain(record))
        page = (
            find_clusters(engine, org.org, plain(object), record_id=whole)
            if whole
            else ClusterPage(lines=(), counted=0, after="")
        )
    else:
        page = list_clusters(
            engine, org.org, plain(object), order=order, rule=plain(rule), after=after or "", size=limit
        )
    return ClustersAnswer.model_validate({"items": page.lines, "next": page.after or None, "counted": page.counted})


@router.get("/orgs/{org}/duplicate-clusters/{cluster_id}", summary="Read one cluster")
def cluster(
    engine: Warehouse,
    org: TheOrg,
    unmasked: MaySeeUnmasked,
    user: GetUserDep,
    cluster_id: Annotated[int, Path(ge=1, le=10**18, description="Its number.")],
    after: Annotated[
        str | None, Query(pattern=r"^([A-Za-z0-9]{15,18})?$", description="`next` of the members before.")
    ] = None,
) -> OneClusterAnswer:
    """Return the records of a cluster side by side; personal values only for who may see people.

    Who is shown some is named in the audit trail.
    """
    found = cluster_overview(engine, org.org, cluster_id, unmasked=unmasked, after=after or "")
    if found is None:
        raise HTTPException(404, "The org never had such a cluster.")
    if unmasked:
        ids = [each.record_id for each in found.members if each.held]
        fields = [each.name for each in found.fields]
        note_read(engine, org.org, found.object, who=user.get_name(), record_ids=ids, fields=fields)
    held = {name: getattr(found, name) for name in OneClusterAnswer.model_fields if name != "next"}
    return OneClusterAnswer.model_validate({**held, "next": found.after or None})
