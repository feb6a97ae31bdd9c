"""A difference between the counts is narrowed down to the records that make it, and just those are read."""

from __future__ import annotations

from include.warehouse.locks import object_lock
from tests.extract.conftest import Desk

MANY = 12_000  # a fifth of them is more than a page of Ids


def touch_one(desk: Desk) -> None:
    """Change something, so that the run reads rows and compares the counts."""
    desk.org.tick(hours=1)
    desk.org.put("Contact", 2, LastName="Touched")
    desk.org.tick(hours=1)


def behind(desk: Desk, number: int) -> str:
    """Let a record appear whose stamps lie far behind the cursor: a commit that was late by hours."""
    key = f"CON{number:015d}"
    desk.org.records["Contact"][key] = desk.org.records["Contact"]["CON000000000000001"] | {"Id": key}
    return key


def last_certificate(desk: Desk) -> tuple[int, int, str]:
    [found] = desk.rows(
        "SELECT here, in_org, note FROM headwater.certificate WHERE object = 'Contact'"
        " ORDER BY certificate_id DESC LIMIT 1"
    )
    return found[0], found[1], found[2]


def state(desk: Desk) -> str:
    [(found,)] = desk.rows("SELECT state FROM headwater.run WHERE subject = 'Contact' ORDER BY run_id DESC LIMIT 1")
    return str(found)


def test_what_came_behind_the_lookback_is_found_by_the_run_itself(desk: Desk) -> None:
    """The run says so and is green; the night has nothing left to do."""
    desk.extract()
    behind(desk, 99)
    touch_one(desk)
    desk.extract()

    assert desk.here() == desk.there()
    assert last_certificate(desk) == (30, 30, "1 missing found by their Ids and read")
    assert state(desk) == "success"


def test_what_is_gone_for_good_is_marked(desk: Desk) -> None:
    """A record that no query shows any more is deleted here, with its values kept."""
    desk.extract()
    del desk.org.records["Contact"]["CON000000000000001"]
    touch_one(desk)
    desk.extract()

    assert desk.here()["CON000000000000001"] == ("Name 1", True)
    assert last_certificate(desk) == (28, 28, "1 gone from the org and marked as deleted")
    assert state(desk) == "success"


def test_a_deletion_that_was_missed_is_read(desk: Desk) -> None:
    """It is still in the recycle bin, under a stamp behind the lookback."""
    desk.extract()
    desk.org.records["Contact"]["CON000000000000001"]["IsDeleted"] = True
    touch_one(desk)
    desk.extract()

    assert desk.here() == desk.there()
    assert last_certificate(desk) == (28, 28, "1 read again")


def test_a_few_of_many_are_found_by_a_few_calls(desk: Desk) -> None:
    """Ranges that are equal are not looked at again; no record is read that is no part of the difference."""
    for number in range(100, MANY):
        desk.org.put("Contact", number, LastName="x")
    desk.org.bulk_page_rows = 2000
    desk.org.tick(hours=1)
    desk.extract()
    added = [behind(desk, MANY + 7), behind(desk, -1)]  # above all Ids that are here, and below them
    del desk.org.records["Contact"]["CON000000000006000"]
    touch_one(desk)
    run = desk.next_run()
    desk.probe(run)
    desk.extract_one(run)
    calls = len(desk.org.calls)
    [certificate] = desk.certify(run)

    assert certificate.difference == 0
    assert certificate.note == "2 missing found by their Ids and read, 1 gone from the org and marked as deleted"
    assert desk.here().keys() >= set(added)
    # the count, what was deleted since, two rounds of ranges for each of three, their lists (a page each), what the org
    # still shows, and the records: not one of them for all Ids
    assert len(desk.org.calls) - calls <= 14


def test_far_too_many_are_left_to_the_night(desk: Desk) -> None:
    """More than a page of them in one stretch would cost more than comparing all Ids; the run is degraded."""
    desk.extract()
    for number in range(100, 2200):
        behind(desk, number)
    touch_one(desk)
    run = desk.next_run()
    desk.probe(run)
    desk.extract_one(run)
    calls = len(desk.org.calls)
    desk.certify(run)
    assert last_certificate(desk) == (29, 2129, "")
    assert state(desk) == "degraded"
    assert len(desk.org.calls) - calls <= 6


def test_what_is_hidden_as_a_whole_is_not_listed(desk: Desk) -> None:
    """The connection's user lost sharing: one look at the counts tells, and no Id is held in memory."""
    for number in range(100, MANY):
        desk.org.put("Contact", number, LastName="x")
    desk.org.bulk_page_rows = 2000
    desk.org.tick(hours=1)
    desk.extract()
    desk.org.records["Contact"] = {"CON000000000000002": desk.org.records["Contact"]["CON000000000000002"]}
    touch_one(desk)
    run = desk.next_run()
    desk.probe(run)
    desk.extract_one(run)
    desk.org.calls.clear()
    desk.certify(run)
    assert not [call for call in desk.org.calls if call.startswith("GET quer")]
    assert state(desk) == "degraded"
    assert desk.here()["CON000000000000001"] == ("Name 1", False)


def test_an_object_that_another_run_reads_is_left_alone(desk: Desk) -> None:
    """Its rows move meanwhile; the difference stays told."""
    desk.extract()
    behind(desk, 99)
    touch_one(desk)
    run = desk.next_run()
    desk.probe(run)
    desk.extract_one(run)
    with object_lock(desk.warehouse, "main", "Contact", wait=False):
        [certificate] = desk.certify(run)
    assert certificate.difference == 1
    assert state(desk) == "degraded"
