"""What an administrator changed is told field by field, once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.extract.drift import field_changes
from include.records import Describe, Field, FieldChange
from tests.extract.conftest import Desk

NAME = Field(name="Name", label="Name", type="string", length=80)
RATING = Field(name="Rating", label="Rating", type="picklist", length=255, picklist=("Hot", "Cold"))
AMOUNT = Field(name="Amount", label="Amount", type="currency", precision=18, scale=2)
FAX = Field(name="Fax", label="Fax", type="phone", length=40)
BEFORE = Describe(object="Deal", label="Deal", key_prefix="a00", fields=(NAME, RATING, AMOUNT))


def after(*fields: Field) -> Describe:
    return replace(BEFORE, fields=fields)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ((NAME, RATING, AMOUNT), []),
        ((AMOUNT, RATING, NAME), []),  # another order is no change
        ((NAME, RATING), [("Amount", "removed", "currency(18,2)", "")]),
        (
            (*BEFORE.fields, Field(name="Fax", label="Fax", type="phone", length=40)),
            [("Fax", "added", "", "phone(40)")],
        ),
        ((replace(NAME, length=120), RATING, AMOUNT), [("Name", "length", "(80)", "(120)")]),
        ((replace(NAME, label="Title"), RATING, AMOUNT), [("Name", "label", "Name", "Title")]),
        ((NAME, RATING, replace(AMOUNT, calculated=True)), [("Amount", "formula", "a value of its own", "calculated")]),
        ((NAME, replace(RATING, picklist=("Cold", "Hot")), AMOUNT), []),
        ((NAME, replace(RATING, picklist=("Hot", "Warm")), AMOUNT), [("Rating", "picklist", "Cold", "Warm")]),
        (
            (NAME, RATING, replace(AMOUNT, type="string", length=20, precision=0, scale=0)),
            [("Amount", "type", "currency(18,2)", "string(20)")],
        ),
    ],
)
def test_each_kind_of_change(now: tuple[Field, ...], expected: list[tuple[str, str, str, str]]) -> None:
    """With what it was and what it is."""
    found = field_changes(BEFORE, after(*now))
    assert [(each.field, each.kind, each.before, each.after) for each in found] == expected


def test_an_object_that_is_met_for_the_first_time_has_not_changed() -> None:
    """There is nothing to compare with."""
    assert field_changes(None, BEFORE) == []


def test_a_field_that_comes_back_is_told_apart_from_a_new_one() -> None:
    """Its old values are still in the warehouse."""
    [change] = field_changes(after(NAME, RATING), BEFORE, gone={"Amount"})
    assert change == FieldChange(object="Deal", field="Amount", kind="returned", after="currency(18,2)")


def test_a_long_picklist_is_shortened() -> None:
    """A page is for reading."""
    values = tuple(f"v{number}" for number in range(25))
    [change] = field_changes(BEFORE, after(NAME, replace(RATING, picklist=(*RATING.picklist, *values)), AMOUNT))
    assert change.after.endswith("v19 and 5 more")


def test_changes_are_kept_once_with_the_run_that_saw_them(desk: Desk) -> None:
    """The hourly describe rides along with the probe; the next run tells nothing again."""
    desk.extract()
    assert desk.rows("SELECT count(*) FROM headwater.schema_change") == [(0,)]
    desk.org.tick(hours=1)
    desk.org.change_fields("Contact", Fax__c="phone", Visits__c=None)
    desk.extract()
    desk.org.tick(hours=1)
    desk.extract()
    desk.org.change_fields("Contact", Visits__c="int")
    desk.org.tick(hours=1)
    desk.extract()
    assert desk.rows("SELECT object, field, kind FROM headwater.schema_change ORDER BY change_id") == [
        ("Contact", "Fax__c", "added"),
        ("Contact", "Visits__c", "removed"),
        ("Contact", "Visits__c", "returned"),
    ]
