"""After one nightly comparison the warehouse equals the org, whatever an increment could not see."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.errors import ConnectionLost, JobFailed, MassDisappearance, NotReady, QueryRefused, WarehouseDown
from include.extract.comparison_words import in_words
from include.extract.disappearance import too_many
from include.extract.reconcile import reconcile_object
from include.records import AirflowRun, RunMode
from include.warehouse.engine import transaction
from tests.extract.conftest import Desk
from tests.extract.small_org import stamp


def alive(desk: Desk, object: str = "Contact") -> dict[str, str]:
    """Return Id -> LastName of what counts as there, in the warehouse."""
    return {key: name for key, (name, gone) in desk.here(object).items() if not gone}


def alive_in_org(desk: Desk, object: str = "Contact") -> dict[str, str]:
    return {key: name for key, (name, gone) in desk.there(object).items() if not gone}


def key(number: int, object: str = "Contact") -> str:
    return f"{object[:3].upper()}{number:015d}"


@pytest.mark.parametrize("object", ["Contact", "Lead"])
def test_equal_sides_stay_as_they_are(desk: Desk, object: str) -> None:
    """By Bulk and by REST; nothing is read again, and the certificate says that it was compared."""
    desk.extract()
    before = desk.rows(f'SELECT "Id", _loaded_at FROM salesforce_main."{object}" ORDER BY 1')
    found = desk.reconcile(object)
    assert (found.changed, found.remaining) == (0, 0)
    assert in_words(found).endswith("all of them the same here")
    assert desk.rows(f'SELECT "Id", _loaded_at FROM salesforce_main."{object}" ORDER BY 1') == before
    assert desk.rows(
        "SELECT here, in_org, difference, note FROM headwater.certificate"
        f" WHERE object = '{object}' ORDER BY certificate_id DESC LIMIT 1"
    ) == [(found.in_org, found.in_org, 0, "")]


def test_a_record_behind_the_lookback_is_found(desk: Desk) -> None:
    """It became visible hours after the stamp that it bears; no increment would ever read it."""
    desk.extract()
    late = key(77)
    old = stamp(desk.org.now - timedelta(minutes=50))
    desk.org.records["Contact"][late] = {
        "Id": late, "IsDeleted": False, "CreatedDate": old, "SystemModstamp": old, "LastName": "Late",
    }  # fmt: skip
    desk.org.tick(hours=2)
    desk.extract()
    assert late not in desk.here()

    found = desk.reconcile()

    assert (found.missing, found.fetched, found.remaining) == (1, 1, 0)
    assert desk.here()[late] == ("Late", False)


def test_an_older_row_and_a_deletion_that_was_missed_are_read_again(desk: Desk) -> None:
    """Behind the cursor a value changed, and another record was deleted."""
    desk.extract()
    hidden = stamp(desk.org.now - timedelta(minutes=30))
    desk.org.records["Contact"][key(3)] |= {"LastName": "Hidden", "SystemModstamp": hidden}
    desk.org.records["Contact"][key(4)] |= {"IsDeleted": True, "SystemModstamp": hidden}
    desk.org.tick(hours=2)
    desk.extract()
    assert desk.here() != desk.there()

    found = desk.reconcile()

    assert found.stale == 2
    assert desk.here() == desk.there()


def test_a_purged_record_is_marked_and_keeps_its_values(desk: Desk) -> None:
    """It left the recycle bin: no query shows it any more. Deleting it again the next night changes nothing."""
    desk.extract()
    del desk.org.records["Contact"][key(5)]
    del desk.org.records["Contact"][key(7)]  # this one was known as deleted

    found = desk.reconcile()

    assert (found.vanished, found.purged) == (1, 1)
    assert desk.here()[key(5)] == ("Name 5", True)
    assert alive(desk) == alive_in_org(desk)
    assert desk.reconcile().changed == 0


def test_a_record_that_comes_back_with_its_old_stamp_is_there_again(desk: Desk) -> None:
    """Sharing was lost for a night: the record never changed."""
    desk.extract()
    hidden = desk.org.records["Contact"].pop(key(5))
    desk.reconcile()
    desk.org.records["Contact"][key(5)] = hidden

    found = desk.reconcile()

    assert found.stale == 1
    assert desk.here() == desk.there()


def test_formulas_are_brought_up_to_date_without_a_stamp(desk: Desk) -> None:
    """Only rows whose values differ are written."""
    desk.org.calculated = {"Visits__c"}
    desk.org.put("Contact", 1, Visits__c=1)
    desk.org.put("Contact", 2, Visits__c=2)
    desk.org.tick(hours=1)
    desk.extract()
    desk.org.records["Contact"][key(1)]["Visits__c"] = 10
    desk.org.tick(hours=2)
    desk.extract()

    found = desk.reconcile()

    assert (found.recalculated, found.fetched) == (1, 0)
    assert desk.rows('SELECT "Visits__c" FROM salesforce_main."Contact" WHERE "Visits__c" IS NOT NULL ORDER BY 1') == [
        (2,),
        (10,),
    ]


def test_a_mass_disappearance_waits_for_a_person(desk: Desk) -> None:
    """Lost rights look like this. Nothing is marked; what else differs is mended; accepting it marks all."""
    desk.extract()
    for number in range(12, 30):
        del desk.org.records["Contact"][key(number)]
    desk.org.records["Contact"][key(3)] |= {"LastName": "Hidden", "SystemModstamp": stamp(desk.org.now)}

    with pytest.raises(MassDisappearance, match="18 records of Contact are in the warehouse and neither") as raised:
        desk.reconcile()

    assert "Accept what vanished" in str(raised.value)
    assert len(alive(desk)) == 29
    assert desk.here()[key(3)] == ("Hidden", False)
    assert desk.rows("SELECT quarantined, vanished, remaining FROM headwater.reconciliation") == [(True, 18, 0)]
    assert desk.rows("SELECT state FROM headwater.run WHERE kind = 'reconcile'") == [("failed",)]
    [(difference, note)] = desk.rows(
        "SELECT difference, note FROM headwater.certificate ORDER BY certificate_id DESC LIMIT 1"
    )
    assert difference == -18
    assert "wait for a person" in note

    with pytest.raises(MassDisappearance):
        desk.reconcile(accept=17)  # what a person saw is what a person accepted
    assert desk.reconcile(accept=18).vanished == 18
    assert alive(desk) == alive_in_org(desk)


def test_more_differences_than_fit_into_questions_are_read_as_a_whole(desk: Desk) -> None:
    """A full refresh does it, and the comparison is made again after it."""
    desk.extract()
    old = stamp(desk.org.now - timedelta(minutes=40))
    for number in range(100, 130):
        desk.org.records["Contact"][key(number)] = {
            "Id": key(number), "IsDeleted": False, "CreatedDate": old, "SystemModstamp": old, "LastName": "Late",
        }  # fmt: skip
    desk.org.tick(hours=2)

    found = desk.reconcile()

    assert (found.missing, found.remaining) == (0, 0)
    assert desk.here() == desk.there()
    assert desk.rows("SELECT mode FROM headwater.extract ORDER BY run_id DESC LIMIT 1") == [("full",)]


def test_a_list_with_a_hole_changes_nothing(desk: Desk) -> None:
    """A short page would look like records that vanished."""
    desk.extract()
    before = desk.here()
    desk.org.wrong_counts = 1
    with pytest.raises(ConnectionLost):
        desk.reconcile()
    desk.org.shorten = lambda page: page | {"records": page["records"][:-1]}
    with pytest.raises(ConnectionLost, match="announced 3 Ids of Lead and sent 2"):
        desk.reconcile("Lead")
    desk.org.cut_results = 1
    with pytest.raises(ConnectionLost):
        desk.reconcile()
    assert desk.here() == before
    assert desk.rows("SELECT count(*) FROM headwater.reconciliation") == [(0,)]


def test_an_object_that_was_never_loaded_is_not_compared(desk: Desk) -> None:
    """There is nothing that could be told apart from vanished."""
    with pytest.raises(NotReady, match="the first load of Contact is not complete"):
        desk.reconcile()


@pytest.mark.parametrize(
    ("vanished", "of", "expected"),
    [
        (0, 100, False),
        (5, 100, False),
        (6, 100, False),
        (11, 100, True),
        (11, 1000, False),
        (10, 11, True),
        (2, 3, True),
        (1, 2, False),
        (1, 1, True),
    ],
)
def test_how_many_are_too_many(vanished: int, of: int, *, expected: bool) -> None:
    """More than five in a hundred, but never a mere handful, unless it is more than half."""
    assert too_many(vanished, of=of, max_share=0.05) is expected


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hidden=st.sets(st.integers(0, 40), max_size=12),
    purged=st.sets(st.integers(0, 29), max_size=8),
    deleted=st.sets(st.integers(0, 29), max_size=8),
)
def test_whatever_was_missed_one_night_makes_both_sides_equal(
    desk: Desk, hidden: set[int], purged: set[int], deleted: set[int]
) -> None:
    """Changes, deletions and purges behind the cursor, in any mixture."""
    desk.extract()
    old = stamp(desk.org.now - timedelta(minutes=30))
    for number in hidden:
        known = desk.org.records["Contact"].get(key(number), {"Id": key(number), "CreatedDate": old})
        known |= {"LastName": f"Hidden {desk.runs}", "SystemModstamp": old, "IsDeleted": number in deleted}
        desk.org.records["Contact"][key(number)] = known
    for number in purged - hidden:
        desk.org.records["Contact"].pop(key(number), None)
    desk.org.tick(hours=1)

    desk.reconcile(accept=100)

    assert alive(desk) == alive_in_org(desk)
    desk.org.tick(hours=1)


def test_a_page_that_was_asked_for_earlier_brings_no_purged_record_back(desk: Desk) -> None:
    """The probe of a run kept it; the comparison came between the probe and the object's own task."""
    desk.extract()
    desk.org.tick(hours=1)
    desk.org.put("Contact", 5, LastName="Changed")
    desk.org.tick(minutes=1)
    run = desk.next_run()
    desk.probe(run)
    del desk.org.records["Contact"][key(5)]
    reconcile_beside(desk)

    desk.extract_one(run)

    assert desk.here()[key(5)][1] is True


