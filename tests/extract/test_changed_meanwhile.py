"""What changes while a load is under way, or lies unfinished, is not lost by the run that goes on with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from include.config.orgs import OrgDefinition
from include.config.schema_changes import SchemaChangesDefinition
from include.errors import ConnectionLost
from include.extract.deletions import follow_deletions
from include.extract.metadata import read_metadata
from include.records import AirflowRun, RunMode
from tests.extract.conftest import Desk

BESIDE = AirflowRun(dag_id="main_beside", dag_run_id="r", task_id="t", try_number=1)


def key(number: int) -> str:
    return f"CON{number:015d}"


def visits(desk: Desk) -> set[Any]:
    return {value for (value,) in desk.rows('SELECT DISTINCT "Visits__c" FROM salesforce_main."Contact"')}


def let_visits_be(desk: Desk, value: Any) -> None:
    """Give every contact a value without moving its stamp."""
    for each in desk.org.records["Contact"].values():
        each["Visits__c"] = value


def break_off(desk: Desk, mode: RunMode, interval: tuple[datetime, datetime] | None = None) -> None:
    """Begin a load of Contact and lose the connection after its second page."""
    desk.org.before_result = lambda locator: setattr(desk.org, "cut_results", 9 if int(locator) >= 16 else 0)
    with pytest.raises(ConnectionLost):
        desk.extract_one(desk.next_run(), mode=mode, interval=interval)
    desk.org.before_result = lambda locator: setattr(desk.org, "cut_results", 0)


def look_at_fields(desk: Desk) -> None:
    """Run the hourly task."""
    with desk.client(BESIDE) as client:
        read_metadata(desk.warehouse, client, desk.definition)


@pytest.mark.parametrize(("kind", "value"), [("string", "five"), ("double", 7)])
def test_a_type_that_changes_while_a_first_load_lies_unfinished_costs_no_value(
    desk: Desk, kind: str, value: Any
) -> None:
    """What came before has its old values: the field is read for it once more."""
    policies = SchemaChangesDefinition.model_validate({"type": "evolve"})
    desk.definition = desk.definition.model_copy(update={"schema_changes": policies})
    let_visits_be(desk, 5)
    break_off(desk, RunMode.CHANGES)
    assert len(desk.here()) == 16

    desk.org.change_fields("Contact", Visits__c=kind)
    let_visits_be(desk, value)
    desk.org.tick(hours=1)
    look_at_fields(desk)
    for _ in range(2):
        desk.org.tick(hours=1)
        desk.extract()

    assert visits(desk) == {value}


def test_an_old_job_of_a_backfill_brings_no_old_value_back(desk: Desk) -> None:
    """Values that the org rewrote without a stamp were read again meanwhile."""
    let_visits_be(desk, 5)
    desk.extract()
    interval = (desk.org.now.replace(year=2025), desk.org.now)
    desk.org.tick(hours=1)
    break_off(desk, RunMode.INTERVAL, interval)
    desk.org.change_fields("Contact", Visits__c="double")
    let_visits_be(desk, 7)
    desk.org.tick(hours=1)
    desk.extract()
    assert visits(desk) == {7}

    desk.extract_one(desk.next_run(), mode=RunMode.INTERVAL, interval=interval)

    assert visits(desk) == {7}


def test_a_page_that_was_asked_for_earlier_brings_no_old_value_back(desk: Desk) -> None:
    """Another run's probe kept it, and the values were read again before it was loaded."""
    desk.definition = desk.definition.model_copy(update={"bulk_above_rows": 100})
    let_visits_be(desk, 5)
    desk.extract()
    desk.org.tick(hours=1)
    desk.org.put("Contact", 5, LastName="Changed")
    desk.org.tick(minutes=1)
    run = desk.next_run()
    desk.probe(run, RunMode.LAST_DAY)
    desk.org.change_fields("Contact", Visits__c="double")
    let_visits_be(desk, 7)
    desk.org.tick(minutes=1)
    desk.probe(BESIDE)
    desk.extract_one(BESIDE)
    assert visits(desk) == {7}

    desk.extract_one(run, mode=RunMode.LAST_DAY)

    assert visits(desk) == {7}


def test_a_filter_that_is_edited_while_a_load_runs_lets_everything_be_read_again(desk: Desk) -> None:
    """A load that began with the old one does not say that everything was read with the new one."""
    wide = desk.definition
    deleted = [{"field": "IsDeleted", "operator": "=", "value": True}]
    desk.definition = OrgDefinition.model_validate(
        {"org": "main", "connection": "salesforce", "objects": ["Contact"], "filters": {"Contact": deleted}}
        | {"bulk_above_rows": 0}
    )

    def edit(locator: str) -> None:
        desk.org.before_result = lambda locator: None
        desk.definition = wide
        desk.probe(BESIDE)

    desk.extract()
    desk.org.before_result = edit
    desk.org.tick(hours=1)
    desk.extract_one(desk.next_run(), mode=RunMode.FULL)
    assert len(desk.here()) < 30
    desk.org.tick(hours=1)
    desk.extract_one(desk.next_run())

    assert desk.here() == desk.there()


def test_an_old_job_brings_no_purged_record_back_for_good(desk: Desk) -> None:
    """While a load lies unfinished the org is asked for the same deletions again."""
    desk.extract()
    desk.org.tick(hours=1)
    [(before,)] = desk.rows("SELECT deletions_at FROM headwater.object WHERE object = 'Contact'")
    break_off(desk, RunMode.FULL)
    desk.org.purge("Contact", key(25))
    with desk.client(BESIDE) as client:
        follow_deletions(desk.warehouse, client, desk.definition, run=BESIDE)
    assert desk.here()[key(25)][1] is True
    assert desk.rows("SELECT deletions_at FROM headwater.object WHERE object = 'Contact'") == [(before,)]
    desk.extract_one(desk.same_run(try_number=2), mode=RunMode.FULL)
    desk.org.tick(hours=1)

    with desk.client(BESIDE) as client:
        follow_deletions(desk.warehouse, client, desk.definition, run=BESIDE)

    assert desk.here()[key(25)][1] is True
    assert desk.rows("SELECT deletions_at FROM headwater.object WHERE object = 'Contact'") == [(desk.org.now,)]
