"""A changed field names the pushes and checks that it may break."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.config.loader import load_definitions
from include.config.users import users_of

DEFINITIONS = load_definitions()
PUSH = "push contacts_to_insider_one"


@pytest.mark.parametrize(
    ("object", "field", "used"),
    [
        ("Contact", "Title", True),  # an attribute
        ("Contact", "Email", True),  # an identifier
        ("Contact", "MailingCountry", True),  # by which phones are read
        ("Account", "Industry", True),  # over the relationship
        ("Contact", "AccountId", True),  # which the relationship itself needs
        ("Contact", "Industry", False),
        ("Lead", "Title", False),
        ("Contact", "Fax", False),
    ],
)
def test_a_push_uses_what_it_maps(object: str, field: str, *, used: bool) -> None:
    """Its own fields, and those that it reaches."""
    assert (PUSH in users_of(DEFINITIONS, "demo", object, field)) is used


def test_another_orgs_push_is_not_named() -> None:
    """Fields of the same name are others there."""
    assert PUSH not in users_of(DEFINITIONS, "other", "Contact", "Title")


def test_checks_are_named_once() -> None:
    """Each that needs the field, for whatever reason."""
    found = users_of(DEFINITIONS, "demo", "Contact", "Email")
    assert len(found) == len(set(found))
    assert any(each.startswith("check ") for each in found)


READING = """
org: a
connection: c
filters:
  Contact: [{any: [{field: Region__c, operator: in, value: [EMEA]}, {field: Owner.IsActive, value: true}]}]
queries:
  - name: big_deals
    soql: >-
      SELECT Id, Amount, Account.Name FROM Opportunity
      WHERE SystemModstamp >= {lastSyncTime} AND StageName != 'Closed Lost'
"""


@pytest.mark.parametrize(
    ("object", "field", "expected"),
    [
        ("Contact", "Region__c", ("filter of Contact",)),
        ("Contact", "OwnerId", ("filter of Contact",)),
        ("Lead", "Region__c", ()),
        ("Opportunity", "Amount", ("query big_deals",)),
        ("Opportunity", "StageName", ("query big_deals",)),
        ("Opportunity", "AccountId", ("query big_deals",)),
        ("Account", "Name", ("query big_deals",)),
        ("Opportunity", "NextStep", ()),
    ],
)
def test_what_an_org_is_read_by_is_named_too(
    definitions: Path, object: str, field: str, expected: tuple[str, ...]
) -> None:
    """A filter or query that names the field would be refused without it."""
    (definitions / "orgs" / "a.yaml").write_text(READING, encoding="utf-8")
    loaded = load_definitions(definitions)
    assert loaded.errors == ()
    assert users_of(loaded, "a", object, field) == expected
