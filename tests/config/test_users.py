"""A changed field names the pushes and checks that it may break."""

from __future__ import annotations

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
