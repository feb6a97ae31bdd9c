"""Objects that are not like the four usual ones: without a stamp, without IsDeleted, too wide for a URL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from include.errors import RowsRepeated
from include.extract.plan import Plan
from include.extract.run import ExtractState
from include.records import RowCounts
from tests.extract.conftest import Desk


@pytest.fixture
def member(desk: Desk) -> Desk:
    """Return a desk whose org has an object without any stamp and without IsDeleted, with twelve records."""
    desk.org.objects["GroupMember"] = {"Id": "id", "LastName": "string"}
    desk.org.records["GroupMember"] = {}
    desk.org.described_at["GroupMember"] = desk.org.now
    for number in range(12):
        desk.org.put("GroupMember", number, LastName=f"Member {number}")
    objects = (*desk.definition.objects, "GroupMember")
    return replace(desk, definition=desk.definition.model_copy(update={"objects": objects}))


def test_an_object_without_a_stamp_is_read_whole_each_time(member: Desk) -> None:
    """A value that changed without any sign of it arrives, the others stay as they are."""
    assert member.extract()["GroupMember"].counts == RowCounts(read=12, inserted=12)
    member.org.put("GroupMember", 3, LastName="Another")
    member.org.tick(hours=1)
    extracted = member.extract()["GroupMember"]
    assert extracted.counts == RowCounts(read=12, updated=1, unchanged=11)
    assert extracted.window is not None
    assert extracted.window.low is None
    assert member.here("GroupMember") == member.there("GroupMember")


def test_what_no_longer_comes_is_marked_and_what_comes_back_is_there_again(member: Desk) -> None:
    """A record that is gone without a trace is found by the very next run."""
    member.extract()
    gone = member.org.records["GroupMember"].pop("GRO000000000000005")
    member.org.tick(hours=1)
    assert member.extract()["GroupMember"].counts == RowCounts(read=12, updated=1, unchanged=11, deleted=1)
    assert member.here("GroupMember")["GRO000000000000005"] == ("Member 5", True)
    member.org.records["GroupMember"]["GRO000000000000005"] = gone
    member.org.tick(hours=1)
    assert member.extract()["GroupMember"].counts.updated == 1
    assert member.here("GroupMember") == member.there("GroupMember")


def test_a_whole_that_vanished_is_kept_and_the_run_says_so(member: Desk) -> None:
    """Lost rights look the same: nothing is marked, the run is not green."""
    member.extract()
    member.org.records["GroupMember"].clear()
    member.org.tick(hours=1)
    extracted = member.extract()["GroupMember"]
    assert extracted.state is ExtractState.UNCHANGED
    assert member.rows('SELECT count(*) FROM salesforce_main."GroupMember" WHERE _deleted_at IS NULL') == [(12,)]
    [(state, message)] = member.rows(
        "SELECT state, message FROM headwater.run WHERE subject = 'GroupMember' ORDER BY run_id DESC LIMIT 1"
    )
    assert state == "degraded"
    assert "12 of 12 rows did not come any more" in message


def test_an_object_without_a_stamp_is_compared_value_by_value_at_night(member: Desk) -> None:
    """And the comparison is quiet when both sides are equal."""
    member.extract()
    assert member.reconcile("GroupMember").changed == 0
    member.org.put("GroupMember", 4, LastName="Another")
    assert member.reconcile("GroupMember").recalculated == 1
    assert member.here("GroupMember") == member.there("GroupMember")


def test_an_object_that_tells_only_when_a_record_was_made_is_read_by_that(desk: Desk) -> None:
    """New records come with the next run, changed ones with the nightly comparison."""
    desk.org.objects["Share__c"] = {"Id": "id", "IsDeleted": "boolean", "CreatedDate": "datetime", "LastName": "string"}
    desk.org.records["Share__c"] = {}
    desk.org.described_at["Share__c"] = desk.org.now
    desk.org.put("Share__c", 1, LastName="First")
    desk.org.tick(hours=1)
    desk.definition = desk.definition.model_copy(update={"objects": ("Share__c",)})
    assert desk.extract()["Share__c"].counts.inserted == 1
    desk.org.put("Share__c", 1, LastName="Changed")
    desk.org.put("Share__c", 2, LastName="Second")
    desk.org.tick(hours=1)
    assert desk.extract()["Share__c"].counts == RowCounts(read=1, inserted=1)
    assert desk.reconcile("Share__c").recalculated == 1
    assert desk.here("Share__c") == desk.there("Share__c")


def wide(desk: Desk) -> None:
    """Give Lead 800 fields whose names are as long as those of packages."""
    desk.org.change_fields("Lead", **{f"package_namespace__A_field_of_{n:03}__c": "string" for n in range(800)})
    desk.org.put("Lead", 1, package_namespace__A_field_of_799__c="the last")


def test_an_object_of_800_fields_comes_by_bulk_however_few_its_records(desk: Desk) -> None:
    """No URL could hold the query; the probe asks for the Ids, and an idle run still costs one call."""
    wide(desk)
    desk.org.tick(hours=1)
    assert desk.extract()["Lead"].plan is Plan.BULK
    column = 'SELECT "package_namespace__A_field_of_799__c" FROM salesforce_main."Lead" ORDER BY "Id"'
    assert desk.rows(column) == [(None,), ("the last",), (None,)]
    desk.org.tick(hours=1)
    desk.org.calls.clear()
    assert desk.extract()["Lead"].state is ExtractState.IDLE
    assert desk.org.calls == ["POST composite"]
    desk.org.put("Lead", 2, package_namespace__A_field_of_000__c="now")
    desk.org.tick(seconds=1)
    assert desk.extract()["Lead"].counts.updated == 1
    assert max(desk.org.url_lengths) < 16_384


def test_a_wide_object_that_differs_at_night_is_mended_by_bulk(desk: Desk) -> None:
    """The few records that are missing come in one job, not one call each."""
    wide(desk)
    desk.org.tick(hours=1)
    desk.extract()
    for number in range(10, 14):
        desk.org.put("Lead", number, LastName="Late", SystemModstamp="2026-11-20T12:00:00.000+0000")
    desk.org.tick(hours=1)
    desk.org.calls.clear()
    assert desk.reconcile("Lead").missing == 4
    assert desk.here("Lead") == desk.there("Lead")
    assert desk.org.calls.count("POST jobs/query") == 1
    assert max(desk.org.url_lengths) < 16_384


def test_late_commits_are_in_reach_of_the_lookback_of_a_wide_object_too(desk: Desk) -> None:
    """Its window is like any other's."""
    wide(desk)
    desk.org.tick(hours=1)
    desk.extract()
    late = (desk.org.now - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    desk.org.put("Lead", 99, LastName="Late", SystemModstamp=late)
    desk.org.tick(minutes=60)
    assert desk.extract()["Lead"].counts.inserted == 1


def test_a_query_that_the_org_gives_up_on_goes_by_bulk_and_holds_up_no_other(desk: Desk) -> None:
    """The probe is a real query; where it takes too long, a job takes over in the object's own task."""
    desk.org.slow_queries.add("Lead")
    extracted = desk.extract()
    assert extracted["Lead"].plan is Plan.BULK
    assert extracted["Contact"].state is ExtractState.LOADED
    assert desk.here("Lead") == desk.there("Lead")
    assert desk.rows("SELECT DISTINCT state FROM headwater.run") == [("success",)]
    desk.org.slow_queries.clear()
    desk.org.tick(hours=1)
    assert desk.extract()["Lead"].state is ExtractState.IDLE


@pytest.mark.parametrize("bulk_above_rows", [5, 100])
def test_a_record_that_comes_twice_without_a_stamp_is_asked_for_again(member: Desk, bulk_above_rows: int) -> None:
    """Another one may be missing for it; nothing is taken for gone, and no job is asked for its result again."""
    member.definition = member.definition.model_copy(update={"bulk_above_rows": bulk_above_rows})
    member.extract_one(member.next_run(), "GroupMember")
    member.org.tick(hours=1)

    def twin(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [rows[1], *rows[1:]]

    def repeat(locator: str) -> None:
        for job in member.org.jobs.values():
            job["rows"] = twin(job["rows"])

    member.org.shorten = lambda page: page | {"records": twin(page["records"])}
    member.org.before_result = repeat
    with pytest.raises(RowsRepeated, match="more than once"):
        member.extract_one(member.next_run(), "GroupMember")
    member.org.shorten, member.org.before_result = lambda page: page, lambda locator: None
    extracted = member.extract_one(member.same_run(try_number=2), "GroupMember")
    assert extracted.counts == RowCounts(read=12, unchanged=12)
