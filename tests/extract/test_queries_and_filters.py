"""Queries of a person's own and filters, against the sandbox org, which keeps Salesforce's SOQL by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from include.config.orgs import OrgDefinition
from include.errors import DefinitionError, QueryRefused
from include.extract.certify import certify_objects
from include.extract.plan import Plan
from include.extract.probe import probe_objects
from include.extract.reconcile import reconcile_object
from include.extract.run import Extracted, ExtractState, extract_object
from include.records import AirflowRun, RunMode
from tests.extract.test_extract_from_sandbox_org import Bench, bench, org_url

__all__ = ["bench", "org_url"]  # fixtures

DEALS = {
    "name": "big_deals",
    "soql": "SELECT id, name, amount, account.name, Owner.Name, Account.Owner.IsActive, CloseDate FROM opportunity"
    " WHERE Amount > 1000 AND SystemModstamp >= {lastSyncTime}",
}
BY_STAGE = {
    "name": "by_stage",
    "mode": "full",
    "key": "StageName",
    "soql": "SELECT StageName, COUNT(Id) deals, SUM(Amount) worth, MAX(CloseDate) newest FROM Opportunity"
    " GROUP BY StageName",
}
RICH = {
    "name": "rich",
    "mode": "full",
    "soql": "SELECT Id, Amount FROM Opportunity WHERE Amount > 20000 ORDER BY Amount DESC LIMIT 60",
    "max_vanished_share": 1.0,
}


def desk(bench: Bench, **definition: Any) -> Bench:
    """Return the bench with another definition of its org."""
    given = {"org": "main", "connection": "x", "objects": ["Account"], "bulk_above_rows": 500} | definition
    return replace(bench, org=OrgDefinition.model_validate(given))


def run(desk: Bench, *names: str, mode: RunMode = RunMode.CHANGES) -> dict[str, Extracted]:
    """Run these objects and queries as one DAG run."""
    desk.runs += 1
    run = AirflowRun(dag_id="main_extract", dag_run_id=f"run {desk.runs}", task_id="t", try_number=1)
    with desk.client(run.dag_run_id) as client:
        probe_objects(desk.warehouse, client, desk.org, names, mode=mode, run=run)
        extracted = {
            name: extract_object(desk.warehouse, client, desk.org, name, mode=mode, run=run, wait_for_lock=True)
            for name in names
        }
        certify_objects(desk.warehouse, client, desk.org, names, run)
    return extracted


def there(bench: Bench, soql: str) -> list[dict[str, Any]]:
    """Return what the org itself answers."""
    with bench.client() as client:
        pages = client.query_pages(soql, all_rows=False, purpose="test", object="X")
        return [record for page in pages for record in page.records]


@pytest.mark.parametrize("bulk_above_rows", [0, 10_000])
def test_a_query_becomes_a_typed_table_with_the_parents_fields_beside(bench: Bench, bulk_above_rows: int) -> None:
    """Spelt as the org spells it, deletion and stamp with it, and by Bulk the same as by REST."""
    here = desk(bench, queries=[DEALS], bulk_above_rows=bulk_above_rows)
    assert run(here, "big_deals")["big_deals"].plan is (Plan.REST if bulk_above_rows else Plan.BULK)
    kinds = dict(
        here.rows(
            "SELECT column_name::text, data_type::text FROM information_schema.columns WHERE table_name = 'big_deals'"
        )
    )
    assert {key: kind for key, kind in kinds.items() if not key.startswith("_")} == {
        "Id": "text",
        "Name": "text",
        "Amount": "numeric",
        "Account.Name": "text",
        "Owner.Name": "text",
        "Account.Owner.IsActive": "boolean",
        "CloseDate": "date",
        "IsDeleted": "boolean",
        "SystemModstamp": "timestamp with time zone",
    }
    wanted = there(here, "SELECT Id, Account.Name, Owner.Name FROM Opportunity WHERE Amount > 1000")
    found = here.rows('SELECT "Id", "Account.Name", "Owner.Name" FROM salesforce_main.big_deals WHERE NOT "IsDeleted"')
    assert sorted(found) == sorted(
        (each["Id"], (each["Account"] or {}).get("Name"), (each["Owner"] or {}).get("Name")) for each in wanted
    )
    assert {gone for (gone,) in here.rows("SELECT _deleted_at IS NOT NULL FROM salesforce_main.big_deals")} == {False}


def test_a_second_run_reads_what_changed_since_the_first(bench: Bench) -> None:
    """The placeholder is the cursor less the lookback; a deleted record arrives as deleted."""
    here = desk(bench, queries=[DEALS], lookback_minutes=0)
    run(here, "big_deals")
    assert run(here, "big_deals")["big_deals"].state is ExtractState.IDLE
    ids = [each["Id"] for each in there(here, "SELECT Id FROM Opportunity WHERE Amount > 1000 ORDER BY Id LIMIT 3")]
    bench.control("touch", object="Opportunity", ids=ids[:2])
    bench.control("delete", object="Opportunity", ids=ids[2:])
    counts = run(here, "big_deals")["big_deals"].counts
    assert (counts.read, counts.updated, counts.deleted) == (3, 3, 1)
    bench.control("undelete", object="Opportunity", ids=ids[2:])


def test_a_query_that_is_changed_is_read_from_the_beginning(bench: Bench) -> None:
    """Rows that the old one left out are there, and a column more."""
    here = desk(bench, queries=[DEALS])
    first = run(here, "big_deals")["big_deals"].counts.inserted
    wider = DEALS | {"soql": str(DEALS["soql"]).replace("> 1000", "> 0").replace("id, name", "id, type, name")}
    here = replace(desk(bench, queries=[wider]), runs=here.runs)
    counts = run(here, "big_deals")["big_deals"].counts
    assert counts.read > first
    everything = len(there(here, "SELECT Id FROM Opportunity WHERE Amount > 0"))
    assert here.rows('SELECT count(*), count("Type") > 0 FROM salesforce_main.big_deals WHERE NOT "IsDeleted"') == [
        (everything, True)
    ]


def test_sums_by_group_are_a_table_with_a_key_of_their_own(bench: Bench) -> None:
    """Typed by function and field; read whole each time."""
    here = desk(bench, queries=[BY_STAGE])
    run(here, "by_stage")
    wanted = {each["StageName"]: each["deals"] for each in there(here, str(BY_STAGE["soql"]))}
    assert dict(here.rows('SELECT "StageName", deals FROM salesforce_main.by_stage')) == wanted
    assert here.rows("SELECT pg_typeof(deals)::text, pg_typeof(worth)::text, pg_typeof(newest)::text"
                     " FROM salesforce_main.by_stage LIMIT 1") == [("bigint", "numeric", "date")]  # fmt: skip
    assert run(here, "by_stage")["by_stage"].state is ExtractState.UNCHANGED


def test_what_a_full_query_no_longer_shows_is_marked(bench: Bench) -> None:
    """Its result is the table."""
    here = desk(bench, queries=[RICH])
    run(here, "rich")
    ids = [key for (key,) in here.rows('SELECT "Id" FROM salesforce_main.rich ORDER BY "Id" LIMIT 2')]
    bench.control("delete", object="Opportunity", ids=ids)
    run(here, "rich")
    wanted = {each["Id"] for each in there(here, str(RICH["soql"]))}
    assert {key for (key,) in here.rows('SELECT "Id" FROM salesforce_main.rich WHERE _deleted_at IS NULL')} == wanted
    bench.control("undelete", object="Opportunity", ids=ids)


@pytest.mark.parametrize(
    ("soql", "what"),
    [
        ("SELECT Id, Nme FROM Account", "Account has no field Nme"),
        ("SELECT Id, Ownr.Name FROM Account", "Account has no relationship Ownr"),
        ("SELECT Id, BillingAddress FROM Account", "cannot be a column"),
    ],
)
def test_a_column_that_the_org_has_not_is_named(bench: Bench, soql: str, what: str) -> None:
    """In the query's own task; the objects beside it are read."""
    here = desk(bench, queries=[{"name": "odd", "mode": "full", "soql": soql}])
    with pytest.raises(DefinitionError, match=what):
        run(here, "odd")


