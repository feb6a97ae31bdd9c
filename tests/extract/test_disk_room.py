"""A load that would fill the warehouse's disk ends before it begins."""

from __future__ import annotations

import pytest

from include.config.housekeeping import DiskRoom
from include.errors import DiskShort
from include.extract.run import extract_object
from include.records import RunMode
from tests.extract.conftest import Desk

FAR_TOO_MANY = 10**12  # for any disk


def test_a_load_that_does_not_fit_is_refused_before_the_org_works_for_it(desk: Desk) -> None:
    """No row, no cursor, no Bulk job; the run says what to do, and once there is room it is read."""
    desk.org.page_rows = 8  # the first of many pages
    desk.org.shorten = lambda page: page | {"totalSize": FAR_TOO_MANY}

    def extract(disk: DiskRoom) -> int:
        run = desk.next_run()
        with desk.client(run) as client:
            return extract_object(
                desk.warehouse, client, desk.definition, "Contact", mode=RunMode.CHANGES, run=run, wait_for_lock=True,
                sleep=lambda seconds: None, disk=disk,
            ).counts.inserted  # fmt: skip

    with pytest.raises(DiskShort, match="Nothing was loaded"):
        extract(DiskRoom())
    assert desk.org.jobs == {}
    assert desk.cursor() is None
    [(state, message)] = desk.rows("SELECT state, message FROM headwater.run WHERE subject = 'Contact'")
    assert state == "failed"
    assert "Make room" in message

    desk.org.shorten = lambda page: page
    assert extract(DiskRoom()) == 30
