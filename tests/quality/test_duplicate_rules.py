"""What a rule lacks is said, and no statement names a function that the warehouse does not have."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

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


def _slipped(warehouse: Engine, one: str, other: str, *, seconds: int) -> bool:
    """Ask the rule `typo` for two people of one company and place whether their last names differ by one slip."""
    blocks = {each.name: each for each in blocks_of("person", off=(), trigrams=False, min_similarity=1)}
    (condition,) = (each.when for each in blocks["place_first"].rules if each.rule == "typo")
    person = "SELECT CAST(NULL AS date) AS born, CAST(NULL AS text) AS suffix, CAST(:{} AS text) AS last"
    asked = f"SELECT {condition} FROM ({person.format('one')}) AS a, ({person.format('other')}) AS b"
    with warehouse.begin() as connection:
        connection.execute(text(f"SET LOCAL statement_timeout = '{seconds}s'"))
        return bool(connection.execute(text(asked), {"one": one, "other": other}).scalar_one())


def _one_slip(one: str, other: str) -> bool:
    """Say it the long way: try every slip at every place."""
    if one == other or min(len(one), len(other)) < 2:
        return False
    less = any(long[:i] + long[i + 1 :] == short for long, short in ((one, other), (other, one)) for i in range(7))
    another = len(one) == len(other) >= 4 and sum(a != b for a, b in zip(one, other, strict=True)) == 1
    crossed = any(one[:i] + one[i + 1 : i + 2] + one[i] + one[i + 2 :] == other for i in range(len(one)))
    return less or another or crossed


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text("abü", max_size=6), st.text("abü", max_size=6))
def test_a_slip_is_a_letter_more_less_another_or_two_changed_over(warehouse, one, other):
    """Short names with few letters, so that one name has many ways to the other."""
    assert _slipped(warehouse, one, other, seconds=60) == _one_slip(one, other)


def test_long_names_are_compared_in_the_time_that_reading_them_takes(warehouse):
    """A text field holds 131,072 letters; trying a slip at each place of them would take hours."""
    long = "abcdefgh" * 16_384
    assert _slipped(warehouse, long, long[:-3] + "x" + long[-2:], seconds=60)
    assert not _slipped(warehouse, long, long[:-3] + "xyz", seconds=60)
