"""A journal that no assessment reads ends some day, and nothing of the next assessment's answer is lost by that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from include.config.housekeeping import HousekeepingDefinition
from include.warehouse.engine import transaction
from include.warehouse.health.findings import failing_ids
from include.warehouse.health.journal_bounds import stop_unread_journals
from include.warehouse.housekeeping import sweep
from include.warehouse.locks import ASSESSMENT, object_lock

TODAY = datetime.now(UTC)


@pytest.fixture
def assessed_org(make_org, make_check):
    """Return an org with one contact without an address, assessed today."""
    org = make_org("Contact")
    org.put("Contact", {"Id": "1"}, {"Id": "2", "Email": "a@b.de"})
    org.extracted("Contact")
    org.assess(make_check(), now=TODAY)
    return org


def lines(org) -> int | None:
    """Return how many rows a journal holds, None when it holds nothing any more."""
    with transaction(org.engine) as connection:
        if connection.execute(text("SELECT to_regclass('headwater.journal_1')")).scalar_one() is None:
            return None
        return connection.execute(text("SELECT count(*) FROM headwater.journal_1")).scalar_one()


def assessed_days_ago(org, days: int) -> None:
    with transaction(org.engine) as connection:
        connection.execute(text("UPDATE headwater.assessment SET assessed_at = :at"), {"at": TODAY - timedelta(days)})


def test_a_journal_that_is_read_stays(assessed_org):
    """However much of its room is taken, below a bound that nobody misses."""
    assessed_org.put("Contact", {"Id": "2"})
    assert "journal" not in sweep(assessed_org.engine, HousekeepingDefinition())
    assert lines(assessed_org) == 2


@pytest.mark.parametrize("grown", [True, False], ids=["larger than half its object", "unread for a month"])
def test_a_journal_without_a_reader_is_given_up(assessed_org, make_check, grown):
    """Loads go on and write nothing down; the next assessment finds what changed before and after, and begins anew."""
    org = assessed_org
    org.put("Contact", {"Id": "2"})
    if not grown:
        assessed_days_ago(org, 31)
    with transaction(org.engine) as connection:
        if grown:
            connection.exec_driver_sql(
                """INSERT INTO headwater.journal_1 ("Id", born) SELECT n::text, true FROM generate_series(1, 9999) n"""
            )
    assert stop_unread_journals(org.engine, 30, least_bytes=2**15) == 1
    assert lines(org) is None

    org.put("Contact", {"Id": "3"})
    with transaction(org.engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM headwater.journal_count")).scalar_one() == 0
    assert stop_unread_journals(org.engine, 30, least_bytes=2**15) == 0

    org.extracted("Contact")
    found = org.assess(make_check(), now=TODAY + timedelta(seconds=1))
    assert failing_ids(org.engine, "acme", "no_email", found.assessment_id) == ("1", "2", "3")
    assert [(issue.records, issue.appeared) for issue in found.issues] == [(3, 2)]
    org.put("Contact", {"Id": "3", "Email": "c@b.de"})
    org.extracted("Contact")
    assert lines(org) == 2
    found = org.assess(make_check(), now=TODAY + timedelta(seconds=2))
    assert failing_ids(org.engine, "acme", "no_email", found.assessment_id) == ("1", "2")
    assert [(issue.records, issue.mended) for issue in found.issues] == [(3, 1)]


def test_null_keeps_a_journal_that_nobody_read_for_long(assessed_org):
    """As long as it is small."""
    assessed_days_ago(assessed_org, 3000)
    assert stop_unread_journals(assessed_org.engine, None) == 0
    assert stop_unread_journals(assessed_org.engine, 30) == 1


def test_a_journal_that_is_read_or_written_just_now_waits_for_the_next_time(assessed_org):
    """Neither an assessment loses what it goes on from, nor is a load kept waiting for one that waits for it."""
    assessed_days_ago(assessed_org, 31)
    with object_lock(assessed_org.engine, "acme", ASSESSMENT, wait=True):
        assert stop_unread_journals(assessed_org.engine, 30) == 0
    with transaction(assessed_org.engine) as load:
        load.exec_driver_sql("UPDATE headwater.journal SET number = number + 1")  # as TRUNCATE does
        assert stop_unread_journals(assessed_org.engine, 30) == 0
    assert lines(assessed_org) == 0
    assert stop_unread_journals(assessed_org.engine, 30) == 1
