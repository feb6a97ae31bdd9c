"""Administrators change things while a run reads, people merge, delete and purge: nothing is lost, all is told."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
import urllib3

from include.config.loader import load_definitions
from include.config.schema_changes import SchemaChangesDefinition
from include.config.users import users_of
from include.errors import HeadwaterError, SchemaFrozen
from include.extract.deletions import follow_deletions
from include.extract.metadata import read_metadata, refuse_problems
from include.extract.reconcile import reconcile_object
from include.records import AirflowRun, RunMode
from tests.extract import test_extract_from_sandbox_org as sandboxed
from tests.extract.test_extract_from_sandbox_org import Bench

bench, org_url = sandboxed.bench, sandboxed.org_url  # its fixtures
FIELD = "Standing__c"
TEXT = {"name": FIELD, "type": "text", "length": 80, "default": "gold"}
PICKLIST = {"name": FIELD, "type": "picklist", "values": ["gold", "iron", "tin"], "default": "gold"}
NUMBER = {"name": FIELD, "type": "number", "precision": 10, "scale": 0, "default": 7}

RENAMED = {"field": FIELD, "rename": {"gold": "silver"}}


def metadata(bench: Bench, change: str, **body: Any) -> None:
    """Change the org's contacts as an administrator does."""
    bench.control("metadata", change=change, object="Contact", **body)


def in_mid_run(bench: Bench, change: str, **body: Any) -> None:
    """Order a change for the second call about the Bulk job that the next run makes."""
    order = {"change": change, "object": "Contact", **body}
    path = "/services/data/v63.0/jobs/query"
    fault = {"kind": "command", "command": "metadata", "body": order, "match": path, "after": 1}
    assert urllib3.request("POST", f"{bench.url}/sandbox/faults", json=fault).status == 200


def extract_until_it_works(bench: Bench, mode: RunMode) -> None:
    """Run as Airflow does: what failed is tried again."""
    for _ in range(3):
        with suppress(HeadwaterError):
            bench.extract(mode)
            return
    raise AssertionError("it never works")


def changes(bench: Bench) -> list[tuple[Any, ...]]:
    return bench.rows(
        f"SELECT kind, class, state FROM headwater.schema_change WHERE field = '{FIELD}' ORDER BY change_id"
    )


@pytest.fixture(autouse=True)
def _as_it_was(bench: Bench) -> Any:
    """Take every change back."""
    yield
    bench.control("faults", clear=True)
    with suppress(AssertionError):
        metadata(bench, "remove_field", field=FIELD)


@pytest.mark.parametrize(
    ("before", "change", "body", "expected"),
    [
        (None, "add_field", TEXT, ("added", "added", "followed")),
        (TEXT, "remove_field", {"field": FIELD}, ("removed", "removed", "followed")),
        (TEXT, "retype", {"field": FIELD, "type": "text", "length": 255}, ("length", "size", "followed")),
        (TEXT, "retype", {"field": FIELD, "type": "textarea"}, ("type", "size", "followed")),
        (NUMBER, "retype", {"field": FIELD, "type": "text", "length": 20}, ("type", "type", "followed")),
        (PICKLIST, "change_picklist", RENAMED, ("picklist", "picklist", "followed")),
        (TEXT, "rename_label", {"field": FIELD, "label": "Grade"}, ("label", "label", "followed")),
    ],
    ids=["added", "removed", "longer", "kin type", "another type", "picklist", "label"],
)  # fmt: skip
def test_a_change_in_mid_run_loses_nothing(
    bench: Bench,
    before: dict[str, Any] | None,
    change: str,
    body: dict[str, Any],
    expected: tuple[str, str, str],
) -> None:
    """Under evolve the warehouse equals the org afterwards, in every value of every record."""
    policies = SchemaChangesDefinition.model_validate({"type": "evolve"})
    bench.org = bench.org.model_copy(update={"schema_changes": policies})
    if before:
        metadata(bench, "add_field", **before)
    bench.extract()
    in_mid_run(bench, change, **body)

    extract_until_it_works(bench, RunMode.FULL)
    bench.control("touch", object="Contact", n=3)
    extract_until_it_works(bench, RunMode.CHANGES)

    assert changes(bench) == [expected]
    bench.equals_the_org("Contact")
    if change == "remove_field":
        column = f'SELECT count(*) FROM salesforce_main."Contact" WHERE "{FIELD}" = \'gold\''
        assert bench.rows(column)[0][0] >= 1200
    if expected[1] == "type":
        kept = f'SELECT DISTINCT "{FIELD}__was_numeric" FROM salesforce_main."Contact"'
        assert bench.rows(kept) == [(7,)]


def test_frozen_and_failed_changes_keep_the_warehouse_as_it_is(bench: Bench) -> None:
    """What is known is read on; what fails stops its own object, names itself, and is told by the metadata run too."""
    metadata(bench, "add_field", **NUMBER)
    bench.extract()
    bench.org = bench.org.model_copy(
        update={"schema_changes": SchemaChangesDefinition.model_validate({"added": "freeze", "removed": "fail"})}
    )
    metadata(bench, "add_field", name="Extra__c", type="text", length=20, default="x")
    touched = bench.control("touch", object="Contact", n=4)["ids"]
    assert bench.extract()["Contact"].counts.updated == len(touched)
    bench.equals_the_org("Contact")

    metadata(bench, "remove_field", field="Extra__c")
    metadata(bench, "remove_field", field=FIELD)
    bench.control("touch", object="Lead", n=2)
    with bench.client() as client:
        found = read_metadata(bench.warehouse, client, bench.org)
    with pytest.raises(SchemaFrozen, match=rf"Contact\.{FIELD} is gone .*schema_changes.removed: fail"):
        refuse_problems(found)
    with pytest.raises(SchemaFrozen, match=FIELD):
        bench.extract()
    assert changes(bench) == [("removed", "removed", "failed")]


