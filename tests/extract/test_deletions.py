"""What was deleted without a trace is marked within the hour, and nothing else is."""

from __future__ import annotations

from datetime import datetime

import pytest

from include.errors import ConnectionLost
from include.extract.deletions import Deletions, follow_deletions
from include.records import AirflowRun, RunMode
from include.warehouse.locks import object_lock
from tests.extract.conftest import Desk


def key(number: int, object: str = "Contact") -> str:
    return f"{object[:3].upper()}{number:015d}"


def follow(desk: Desk) -> dict[str, Deletions]:
    """Run the hourly task."""
    run = AirflowRun(dag_id="main_metadata", dag_run_id="hour", task_id="deletions", try_number=1)
    with desk.client(run) as client:
        found = follow_deletions(desk.warehouse, client, desk.definition, run=run)
    return {each.object: each for each in found}


def told_at(desk: Desk, object: str = "Contact") -> datetime | None:
    [(at,)] = desk.rows(f"SELECT deletions_at FROM headwater.object WHERE object = '{object}'")
    return at


def test_a_purged_record_is_marked_and_keeps_its_values(desk: Desk) -> None:
    """One call asks for all objects, a second one looks at the suspects; the next hour costs one call for nothing."""
    desk.extract()
    desk.org.purge("Contact", key(5))
    desk.org.purge("Contact", key(7))  # this one was known as deleted
    desk.org.calls.clear()
    found = follow(desk)
    assert (found["Contact"].told, found["Contact"].changed) == (2, 1)
    assert desk.here()[key(5)] == ("Name 5", True)
    assert desk.org.calls == ["POST composite", "GET queryAll"]
    assert told_at(desk) == desk.org.now
    desk.org.calls.clear()
    assert follow(desk)["Contact"].changed == 0
    assert desk.org.calls == ["POST composite"]
    assert desk.rows("SELECT state, message FROM headwater.run WHERE dag_id = 'main_metadata'") == [
        ("success", "1 records were deleted for good in the org and are marked as deleted here")
    ]
    assert desk.reconcile().changed == 0


def test_a_record_that_a_query_still_shows_is_left_to_its_window(desk: Desk) -> None:
    """It lies in the recycle bin, or was taken out of it again."""
    desk.extract()
    desk.org.purged["Contact"] = [key(3), key(4)]
    desk.org.records["Contact"][key(3)]["IsDeleted"] = True
    assert follow(desk)["Contact"].changed == 0
    assert desk.here()[key(3)][1] is False
    assert desk.here()[key(4)][1] is False


def test_an_object_that_shows_no_deleted_records_is_followed_too(desk: Desk) -> None:
    """Without IsDeleted no window ever tells that a record went."""
    desk.org.objects["Contact"].pop("IsDeleted")
    desk.extract()
    desk.org.purge("Contact", key(5))
    desk.org.tick(hours=1)
    desk.extract()
    assert desk.rows('SELECT count(*) FROM salesforce_main."Contact" WHERE _deleted_at IS NOT NULL') == [(0,)]
    assert follow(desk)["Contact"].changed == 1


def test_very_many_at_once_are_left_to_the_comparison(desk: Desk) -> None:
    """A person decides about them; nothing is marked, and the run is degraded."""
    desk.extract()
    for number in range(10, 25):
        desk.org.purge("Contact", key(number))
    found = follow(desk)["Contact"]
    assert found.changed == 0
    assert "15 of 29 records for good, above the 5% of max_vanished_share" in found.message
    assert told_at(desk) is None
    assert desk.rows("SELECT state FROM headwater.run WHERE dag_id = 'main_metadata'") == [("degraded",)]


def test_an_object_without_such_a_list_keeps_no_other_back(desk: Desk) -> None:
    """The nightly comparison is enough for it."""
    desk.extract()
    desk.org.without_deletions = {"Contact"}
    desk.org.purge("Lead", key(1, "Lead"))
    found = follow(desk)
    assert found["Contact"].message.startswith("the org tells no deletions")
    assert found["Lead"].changed == 1


def test_an_object_that_was_never_loaded_is_not_asked_for(desk: Desk) -> None:
    """There is nothing that could be marked."""
    assert follow(desk) == {}


def test_a_page_that_was_asked_for_earlier_brings_no_purged_record_back(desk: Desk) -> None:
    """The probe of a run kept it; the deletion came between the probe and the object's own task."""
    desk.extract()
    desk.org.tick(hours=1)
    desk.org.put("Contact", 5, LastName="Changed")
    desk.org.tick(minutes=1)
    run = desk.next_run()
    desk.probe(run)
    desk.org.purge("Contact", key(5))
    follow(desk)
    desk.extract_one(run)
    assert desk.here()[key(5)][1] is True


def test_an_object_that_is_being_read_is_asked_for_again(desk: Desk) -> None:
    """Nobody waits for a load that takes hours, and nothing is forgotten."""
    desk.extract()
    desk.org.purge("Contact", key(5))
    with object_lock(desk.warehouse, "main", "Contact", wait=True):
        assert follow(desk)["Contact"].changed == 0
    assert told_at(desk) is None
    assert follow(desk)["Contact"].changed == 1


def test_what_broke_off_is_asked_for_again(desk: Desk) -> None:
    """The time up to which deletions were told stays where it was."""
    desk.extract()
    desk.org.purge("Contact", key(5))
    desk.org.shorten = lambda page: (_ for _ in ()).throw(ConnectionResetError())
    with pytest.raises(ConnectionLost):
        follow(desk)
    desk.org.shorten = lambda page: page
    assert follow(desk)["Contact"].changed == 1


def test_the_next_certificate_counts_what_was_marked(desk: Desk) -> None:
    """Though the window of the next run is empty."""
    desk.extract()
    desk.org.purge("Contact", key(5))
    follow(desk)
    desk.org.tick(hours=1)
    desk.extract(RunMode.CHANGES)
    assert desk.rows(
        "SELECT here, in_org FROM headwater.certificate WHERE object = 'Contact' ORDER BY certificate_id DESC LIMIT 1"
    ) == [(28, 28)]
