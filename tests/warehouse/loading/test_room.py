"""A load that would fill the disk is refused before it begins, in words."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from include.config.housekeeping import DiskRoom
from include.errors import DiskShort
from include.warehouse.engine import transaction
from include.warehouse.loading.room import _disk, refuse_full_disk
from include.warehouse.tables import Table

TABLE = Table(
    org="a",
    schema="salesforce_a",
    object="Contact",
    columns={"Id": "text", "LastName": "text", "Amount__c": "double precision"},
    cursor_field="SystemModstamp",
)


def test_what_does_not_fit_is_refused(warehouse: Engine) -> None:
    """With rows, bytes and what to do; on the server's own disk where it is this machine's, else by the limit."""
    with pytest.raises(DiskShort, match=r"Contact: 1,000,000,000,000 rows need about .* GB.*Make room"):
        refuse_full_disk(warehouse, TABLE, 10**12, DiskRoom(database_limit_gb=1))


def test_what_fits_is_let_through(warehouse: Engine) -> None:
    """And small loads without a question."""
    refuse_full_disk(warehouse, TABLE, 60_000, DiskRoom(keep_free_percent=0, database_limit_gb=100))
    refuse_full_disk(warehouse, TABLE, 10, DiskRoom(database_limit_gb=0.000001))


def test_rows_are_as_large_as_those_that_are_there(warehouse: Engine) -> None:
    """Wide rows need more than their types let expect."""
    with transaction(warehouse) as connection:
        connection.exec_driver_sql("CREATE SCHEMA salesforce_a")
        connection.exec_driver_sql(
            'CREATE TABLE salesforce_a."Contact" AS SELECT n AS "Id", repeat(md5(n::text), 20) AS "LastName"'
            " FROM generate_series(1, 2000) AS n"
        )
        connection.exec_driver_sql('ANALYZE salesforce_a."Contact"')
    with pytest.raises(DiskShort) as caught:
        refuse_full_disk(warehouse, TABLE, 10**12, DiskRoom(database_limit_gb=1))
    needed = float(str(caught.value).split("about ")[1].split(" GB")[0].replace(",", ""))
    assert needed > 2 * 600 * 1000


def test_a_folder_that_is_not_here_tells_nothing(tmp_path: object) -> None:
    """The server is on another machine; one that is closed to us lies on the disk of its parent."""
    assert _disk("/no/such/place/at/all") is None
    total, free = _disk(str(tmp_path)) or (0, 0)
    assert total >= free > 0
