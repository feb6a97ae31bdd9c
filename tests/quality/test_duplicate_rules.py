"""What a rule lacks is said, and no statement names a function that the warehouse does not have."""

from __future__ import annotations

from include.quality.duplicate_rules import blocks_of, unusable
from include.quality.nicknames import name_forms, name_pairs

ROLES = ("first_name", "last_name", "email", "phone", "account")


def test_without_trigrams_one_rule_is_left_out_and_says_what_it_needs():
    """All others go on: they need no extension."""
    lacking = unusable("person", ROLES, off=(), trigrams=False)
    assert lacking == {"similar": "the warehouse lacks the extension pg_trgm: CREATE EXTENSION pg_trgm"}
    for kind in ("person", "company"):
        blocks = blocks_of(kind, off=(), trigrams=False, min_similarity=0.5)
        assert [each.rule for block in blocks for each in block.rules if "similarity(" in each.when] == []


def test_a_rule_without_its_fields_says_which_role_has_none():
    """Any one of several numbers will do."""
    lacking = unusable("person", ("first_name", "last_name", "mobile"), off=("nickname",), trigrams=True)
    assert lacking["email"] == "no field is known as email"
    assert lacking["name"] == "no field is known as account or company"
    assert lacking["nickname"] == "it is switched off (rules_off)"
    assert "phone" not in lacking


def test_short_forms_lead_to_their_name_and_only_weakly_to_each_other():
    """Bob is Robert; Bob and Rob may be two brothers."""
    pairs = {(name, other): direct for name, other, direct in name_pairs() if name == "Robert" or other == "Rob"}
    assert (pairs["Robert", "Bob"], pairs["Bob", "Rob"]) == (True, False)
    assert all(len(set(group)) > 1 and all(group) for group in name_forms())
