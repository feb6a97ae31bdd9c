"""A formula over a parent goes stale without a stamp: it is said how old it may be, and the night brings it right."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from include.config.orgs import OrgDefinition
from include.extract.probe import probe_objects
from include.extract.reconcile import reconcile_object
from include.extract.run import extract_object
from include.records import AirflowRun, RunMode
from include.warehouse.overview import objects_overview
from tests.extract.test_extract_from_sandbox_org import Bench, bench, org_url

__all__ = ["bench", "org_url"]  # fixtures

CHILD, PARENT = "Subscription__c", "Account"


def run(bench: Bench) -> None:
    bench.runs += 1
    run = AirflowRun(dag_id="main_extract", dag_run_id=f"run {bench.runs}", task_id="t", try_number=1)
    with bench.client(run.dag_run_id) as client:
        probe_objects(bench.warehouse, client, bench.org, (CHILD, PARENT), mode=RunMode.CHANGES, run=run)
        for name in (CHILD, PARENT):
            extract_object(
                bench.warehouse, client, bench.org, name, mode=RunMode.CHANGES, run=run, wait_for_lock=True
            )  # fmt: skip


def region_here(bench: Bench, child: str) -> str:
    [(found,)] = bench.rows(f'SELECT "Region__c" FROM salesforce_main."{CHILD}" WHERE "Id" = \'{child}\'')
    return str(found)


def right_as_of(bench: Bench) -> datetime:
    [found] = [each for each in objects_overview(bench.warehouse, "main") if each.object == CHILD]
    assert "Region__c" in found.calculated
    assert found.has_remarks
    assert found.calculated_as_of is not None
    return found.calculated_as_of


def test_a_formula_over_a_parent_is_stale_until_the_night_and_that_is_said(bench: Bench) -> None:
    """Only the parent changes: the child has no new stamp, so no increment brings it."""
    bench = replace(bench, org=OrgDefinition(org="main", connection="x", objects=(CHILD, PARENT)))
    run(bench)
    child, parent, region = bench.rows(
        f'SELECT c."Id", p."Id", p."Region__c" FROM salesforce_main."{CHILD}" AS c'
        f' JOIN salesforce_main."{PARENT}" AS p ON p."Id" = c."Account__c" ORDER BY 1 LIMIT 1'
    )[0]
    other = "APAC" if region != "APAC" else "EMEA"
    changed = bench.control("touch", object=PARENT, ids=[parent], fields={"Region__c": other})
    assert changed["ids"] == [parent]
    run(bench)

    with bench.client() as client:
        now = client.org_now()
        assert region_here(bench, child) == region  # stale
        assert right_as_of(bench) < now  # and the page says since when it may be
        reconcile_object(bench.warehouse, client, bench.org, CHILD, run=AirflowRun())
    assert region_here(bench, child) == other
    assert right_as_of(bench) >= now
    bench.equals_the_org(CHILD)