def test_an_object_that_the_org_has_not_is_named(bench: Bench) -> None:
    """By the org itself."""
    here = desk(bench, queries=[{"name": "odd", "mode": "full", "soql": "SELECT Id FROM Acount"}])
    with pytest.raises(QueryRefused, match="no Acount"):
        run(here, "odd")


REGION = [
    {"field": "LeadSource", "operator": "in", "value": ["Web", "Trade's Show"]},
    {"any": [{"field": "Email", "operator": "!=", "value": None}, {"field": "Account.Name", "operator": "like",
                                                                   "value": "A%"}]},
]  # fmt: skip
CONDITION = "LeadSource IN ('Web','Trade\\'s Show') AND (Email != null OR Account.Name LIKE 'A%')"


def test_a_filter_holds_in_window_count_and_comparison(bench: Bench) -> None:
    """What it leaves out is neither read nor missed; what leaves it is taken out at night."""
    here = desk(bench, objects=["Contact"], filters={"Contact": REGION}, lookback_minutes=0)
    run(here, "Contact")
    wanted = {each["Id"] for each in there(here, f"SELECT Id FROM Contact WHERE {CONDITION}")}
    assert len(wanted) > 2
    alive = 'SELECT "Id" FROM salesforce_main."Contact" WHERE _deleted_at IS NULL'
    assert {key for (key,) in here.rows(alive)} == wanted
    assert here.rows("SELECT here, in_org FROM headwater.certificate") == [(len(wanted), len(wanted))]
    [left, stays] = sorted(wanted)[:2]
    bench.control("touch", object="Contact", ids=[left], fields={"LeadSource": "Other"})
    bench.control("touch", object="Contact", ids=[stays])
    assert run(here, "Contact")["Contact"].counts.read == 1
    last = "SELECT r.state, c.difference, c.note FROM headwater.certificate c JOIN headwater.run r USING (run_id)"
    [(state, difference, note)] = here.rows(f"{last} ORDER BY certificate_id DESC LIMIT 1")
    assert (state, difference) == ("success", -1)
    assert note.startswith("records may have left the filter")
    with here.client() as client:
        found = reconcile_object(
            here.warehouse, client, here.org, "Contact", run=AirflowRun(), sleep=lambda seconds: None
        )
    assert (found.vanished, found.missing) == (1, 0)
    assert {key for (key,) in here.rows(alive)} == wanted - {left}
    bench.control("touch", object="Contact", ids=[left], fields={"LeadSource": "Web"})


def test_a_filter_that_is_changed_lets_everything_be_read_again(bench: Bench) -> None:
    """Records that it left out before bear old stamps."""
    here = desk(bench, objects=["Contact"], filters={"Contact": REGION})
    run(here, "Contact")
    here = replace(desk(bench, objects=["Contact"]), runs=here.runs)
    run(here, "Contact")
    here.equals_the_org("Contact")


@pytest.mark.parametrize("name", ["Everything__c", "Subscription__c", "Task", "Attachment", "GroupMember"])
@pytest.mark.parametrize("bulk_above_rows", [0, 10_000])
def test_other_objects_equal_the_org_too(bench: Bench, name: str, bulk_above_rows: int) -> None:
    """Custom ones, one with archived records, one with a file in each record, one that cannot be counted by date."""
    here = desk(bench, objects=[name], bulk_above_rows=bulk_above_rows)
    run(here, name)
    here.equals_the_org(name)
    assert here.rows("SELECT difference FROM headwater.certificate WHERE difference <> 0") == []
