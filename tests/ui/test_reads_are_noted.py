"""Who has a program or a preview show them people's values is named in the audit trail, without a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from include.warehouse.duplicates import FoundPair, store_pairs
from include.warehouse.engine import transaction
from include.warehouse.personal_fields import decide_fields
from tests.ui.test_pages_keys import HERE, keyed  # noqa: F401

ID = "003D000000QV9nlIAD"
TWIN = "003000000000001AAA"
RECORD = f"/headwater/api/v1/orgs/demo/records/{ID}"


def trail(warehouse: Engine) -> list[tuple[str, ...]]:
    with transaction(warehouse) as connection:
        rows = connection.execute(
            text("SELECT who, what, object, after FROM headwater.audit WHERE what <> 'decided' ORDER BY audit_id")
        )
        return [tuple(row) for row in rows]


@pytest.fixture
def records(warehouse: Engine, run: Callable[[str], None]) -> Engine:
    run("a_working_org.sql")
    run("a_record.sql")
    with transaction(warehouse) as connection:
        store_pairs(
            connection, "demo", "Contact", "rules", [FoundPair(left_id=ID, right_id=TWIN, rule="email", score=1)]
        )
    return warehouse


def test_a_program_that_reads_a_record_unmasked_leaves_a_line(open_pages: Any, records: Engine) -> None:
    """Of how many personal fields, and by which Id; what is masked or not personal leaves none."""
    open_pages(lambda: records, "user").get(RECORD)
    assert trail(records) == []
    values = open_pages(lambda: records, "op").get(RECORD).json()["row"]["values"]
    personal = [each["name"] for each in values if each["personal"] and each["value"] is not None]
    assert personal
    many = f"{len(personal)} personal field{'s' if len(personal) > 1 else ''}"
    assert trail(records) == [("op", "read unmasked", "Contact", f"{ID}: {many}, by the API")]
    with transaction(records) as connection:
        decide_fields(connection, "demo", "Contact", personal, personal=False, by="admin")
    open_pages(lambda: records, "op").get(RECORD)
    assert len(trail(records)) == 1


def test_a_program_that_reads_a_cluster_unmasked_leaves_one_line(open_pages: Any, records: Engine) -> None:
    """For all of its records together."""
    with transaction(records) as connection:
        number = connection.execute(text("SELECT max(cluster_id) FROM headwater.duplicate_cluster")).scalar_one()
    path = f"/headwater/api/v1/orgs/demo/duplicate-clusters/{number}"
    assert open_pages(lambda: records, "viewer").get(path).status_code == 200
    assert trail(records) == []
    assert open_pages(lambda: records, "op").get(path).status_code == 200
    [(who, what, object, after)] = trail(records)
    assert (who, what, object) == ("op", "read unmasked", "Contact")
    assert after.startswith(f"{TWIN}, {ID}: ")
    assert after.endswith(", by the API")


def test_an_unmasked_preview_leaves_a_line(open_pages: Any, keyed: Engine) -> None:  # noqa: F811
    """With the push and how many records; a key that is an address stands in no line."""
    for role, unmasked in (("user", "yes"), ("op", "no")):
        body = f"push=people&unmasked={unmasked}"
        open_pages(lambda: keyed, role).post("/headwater/pushes/preview?org=demo", content=body, headers=HERE)
    assert trail(keyed) == []
    open_pages(lambda: keyed, "op").post(
        "/headwater/pushes/preview?org=demo", content="push=people&unmasked=yes", headers=HERE
    )
    assert trail(keyed) == [("op", "read unmasked", "", "1 record, by a preview of the push people")]
