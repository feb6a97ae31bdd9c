"""Who has a program or a preview show them people's values is named in the audit trail, without a value."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from include.warehouse.duplicates.ledger import FoundPair, store_pairs
from include.warehouse.engine import transaction
from include.warehouse.personal.fields import decide_fields
from tests.ui.test_pages_keys import HERE, KEY, keyed  # noqa: F401

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


def test_a_page_that_shows_a_person_leaves_one_line_an_hour(open_pages: Any, records: Engine) -> None:
    """For each person who looks and each record, however often it is opened; masked readers leave none."""
    page = f"/headwater/record/{ID}?org=demo"
    for role in ("viewer", "user", "op", "op", "admin", "op"):
        assert open_pages(lambda: records, role).get(page).status_code == 200
    lines = trail(records)
    assert [(who, what, object) for who, what, object, _ in lines] == [
        ("op", "seen unmasked", "Contact"),
        ("admin", "seen unmasked", "Contact"),
    ]
    assert re.fullmatch(rf"{ID}: \d+ personal fields?, on its page", lines[0][3])
    with transaction(records) as connection:  # an hour later, as far as the trail knows
        connection.execute(text("ALTER TABLE headwater.audit DISABLE TRIGGER audit_append_only"))
        connection.execute(text("UPDATE headwater.audit SET at = at - interval '1 hour'"))
        connection.execute(text("ALTER TABLE headwater.audit ENABLE TRIGGER audit_append_only"))
    open_pages(lambda: records, "op").get(page)
    assert len(trail(records)) == 3
    with transaction(records) as connection:
        gaps = connection.execute(text("SELECT max(audit_id) - min(audit_id) + 1 - count(*) FROM headwater.audit"))
        assert gaps.scalar_one() == 0  # a number that is missing would look like a line that was taken out


def test_a_page_that_shows_nobody_leaves_no_line(open_pages: Any, records: Engine) -> None:
    """Where nothing is personal, and on lists, which hold Ids."""
    client = open_pages(lambda: records, "op")
    with transaction(records) as connection:
        fields = connection.execute(text("SELECT name FROM headwater.field WHERE object = 'Contact'")).scalars().all()
        columns = connection.execute(
            text(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'salesforce_demo'"
                " AND table_name = 'Contact' AND column_name NOT IN ('Id', '_loaded_at', '_run_id', '_deleted_at')"
            )
        ).scalars()
        for each in set(columns) - set(fields):
            connection.execute(text(f'ALTER TABLE salesforce_demo."Contact" DROP COLUMN "{each}"'))
        decide_fields(connection, "demo", "Contact", fields, personal=False, by="admin")
    for path in (f"record/{ID}", "duplicates", "errors", "health/issue/email_missing", "notifications", "pushes"):
        assert client.get(f"/headwater/{path}?org=demo").status_code == 200
    assert trail(records) == []


def test_a_page_of_a_cluster_leaves_one_line_for_its_records(open_pages: Any, records: Engine) -> None:
    """The records are named by Id, so that a search finds who saw one of them."""
    with transaction(records) as connection:
        number = connection.execute(text("SELECT max(cluster_id) FROM headwater.duplicate_cluster")).scalar_one()
    for role in ("viewer", "op", "op"):
        assert open_pages(lambda: records, role).get(f"/headwater/duplicates/{number}?org=demo").status_code == 200
    [(who, what, object, after)] = trail(records)
    assert (who, what, object) == ("op", "seen unmasked", "Contact")
    assert after.startswith(f"{TWIN}, {ID}: ")
    assert after.endswith(f", on the page of the cluster #{number}")
    op, viewer = open_pages(lambda: records, "op"), open_pages(lambda: records, "viewer")
    for asked in (ID, TWIN, "seen"):
        assert f"the cluster #{number}" in op.get(f"/headwater/fields/audit?org=demo&q={asked}").text
        assert len(op.get(f"/headwater/api/v1/orgs/demo/audit?q={asked}").json()["items"]) == 1
        assert "No line matches" in viewer.get(f"/headwater/fields/audit?org=demo&q={asked}").text
        assert viewer.get(f"/headwater/api/v1/orgs/demo/audit?q={asked}").json()["total"] == 0
    assert "seen unmasked" in op.get("/headwater/fields?org=demo").text
    assert "seen unmasked" not in viewer.get("/headwater/fields?org=demo").text


def test_keys_that_are_no_ids_leave_a_line_where_they_are_shown(open_pages: Any, keyed: Engine) -> None:  # noqa: F811
    """An hour and a place each, by page and by program; the keys themselves stand in none."""
    with transaction(keyed) as connection:
        number = connection.execute(text("SELECT error_id FROM headwater.sync_error")).scalar_one()
    for role in ("user", "op", "op"):
        client = open_pages(lambda: keyed, role)
        for path in ("errors", f"errors/{number}", "api/v1/orgs/demo/errors", f"api/v1/orgs/demo/errors/{number}"):
            assert (KEY in client.get(f"/headwater/{path}?org=demo").text) == (role == "op")
    assert trail(keyed) == [
        ("op", "seen unmasked", "", f"keys of rows, {where}")
        for where in (
            "on the page Sync errors",
            f"on the page of the sync error {number}",
            "of sync errors, by the API",
            f"of the sync error {number}, by the API",
        )
    ]


def test_what_cannot_be_noted_is_not_shown(open_pages: Any, records: Engine) -> None:
    """The page says that it cannot be read now."""
    with transaction(records) as connection:
        connection.execute(text('UPDATE salesforce_demo."Contact" SET "LastName" = \'Zwitscherlast\''))
        connection.execute(text("ALTER TABLE headwater.audit ADD CONSTRAINT full_up CHECK (what <> 'seen unmasked')"))
    answer = open_pages(lambda: records, "op").get(f"/headwater/record/{ID}?org=demo")
    assert answer.status_code == 503
    assert "Zwitscherlast" not in answer.text
    assert open_pages(lambda: records, "viewer").get(f"/headwater/record/{ID}?org=demo").status_code == 200


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
