"""What other tools lose from increments, all of it at once: late commits, equal stamps over page edges, a new field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from include.config.orgs import OrgDefinition
from include.extract.certify import certify_objects
from include.extract.plan import Plan
from include.extract.probe import probe_objects
from include.extract.run import Extracted, extract_object
from include.records import AirflowRun, RunMode
from tests.extract.test_extract_from_sandbox_org import Bench, bench, org_url

__all__ = ["bench", "org_url"]  # fixtures

PAGE = 2000  # records of a page of REST, the largest there is
SAME_SECOND = 2300


@pytest.fixture(params=[Plan.REST, Plan.BULK])
def reader(bench: Bench, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Yield a bench for one object, which reads every window by one way."""
    above = 0 if request.param is Plan.BULK else 10**9
    org = OrgDefinition(org="main", connection="x", objects=("Lead",), bulk_above_rows=above)
    yield replace(bench, org=org)
    bench.control("faults", clear=True)
    bench.control("metadata", changes=[{"change": "restore"}])


def run(reader: Bench) -> Extracted:
    """Do a whole run of the extract, with pages far smaller than the window."""
    reader.runs += 1
    run = AirflowRun(dag_id="main_extract", dag_run_id=f"run {reader.runs}", task_id="t", try_number=1)
    with reader.client(run.dag_run_id) as client:
        probe_objects(reader.warehouse, client, reader.org, ("Lead",), mode=RunMode.CHANGES, run=run)
        done = extract_object(
            reader.warehouse, client, reader.org, "Lead", mode=RunMode.CHANGES, run=run, wait_for_lock=True,
            bulk_page_rows=500,
        )  # fmt: skip
        certify_objects(reader.warehouse, client, reader.org, ("Lead",), run)
    return done


def newest(reader: Bench, what: str) -> str:
    [(found,)] = reader.rows(f"SELECT {what} FROM headwater.certificate ORDER BY certificate_id DESC LIMIT 1")
    return str(found)


def test_nothing_is_missed_and_the_run_says_what_happened(reader: Bench) -> None:
    """Whatever comes late, in one second, over a page's edge or under a new field is here in the end."""
    run(reader)
    made = reader.control("create", object="Lead", n=SAME_SECOND)["ids"]
    late = reader.control("touch", object="Lead", n=20, seed=5, visible_after_seconds=300)["ids"]
    later = reader.control("create", object="Lead", n=3, visible_after_seconds=7200)["ids"]
    reader.control("stamps", object="Lead", ids=made)  # one second for more records than a page holds
    change = {"change": "add_field", "object": "Lead", "name": "Mid_Run__c", "type": "text", "length": 20}
    in_mid_read = "jobs/query/" if reader.org.bulk_above_rows == 0 else "query/"  # once the job runs; the second page
    reader.control("faults", kind="schema_change", match=f"/services/data/v63.0/{in_mid_read}", **change)

    first = run(reader)
    assert first.counts.inserted == SAME_SECOND > PAGE
    assert reader.rows(f'SELECT count(*) FROM salesforce_main."Lead" WHERE "Id" IN {tuple(made)}') == [(len(made),)]

    reader.control("clock", advance=310)  # what was late shows now, within the lookback
    reader.control("touch", object="Lead", ids=made[:1])
    run(reader)
    reader.equals_the_org("Lead")
    assert reader.rows("SELECT kind FROM headwater.schema_change WHERE field = 'Mid_Run__c'") == [("added",)]
    assert len(late) == 20
    reader.control("clock", advance=3600)
    run(reader)  # idle: only the cursor moves

    reader.control("clock", advance=3600)  # what was later than any lookback shows now
    reader.control("touch", object="Lead", ids=made[1:2])
    run(reader)
    reader.equals_the_org("Lead")
    assert newest(reader, "note") == f"{len(later)} missing found by their Ids and read"
    assert newest(reader, "difference") == "0"
    assert reader.rows("SELECT DISTINCT state FROM headwater.run WHERE kind = 'extract'") == [("success",)]