def test_a_load_that_was_left_half_way_brings_no_old_formula_back(desk: Desk) -> None:
    """The Bulk job's result is days old; after a comparison it is not taken up again."""
    desk.org.calculated = {"Visits__c"}
    desk.org.put("Contact", 25, Visits__c=1)
    desk.org.tick(hours=1)
    desk.extract()
    desk.org.cut_results = 99
    with pytest.raises(ConnectionLost):
        desk.extract_one(desk.next_run(), mode=RunMode.FULL)
    desk.org.cut_results = 0
    desk.org.records["Contact"][key(25)]["Visits__c"] = 99
    desk.reconcile()

    desk.extract_one(desk.next_run(), mode=RunMode.FULL)

    assert desk.rows(f"""SELECT "Visits__c" FROM salesforce_main."Contact" WHERE "Id" = '{key(25)}'""") == [(99,)]


def test_a_calculated_value_that_does_not_fit_keeps_nothing_back(desk: Desk) -> None:
    """The record is a reject; everything else is compared all the same, and no value is told."""
    desk.org.calculated = {"Visits__c"}
    desk.extract()
    desk.org.put("Contact", 2, Visits__c=3_000_000_000)
    del desk.org.records["Contact"][key(5)]
    desk.org.tick(hours=1)
    desk.extract_one(desk.next_run())  # not certified: that would mark what is gone

    found = desk.reconcile()

    assert (found.vanished, found.rejected, found.remaining) == (1, 1, 1)
    assert desk.rows("SELECT state FROM headwater.run WHERE kind = 'reconcile'") == [("success",)]
    assert "3000000000" not in str(desk.rows("SELECT message FROM headwater.run"))


