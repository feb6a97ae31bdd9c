"""The pages on duplicates: clusters of records that are one, and one cluster with its records side by side."""

from __future__ import annotations

from urllib.parse import urlencode

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Request
from starlette.responses import Response

from headwater.ui.capabilities import MaySeeUnmasked
from headwater.ui.links import record_link
from headwater.ui.listing import PAGE_SIZE, plain, whole_number
from headwater.ui.pages.record import said
from headwater.ui.reads import note_read
from headwater.ui.rendering import show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.config.loader import load_definitions
from include.record_ids import whole_id
from include.warehouse.overview.duplicate_cluster import MOST_CHANGES, MOST_PAIRS, cluster_overview
from include.warehouse.overview.duplicates import (
    COUNTED_TO,
    ClusterPage,
    Order,
    duplicate_objects,
    find_clusters,
    list_clusters,
    rules_found,
)

router = APIRouter()

RULES = {
    "email": "one e-mail address, and first names that can be one",
    "phone": "one name, and one phone number",
    "swapped": "first and last name in each other's place, and one phone number or company",
    "nickname": "one last name, first names that are forms of one (Bob and Robert), and one phone number or company",
    "typo": "one slip in a name, and one company and place or phone number",
    "similar": "names that look much alike, and one company and place or phone number",
    "name": "one name at one company",
    "website": "one website, and names that are spellings of one",
    "name_place": "one name at one place",
    "company_phone": "one name, and one phone number",
    "splink": "probably one, by all fields together",
}


@router.get("/duplicates")
def duplicates(request: Request, engine: Warehouse, chosen: ChosenOrg) -> Response:
    """Show the clusters of an object, the largest first unless asked otherwise."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "duplicates", orgs)
    query = request.query_params
    objects = duplicate_objects(engine, org.org)
    asked = plain(query.get("object", ""))
    first = next((each for each in objects if each.object == "Contact"), objects[0] if objects else None)
    of = next((each for each in objects if each.object == asked), first)
    search, after = plain(query.get("q", "")), plain(query.get("after", ""))
    order: Order = "newest" if query.get("order") == "newest" else "largest"
    rules = rules_found(engine, org.org, of.object) if of else ()
    rule = plain(query.get("rule", ""))
    rule = rule if rule in rules else ""
    page = ClusterPage(lines=(), counted=0, after="")
    if of and search:
        page = find_clusters(
            engine, org.org, of.object, record_id=whole_id(search), cluster_id=whole_number(search.lstrip("#"))
        )
    elif of:
        page = list_clusters(engine, org.org, of.object, order=order, rule=rule, after=after, size=PAGE_SIZE)
    kept = {"org": org.org, "object": of.object if of else "", "order": order, "rule": rule}
    root = request.scope.get("root_path", "")
    return show(
        request,
        "duplicates.html",
        tab="duplicates",
        org=org,
        orgs=orgs,
        objects=objects,
        of=of,
        page=page,
        search=search,
        order=order,
        rule=rule,
        rules=rules,
        said_of=RULES,
        after=after,
        counted_to=COUNTED_TO,
        first_link=f"{root}/duplicates?{urlencode(kept)}",
        next_link=f"{root}/duplicates?{urlencode({**kept, 'after': page.after})}" if page.after else "",
    )


@router.get("/duplicates/{cluster_id}")
def cluster(
    request: Request, cluster_id: str, engine: Warehouse, chosen: ChosenOrg, unmasked: MaySeeUnmasked, user: GetUserDep
) -> Response:
    """Show the records of a cluster side by side. Who is shown personal values is named in the audit trail."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "duplicates", orgs)
    number = whole_number(cluster_id)
    after = plain(request.query_params.get("after", ""))
    found = cluster_overview(engine, org.org, number, unmasked=unmasked, after=after) if number else None
    if found is None:
        return show(
            request, "duplicate_cluster_missing.html", status=404, tab="duplicates", org=org, orgs=orgs,
            asked=plain(cluster_id),
        )  # fmt: skip
    only = request.query_params.get("only") == "different"
    ids = [each.record_id for each in found.members if each.held]
    if ids and unmasked:
        shown = [each.name for each in found.fields if each.differs or not only]
        page = f"the page of the cluster #{found.cluster_id}"
        note_read(engine, org.org, found.object, who=user.get_name(), record_ids=ids, fields=shown, page=page)
    return show(
        request,
        "duplicate_cluster.html",
        tab="duplicates",
        org=org,
        orgs=orgs,
        cluster=found,
        fields=[each for each in found.fields if each.differs or not only],
        only=only,
        said_of=RULES,
        unmasked=unmasked,
        most_pairs=MOST_PAIRS,
        most_changes=MOST_CHANGES,
        fixes=_fixes(found.object),
        said=said,
        in_salesforce=lambda object, record_id: record_link(org.instance_url, object, record_id),
    )


def _fixes(object: str) -> list[str]:
    """Return the fixes that the checks for duplicates of an object name."""
    checks = load_definitions().checks.values()
    return sorted({each.fix for each in checks if each.category == "Duplicates" and each.object == object and each.fix})
