"""What PostgreSQL says of a value that does not fit quotes it; what we say of it, and what logs show, does not."""

from __future__ import annotations

import traceback

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from include.warehouse.engine import transaction

VALUE = "ada@example.com"
REFUSED = {
    "a cast": ("SELECT CAST(CAST(:value AS text) AS numeric)", "22P02"),
    "a key that is there": (
        "INSERT INTO headwater.org (org, org_id, instance_url) SELECT :value, '', '' FROM generate_series(1, 2)",
        "23505",
    ),
    "a text that is no document": ("SELECT CAST(:value AS jsonb)", "22P02"),
}


@pytest.mark.parametrize("which", REFUSED)
def test_no_error_of_the_warehouse_quotes_a_value(warehouse: Engine, which: str) -> None:
    """Airflow writes an error of a task to its log with all that led to it."""
    statement, state = REFUSED[which]
    with pytest.raises(DBAPIError) as caught, transaction(warehouse) as connection:
        connection.execute(text(statement), {"value": VALUE})
    assert caught.value.orig.sqlstate == state
    assert VALUE not in "".join(traceback.format_exception(caught.value))
    assert state in str(caught.value)