def test_a_reject_that_is_here_in_an_older_state_is_no_difference(desk: Desk) -> None:
    """What is counted are records, not versions of them."""
    desk.extract()
    desk.org.put("Contact", 2, Visits__c=3_000_000_000)
    desk.org.tick(hours=1)
    desk.extract()
    desk.reconcile()
    assert desk.rows("SELECT difference FROM headwater.certificate ORDER BY certificate_id DESC LIMIT 1") == [(0,)]


def test_a_list_that_names_a_record_twice_changes_nothing(desk: Desk) -> None:
    """Its count is right, and another record is missing from it."""
    desk.extract()
    desk.org.shorten = lambda page: page | {"records": [*page["records"][:-1], page["records"][0]]}
    with pytest.raises(ConnectionLost, match="listed 1 records of Lead twice"):
        desk.reconcile("Lead")
    assert len(alive(desk, "Lead")) == 3


def test_a_job_whose_result_ends_too_early_changes_nothing(desk: Desk) -> None:
    """The job says how many records it has read."""
    desk.extract()
    before = desk.here()
    desk.org.before_result = lambda locator: [each["rows"].pop() for each in desk.org.jobs.values() if each["rows"]]
    with pytest.raises(ConnectionLost, match="announced 30 Ids of Contact and sent"):
        desk.reconcile()
    assert desk.here() == before