def test_the_impact_names_the_pushes_and_checks_that_use_a_field() -> None:
    """The shipped definitions: Email is mapped and checked, a field of nobody is used by nothing."""
    definitions = load_definitions()
    users = users_of(definitions, "demo", "Contact", "Email")
    assert "push contacts_to_insider_one" in users
    assert any(each.startswith("check ") for each in users)
    assert users_of(definitions, "demo", "Contact", FIELD) == ()


def hard_delete(bench: Bench, ids: list[str]) -> None:
    """Delete records past the recycle bin, as an administrator does with the Bulk API."""
    with bench.client() as client:
        token = client.living_session().access_token
    jobs, headers = f"{bench.url}/services/data/v63.0/jobs/ingest", {"Authorization": f"Bearer {token}"}
    order = {"object": "Contact", "operation": "hardDelete", "contentType": "CSV", "lineEnding": "LF"}
    job = f"{jobs}/{urllib3.request('POST', jobs, json=order, headers=headers).json()['id']}"
    body = "\n".join(["Id", *ids, ""])
    urllib3.request("PUT", f"{job}/batches", body=body, headers=headers | {"Content-Type": "text/csv"})
    urllib3.request("PATCH", job, json={"state": "UploadComplete"}, headers=headers)
    for _ in range(100):
        found = urllib3.request("GET", job, headers=headers).json()
        if found["state"] == "JobComplete":
            assert (found["numberRecordsProcessed"], found["numberRecordsFailed"]) == (len(ids), 0)
            return
        time.sleep(0.1)
    raise AssertionError(found)


def test_deletes_purges_merges_and_undeletes_are_equal_after_one_night(bench: Bench) -> None:
    """And without any increment in between: losers name their master, purged records keep their values, marked."""
    bench.extract()
    alive = 'SELECT "Id" FROM salesforce_main."Contact" WHERE _deleted_at IS NULL ORDER BY "Id" LIMIT 12'
    ids = [key for (key,) in bench.rows(alive)]
    hard_delete(bench, ids[2:4])
    bench.control("delete", object="Contact", ids=[*ids[:2], *ids[4:6]])
    bench.control("undelete", object="Contact", ids=ids[:2])
    bench.control("merge", object="Contact", master=ids[6], loser=ids[7])
    bench.control("merge", object="Contact", master=ids[8], loser=ids[9])
    run = AirflowRun(dag_id="main_reconcile", dag_run_id="night", task_id="t", try_number=1)

    with bench.client() as client:
        found = reconcile_object(bench.warehouse, client, bench.org, "Contact", run=run)

    assert (found.vanished, found.remaining) == (2, 0)
    state = dict(bench.rows('SELECT "Id", _deleted_at IS NOT NULL FROM salesforce_main."Contact"'))
    assert [state[each] for each in ids[:10]] == [False, False, True, True, True, True, False, True, False, True]
    losers = 'SELECT "Id", "MasterRecordId" FROM salesforce_main."Contact" WHERE "MasterRecordId" IS NOT NULL'
    assert dict(bench.rows(losers)).items() >= {ids[7]: ids[6], ids[9]: ids[8]}.items()
    with bench.client() as client:
        pages = client.query_pages("SELECT Id FROM Contact", all_rows=False, purpose="test", object="Contact")
        there = {each["Id"] for page in pages for each in page.records}
    assert {key for key, gone in state.items() if not gone} == there


def test_a_purge_is_known_within_the_hour(bench: Bench) -> None:
    """The org's list of deletions tells it; what lies in the bin and what came back are left to their windows."""
    bench.extract()
    alive = 'SELECT "Id" FROM salesforce_main."Contact" WHERE _deleted_at IS NULL ORDER BY "Id" LIMIT 6'
    ids = [key for (key,) in bench.rows(alive)]
    hard_delete(bench, ids[1:4])
    bench.control("delete", object="Contact", ids=[ids[0], *ids[4:]])
    bench.control("undelete", object="Contact", ids=ids[:1])
    bench.control("clock", advance=180)  # the org looks at whole minutes
    run = AirflowRun(dag_id="main_metadata", dag_run_id="hour", task_id="deletions", try_number=1)

    with bench.client() as client:
        found = {each.object: each for each in follow_deletions(bench.warehouse, client, bench.org, run=run)}

    assert found["Contact"].changed == 3
    state = dict(bench.rows('SELECT "Id", _deleted_at IS NOT NULL FROM salesforce_main."Contact"'))
    assert [state[each] for each in ids] == [False, True, True, True, False, False]
    bench.extract()
    state = dict(bench.rows('SELECT "Id", _deleted_at IS NOT NULL FROM salesforce_main."Contact"'))
    assert [state[each] for each in ids] == [False, True, True, True, True, True]
