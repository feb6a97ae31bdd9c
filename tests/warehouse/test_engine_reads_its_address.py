"""A connection that no database can be reached with is said to be one, without a word of what it holds."""

from __future__ import annotations

import traceback

import pytest

from include.errors import NotReady
from include.warehouse.engine import open_warehouse

SECRET = "s3cret"
NO_ADDRESS = (
    "",
    SECRET,
    f"//ada:{SECRET}@db:5432/crm",  # a connection without a type
    f"google-cloud-platform://ada:{SECRET}@db/crm",  # one of another type
    f"postgres://ada:{SECRET}@db:{SECRET}/crm",
    f"postgresql://ada@db/crm?port={SECRET}",
)
NO_OPTION = (
    f"postgresql://ada:{SECRET}@db/crm?cursor={SECRET}",  # a key of Airflow's own hook
    f"postgresql://ada:{SECRET}@db/crm?__extra__=%7B%22{SECRET}%22%3A+%7B%7D%7D",  # extras that hold more than texts
)


@pytest.mark.parametrize(
    ("url", "told"), [(url, "does not read") for url in NO_ADDRESS] + [(url, "extras") for url in NO_OPTION]
)
def test_a_connection_that_is_no_address_says_what_to_mend(url: str, told: str) -> None:
    """It is no fault of ours and no server that is down; whatever stands in it may be its password."""
    with pytest.raises(NotReady, match=f"headwater_warehouse.*{told}|{told}.*headwater_warehouse") as caught:
        open_warehouse(url)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("query", ["", "?sslmode=require&sslrootcert=%2Fetc%2Fca.pem", "?options=-c+work_mem%3D64MB"])
def test_what_postgresql_knows_may_stand_in_the_extras(query: str) -> None:
    """Nothing is connected by reading an address."""
    for scheme in ("postgres", "postgresql"):
        assert open_warehouse(f"{scheme}://ada:{SECRET}@db:5432/crm{query}").url.host == "db"