def reconcile_beside(desk: Desk) -> None:
    """Compare as the nightly DAG does, beside a run of the other one."""
    run = AirflowRun(dag_id="main_reconcile", dag_run_id="night", task_id="t", try_number=1, run_type="scheduled")
    with desk.client(run) as client:
        reconcile_object(desk.warehouse, client, desk.definition, "Contact", run=run, sleep=lambda seconds: None)


def test_an_org_whose_clock_was_set_back_is_followed(desk: Desk) -> None:
    """What changed since bears an older stamp than what is here; no load would ever take it."""
    desk.extract()
    desk.org.tick(hours=-3)
    desk.org.put("Contact", 3, LastName="After the clock")
    desk.org.put("Contact", 4, IsDeleted=True)
    desk.org.tick(minutes=30)
    desk.extract()
    assert desk.here() != desk.there()

    found = desk.reconcile()

    assert (found.stale, found.remaining) == (2, 0)
    assert desk.here() == desk.there()


@pytest.mark.parametrize("code", ["OPERATION_TOO_LARGE", "QUERY_TOO_COMPLICATED"])
def test_no_limit_of_the_org_sends_a_list_from_bulk_to_rest(desk: Desk, code: str) -> None:
    """Of five million records it would be 2,500 calls each night."""
    desk.extract()
    desk.org.calls.clear()
    desk.org.bulk_refusal = (400, code)
    with pytest.raises(QueryRefused):
        desk.reconcile()
    assert not [call for call in desk.org.calls if call.startswith("GET quer")]


def test_a_list_that_is_too_slow_comes_in_halves(desk: Desk) -> None:
    """A job for each half of the Ids, until each is quick enough; what one night missed is found all the same."""
    desk.extract()
    hidden = stamp(desk.org.now - timedelta(minutes=30))
    desk.org.records["Contact"][key(3)] |= {"LastName": "Hidden", "SystemModstamp": hidden}
    asked: list[int] = []

    def ends(soql: str) -> str:
        asked.append(desk.org.rows_of(soql))
        return "Failed QUERY_TIMEOUT: Your query was too slow" if asked[-1] > 12 else ""

    desk.org.job_ends = ends
    desk.org.tick(hours=2)
    found = desk.reconcile()
    assert (found.stale, found.fetched, found.remaining) == (1, 1, 0)
    assert desk.here() == desk.there()
    assert max(asked) == asked[0] == found.in_org + len(desk.there()) - len(alive_in_org(desk))
    assert sum(rows for rows in asked if rows <= 12) == asked[0]


def test_a_list_that_is_too_slow_in_any_size_changes_nothing(desk: Desk) -> None:
    """After a few halvings it is not its size."""
    desk.extract()
    before = desk.here()
    desk.org.job_ends = lambda soql: "Failed QUERY_TIMEOUT: Your query was too slow"
    with pytest.raises(JobFailed, match="QUERY_TIMEOUT"):
        desk.reconcile()
    assert desk.here() == before


def test_a_comparison_whose_lock_was_lost_changes_nothing(desk: Desk) -> None:
    """What another run loaded meanwhile is not in the list; it would be taken for gone."""
    desk.extract()
    desk.org.tick(hours=1)

    def lose_the_lock(locator: str) -> None:
        desk.org.before_result = lambda locator: None
        with transaction(desk.warehouse) as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        desk.org.put("Contact", 99, LastName="Born meanwhile")
        desk.org.tick(minutes=1)
        desk.extract_one(desk.next_run())

    desk.org.before_result = lose_the_lock
    with pytest.raises(WarehouseDown, match="kept other runs from this object"):
        desk.reconcile()
    assert desk.here()[key(99)] == ("Born meanwhile", False)
    desk.reconcile()
    assert desk.here() == desk.there()
