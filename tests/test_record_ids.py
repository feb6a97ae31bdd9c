"""Ids in whatever form a person has them."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as some

from include.record_ids import whole_id

BODIES = some.text(string.ascii_letters + string.digits, min_size=15, max_size=15)


@given(BODIES)
def test_every_form_of_an_id_leads_to_the_same(body: str) -> None:
    """Short, long, and long with its capitals lost to a program."""
    whole = whole_id(body)
    assert whole is not None
    assert whole[:15] == body
    assert {whole_id(whole), whole_id(whole.lower()), whole_id(whole.upper())} == {whole}


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("003D000000QV9nl", "003D000000QV9nlIAD"),
        ("001000000000001", "001000000000001AAA"),
        ("A" * 15, "A" * 15 + "555"),
    ],
)
def test_the_three_more_letters_are_those_of_salesforce(short: str, long: str) -> None:
    """As known Ids have them."""
    assert whole_id(short) == long


@pytest.mark.parametrize(
    "text", ["", "003", "0" * 14, "0" * 16, "0" * 17, "0" * 19, "003D000000QV9n'", "Ä" * 15, "٣" * 15, "0" * 15 + "AA6",
             "0" * 15 + "BAA", "003 000000QV9nl", "0" * 15 + "\n"]
)  # fmt: skip
def test_what_cannot_be_an_id_is_none(text: str) -> None:
    """Other lengths, other letters, and three letters that call a digit a capital."""
    assert whole_id(text) is None
