"""Data frames for analysts: every value as it is in the warehouse, with a type that can hold it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pandas
import pytest
from sqlalchemy import Engine, text

from include.errors import NotReady
from include.warehouse.engine import transaction
from include.warehouse.frames import frame
from tests.warehouse.conftest import make_contact

LARGE = 2**53 + 1  # a float would lose it


@pytest.fixture
def contacts(warehouse: Engine) -> Engine:
    """Fill Contact with a row of everything, one of nothing and a deleted one."""
    make_contact(warehouse)
    with transaction(warehouse) as connection:
        connection.execute(
            text(
                'INSERT INTO salesforce_main."Contact" ("Id", "IsDeleted", "LastName", "Email", "Amount__c",'
                ' "Visits__c", "Serial__c", "Birthdate", "Opens__c", "CreatedDate", "SystemModstamp", _deleted_at)'
                " VALUES"
                " ('003B', false, '100 % ü', '', 12.10, 3, :large, '1700-01-31', '08:30', '4000-12-31T23:59:59.123Z',"
                " '2026-03-01T11:00:00+01:00', NULL),"
                " ('003A', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),"
                " ('003C', true, 'gone', NULL, 0.1, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01T10:00:00Z')"
            ),
            {"large": LARGE},
        )
    return warehouse


def test_an_object_has_exact_types(contacts: Engine) -> None:
    """Empty whole numbers stay whole, moments are UTC, yes and no may be empty."""
    found = frame(contacts, "main", object="Contact")
    assert {name: str(kind) for name, kind in found.dtypes.items()} == {
        "Id": "string", "IsDeleted": "boolean", "LastName": "string", "Email": "string", "Amount__c": "Float64",
        "Visits__c": "Int64", "Serial__c": "Int64", "Birthdate": "object", "Opens__c": "object",
        "CreatedDate": "datetime64[us, UTC]", "SystemModstamp": "datetime64[us, UTC]",
    }  # fmt: skip
    assert list(found["Id"]) == ["003A", "003B"]
    empty, full = found.iloc[0], found.iloc[1]
    assert all(pandas.isna(value) for name, value in empty.items() if name != "Id")
    assert (full["Email"], full["LastName"]) == ("", "100 % ü")
    assert (full["Amount__c"], full["Visits__c"], full["Serial__c"]) == (12.1, 3, LARGE)
    assert (full["Birthdate"], full["Opens__c"]) == (date(1700, 1, 31), time(8, 30))
    assert full["CreatedDate"].to_pydatetime() == datetime(4000, 12, 31, 23, 59, 59, 123_000, tzinfo=UTC)
    assert full["SystemModstamp"].isoformat() == "2026-03-01T10:00:00+00:00"


def test_decimals_are_kept_digit_by_digit(contacts: Engine) -> None:
    """Where sums of money have to be right."""
    found = frame(contacts, "main", object="Contact", fields=("Amount__c",), decimals=True)
    assert list(found.columns) == ["Amount__c"]
    assert Decimal("12.10") in list(found["Amount__c"])


def test_deleted_records_come_when_asked_for(contacts: Engine) -> None:
    """With the moment at which it was seen."""
    found = frame(contacts, "main", object="Contact", fields=("Id",), deleted=True)
    assert list(found["Id"]) == ["003A", "003B", "003C"]
    assert list(found["_deleted_at"].notna()) == [False, False, True]


def test_an_empty_object_has_its_types(warehouse: Engine) -> None:
    """So that what follows needs no special case."""
    make_contact(warehouse)
    found = frame(warehouse, "main", object="Contact", fields=("Id", "Visits__c", "CreatedDate"))
    assert len(found) == 0
    assert [str(kind) for kind in found.dtypes] == ["string", "Int64", "datetime64[us, UTC]"]


def test_more_rows_than_are_read_at_once_come_whole(contacts: Engine) -> None:
    """Each once, with the types of the first."""
    with transaction(contacts) as connection:
        connection.execute(
            text(
                'INSERT INTO salesforce_main."Contact" ("Id", "Visits__c")'
                " SELECT '9' || lpad(n::text, 17, '0'), nullif(n % 3, 0) FROM generate_series(1, 45000) AS n"
            )
        )
    found = frame(contacts, "main", object="Contact", fields=("Id", "Visits__c"))
    assert len(found) == found["Id"].nunique() == 45_002
    assert str(found["Visits__c"].dtype) == "Int64"
    assert int(found["Visits__c"].sum()) == 3 + 15_000 * 3


@pytest.fixture
def working_org(warehouse: Engine) -> Engine:
    """Fill the ledgers as the tests of the pages do."""
    folder = Path(__file__).parents[1] / "ui"
    with transaction(warehouse) as connection:
        for name in ("a_working_org.sql", "a_record.sql"):
            connection.execute(text((folder / name).read_text(encoding="utf-8").replace(":", r"\:")))
    return warehouse


def test_findings_come_with_fields_of_their_records(working_org: Engine) -> None:
    """Of the newest assessment or another; a record that is not here has no values."""
    found = frame(working_org, "demo", check="email_missing", fields=("LastName", "Score__c"))
    assert list(found.columns) == [
        "Id", "object", "check", "title", "severity", "first_seen_at", "LastName", "Score__c",
    ]  # fmt: skip
    assert len(found) == 61
    last = found.iloc[-1]
    assert (last["Id"], last["severity"], last["Score__c"]) == ("003D000000QV9nlIAD", "error", 12.5)
    assert last["first_seen_at"] == pandas.Timestamp("2026-03-01T09:10:00Z")
    assert len(frame(working_org, "demo", check="email_missing", assessment_id=1)) == 56


def test_outcomes_of_a_run(working_org: Engine) -> None:
    """What became of each record."""
    found = frame(working_org, "demo", run_id=50)
    assert found[["Id", "push", "outcome", "cause"]].to_numpy().tolist() == [
        ["003D000000QV9nlIAD", "contacts", "rejected", "no_identifier"]
    ]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"object": "Nope"}, "no Nope of demo"),
        ({"object": 'Contact"; DROP SCHEMA headwater; --'}, "the warehouse has no"),
        ({"object": "Contact", "fields": ("Nope",)}, "no column Nope"),
        ({"check": "nope"}, "did not assess the check 'nope'"),
        ({"check": "case_orphan"}, "did not assess"),
        ({"check": "email_missing", "assessment_id": 99}, "assessment 99"),
        ({"run_id": 1}, "no run 1 of a push"),
    ],
)
def test_what_is_not_there_is_told(working_org: Engine, asked: dict[str, object], told: str) -> None:
    """With what to look at, instead of an empty frame."""
    with pytest.raises(NotReady, match=told):
        frame(working_org, "demo", **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("asked", [{}, {"object": "Contact", "run_id": 1}])
def test_one_thing_is_asked_for(warehouse: Engine, asked: dict[str, object]) -> None:
    """Neither none nor two."""
    with pytest.raises(ValueError, match="give one of"):
        frame(warehouse, "demo", **asked)  # type: ignore[arg-type]
